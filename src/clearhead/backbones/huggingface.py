"""Networks of the transformers library, from a folder or by name: ``config.json`` decides."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clearhead.backbones import text, vision
from clearhead.backbones.backbone import Backbone
from clearhead.backbones.hub import locate
from clearhead.backbones.pretrained import (
    Loaded,
    load_network,
    read_config,
    require_transformers,
)
from clearhead.backbones.processor import open_processor
from clearhead.backbones.tokens import open_tokenizer
from clearhead.errors import BackboneError

__all__ = ["open_huggingface"]


def open_huggingface(
    spec: str | Path,
    *,
    layer: str | None = None,
    pooling: str | None = None,
    revision: str | None = None,
    class_names: Sequence[str] | None = None,
    activation: str | None = None,
) -> Backbone:
    """Open a network of transformers as what its ``config.json`` says it is.

    A classifier of texts or pictures (``…ForSequenceClassification``,
    ``…ForImageClassification``) is split at its decision layer; any other network is an
    encoder, its output pooled, unless `pooling` makes a classifier one.

    Parameters
    ----------
    spec : str or Path
        A folder, or a name on the Hugging Face hub.
    layer, pooling, revision, class_names, activation
        As for :func:`clearhead.open_backbone`.
    """
    folder, name = locate(spec, revision)
    require_transformers(name)
    head: dict[str, Any] = {"layer": layer, "class_names": class_names, "activation": activation}
    if (folder / "modules.json").is_file() and pooling is None:
        from clearhead.backbones.sentences import open_sentence_encoder

        _no_head(name, head)
        return open_sentence_encoder(folder, name)
    config = read_config(folder, name)
    kind = (getattr(config, "architectures", None) or [""])[0]
    if pooling is None and kind.endswith("ForSequenceClassification"):
        return _text_classifier(folder, name, head)
    if pooling is None and "ForImageClassification" in kind:
        return _image_classifier(folder, name, head)
    return _encoder(folder, name, head, pooling)


def _text_classifier(folder: Path, name: str, head: dict[str, Any]) -> Backbone:
    from transformers import AutoModelForSequenceClassification

    tokenizer = open_tokenizer(folder, name)
    loaded = load_network(AutoModelForSequenceClassification, folder, name)
    loaded.require(name)
    _pad_with(loaded.network, tokenizer)
    return text.classifier_backbone(loaded.network, tokenizer, name=name, **head)


def _image_classifier(folder: Path, name: str, head: dict[str, Any]) -> Backbone:
    from transformers import AutoModelForImageClassification

    loaded = load_network(AutoModelForImageClassification, folder, name)
    loaded.require(name)
    processor = open_processor(folder, loaded.network, name)
    return vision.classifier_backbone(loaded.network, processor, name=name, **head)


def _cls_layer(folder: Path, name: str, head: dict[str, Any]) -> Backbone:
    from clearhead.backbones.cls_layer import BertForSentimentClassification

    tokenizer = open_tokenizer(folder, name)
    loaded = load_network(BertForSentimentClassification, folder, name)
    loaded.require(name, optional="pooler")
    head["class_names"] = head["class_names"] or ("negative", "positive")
    return text.classifier_backbone(loaded.network, tokenizer, name=name, **head)


def _encoder(folder: Path, name: str, head: dict[str, Any], pooling: str | None) -> Backbone:
    import transformers

    loaded = load_network(transformers.AutoModel, folder, name)
    network: Any = loaded.network
    if pooling is None:
        if "cls_layer.weight" in loaded.unexpected:
            return _cls_layer(folder, name, head)
        _check_class(network, loaded, name, transformers)
    _no_head(name, head)
    inputs = network.main_input_name
    if inputs == "input_ids" and not hasattr(network, "get_image_features"):
        loaded.require(name, optional="" if pooling == "pooler" else "pooler")
        tokenizer = open_tokenizer(folder, name)
        _pad_with(network, tokenizer)
        return text.pooled_backbone(network, tokenizer, name=name, pooling=pooling)
    if inputs == "pixel_values" or hasattr(network, "get_image_features"):
        loaded.require(name, optional="" if pooling == "pooler" else "pooler")
        return vision.encoder_backbone(
            network,
            open_processor(folder, network, name),
            name=name,
            pooling=pooling,
            pooler_is_trained=_pooler_is_trained(loaded),
        )
    raise BackboneError(
        f"{name} is a {type(network).__name__}, which takes {inputs!r}; networks for texts "
        "(input_ids) and pictures (pixel_values) are opened."
    )


def _pooler_is_trained(loaded: Loaded) -> bool:
    return not any("pooler" in key.split(".") for key in loaded.missing)


def _no_head(name: str, head: dict[str, Any]) -> None:
    given = [f"{option}=" for option, value in head.items() if value is not None]
    if given:
        raise BackboneError(
            f"{name} is opened as an encoder, which has no decision layer of its own: "
            f"{', '.join(given)} does nothing there. Leave it out."
        )


def _check_class(network: Any, loaded: Loaded, name: str, transformers: Any) -> None:
    """Refuse to drop the head of a class that transformers does not have."""
    kind = (network.config.architectures or [type(network).__name__])[0]
    if loaded.unexpected and not hasattr(transformers, kind):
        raise BackboneError(
            f"{name} was saved from a class {kind!r}, which transformers does not have; its own "
            f"weights are {', '.join(loaded.unexpected[:6])}. Load that class yourself and use "
            "Backbone.from_module, or open the network as an encoder: pooling='cls' (or 'mean', "
            "'last')."
        )


def _pad_with(network: Any, tokenizer: Any) -> None:
    """Let the network know padding by what the tokenizer pads with.

    Networks that decide by the last token look for the last one that is not padding.
    """
    network.config.get_text_config().pad_token_id = tokenizer.pad_token_id
