"""Format ``sklearn``: the layer on deep features, as a scikit-learn pipeline without pickle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clearhead._files import load_arrays, save_arrays
from clearhead._types import FloatArray, Modality
from clearhead.backbones import Backbone
from clearhead.exports.format import Written
from clearhead.exports.inputs import ExportInputs
from clearhead.exports.manifest import Manifest
from clearhead.layer import DecisionLayer

__all__ = ["describe_loading", "open_model", "write"]

ARRAYS = "pipeline.safetensors"


def write(inputs: ExportInputs, folder: Path) -> Written:
    """Write ``pipeline.safetensors``: mean and scale (p,), coef (K, p) and intercept (K,)."""
    layer = inputs.layer
    coef, intercept = layer.weight, layer.bias
    if not layer.multilabel and layer.n_classes == 2:
        # scikit-learn's two classes have one row, for the second
        coef, intercept = coef[1:] - coef[:1], intercept[1:] - intercept[:1]
    digest = save_arrays(
        folder / ARRAYS,
        {
            "mean": layer.center,
            "scale": np.where(layer.dead, 1.0, layer.scale),
            "coef": np.where(layer.dead, 0.0, coef),
            "intercept": intercept,
        },
    )
    return Written(
        preprocessing={"kind": "features"},
        details={"digest": digest},
        packages=("numpy", "scikit-learn"),
    )


@dataclass(frozen=True, eq=False)
class PipelineRuntime:
    """The pipeline; its input are deep features."""

    model: Any
    modality: Modality | None
    layer: DecisionLayer

    def prepare(self, examples: Sequence[Any]) -> Any:
        """Features need no preparation."""
        return examples

    def run(self, batch: Any) -> tuple[FloatArray, FloatArray]:
        """Give the features back, with the pipeline's own scores."""
        features = np.asarray(batch, dtype=np.float64)
        if self.layer.multilabel:
            z = self.model[0].transform(features)
            columns = [one.decision_function(z) for one in self.model[1].estimators_]
            return features, np.column_stack(columns)
        scores = self.model.decision_function(features)
        if scores.ndim == 1:
            # scikit-learn keeps the difference of two classes; what they share decides nothing
            shared = self.layer.logits(features).mean(axis=1)
            scores = np.column_stack([shared - scores / 2, shared + scores / 2])
        return features, scores


def open_model(
    folder: Path, manifest: Manifest, layer: DecisionLayer, backbone: Backbone | None
) -> PipelineRuntime:
    """Build the pipeline; it is scikit-learn's own, fitted."""
    arrays = load_arrays(folder / ARRAYS, manifest.details["digest"])
    pipeline = build_pipeline(arrays, manifest.classes, multilabel=manifest.multilabel)
    return PipelineRuntime(pipeline, None, layer)


def build_pipeline(arrays: dict[str, Any], classes: Sequence[str], *, multilabel: bool) -> Any:
    """Make a fitted ``Pipeline(StandardScaler, LogisticRegression)`` of plain arrays.

    Independent labels get a ``MultiOutputClassifier`` of one ``LogisticRegression`` each.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.multioutput import MultiOutputClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    p = len(arrays["mean"])
    scaler = StandardScaler()
    scaler.mean_, scaler.scale_, scaler.var_ = arrays["mean"], arrays["scale"], arrays["scale"] ** 2
    scaler.n_features_in_, scaler.n_samples_seen_ = p, 1

    def logistic(coef: FloatArray, intercept: FloatArray, names: Any) -> Any:
        model = LogisticRegression()
        model.coef_, model.intercept_, model.classes_ = coef, intercept, names
        model.n_features_in_, model.n_iter_ = p, np.zeros(1, dtype=np.int32)
        return model

    coef, intercept = arrays["coef"], arrays["intercept"]
    if not multilabel:
        return make_pipeline(scaler, logistic(coef, intercept, np.array(classes)))
    several = MultiOutputClassifier(LogisticRegression())
    several.estimators_ = [
        logistic(coef[k : k + 1], intercept[k : k + 1], np.array([0, 1])) for k in range(len(coef))
    ]
    several.classes_, several.n_features_in_ = [np.array([0, 1])] * len(coef), p
    return make_pipeline(scaler, several)


def describe_loading(manifest: Manifest) -> list[str]:
    """Markdown lines: numpy and scikit-learn alone, and clearhead."""
    lines = [
        "Its input are deep features, one row an example, as the network computes them.",
        *_where_features_come_from(manifest),
        "",
        "With numpy and scikit-learn alone:",
        "",
        "```python",
        "import json",
        "from pathlib import Path",
        "",
        "import numpy as np",
        "from sklearn.linear_model import LogisticRegression",
        "from sklearn.pipeline import make_pipeline",
        "from sklearn.preprocessing import StandardScaler",
        "",
        'folder = Path(".")  # this folder',
        f'data = (folder / "{ARRAYS}").read_bytes()',
        'size = int.from_bytes(data[:8], "little")  # safetensors: size, JSON, arrays',
        "arrays = {",
        '    name: np.frombuffer(data[8 + size:][slice(*one["data_offsets"])]).reshape('
        'one["shape"])',
        '    for name, one in json.loads(data[8:8 + size]).items() if name != "__metadata__"',
        "}",
        'classes = np.array(json.loads((folder / "clearhead.json").read_text())["classes"])',
        "",
        "scaler = StandardScaler()",
        'scaler.mean_, scaler.scale_ = arrays["mean"], arrays["scale"]',
        "scaler.n_features_in_ = len(scaler.mean_)",
    ]
    if manifest.multilabel:
        lines += [
            "models = []",
            'for coef, intercept in zip(arrays["coef"], arrays["intercept"]):',
            "    model = LogisticRegression()",
            "    model.coef_, model.intercept_ = coef[None], intercept[None]",
            "    model.classes_ = np.array([0, 1])",
            "    models.append(model)",
            "# for features X (n, p): probabilities (n, K), one column a label",
            "probabilities = lambda X: np.column_stack(",
            "    [model.predict_proba(scaler.transform(X))[:, 1] for model in models]",
            ")",
            "```",
        ]
        return lines
    return [
        *lines,
        "model = LogisticRegression()",
        'model.coef_, model.intercept_ = arrays["coef"], arrays["intercept"]',
        "model.classes_ = classes",
        "pipeline = make_pipeline(scaler, model)  # pipeline.predict_proba(features)",
        "```",
    ]


def _where_features_come_from(manifest: Manifest) -> list[str]:
    network = manifest.network
    if network is None:
        return []
    if network["spec"] is None:
        return [f"The network is {network['name']!r}, which was given as an object."]
    options = "".join(f", {name}={value!r}" for name, value in network["options"].items())
    return [
        f"They are `backbone.features(backbone.prepare(examples))` of `backbone = "
        f"clearhead.open_backbone({network['spec']!r}{options})`.",
    ]
