r"""The sets of examples with the most unexplained errors that a few conditions describe.

Each example has a residual, what it adds to the errors beyond what was expected of it. The score
of a slice T is :math:`\sum_{i \in T} r_i / \sqrt{|T|}`, its mean excess times the root of its
size. The slices are searched level by level, and a branch is cut where no slice below it can
score better than what has been found: the best that any T inside S can do is to take the largest
residuals of S,

.. math:: \max_{t} \sum_{i \le t} r_{(i)} / \sqrt{\max(t, m)},

m being the least size of a slice. What is cut off is never better than what is given.

References
----------
Chung, Kraska, Polyzotis, Tae, Whang (2019), Slice Finder: automated data slicing for model
validation. Sagadeeva, Boehm (2021), SliceLine: the level-wise search with bounds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clearhead._types import BoolArray, FloatArray, IntArray

__all__ = ["FoundSlice", "optimistic", "search_slices"]

_BLOCK = 64


@dataclass(frozen=True)
class FoundSlice:
    """Conditions that hold together, and how many more errors there are than expected.

    Parameters
    ----------
    conditions : tuple of int
        Rows of the masks, ascending.
    score : float
    n : int
        Examples in the slice.
    """

    conditions: tuple[int, ...]
    score: float
    n: int


def search_slices(
    masks: BoolArray,
    groups: IntArray,
    residual: FloatArray,
    *,
    depth: int = 2,
    min_rows: int = 20,
    most: int = 50,
) -> list[FoundSlice]:
    """Find the slices of at most `depth` conditions with the highest scores.

    Parameters
    ----------
    masks : ndarray of shape (P, n), bool
        Where each condition holds.
    groups : ndarray of shape (P,), int
        Conditions of one group (values of one column) are not combined.
    residual : ndarray of shape (n,)
    depth : int
        1, 2 or 3.
    min_rows : int
        Smallest slice.
    most : int
        Slices to give.

    Returns
    -------
    list of FoundSlice
        Best first; exactly those that going through all would give.
    """
    order = np.argsort(-residual, kind="stable")  # sorted once: bounds are prefixes
    r = residual[order].astype(np.float64)
    held = np.flatnonzero(masks.sum(axis=1) >= min_rows)
    table = masks[held][:, order]
    best = _Best(most)
    n = table.sum(axis=1)
    best.add([(int(i),) for i in range(len(held))], (table @ r) / np.sqrt(np.maximum(n, 1)), n)
    level: list[tuple[tuple[int, ...], BoolArray]]
    level = [((i,), table[i]) for i in range(len(held))]
    space = _Space(table, groups[held], r, min_rows)
    for reached in range(2, depth + 1):
        level = _descend(level, space, best, last=reached == depth)
    return [
        FoundSlice(tuple(int(held[i]) for i in one), score, size) for score, one, size in best.kept
    ]


def optimistic(inside: BoolArray, residual: FloatArray, min_rows: int) -> FloatArray:
    """Bound the scores (s,) of all slices within some, `residual` (n,) falling, `inside` (s, n)."""
    total = np.cumsum(np.where(inside, np.maximum(residual, 0.0), 0.0), axis=1)
    size = np.maximum(np.cumsum(inside, axis=1), min_rows)
    bound: FloatArray = (total / np.sqrt(size)).max(axis=1, initial=0.0)
    return bound


class _Best:
    """The best slices so far, and the score below which nothing matters."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.kept: list[tuple[float, tuple[int, ...], int]] = []

    @property
    def floor(self) -> float:
        return self.kept[-1][0] if len(self.kept) == self.most else 0.0

    def add(self, names: list[tuple[int, ...]], scores: FloatArray, sizes: IntArray) -> None:
        """Take in what is better; ties keep the one with fewer and lower conditions."""
        good = np.flatnonzero(scores > self.floor)
        # No more of them than are kept can stay.
        good = good[np.argsort(-scores[good], kind="stable")][: self.most]
        new = [(float(scores[i]), names[i], int(sizes[i])) for i in good]
        everything = self.kept + new
        self.kept = sorted(everything, key=lambda s: (-s[0], len(s[1]), s[1]))[: self.most]


@dataclass(frozen=True, eq=False)
class _Space:
    """What is searched: the rows by falling residual."""

    table: BoolArray
    groups: IntArray
    residual: FloatArray
    min_rows: int


def _descend(
    level: list[tuple[tuple[int, ...], BoolArray]], space: _Space, best: _Best, *, last: bool
) -> list[tuple[tuple[int, ...], BoolArray]]:
    """Add one condition to each slice of a level that can still win."""
    below: list[tuple[tuple[int, ...], BoolArray]] = []
    table, groups, r, min_rows = space.table, space.groups, space.residual, space.min_rows
    numbers = table.T.astype(np.float32)
    singles = optimistic(table, r, min_rows)
    for start in range(0, len(level), _BLOCK):
        part = level[start : start + _BLOCK]
        part_rows = np.array([rows for _, rows in part])
        alive = optimistic(part_rows, r, min_rows) > best.floor
        part = [one for one, lives in zip(part, alive, strict=True) if lives]
        if not part:
            continue
        rows = part_rows[alive].astype(np.float32)
        # Sums in float32 order the many; scores that are kept are computed in float64.
        counts = np.rint(rows @ numbers).astype(np.int64)
        rough = (rows * r.astype(np.float32)) @ numbers
        for (name, inside), sizes, sums in zip(part, counts, rough, strict=True):
            used = groups[list(name)]
            fits = (sizes >= min_rows) & (sizes < inside.sum()) & ~np.isin(groups, used)
            fits &= (np.arange(len(table)) > name[-1]) & (singles > best.floor)
            others = np.flatnonzero(
                fits & (sums / np.sqrt(np.maximum(sizes, 1)) > best.floor - 1e-3)
            )
            names = [(*name, int(j)) for j in others]
            exact = (table[others] & inside) @ r / np.sqrt(sizes[others])
            best.add(names, exact, sizes[others])
            if not last:
                below += [((*name, int(j)), table[j] & inside) for j in np.flatnonzero(fits)]
    return below
