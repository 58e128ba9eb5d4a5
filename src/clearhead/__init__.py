r"""Make deep networks debuggable.

clearhead takes a trained network and labelled data, replaces the network's last layer
by a sparse one that uses a handful of deep features a class, proves that layer optimal,
shows what each of those features responds to, and looks for what is wrong with the model.

>>> import clearhead
>>> run = clearhead.new_run("runs/reviews", "minilm", "rotten-tomatoes")  # doctest: +SKIP
>>> run.all()  # doctest: +SKIP
>>> print(*run.findings, sep="\n")  # doctest: +SKIP

Names are imported when they are first used: ``import clearhead`` alone loads no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from clearhead._version import __version__

if TYPE_CHECKING:
    from clearhead.app import serve, widget
    from clearhead.backbones import Backbone, open_backbone, split_module
    from clearhead.data import Dataset, open_dataset
    from clearhead.debug import Finding
    from clearhead.events import Event
    from clearhead.explain import (
        ExampleIndex,
        Explained,
        FeatureExamples,
        FeatureVisualization,
        LimeExplanation,
        LimeExplanations,
        WordTable,
        explain_images,
        explain_texts,
        find_examples,
        index_examples,
        visualize,
        word_table,
    )
    from clearhead.exports import ExportedModel, ExportInputs, Prediction, export, load
    from clearhead.features import FeatureStore, PrecomputedFeatures, extract, read_features
    from clearhead.glm import (
        CrossValidation,
        Path,
        PathPoint,
        cross_validate,
        fit_path,
        read_saga,
        refit,
    )
    from clearhead.layer import (
        Best,
        DecisionLayer,
        FeaturesPerClass,
        LayerAnalysis,
        OneStandardError,
        Percentile,
        Sparsest,
        ablate,
        analyze,
    )
    from clearhead.report import ReportData
    from clearhead.run import Run, compare, make_study, new_run, open_run, read_study

__all__ = [
    "Backbone",
    "Best",
    "CrossValidation",
    "Dataset",
    "DecisionLayer",
    "Event",
    "ExampleIndex",
    "Explained",
    "ExportInputs",
    "ExportedModel",
    "FeatureExamples",
    "FeatureStore",
    "FeatureVisualization",
    "FeaturesPerClass",
    "Finding",
    "LayerAnalysis",
    "LimeExplanation",
    "LimeExplanations",
    "OneStandardError",
    "Path",
    "PathPoint",
    "Percentile",
    "PrecomputedFeatures",
    "Prediction",
    "ReportData",
    "Run",
    "Sparsest",
    "WordTable",
    "__version__",
    "ablate",
    "analyze",
    "compare",
    "cross_validate",
    "explain_images",
    "explain_texts",
    "export",
    "extract",
    "find_examples",
    "fit_path",
    "index_examples",
    "load",
    "make_study",
    "new_run",
    "open_backbone",
    "open_dataset",
    "open_run",
    "read_features",
    "read_saga",
    "read_study",
    "refit",
    "serve",
    "split_module",
    "visualize",
    "widget",
    "word_table",
]

_HOMES = {
    "app": ("serve", "widget"),
    "backbones": ("Backbone", "open_backbone", "split_module"),
    "data": ("Dataset", "open_dataset"),
    "debug": ("Finding",),
    "events": ("Event",),
    "explain": (
        "ExampleIndex",
        "Explained",
        "FeatureExamples",
        "FeatureVisualization",
        "LimeExplanation",
        "LimeExplanations",
        "WordTable",
        "explain_images",
        "explain_texts",
        "find_examples",
        "index_examples",
        "visualize",
        "word_table",
    ),
    "exports": ("ExportInputs", "ExportedModel", "Prediction", "export", "load"),
    "features": ("FeatureStore", "PrecomputedFeatures", "extract", "read_features"),
    "glm": (
        "CrossValidation",
        "Path",
        "PathPoint",
        "cross_validate",
        "fit_path",
        "read_saga",
        "refit",
    ),
    "layer": (
        "Best",
        "DecisionLayer",
        "FeaturesPerClass",
        "LayerAnalysis",
        "OneStandardError",
        "Percentile",
        "Sparsest",
        "ablate",
        "analyze",
    ),
    "report": ("ReportData",),
    "run": ("Run", "compare", "make_study", "new_run", "open_run", "read_study"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'clearhead' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"clearhead.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
