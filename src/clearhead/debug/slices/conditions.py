"""What a slice can be described by: metadata, what else is known, features that fire."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from clearhead._types import BoolArray, IntArray, StrArray
from clearhead.debug.view import SplitView

__all__ = [
    "MAX_VALUES",
    "MIN_EXAMPLES",
    "Condition",
    "Conditions",
    "conditions_of",
    "values_of",
    "where_holds",
]

MIN_EXAMPLES = 20
MAX_VALUES = 20
BAND = 0.2
"""A feature is high in the top, low in the bottom fifth of the validation split."""
MAX_COVER = 0.9
"""A condition that nearly always holds says nothing."""


@dataclass(frozen=True)
class Condition:
    """One thing that is said of an example.

    Parameters
    ----------
    words : str
    kind : {"metadata", "extra", "feature"}
    feature : int or None
    """

    words: str
    kind: Literal["metadata", "extra", "feature"]
    feature: int | None = None


@dataclass(frozen=True, eq=False)
class Conditions:
    """Conditions, and where they hold on both splits.

    Parameters
    ----------
    all : tuple of Condition, length P
    groups : ndarray of shape (P,)
        Conditions that say different things of the same column share a number.
    validation, test : ndarray of shape (P, n), bool
    """

    all: tuple[Condition, ...]
    groups: IntArray
    validation: BoolArray
    test: BoolArray

    def of_kinds(self, *kinds: str) -> Conditions:
        """Keep those of some kinds."""
        keep = [i for i, one in enumerate(self.all) if one.kind in kinds]
        return Conditions(
            tuple(self.all[i] for i in keep),
            self.groups[keep],
            self.validation[keep],
            self.test[keep],
        )


def conditions_of(validation: SplitView, test: SplitView) -> Conditions:
    """List every condition that at least 20 examples of each split meet, and not nearly all."""
    found: list[tuple[Condition, int, BoolArray, BoolArray]] = []

    def add(condition: Condition, group: int, here: BoolArray, there: BoolArray) -> None:
        enough = min(here.sum(), there.sum()) >= MIN_EXAMPLES
        if enough and here.mean() <= MAX_COVER:
            found.append((condition, group, here, there))

    group = 0
    frames = [(validation.metadata, test.metadata, "metadata")]
    if validation.extra is not None and test.extra is not None:
        frames.append((validation.extra, test.extra, "extra"))
    for ours, theirs, kind in frames:
        for column in ours.columns.intersection(theirs.columns):
            group += 1
            here, there = values_of(ours[column]), values_of(theirs[column])
            names = np.unique(here)
            if len(names) > MAX_VALUES:
                continue
            for value in names:
                words = _say(str(column), str(value))
                if words:
                    condition = Condition(words, "extra" if kind == "extra" else "metadata")
                    add(condition, group, here == value, there == value)
    for j, feature in enumerate(validation.layer.used):
        group += 1
        z, other = validation.z[:, j], test.z[:, j]
        low, high = np.quantile(z, [BAND, 1.0 - BAND])
        at = int(feature)
        # Where a feature is often exactly at its least, it has no low end to speak of.
        if (z <= low).mean() <= 1.5 * BAND:
            add(Condition(f"feature {at} low", "feature", at), group, z <= low, other <= low)
        if (z >= high).mean() <= 1.5 * BAND:
            add(Condition(f"feature {at} high", "feature", at), group, z >= high, other >= high)
    return Conditions(
        tuple(one[0] for one in found),
        np.array([one[1] for one in found], dtype=np.int64),
        np.array([one[2] for one in found], dtype=bool).reshape(len(found), validation.n),
        np.array([one[3] for one in found], dtype=bool).reshape(len(found), test.n),
    )


def where_holds(words: str, validation: SplitView, other: SplitView) -> BoolArray | None:
    """Find the examples of another split, (n,), that the words of a slice hold for.

    Features are high or low as on validation. None where nothing is said in these words.
    """
    conditions = conditions_of(validation, other)
    known = {one.words: i for i, one in enumerate(conditions.all)}
    if words in known:
        single: BoolArray = conditions.test[known[words]]
        return single
    for i, first in enumerate(conditions.all):
        rest = words.removeprefix(f"{first.words} and ")
        if rest != words and rest in known:
            found: BoolArray = conditions.test[i] & conditions.test[known[rest]]
            return found
    return None


def values_of(series: pd.Series[Any]) -> StrArray:
    """Values of a column as text, "" where missing."""
    values: StrArray = np.where(series.isna(), "", series.astype(str)).astype(object)
    return values


def _say(column: str, value: str) -> str:
    """Say that a column has a value; "" for what is not worth saying."""
    if not value or value == "False":
        return ""
    return column if value == "True" else f"{column} is {value}"
