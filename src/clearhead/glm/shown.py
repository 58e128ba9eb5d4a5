"""How a path and what is measured along it are shown: one kind of axes, one kind of table."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from clearhead._plot import new_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["notebook_table", "sparsity_axes"]


def sparsity_axes(ax: Axes | None, label: str, *, per: str = "class") -> Any:
    """Axes on which something is drawn against the features per class; new ones for None."""
    axes = new_axes() if ax is None else ax
    # Linear up to one feature, so that the empty model has its place.
    axes.set_xscale("symlog", linthresh=1)
    axes.set_xlabel(f"features per {per}")
    axes.set_ylabel(label)
    return axes


def notebook_table(shown: object, frame: pd.DataFrame, max_rows: int | None = 12) -> str:
    """HTML of an object's repr above its numbers."""
    table = frame.to_html(index=False, float_format=lambda v: f"{v:.4g}", max_rows=max_rows)
    return f"<p>{html.escape(repr(shown))}</p>{table}"
