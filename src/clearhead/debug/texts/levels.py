"""From which amount of something a text counts as showing it."""

from __future__ import annotations

import numpy as np

from clearhead._types import BoolArray, FloatArray

__all__ = ["best_level"]


def best_level(amounts: FloatArray, own: BoolArray) -> float:
    """Level above which the class has most more texts than the others (Youden's index)."""
    values = np.unique(amounts)
    if len(values) > 60:
        values = np.unique(np.quantile(amounts, np.linspace(0.02, 0.98, 60)))
    first, second = np.sort(amounts[own]), np.sort(amounts[~own])
    above = 1 - np.searchsorted(first, values) / max(len(first), 1)
    others = 1 - np.searchsorted(second, values) / max(len(second), 1)
    return float(values[int(np.argmax(above - others))])
