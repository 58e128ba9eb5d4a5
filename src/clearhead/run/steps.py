"""The steps of a run: each reads what the one before wrote, and is skipped when it is current."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from clearhead._files import fingerprint, write_json
from clearhead._types import Targets
from clearhead.debug import Finding, read_terms
from clearhead.errors import InputError, StepMissingError
from clearhead.events import Event, EventCallback, emit
from clearhead.explain import Explained
from clearhead.features import FeatureStore, PrecomputedFeatures, extract, keep_features
from clearhead.glm import Path as SparsePath
from clearhead.glm.checks import check_scalars
from clearhead.layer import (
    Best,
    DecisionLayer,
    LayerAnalysis,
    Rule,
    Sparsest,
    analyze,
    parse_rule,
)
from clearhead.run.agreement import agree
from clearhead.run.choices import check_choice, check_seed
from clearhead.run.debugging import diagnose, write_diagnosis
from clearhead.run.directory import RunFile
from clearhead.run.explain_layer import explain_layer
from clearhead.run.explaining import EffortName
from clearhead.run.fitting import (
    check_proven,
    fit_both,
    fitted_to,
    forget_checkpoints,
)
from clearhead.run.results import RunResults

__all__ = ["RunSteps"]


class RunSteps(RunResults):
    """The steps that fill a run directory, up to the findings.

    Parameters
    ----------
    file : RunFile
        What has been computed so far.
    on_event : callable, optional
        Told about progress, warnings and skipped steps.
    """

    def __init__(self, file: RunFile, on_event: EventCallback | None = None) -> None:
        super().__init__(file)
        self.on_event = on_event

    def extract(
        self,
        *,
        batch_size: int | Literal["auto"] | None = None,
        strict: bool = False,
        repair: bool = False,
        force: bool = False,
    ) -> FeatureStore:
        """Compute the deep features of every example; see :func:`clearhead.extract`.

        `strict` and `repair` look at a finished store too; `force` computes it again.
        """
        folder = self.folder / "features"
        # Batches change features by rounding only, so their size makes no other store.
        current = self._is_current("extract", {}, force)
        if current and not (strict or repair):
            return self.store
        started = time.perf_counter()
        if not current:
            self.file.begin("extract")
        if force:
            shutil.rmtree(folder, ignore_errors=True)
        self.__dict__.pop("store", None)
        if isinstance(self.network, PrecomputedFeatures):
            store = keep_features(self.network, self.dataset, folder, on_event=self.on_event)
            if not current:
                self._finish("extract", {}, started)
            return store
        store = extract(
            self.backbone,
            self.dataset,
            folder,
            batch_size=batch_size,
            strict=strict,
            repair=repair,
            on_event=self.on_event,
        )
        if not current:
            self._finish("extract", {}, started)
        return store

    def fit(
        self,
        *,
        l1_ratio: float = 0.99,
        n_lambdas: int = 100,
        lambda_min_ratio: float = 1e-3,
        tol: float = 1e-4,
        seed: int = 0,
        ban: Sequence[int] = (),
        balanced: bool = False,
        grouped: bool = False,
        targets: str = "labels",
        strict: bool = False,
        force: bool = False,
    ) -> SparsePath:
        """Fit the sparse path, and the ridge path that stands for a dense layer.

        Parameters
        ----------
        l1_ratio, n_lambdas, lambda_min_ratio, tol, seed
            As in :func:`clearhead.fit_path`.
        ban : sequence of int
            Features that no layer may use: their penalty factor is infinite.
        balanced : bool
            Weigh examples so that every class counts alike.
        grouped : bool
            Let a feature be in for all classes or for none.
        targets : {"labels", "predictions"}
            What to fit: the labels of the data, or the probabilities that the network
            itself predicts, which makes the layer a surrogate of it. Accuracy is always that
            on the labels; how far the layer agrees with the network is said either way.
        strict : bool
            A point that is not proven optimal is an error.
        force : bool
            Fit again though nothing has changed.
        """
        grid: dict[str, Any] = {
            "l1_ratio": l1_ratio,
            "n_lambdas": n_lambdas,
            "lambda_min_ratio": lambda_min_ratio,
        }
        check_scalars(family="auto", **grid, tol=tol, seed=seed)
        options: dict[str, Any] = {
            **grid,
            "tol": tol,
            "seed": seed,
            "ban": sorted({int(feature) for feature in ban}),
            "balanced": balanced,
        }
        # Named only where they are asked for: what older versions fitted stays current.
        if grouped:
            options["grouped"] = True
        if check_choice("targets", targets, get_args(Targets)) != "labels":
            options["targets"] = targets
        folder = self.folder / "path"
        if self._is_current("fit", options, force):
            path = self.path()
            if strict:
                check_proven(path, folder)
            return path
        started = time.perf_counter()
        paths = fit_both(self.store, folder, options, strict=strict, on_event=self.on_event)
        self.file.begin("fit")
        for kind, path in paths.items():
            path.save(folder / kind)
        self._finish("fit", options, started)
        forget_checkpoints(folder)
        return paths["sparse"]

    def select(self, rule: Rule | str | None = None, *, force: bool = False) -> DecisionLayer:
        """Choose a point of the path; by default the sparsest within 5 points of the best.

        The dense layer to compare with is the best of the ridge path.
        """
        if rule is None:
            rule = Sparsest()
        elif isinstance(rule, str):
            rule = parse_rule(rule)
        options = {"rule": rule.describe()}
        if self._is_current("select", options, force):
            return self.layer()
        started = time.perf_counter()
        path, dense = self.path(), self.path("dense")
        index, layer = rule.index(path), path.select(rule)
        self.file.begin("select")
        layer.save(self.folder / "layer" / "sparse")
        dense_layer = dense.select(Best())
        dense_layer.save(self.folder / "layer" / "dense")
        chosen = {
            "rule": rule.describe(),
            "text": rule.text,
            "index": index,
            "dense_index": Best().index(dense),
            "agreement": agree(self.store, {"sparse": layer, "dense": dense_layer}),
        }
        write_json(self.folder / "layer" / "selection.json", chosen)
        self._finish("select", options, started)
        emit(self.on_event, Event("select", "end", f"point {index}: {layer!r}"))
        return layer

    def explain(
        self,
        *,
        k: int = 8,
        effort: EffortName = "default",
        seed: int = 0,
        force: bool = False,
    ) -> Explained:
        """Find what each used feature responds to.

        Always its most and least activating examples, from the training and validation
        splits; the test split is kept for judging. With more effort also what in them
        drives it (LIME), its words, pictures made to activate it, a name, and how far
        these tell where it fires. What a finished part computed is kept when the call is
        interrupted.

        Parameters
        ----------
        k : int
            Examples at each end of a feature.
        effort : {"quick", "default", "full"}
            ``"quick"`` finds examples only and needs no network; ``"full"`` lifts all
            budgets (:data:`clearhead.run.EFFORTS`).
        seed : int
            Of perturbations and pictures.
        force : bool
            Do it again though nothing has changed.
        """
        if k < 1:
            raise InputError(f"k: expected at least 1 example, got {k}.")
        options = {
            "k": k,
            "keep_examples": self.file.data["keep_examples"],
            "effort": check_choice("effort", effort, get_args(EffortName)),
            "seed": check_seed(seed),
        }
        if self._is_current("explain", options, force):
            return self.explained
        started = time.perf_counter()
        found = explain_layer(self, k, effort, seed)
        self._finish("explain", options, started)
        emit(self.on_event, Event("explain", "end", f"{len(found)} features"))
        return self.explained

    def analyze(
        self,
        *,
        n_resamples: int = 20,
        n_tried: int = 50,
        seed: int = 0,
        force: bool = False,
    ) -> LayerAnalysis:
        """Look at the layer as a whole; see :func:`clearhead.layer.analyze`.

        What is written belongs to the layers that are selected now, and is found again as
        long as they and the options are the same. No other step needs it.
        """
        self.file.require("explain")
        options: dict[str, Any] = {
            "n_resamples": n_resamples,
            "n_tried": n_tried,
            "seed": check_seed(seed),
        }
        if not force:
            try:
                found = self.analysis
            except StepMissingError:
                pass
            else:
                if all(found.options.get(name) == value for name, value in options.items()):
                    emit(self.on_event, Event("analyze", "skip", "nothing has changed"))
                    return found
        rows = fitted_to(self.store, self.file.steps["fit"].options)
        result = analyze(
            self.layer(), self.layer("dense"), **rows, **options, on_event=self.on_event
        )
        write_json(self._analysis_file, result.to_dict())
        return result

    def debug(
        self,
        *,
        effort: EffortName = "default",
        terms: Path | str | Sequence[str] | None = None,
        seed: int = 0,
        force: bool = False,
    ) -> list[Finding]:
        """Look for what may be wrong; see :func:`clearhead.debug.find`.

        Parameters
        ----------
        effort : {"quick", "default", "full"}
            ``"quick"`` looks at features only and needs no network; the others put suspected
            patterns into inputs and run the network on them.
        terms : path or sequence of str, optional
            Words for people that a text's class should not depend on, a file with one a line
            or the words themselves; the packaged list where None.
        seed : int
            Of every sample that is drawn.
        force : bool
            Do it again though nothing has changed.

        Returns
        -------
        list of Finding
            Ranked. :attr:`tested` and :attr:`debug_notes` say what was looked at besides.
        """
        options = {
            "keep_examples": self.file.data["keep_examples"],
            "effort": check_choice("effort", effort, get_args(EffortName)),
            "seed": check_seed(seed),
        }
        listed = read_terms(terms)
        if terms is not None:
            options["terms"] = fingerprint([listed.terms, listed.groups, listed.controls])
        if self._is_current("debug", options, force):
            return self.findings
        started = time.perf_counter()
        found, notes = diagnose(self, effort, None if terms is None else listed, seed)
        # What was found before stays until here: the search can be interrupted.
        self.file.begin("debug")
        self.keep_examples([i for f in found.findings for i in f.examples])
        write_diagnosis(self.folder, found, notes)
        self._finish("debug", options, started)
        return list(found.findings)

    def keep_examples(self, ids: list[str]) -> None:
        """Keep texts or thumbnails of examples, unless the run is to keep none."""
        if self.file.data["keep_examples"]:
            self._keeper.keep(ids, lambda: self.dataset, self.on_event)

    def _is_current(self, step: str, options: Mapping[str, Any], force: bool = False) -> bool:
        self.file.require(step)
        current = self.file.is_current(step, options) and not force
        if current:
            emit(self.on_event, Event(step, "skip", "nothing has changed"))
        return current

    def _finish(self, step: str, options: Mapping[str, Any], started: float) -> None:
        self.file.finish(step, options, time.perf_counter() - started)
