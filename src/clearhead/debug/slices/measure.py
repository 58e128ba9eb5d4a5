"""How good is the model on each part of the data that the metadata names?"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from clearhead._types import BoolArray
from clearhead.debug.slices.conditions import MAX_VALUES, MIN_EXAMPLES, values_of
from clearhead.debug.view import SplitView
from clearhead.glm import Accuracy
from clearhead.layer import share_of

__all__ = ["Slice", "bin_metadata", "measure_slices"]


@dataclass(frozen=True)
class Slice:
    """Accuracy, and recall of each class, where a metadata column has one value."""

    column: str
    value: str
    accuracy: Accuracy
    recall: tuple[Accuracy | None, ...]


def bin_metadata(metadata: pd.DataFrame, reference: BoolArray) -> pd.DataFrame:
    """Turn numeric columns with many values into quartiles of the `reference` rows.

    Parameters
    ----------
    metadata : DataFrame of n rows
    reference : ndarray of shape (n,), bool
        Rows that set the quartiles: the training split.
    """
    binned = metadata.copy()
    for column in metadata.columns:
        values = metadata[column]
        if not pd.api.types.is_numeric_dtype(values) or values.nunique() <= MAX_VALUES:
            continue
        inner = np.nanquantile(values[reference].to_numpy(np.float64), [0.25, 0.5, 0.75])
        edges = np.unique([-np.inf, *inner, np.inf])
        labels = [f"{low:.4g} to {high:.4g}" for low, high in itertools.pairwise(edges)]
        labels[0], labels[-1] = f"up to {edges[1]:.4g}", f"above {edges[-2]:.4g}"
        band = np.clip(np.searchsorted(edges, values) - 1, 0, len(labels) - 1)
        binned[column] = np.array(labels, dtype=object)[band]
        binned.loc[values.isna(), column] = None
    return binned


def measure_slices(view: SplitView) -> list[Slice]:
    """Measure every slice of at least 20 examples."""
    found = []
    for column, value, rows in _slices(view):
        accuracy = share_of(view.right[rows])
        if accuracy is not None:
            recall = tuple(
                share_of(view.right[rows & (view.labels == c)]) for c in range(view.layer.n_classes)
            )
            found.append(Slice(column, value, accuracy, recall))
    return found


def _slices(view: SplitView) -> Iterator[tuple[str, str, BoolArray]]:
    """Go through the values of each metadata column that at least 20 examples have."""
    for column in view.metadata.columns:
        values = values_of(view.metadata[column])
        names, counts = np.unique(values, return_counts=True)
        if len(names) > MAX_VALUES:
            continue
        for name, count in zip(names, counts, strict=True):
            if name and MIN_EXAMPLES <= count < view.n:
                yield str(column), str(name), values == name
