"""Format ``hf``: the model as transformers saves it, for the plain AutoModel classes."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from clearhead.backbones import Backbone
from clearhead.backbones.pretrained import explained
from clearhead.backbones.processor import example_pictures
from clearhead.backbones.tokens import EXAMPLES
from clearhead.errors import ExportError, MissingDependencyError
from clearhead.exports.format import Written, network_of
from clearhead.exports.inputs import ExportInputs
from clearhead.exports.manifest import Manifest
from clearhead.exports.preprocessing import keep_preprocessing, kept_preprocessing
from clearhead.exports.runtime import NetworkRuntime
from clearhead.layer import DecisionLayer

__all__ = ["describe_loading", "open_model", "write"]

_PIPELINES = {
    "AutoModelForSequenceClassification": "text-classification",
    "AutoModelForImageClassification": "image-classification",
}


def write(inputs: ExportInputs, folder: Path) -> Written:
    """Write ``config.json``, ``model.safetensors`` and the tokenizer or image processor."""
    backbone, layer = network_of(inputs, "hf"), inputs.layer
    auto = _auto_class(backbone.module)
    reason = _why_not(backbone, auto)
    if reason:
        raise _refused(reason)
    module: Any = copy.deepcopy(backbone.module)
    _set_classes(module, layer)
    attached = layer.attach(replace(backbone, module=module))
    if type(attached) is not type(backbone.module):
        raise _refused(
            f"{type(backbone.module).__name__} counts on its own number of classes somewhere else "
            "than in its last layer"
        )
    with explained(backbone.name, "its weights"):
        saved: Any = attached
        saved.save_pretrained(folder)
    return Written(
        preprocessing=keep_preprocessing(backbone, folder),
        details={"auto_class": auto, "head": backbone.layer},
        packages=("torch", "transformers", "tokenizers", "safetensors"),
    )


def _why_not(backbone: Backbone, auto: str | None) -> str:
    """Say why the architecture's own head cannot hold the layer; nothing where it can."""
    kind = type(backbone.module).__name__
    if backbone.split is None or auto is None:
        return (
            f"{kind} is not one of transformers' classifiers (AutoModelForSequenceClassification, "
            "AutoModelForImageClassification), so it has no decision layer to take the place of"
        )
    if not backbone.split.last or backbone.split.n_calls != 1:
        return f"the layer {backbone.layer!r} of {kind} is not its last, or runs more than once"
    head = backbone.module.get_submodule(backbone.split.layer)
    if not isinstance(head, nn.Linear):
        return f"the decision layer {backbone.layer!r} of {kind} is a {type(head).__name__}"
    if "bias" not in dict(head.named_parameters()):
        return f"the decision layer {backbone.layer!r} of {kind} has no bias, which this one needs"
    return ""


def _refused(reason: str) -> ExportError:
    return ExportError(
        f"format='hf': {reason}. The formats onnx and torch hold the whole network whatever its "
        "shape, and sklearn holds the layer on its features."
    )


def _auto_class(module: nn.Module) -> str | None:
    """Which AutoModel class loads `module`."""
    try:
        from transformers.models.auto import modeling_auto
    except ImportError as error:
        raise MissingDependencyError(
            f"format='hf' needs the package transformers ({error}). Install it with "
            "pip install 'clearhead[hf]'"
        ) from error
    mappings = {
        "AutoModelForSequenceClassification": (
            modeling_auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES
        ),
        "AutoModelForImageClassification": (
            modeling_auto.MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES
        ),
    }
    kind = getattr(getattr(module, "config", None), "model_type", None)
    for auto, names in mappings.items():
        known = names.get(kind)
        # of several classes the first is what the Auto class makes
        first = known if isinstance(known, str) or known is None else known[0]
        if first == type(module).__name__:
            return auto
    return None


def _set_classes(module: Any, layer: DecisionLayer) -> None:
    config = module.config
    config.id2label = dict(enumerate(layer.class_names))
    config.label2id = {name: i for i, name in enumerate(layer.class_names)}
    config.problem_type = (
        "multi_label_classification" if layer.multilabel else "single_label_classification"
    )
    if hasattr(module, "num_labels"):
        module.num_labels = layer.n_classes


def open_model(
    folder: Path, manifest: Manifest, layer: DecisionLayer, backbone: Backbone | None
) -> NetworkRuntime:
    """Open the folder with the plain AutoModel class; every weight must be in it."""
    import transformers

    auto = getattr(transformers, manifest.details["auto_class"])
    with explained(str(folder), "its weights"):
        model, report = auto.from_pretrained(
            str(folder), local_files_only=True, output_loading_info=True
        )
        prepare = kept_preprocessing(manifest.preprocessing, folder, backbone)
    wrong = {name: sorted(map(str, keys)) for name, keys in report.items() if keys}
    if wrong:
        raise ExportError(f"{folder} does not load into {manifest.details['auto_class']}: {wrong}.")
    modality = "text" if _PIPELINES[manifest.details["auto_class"]].startswith("text") else "image"
    return NetworkRuntime(
        Backbone.from_module(
            model.eval(),
            prepare=prepare,
            name=manifest.name,
            modality=modality,  # type: ignore[arg-type]
            example_batch=prepare(EXAMPLES if modality == "text" else example_pictures()),
            class_names=layer.class_names,
            layer=manifest.details["head"],
            activation="sigmoid" if layer.multilabel else "softmax",
        )
    )


def describe_loading(manifest: Manifest) -> list[str]:
    """Markdown lines: the plain AutoModel class, the pipeline, and clearhead."""
    auto = manifest.details["auto_class"]
    task = _PIPELINES[auto]
    lines = ["```python", f"from transformers import {auto}, pipeline", ""]
    lines += ['folder = "."  # this folder', f"model = {auto}.from_pretrained(folder)"]
    if manifest.preprocessing["kind"] == "tokenizer":
        lines += [
            f'classify = pipeline("{task}", model=folder, tokenizer=folder)',
            'classify(["..."], truncation=True, top_k=None)',
        ]
    lines.append("```")
    if manifest.preprocessing["kind"] == "network":
        lines += ["", "What prepares its input is code of the network that it was made from."]
    if manifest.preprocessing.get("lower"):
        lines += ["", "Texts go in in lower case."]
    return lines
