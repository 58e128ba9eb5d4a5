"""A pipeline of the transformers library: its network and its tokenizer or image processor."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import signature
from typing import Any

from clearhead.backbones import text, vision
from clearhead.backbones.backbone import Backbone
from clearhead.backbones.processor import ProcessorPreprocessing
from clearhead.errors import BackboneError

__all__ = ["open_pipeline"]


def open_pipeline(
    pipeline: Any,
    *,
    layer: str | None = None,
    class_names: Sequence[str] | None = None,
    activation: str | None = None,
) -> Backbone:
    """Open the network of a pipeline ``text-classification`` or ``image-classification``.

    The pipeline's network is used as it is, not copied.
    """
    network = pipeline.model
    name = str(getattr(network, "name_or_path", "") or type(network).__name__)
    options: dict[str, Any] = {
        "name": name,
        "layer": layer,
        "class_names": class_names,
        "activation": activation,
    }
    if pipeline.task in ("text-classification", "sentiment-analysis"):
        _check_padding(pipeline, name)
        return text.classifier_backbone(network, pipeline.tokenizer, **options)
    if pipeline.task == "image-classification":
        preprocessing = ProcessorPreprocessing(
            pipeline.image_processor, tuple(signature(network.forward).parameters)
        )
        return vision.classifier_backbone(network, preprocessing, **options)
    raise BackboneError(
        f"A pipeline for {pipeline.task!r} has no decision layer over classes; pipelines for "
        "'text-classification' and 'image-classification' are opened."
    )


def _check_padding(pipeline: Any, name: str) -> None:
    """Texts are padded to batches, which some pipelines never did."""
    if pipeline.tokenizer.pad_token is None or pipeline.model.config.pad_token_id is None:
        raise BackboneError(
            f"{name}: the pipeline has no padding token, so texts of unlike length make no batch. "
            "Set pipe.tokenizer.pad_token = pipe.tokenizer.eos_token and "
            "pipe.model.config.pad_token_id = pipe.tokenizer.pad_token_id first."
        )
