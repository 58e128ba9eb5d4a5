"""How a run's features are explained beyond their examples: with the network, within a budget.

Budgets are numbers of examples, perturbations and steps, never seconds, so that the same call
gives the same explanations on every machine. What has been computed is kept at once; an
interrupted call goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from clearhead._files import write_json
from clearhead._types import FloatArray, IntArray
from clearhead.backbones import Backbone
from clearhead.data import Dataset
from clearhead.debug import bin_metadata
from clearhead.errors import BackboneError, MissingDependencyError
from clearhead.events import Event, EventCallback, emit
from clearhead.explain import (
    Detection,
    ExampleIndex,
    FeatureName,
    LimeExplanations,
    WordTable,
    agreement,
    detect_enrichment,
    detect_regions,
    detect_words,
    explain_gradients,
    explain_images,
    explain_texts,
    find_enrichment,
    name_by_enrichment,
    name_by_words,
    suggest_names,
    trust,
    visualize,
    word_table,
)
from clearhead.explain.detection import CLEAR
from clearhead.explain.lime.pictures import RegionSource
from clearhead.features import FeatureStore
from clearhead.layer import DecisionLayer
from clearhead.report import WORDS_SHOWN

__all__ = ["EFFORTS", "Effort", "EffortName", "Explainer", "strongest_features"]

EffortName = Literal["quick", "default", "full"]
LISTED_WORDS = 50
AGREED_EXAMPLES, AGREED_FEATURES = 8, 2
JUDGED_TEXTS = 4000  # that set the threshold of an explanation, and that judge it
JUDGED_PICTURES = 200  # cutting one into regions takes a tenth of a second
N_REGIONS = 30  # perturbations should be twice as many


@dataclass(frozen=True)
class Effort:
    """How much is explained.

    Parameters
    ----------
    features : int or None
        The strongest of those in use; None is all of them.
    ends : int
        Examples at each end of a feature that LIME explains.
    texts : int or None
        Validation texts that it explains besides, for the words; None is all of them.
    text_perturbations, picture_perturbations : int
    ends_made : tuple of {"max", "min"}
        Pictures made to activate a feature, to silence it, or both.
    steps, seeds : int
        Of each of these pictures; None is :func:`clearhead.visualize`'s own number.
    """

    features: int | None
    ends: int
    texts: int | None
    text_perturbations: int
    picture_perturbations: int
    ends_made: tuple[Literal["max", "min"], ...]
    steps: int | None
    seeds: int


EFFORTS: dict[str, Effort] = {
    "default": Effort(64, 2, 400, 96, 64, ("max",), None, 1),
    "full": Effort(None, 8, None, 512, 256, ("max", "min"), 512, 3),
}
"""``"quick"`` finds examples only; it needs no network."""


def strongest_features(layer: DecisionLayer, most: int | None) -> IntArray:
    """Give the features in use with the largest weight in any class, ascending."""
    used = layer.used
    if most is None or used.size <= most:
        return used
    largest = np.abs(layer.weight[:, used]).max(axis=0)
    return np.sort(used[np.argsort(-largest, kind="stable")[:most]])


class Explainer:
    """Explains the features of one run.

    Parameters
    ----------
    folder : Path
        ``explain/`` of the run.
    store : FeatureStore
    layer : DecisionLayer
    index : ExampleIndex
    effort : Effort
    seed : int
    keep_examples : bool
        Whether words and pieces of pictures of the data may be kept; without it there is no LIME.
    on_event : callable, optional
    """

    def __init__(
        self,
        folder: Path,
        store: FeatureStore,
        layer: DecisionLayer,
        index: ExampleIndex,
        *,
        effort: Effort,
        seed: int,
        keep_examples: bool,
        on_event: EventCallback | None,
    ) -> None:
        self.folder, self.store, self.layer, self.index = folder, store, layer, index
        self.effort, self.seed, self.on_event = effort, seed, on_event
        self.keep_examples = keep_examples
        self.features = strongest_features(layer, effort.features)
        self.notes: list[str] = []
        self.lime = False
        self.pictures: list[str] = []
        self.names: list[Sequence[FeatureName]] = []
        self.detections: list[Detection] = []
        if self.features.size < layer.used.size:
            self.note(
                f"LIME, words, names and pictures are of the {self.features.size} features of "
                f"largest weight, of {layer.used.size} in use; --full takes all."
            )

    def note(self, words: str) -> None:
        """Say something that a reader of the explanations must know."""
        self.notes.append(words)

    def run(self, backbone: Backbone | None, dataset: Dataset | None) -> None:
        """Explain by every means that network and data allow, and write what was found."""
        if not self.features.size:
            self.note("The layer uses no feature, so there was none to explain.")
            backbone = None
        else:
            self._enrichment()
        if not self.keep_examples:
            self.note("No words or regions of examples were explained: the run keeps no examples.")
        elif backbone is not None and dataset is not None:
            explain = self._texts if dataset.modality == "text" else self._pictures
            try:
                explain(backbone, dataset)
            except (BackboneError, MissingDependencyError) as error:
                self.note(f"LIME ended early: {error}")
                emit(self.on_event, Event("explain", "warning", self.notes[-1]))
        if backbone is not None and backbone.modality == "image":
            self._visualize(backbone)
        judged = trust(self.features, self.detections)
        if judged:
            clear = sum(one.clear for one in judged)
            self.note(
                f"{clear} of {len(judged)} features are clear: from a name, words or regions "
                'alone it can be told, on test examples, when they fire. "All words" are more than '
                "the lists show, and predict more."
            )
        names = suggest_names(*self.names)
        write_json(self.folder / "names.json", [one.to_dict() for one in names])
        write_json(self.folder / "detection.json", [one.to_dict() for one in judged])
        made = {"lime": self.lime, "pictures": self.pictures, "notes": self.notes}
        write_json(self.folder / "made.json", made)

    @cached_property
    def _activations(self) -> FloatArray:
        """Standardised activations of all rows of the store, (n, u)."""
        return self.layer.standardize(self.store.matrix(), self.features)

    def _z(self, rows: IntArray) -> FloatArray:
        """Those of some rows, (m, u)."""
        return self._activations[rows]

    def _rows(self, *splits: str, most: int) -> IntArray:
        """Draw rows of some splits, ascending, at most so many."""
        rows = np.flatnonzero(np.isin(self.store.split.astype(str), splits))
        if rows.size > most:
            rows = np.sort(np.random.default_rng(self.seed).choice(rows, most, replace=False))
        return rows

    def _enrichment(self) -> None:
        """Name features after the classes and metadata of the examples where they fire."""
        seen = np.flatnonzero(self.store.split != "test")
        judging = np.flatnonzero(self.store.split == "test")
        known = bin_metadata(self.store.metadata, self.store.split == "train")
        names = np.array(self.store.class_names, dtype=object)
        if len(names) > 2:  # of two classes the sign of the weight says as much
            known = known.assign(**{"class": names[self.store.labels()]})
        found = find_enrichment(self.features, self._z(seen), known.iloc[seen])
        if not found:
            return
        judged = detect_enrichment(
            found,
            self.features,
            (known.iloc[seen], self._z(seen)),
            (known.iloc[judging], self._z(judging)),
        )
        self.detections += judged
        named = name_by_enrichment(found, judged)
        self.names.append([one for one in named if one.score is None or one.score > CLEAR])

    def _ends(self) -> list[str]:
        """Give ids of the examples at both ends of each feature."""
        ids: list[str] = []
        for feature in self.features:
            one = self.index.examples(int(feature))
            for end in (one.highest, one.lowest):
                ids += [key for key, _ in end[: self.effort.ends]]
        return list(dict.fromkeys(ids))

    def _texts(self, backbone: Backbone, dataset: Dataset) -> None:
        texts = _Loaded(dataset)
        chosen = self._ends()
        corpus = self.store.ids[self.store.split == "validation"]
        if self.effort.texts is not None and corpus.size > self.effort.texts:
            rng = np.random.default_rng(self.seed)
            corpus = corpus[np.sort(rng.choice(corpus.size, self.effort.texts, replace=False))]
        chosen = list(dict.fromkeys([*chosen, *map(str, corpus)]))
        lime = explain_texts(
            backbone,
            self.layer,
            texts.pairs(chosen),
            features=self.features,
            n_perturbations=self.effort.text_perturbations,
            seed=self.seed,
            folder=self.folder / "lime",
            on_event=self.on_event,
        )
        self._say_lime(lime, "texts", self.effort.text_perturbations)
        self._compare_gradients(backbone, lime, texts)
        table = word_table(lime)
        words = [table.words_of(int(j), LISTED_WORDS) for j in self.features]
        write_json(self.folder / "words.json", [one.to_dict() for one in words])
        self._judge_words(table, texts)

    def _judge_words(self, table: WordTable, texts: _Loaded) -> None:
        sides: list[Any] = []
        for splits in (("train", "validation"), ("test",)):
            rows = self._rows(*splits, most=JUDGED_TEXTS)
            held = [str(key) for key in self.store.ids[rows]]
            sides += [[text for _, text in texts.pairs(held)], self._z(rows)]
        # What is listed is what a person sees; all the words together predict more.
        self.detections += detect_words(table, *sides, k=WORDS_SHOWN, explanation="words")
        self.detections += detect_words(table, *sides, explanation="all words")
        short = detect_words(table, *sides, k=3, explanation="name")
        words = [table.words_of(int(j)) for j in self.features]
        self.names.append(name_by_words(words, short))

    def _pictures(self, backbone: Backbone, dataset: Dataset) -> None:
        pictures = _Loaded(dataset)
        lime = explain_images(
            backbone,
            self.layer,
            pictures.pairs(self._ends()),
            features=self.features,
            n_perturbations=self.effort.picture_perturbations,
            n_regions=N_REGIONS,
            seed=self.seed,
            folder=self.folder / "lime",
            on_event=self.on_event,
        )
        self._say_lime(lime, "pictures", self.effort.picture_perturbations)
        self._compare_gradients(backbone, lime, pictures)
        self._judge_regions(backbone, lime, pictures)

    def _judge_regions(self, backbone: Backbone, lime: LimeExplanations, pictures: _Loaded) -> None:
        """Ask whether the look of the regions tells where the features fire."""
        if not len(lime):
            return
        segments = RegionSource(backbone, N_REGIONS, "slic", "grey")
        held = set(lime.ids)
        sides: list[Any] = []
        for splits in (("train", "validation"), ("test",)):
            rows = self._rows(*splits, most=JUDGED_PICTURES)
            rows = rows[[str(key) not in held for key in self.store.ids[rows]]]
            sides.append([picture for _, picture in pictures.pairs(self.store.ids[rows])])
            sides.append(self._z(rows))
        self.detections += detect_regions(
            lime, *sides, segment=lambda picture: segments.open(picture).parts
        )

    def _visualize(self, backbone: Backbone) -> None:
        options: dict[str, Any] = {}
        if self.effort.steps is not None:
            options["steps"] = self.effort.steps
        try:
            made = visualize(
                backbone,
                self.features,
                layer=self.layer,
                activations=self.index,
                directions=self.effort.ends_made,
                seeds=self.effort.seeds,
                seed=self.seed,
                folder=self.folder / "visualizations",
                on_event=self.on_event,
                **options,
            )
        except (BackboneError, MissingDependencyError) as error:
            self.note(f"No pictures were made: {error}")
            emit(self.on_event, Event("explain", "warning", self.notes[-1]))
            return
        self.pictures = [one.key for one in made]
        failed = sum(bool(one.failed) for one in made)
        self.note(
            f"{len(made)} pictures were made to activate or silence features"
            + (f"; {failed} of them failed to, and say so." if failed else ".")
        )

    def _compare_gradients(self, backbone: Backbone, lime: LimeExplanations, data: _Loaded) -> None:
        """Say how far integrated gradients tell the same of a few examples and features."""
        few = strongest_features(self.layer, AGREED_FEATURES)
        chosen = lime[:: max(1, len(lime) // AGREED_EXAMPLES)][:AGREED_EXAMPLES]
        try:
            found = agreement(
                chosen,
                explain_gradients(
                    backbone, self.layer, data.pairs(chosen.ids), chosen, features=few
                ),
            )
        except (BackboneError, MissingDependencyError) as error:
            self.note(f"LIME was not compared with gradients: {error}")
            return
        if found.spearman is not None:
            self.note(
                f"LIME and integrated gradients rank the parts alike to {found.spearman:.2f} "
                f"(Spearman, mean over {found.n_examples} examples and {few.size} features; 0 is "
                "chance). Where they differ, LIME is what removing the part does."
            )

    def _say_lime(self, lime: LimeExplanations, what: str, perturbations: int) -> None:
        self.lime = True
        r2 = np.concatenate([one.r2 for one in lime]) if len(lime) else np.zeros(1)
        self.note(
            f"LIME explained {len(lime)} {what} with at most {perturbations} perturbations each; "
            f"its local models fit with a median R² of {np.median(r2):.2f}."
        )


class _Loaded:
    """Examples of a dataset by their ids, without those that cannot be read."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.row = {str(key): row for row, key in enumerate(dataset.ids)}

    def pairs(self, keys: Iterable[str]) -> list[tuple[str, Any]]:
        """Give (id, example) of each."""
        return [(str(key), self.dataset.load(self.row[str(key)])) for key in keys]
