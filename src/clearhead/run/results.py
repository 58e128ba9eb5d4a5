"""What a run holds: opened, verified, as the objects that it was written from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from clearhead._files import read_json
from clearhead._types import FloatArray, Targets
from clearhead.backbones import Backbone, open_backbone
from clearhead.data import Dataset, open_dataset
from clearhead.debug import (
    Finding,
    LabelNoise,
    Leaks,
    Pattern,
    SplitView,
    Tested,
    bin_metadata,
    load_pattern,
)
from clearhead.debug.texts import BiasProbe
from clearhead.errors import (
    CorruptFileError,
    FingerprintMismatchError,
    InputError,
    StepMissingError,
)
from clearhead.explain import (
    ExampleIndex,
    Explained,
    FeatureExamples,
    FeatureName,
    LimeExplanations,
    Trust,
    load_visualizations,
    merge_names,
    word_table,
)
from clearhead.features import (
    FeatureStore,
    PrecomputedFeatures,
    is_feature_file,
    read_features,
)
from clearhead.glm import Path as SparsePath
from clearhead.layer import DecisionLayer, Edit, LayerAnalysis
from clearhead.report import AppData, ReportData, ReportInputs, build_app, build_report
from clearhead.report.compare_card import CompareCard
from clearhead.report.notebook import notebook_html
from clearhead.run.choices import check_choice
from clearhead.run.directory import STEPS, RunFile
from clearhead.run.edit_log import EditLog
from clearhead.run.examples import ExampleKeeper, KeptExample
from clearhead.run.notes import Notes, read_notes

__all__ = ["RunResults"]

T = TypeVar("T")

OWN_DATA = ("seed", "validation", "test", "label")
"""Options of the data that a file of features is itself."""

TESTED = "debug/tested.json"
LABELS = "debug/labels.json"
LEAKS = "debug/leaks.json"
BIAS = "debug/bias.json"
PATTERNS = "debug/patterns"

LAYERS = ("sparse", "dense", "edited")

SELECTION = ("rule", "index", "dense_index")


class RunResults:
    """What a run was made from, and what its finished steps left.

    Parameters
    ----------
    file : RunFile
        What has been computed so far.
    """

    def __init__(self, file: RunFile) -> None:
        self.file = file

    @property
    def folder(self) -> Path:
        """The run directory."""
        return self.file.folder

    @property
    def name(self) -> str:
        """Name of the run: that of its directory."""
        return self.folder.resolve().name

    @cached_property
    def network(self) -> Backbone | PrecomputedFeatures:
        """What the features come from: the network, or the features computed elsewhere."""
        spec = self._name_of("model")
        if is_feature_file(spec):
            return read_features(spec)
        return open_backbone(spec, **self.file.model.get("options", {}))

    @property
    def backbone(self) -> Backbone:
        """The network, opened again by the name it was given, with the options it was given.

        Raises
        ------
        InputError
            The run was made from features that were computed elsewhere.
        """
        if isinstance(self.network, PrecomputedFeatures):
            raise InputError(
                f"{self.folder} was made from the features {self.network.name}: there is no "
                "network in it. Open the network itself with clearhead.open_backbone."
            )
        return self.network

    @cached_property
    def dataset(self) -> Dataset:
        """The data, opened again by the name they were given; they must not have changed."""
        spec, options = self._name_of("data"), self.file.data["options"]
        if spec == self.file.model["spec"] and is_feature_file(spec):
            dataset = read_features(spec).dataset(**options)
        else:
            dataset = open_dataset(spec, **options)
        if dataset.fingerprint() != self.file.data["fingerprint"]:
            raise FingerprintMismatchError(
                f"The data at {spec} are not those that {self.folder} was made from: their "
                "contents have changed. Start a new run with another --out, or overwrite this "
                "one with --force."
            )
        return dataset

    def _name_of(self, what: str) -> str:
        """How the model or the data were named; objects have no name to open them by."""
        spec: str | None = getattr(self.file, what)["spec"]
        if spec is None:
            raise InputError(
                f"{self.folder}: the {what} was given as an object, so it cannot be opened again "
                "by name. Open the run with clearhead.new_run(folder, backbone, dataset)."
            )
        return spec

    @cached_property
    def store(self) -> FeatureStore:
        """The deep features, verified."""
        return FeatureStore.open(self.folder / "features")

    def path(self, kind: str = "sparse") -> SparsePath:
        """The sparse path, or the ``"dense"`` (ridge) one."""
        self.file.require("select")
        return SparsePath.load(self.folder / "path" / kind)

    def layer(self, kind: str = "sparse") -> DecisionLayer:
        """The selected sparse layer, the ``"dense"`` one, or the ``"edited"`` one.

        Raises
        ------
        StepMissingError
            None has been selected yet, or there are no edits.
        """
        check_choice("layer", kind, LAYERS)
        self._done("select")
        if kind == "edited":
            return self._edited
        return DecisionLayer.load(self.folder / "layer" / kind)

    @property
    def edits_folder(self) -> Path:
        """Where the edits of the layer are kept."""
        return self.folder / "layer" / "edits"

    @property
    def edit_log(self) -> EditLog:
        """Edits of the layer that is selected now, and those undone since."""
        return EditLog.read(self.edits_folder, self.layer().fingerprint)

    @property
    def edits(self) -> tuple[Edit, ...]:
        """What was changed since the layer was selected, in order."""
        return self.edit_log.edits()

    @property
    def _edited(self) -> DecisionLayer:
        log = self.edit_log
        layer = log.layer()
        if layer is None:
            why = "have all been undone" if log.steps else "has none"
            if log.void:
                why = "were made to another layer than the one selected now"
            raise StepMissingError(
                f"{self.folder}: edits: this run's layer {why}. Make one with `clearhead edit "
                f"{self.folder} …`, or take the selected layer."
            )
        return layer

    @property
    def selection(self) -> Mapping[str, Any]:
        """How the layer was chosen: ``rule``, ``index``, ``dense_index``; and ``agreement``.

        ``text`` is the rule as :func:`clearhead.layer.parse_rule` reads it, or "".

        The last says how far each layer agrees with the network's own predictions, as
        :func:`clearhead.run.agreement.agree` measures it.
        """
        self.file.require("explain")
        path = self.folder / "layer" / "selection.json"
        return self._read(
            path,
            "select",
            # Older versions did not measure the agreement.
            lambda v: (
                {key: v[key] for key in SELECTION}
                | {"agreement": v.get("agreement", {}), "text": v.get("text", "")}
            ),
        )

    @property
    def targets(self) -> Targets:
        """What the paths were fitted to."""
        self._done("fit")
        found: Targets = self.file.steps["fit"].options.get("targets", "labels")
        return found

    @property
    def explanations(self) -> list[FeatureExamples]:
        """What :meth:`explain` found."""
        self._done("explain")
        path, build = self.folder / "explain" / "examples.json", FeatureExamples.from_dict
        return self._read(path, "explain", lambda value: [build(item) for item in _items(value)])

    @property
    def given_names(self) -> dict[int, str]:
        """Names that a person gave to features, kept in ``notes.json``."""
        features = self.notes.features
        return {key: one.name for key, one in features.items() if one.name is not None}

    @property
    def notes(self) -> Notes:
        """Names and marks that people gave to features, and their version."""
        return read_notes(self.folder)

    @property
    def explained(self) -> Explained:
        """All that :meth:`explain` found; a person's names come before those suggested."""
        examples, folder = self.explanations, self.folder / "explain"
        given = self.given_names
        if self.file.steps["explain"].options.get("effort", "quick") == "quick":
            return Explained(examples, names=merge_names([], given))
        made = self._read(folder / "made.json", "explain", dict)
        lime = LimeExplanations.load(folder / "lime") if made["lime"] else None
        texts = lime is not None and self.file.model["modality"] == "text"
        pictures = load_visualizations(folder / "visualizations") if made["pictures"] else []
        suggested = self._read(
            folder / "names.json", "explain", lambda v: list(map(FeatureName.from_dict, _items(v)))
        )
        return Explained(
            examples,
            lime=lime,
            words=word_table(lime) if texts and lime is not None else None,
            visualizations=[one for one in pictures if one.key in set(made["pictures"])],
            names=merge_names(suggested, given),
            trust=self._read(
                folder / "detection.json",
                "explain",
                lambda v: list(map(Trust.from_dict, _items(v))),
            ),
            notes=[str(one) for one in made["notes"]],
        )

    @property
    def index(self) -> ExampleIndex:
        """Examples of every feature, and how far it fires on them: what :meth:`explain` indexed."""
        self._done("explain")
        return ExampleIndex.load(self.folder / "explain" / "index")

    @property
    def findings(self) -> list[Finding]:
        """What :meth:`debug` found, ranked."""
        self._done("debug")
        path = self.folder / "findings.json"
        return self._read(path, "debug", lambda v: [Finding.from_dict(item) for item in _items(v)])

    @property
    def tested(self) -> list[Tested]:
        """Every pattern that :meth:`debug` put into inputs, also those that are not used."""
        self._done("debug")
        path = self.folder / TESTED
        return self._read(path, "debug", lambda v: list(map(Tested.from_dict, _items(v["tested"]))))

    @property
    def checks(self) -> list[str]:
        """What :meth:`debug` looked for, in words."""
        self._done("debug")
        return self._read(self.folder / TESTED, "debug", lambda v: list(map(str, v["checks"])))

    @property
    def debug_notes(self) -> list[str]:
        """What :meth:`debug` could not look at, and why."""
        self._done("debug")
        return self._read(self.folder / TESTED, "debug", lambda v: list(map(str, v["notes"])))

    @property
    def label_noise(self) -> LabelNoise | None:
        """Examples whose labels :meth:`debug` doubts; None where it could not look at them."""
        self._done("debug")
        path = self.folder / LABELS
        if not path.is_file():
            return None
        return self._read(path, "debug", LabelNoise.from_dict)

    @property
    def leaks(self) -> Leaks | None:
        """Held-out examples that nearly repeat training examples; None where not looked for."""
        self._done("debug")
        path = self.folder / LEAKS
        if not path.is_file():
            return None
        return self._read(path, "debug", Leaks.from_dict)

    @property
    def bias(self) -> BiasProbe | None:
        """What terms for people do in neutral sentences; None where :meth:`debug` tried none."""
        self._done("debug")
        path = self.folder / BIAS
        if not path.is_file():
            return None
        return self._read(path, "debug", BiasProbe.from_dict)

    def pattern(self, finding: Finding) -> tuple[Pattern, FloatArray]:
        """What was put into inputs for a finding, and the mean change (p,) of the features.

        Raises
        ------
        InputError
            Nothing was put into inputs for this finding.
        """
        if finding.pattern is None:
            raise InputError(
                f"Nothing was put into inputs for the finding {finding.title!r}: it has no pattern."
            )
        return load_pattern(self.folder / PATTERNS, finding.key)

    @property
    def analysis(self) -> LayerAnalysis:
        """What :meth:`analyze` found about the layers as they are now.

        Raises
        ------
        StepMissingError
            They have not been analyzed, or others have been selected since.
        """
        if not self._analysis_file.is_file():
            raise StepMissingError(
                f"{self.folder} has no analysis of its layer yet: run "
                f"`clearhead analyze {self.folder}`."
            )
        found = self._read(self._analysis_file, "analyze", LayerAnalysis.from_dict)
        if found.fingerprints != self._layer_fingerprints():
            raise StepMissingError(
                f"The analysis in {self.folder} is of layers that are no longer selected: run "
                f"`clearhead analyze {self.folder}`."
            )
        return found

    @property
    def _analysis_file(self) -> Path:
        return self.folder / "explain" / "layer.json"

    def _layer_fingerprints(self) -> dict[str, str]:
        return {kind: self.layer(kind).fingerprint for kind in ("sparse", "dense")}

    def view(
        self, split: str, traits: pd.DataFrame | None = None, *, layer: str = "sparse"
    ) -> SplitView:
        """One split as the checks see it; `traits` are of all rows of the store."""
        rows = self.store.split == split
        metadata = bin_metadata(self.store.metadata, self.store.split == "train")
        return SplitView.of(
            self.layer(layer),
            self.layer("dense"),
            self.store.matrix(split),
            self.store.labels(split),
            ids=self.store.ids[rows],
            metadata=metadata[rows],
            extra=None if traits is None else traits[rows],
        )

    def kept_example(self, key: str) -> KeptExample:
        """What was kept of an example: a text, a thumbnail, or neither."""
        return self._keeper.get(key)

    def report_data(self) -> ReportData:
        """Everything that the report shows."""
        return build_report(self._report_inputs())

    def app_data(self, compare: Sequence[CompareCard] = ()) -> AppData:
        """Everything that the app shows: the report's data, and what moves with its slider.

        Parameters
        ----------
        compare : sequence of CompareCard
            Comparisons to show with it; see :func:`clearhead.run.comparing.comparisons`.
        """
        return build_app(self._report_inputs(), compare)

    def _report_inputs(self) -> ReportInputs:
        self.file.require("report")
        return ReportInputs(
            name=self.name,
            made_by=self.file.made_by,
            model=self.file.model,
            data=self.file.data,
            store=self.store,
            path=self.path(),
            selection=self.selection,
            targets=self.targets,
            layer=self.layer(),
            dense=self.layer("dense"),
            validation=self.view("validation"),
            test=self.view("test"),
            explained=self.explained,
            analysis=self._analysis_or_none(),
            findings=self.findings,
            tested=self.tested,
            bias=self.bias,
            checks=self.checks,
            debug_notes=self.debug_notes,
            example=self._keeper.get,
        )

    def __repr__(self) -> str:
        done = [name for name in STEPS if name in self.file.steps]
        names = f"{self.file.model['name']} on {self.file.data['name']}"
        return f"Run({str(self.folder)!r}, {names}, done: {', '.join(done) or 'nothing'})"

    def _repr_html_(self) -> str:
        said = f"<p>{escape(repr(self))}</p>"
        if "report" not in self.file.steps:
            return said
        elsewhere = (
            f"Open it in a browser: clearhead serve {self.folder}, or clearhead report "
            f"{self.folder}."
        )
        return said + notebook_html(self.app_data(), elsewhere)

    def _analysis_or_none(self) -> LayerAnalysis | None:
        try:
            return self.analysis
        except StepMissingError:
            return None

    @property
    def _keeper(self) -> ExampleKeeper:
        return ExampleKeeper(self.folder / "examples")

    def _read(self, path: Path, step: str, build: Callable[[Any], T]) -> T:
        """Read a result from JSON; what is missing or has another form is damaged."""
        try:
            return build(read_json(path))
        except (KeyError, TypeError, ValueError, AttributeError, CorruptFileError) as error:
            raise CorruptFileError(
                f"{path} is missing or damaged ({error}). Make it again: "
                f"clearhead {step} {self.folder} --force."
            ) from error

    def _done(self, step: str) -> None:
        if step not in self.file.steps:
            raise StepMissingError(
                f"{self.folder} has no {step} yet: run `clearhead {step} {self.folder}`."
            )


def _items(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"a list was expected, not {type(value).__name__}")
    return value
