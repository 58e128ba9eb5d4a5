"""Is the model worse on some part of the data that the metadata names?"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from clearhead._types import BoolArray, StrArray
from clearhead.debug.finding import Effect, Finding
from clearhead.debug.statistics import fisher_less, two_shares
from clearhead.debug.view import SplitView
from clearhead.glm import Accuracy
from clearhead.layer import share_of

__all__ = ["Slice", "bin_metadata", "find_slices", "measure_slices"]

MIN_EXAMPLES = 20
MIN_GAP = 0.05
MAX_P = 0.1
MAX_VALUES = 20
MOST = 3


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


def find_slices(validation: SplitView, test: SplitView) -> Iterator[Finding]:
    """Propose slices whose accuracy, or recall of a class, is well below the rest's.

    Proposed, at most three, where on validation the gap is at least 5 points and
    p ≤ .1. The effect is the gap on test.
    """
    on_test = {(column, value): rows for column, value, rows in _slices(test)}
    candidates = []
    for column, value, rows in _slices(validation):
        if (column, value) not in on_test:
            continue
        for c in (None, *range(validation.layer.n_classes)):
            gap = _gap(validation, rows, c)
            if gap is not None and gap.value >= MIN_GAP and gap.p_value <= MAX_P:
                candidates.append((gap.p_value, column, value, -1 if c is None else c, gap))
    for _, column, value, c, gap in sorted(candidates, key=lambda item: item[:4])[:MOST]:
        measured = _gap(test, on_test[column, value], None if c < 0 else c)
        if measured is not None:
            yield _finding(test, (column, value, c), gap, measured)


@dataclass(frozen=True)
class _Gap:
    inside: Accuracy
    outside: Accuracy
    value: float
    low: float
    high: float
    p_value: float


def _gap(view: SplitView, rows: BoolArray, c: int | None) -> _Gap | None:
    """Accuracy (or recall of class c) outside the slice minus inside; None if too few."""
    of_class = np.ones(view.n, dtype=bool) if c is None else view.labels == c
    inside, outside = view.right[rows & of_class], view.right[~rows & of_class]
    if min(inside.size, outside.size) < MIN_EXAMPLES:
        return None
    first = Accuracy.of(int(outside.sum()), outside.size)
    second = Accuracy.of(int(inside.sum()), inside.size)
    p = fisher_less(int(inside.sum()), inside.size, int(outside.sum()), outside.size)
    return _Gap(second, first, *two_shares(first, second), p)


def _finding(test: SplitView, what: tuple[str, str, int], seen: _Gap, gap: _Gap) -> Finding:
    column, value, c = what
    rows = _values(test.metadata[column]) == value
    name = "accuracy" if c < 0 else f"recall of {test.layer.class_names[c]}"
    wrong = rows & ~test.right & ((test.labels == c) | (c < 0))
    return Finding(
        kind="slice",
        title=(
            f"{name} is lower where {column} is {value}: {gap.inside.value:.2f} against "
            f"{gap.outside.value:.2f} elsewhere"
        ),
        suspicion=f"{name} may be lower where {column} is {value}",
        where=f"{column} = {value}" + ("" if c < 0 else f", class {test.layer.class_names[c]}"),
        evidence=(
            f"On validation {seen.inside.value:.2f} (n={seen.inside.n}) against "
            f"{seen.outside.value:.2f} (n={seen.outside.n})."
        ),
        effect=Effect(
            f"{name} lower where {column} is {value}",
            gap.value,
            gap.low,
            gap.high,
            gap.inside.n + gap.outside.n,
        ),
        p_value=gap.p_value,
        mend=(
            f"Look at the errors where {column} is {value}: more, or better labelled, examples of "
            "them are the usual mend."
        ),
        classes=() if c < 0 else (c,),
        examples=tuple(str(i) for i in test.ids[wrong][:8]),
    )


def _slices(view: SplitView) -> Iterator[tuple[str, str, BoolArray]]:
    """Go through the values of each metadata column that at least 20 examples have."""
    for column in view.metadata.columns:
        values = _values(view.metadata[column])
        names, counts = np.unique(values, return_counts=True)
        if len(names) > MAX_VALUES:
            continue
        for name, count in zip(names, counts, strict=True):
            if name and MIN_EXAMPLES <= count < view.n:
                yield str(column), str(name), values == name


def _values(series: pd.Series[Any]) -> StrArray:
    """Values of a column as text, "" where missing."""
    values: StrArray = np.where(series.isna(), "", series.astype(str)).astype(object)
    return values
