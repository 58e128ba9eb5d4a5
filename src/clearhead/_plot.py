"""Where a plot goes when the caller names no Axes."""

from __future__ import annotations

from typing import Any

from clearhead.errors import MissingDependencyError

__all__ = ["new_axes"]


def new_axes() -> Any:
    """Make one Axes in a new figure; never shows it."""
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise MissingDependencyError(
            "plot() needs matplotlib, which is not installed: pip install 'clearhead[plot]'."
        ) from error
    return pyplot.subplots()[1]
