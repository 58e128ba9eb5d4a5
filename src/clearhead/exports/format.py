"""What the formats have in common."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

from clearhead.backbones import Backbone
from clearhead.errors import InputError
from clearhead.exports.inputs import ExportInputs
from clearhead.exports.manifest import Manifest
from clearhead.exports.runtime import Runtime
from clearhead.layer import DecisionLayer

__all__ = ["FORMATS", "NEEDS_NETWORK", "Format", "Written", "format_of", "network_of"]

FORMATS = ("torch", "hf", "onnx", "sklearn")
NEEDS_NETWORK = frozenset({"torch", "hf", "onnx"})


@dataclass(frozen=True)
class Written:
    """What a format says of the files that it has written.

    Parameters
    ----------
    preprocessing : mapping
        See :mod:`clearhead.exports.preprocessing`.
    details : mapping
        For opening it again, and for the model card.
    packages : tuple of str
        Whose versions matter.
    """

    preprocessing: Mapping[str, Any]
    details: Mapping[str, Any] = field(default_factory=dict)
    packages: tuple[str, ...] = ()


class Format(Protocol):
    """A module of one format; each is imported only when it is asked for."""

    def write(self, inputs: ExportInputs, folder: Path) -> Written:
        """Write the model's own files into `folder`."""

    def open_model(
        self, folder: Path, manifest: Manifest, layer: DecisionLayer, backbone: Backbone | None
    ) -> Runtime:
        """Open what :meth:`write` wrote."""

    def describe_loading(self, manifest: Manifest) -> list[str]:
        """Markdown lines: how to load it."""


def format_of(name: str) -> Format:
    """Import the format called `name`.

    Raises
    ------
    InputError
        There is none of this name.
    """
    if name not in FORMATS:
        near = difflib.get_close_matches(str(name).lower(), FORMATS, n=1, cutoff=0.4)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise InputError(f"format={name!r}: it must be one of {', '.join(FORMATS)}.{hint}")
    return cast(Format, importlib.import_module(f"clearhead.exports.to_{name}"))


def network_of(inputs: ExportInputs, name: str) -> Backbone:
    """The network, without which most formats cannot be written."""
    if inputs.backbone is None:
        raise InputError(
            f"format={name!r} writes the whole network, and none was given: "
            "ExportInputs(backbone=...). The format sklearn needs the layer alone."
        )
    return inputs.backbone
