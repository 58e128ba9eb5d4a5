"""Language networks of the transformers library, as backbones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from clearhead.backbones.backbone import Backbone, check_alone
from clearhead.backbones.encoders import POOLINGS, SentenceEncoder, looks_back_only
from clearhead.backbones.labels import activation_of, class_names_of
from clearhead.backbones.tokens import EXAMPLES, text_preprocessing
from clearhead.errors import BackboneError

__all__ = ["classifier_backbone", "encoder_backbone", "pooled_backbone"]


def classifier_backbone(
    network: nn.Module,
    tokenizer: Any,
    *,
    name: str,
    layer: str | None = None,
    class_names: Sequence[str] | None = None,
    activation: str | None = None,
) -> Backbone:
    """Split a classifier of texts where its decision layer begins.

    Parameters
    ----------
    network : nn.Module
        A network of transformers that returns logits.
    tokenizer : transformers tokenizer
        Has a padding token.
    name, layer, class_names, activation
        As for :meth:`Backbone.from_module`; classes and activation are read from the
        network's configuration if not given.
    """
    preprocessing = text_preprocessing(tokenizer, network, name=name)
    backbone = Backbone.from_module(
        network,
        prepare=preprocessing,
        name=name,
        modality="text",
        example_batch=preprocessing(EXAMPLES),
        layer=layer,
        class_names=class_names or class_names_of(network.config),
        activation=activation_of(network.config, activation),
        batch_size=32,
    )
    return _proven(backbone)


def pooled_backbone(
    network: nn.Module, tokenizer: Any, *, name: str, pooling: str | None
) -> Backbone:
    """Pool the tokens of an encoder, or of a decoder that reads from left to right.

    Without `pooling` it is the last token where each sees only those before it, else the
    mean.
    """
    if pooling not in (None, *POOLINGS):
        raise BackboneError(
            f"pooling={pooling!r}: it must be one of {', '.join(map(repr, POOLINGS))}."
        )
    if getattr(network.config, "is_encoder_decoder", False):
        network = network.get_encoder()  # type: ignore[operator]
    if pooling is None:
        batch = text_preprocessing(tokenizer, network, name=name)(EXAMPLES[:1])
        pooling = "last" if looks_back_only(network, batch) else "mean"
    return encoder_backbone(SentenceEncoder(network, pooling, False), tokenizer, name=name)


def encoder_backbone(
    encoder: SentenceEncoder,
    tokenizer: Any,
    *,
    name: str,
    settings: Mapping[str, Any] | None = None,
) -> Backbone:
    """Make a backbone of a pooled encoder; see :func:`text_preprocessing` for `settings`."""
    preprocessing = text_preprocessing(
        tokenizer,
        encoder.transformer,
        name=name,
        settings=settings,
        describing={"pooling": encoder.pooling, "normalize": encoder.normalize},
    )
    backbone = Backbone.from_module(
        encoder.eval(),
        prepare=preprocessing,
        name=name,
        modality="text",
        example_batch=preprocessing(EXAMPLES),
        encoder=True,
        batch_size=32,
    )
    return _proven(backbone)


def _proven(backbone: Backbone) -> Backbone:
    """Padding must not reach the features: a text alone has none."""
    check_alone(backbone, backbone.example, [backbone.prepare([text]) for text in EXAMPLES])
    return backbone
