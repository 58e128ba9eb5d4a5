"""Vision networks of the transformers library, as backbones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from clearhead.backbones.backbone import Backbone, Preprocessing
from clearhead.backbones.encoders import ImageEncoder, default_pooling
from clearhead.backbones.labels import activation_of, class_names_of
from clearhead.backbones.processor import example_pictures
from clearhead.errors import BackboneError

__all__ = ["classifier_backbone", "encoder_backbone"]

_POOLINGS = ("mean", "cls", "pooler")


def classifier_backbone(
    network: nn.Module,
    preprocessing: Preprocessing,
    *,
    name: str,
    layer: str | None = None,
    class_names: Sequence[str] | None = None,
    activation: str | None = None,
) -> Backbone:
    """Split a classifier of pictures where its decision layer begins.

    Parameters
    ----------
    network : nn.Module
        A network of transformers that returns logits.
    preprocessing : Preprocessing
        From RGB pictures to a batch.
    name, layer, class_names, activation
        As for :meth:`Backbone.from_module`; classes and activation are read from the
        network's configuration if not given.
    """
    config: Any = network.config
    return Backbone.from_module(
        network,
        prepare=preprocessing,
        name=name,
        modality="image",
        example_batch=preprocessing(example_pictures()),
        layer=layer,
        class_names=class_names or class_names_of(config),
        activation=activation_of(config, activation),
        batch_size=16,
    )


def encoder_backbone(
    network: nn.Module,
    preprocessing: Preprocessing,
    *,
    name: str,
    pooling: str | None,
    pooler_is_trained: bool,
) -> Backbone:
    """Pool the output of a vision network, or take the image's embedding of CLIP's kind."""
    if pooling not in (None, *_POOLINGS):
        raise BackboneError(
            f"pooling={pooling!r}: for pictures it must be one of "
            f"{', '.join(map(repr, _POOLINGS))}."
        )
    batch = preprocessing(example_pictures())
    if hasattr(network, "get_image_features"):
        for part in ("text_model", "text_projection"):  # half of the weights, never used
            if hasattr(network, part):
                delattr(network, part)
        pooling = pooling or "pooler"
    elif pooling is None:
        pooling = default_pooling(network, batch, pooler_is_trained=pooler_is_trained)
    return Backbone.from_module(
        ImageEncoder(network, pooling).eval(),
        prepare=preprocessing,
        name=name,
        modality="image",
        example_batch=batch,
        encoder=True,
        batch_size=16,
    )
