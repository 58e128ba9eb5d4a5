"""How many pictures of each class look as if a pattern had been put into them.

A detector learns, on pictures of all classes but one, how they look with the pattern and without
it, and is then shown that one: every class is judged by a detector that never saw its pictures.
What a class naturally looks like (bags are wide, as if turned) fools such detectors as well; so
the share of a class counts only beyond the largest that any other class reaches.

Content with a direction fools a detector for good: t-shirts look like dresses upside down. So it
is also asked whether a pattern brings the looks of some other class nearer to those of the class
than any other class is by itself. What was put into a class's pictures took them away from their
kin, and takes the kin after them; what merely resembles the class takes its kin elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from clearhead._types import FloatArray, IntArray
from clearhead.debug.images.looks import describe_look
from clearhead.debug.images.picture_pattern import PicturePattern
from clearhead.debug.inputs import Inputs

__all__ = ["Links", "Presence"]

RIDGE = 10.0
"""There are more looks than pictures of which to learn."""
PRIOR = 1
"""A class's few changed pictures count as if so many more moved as those of all classes do."""
FLOOR = 0.2
"""Of a look's standard deviation: classes in which it never varies are no yardstick."""


@dataclass(frozen=True, eq=False)
class Presence:
    """Where a pattern is seen.

    Parameters
    ----------
    share : ndarray of shape (K,)
        Of the pictures of each class, by a detector that saw none of the class.
    nearer : ndarray of shape (K,)
        Share of the way from the nearest other class to each class, by their mean looks, that
        putting it into the other classes saves: 1 where one of them becomes alike, below 0 where
        all go further away.
    """

    share: FloatArray
    nearer: FloatArray

    def outside(self, c: int) -> float:
        """Mean share of the other classes."""
        return float(np.delete(self.share, c).mean())

    def lead(self, c: int) -> float:
        """By how much class `c` exceeds each other class; of many, all but one in ten."""
        return float(self.share[c] - np.quantile(np.delete(self.share, c), 0.9, method="higher"))


class Links:
    """Looks of pictures of all classes, and detectors of patterns learned on them.

    Parameters
    ----------
    inputs : Inputs
    learned : int
        Pictures, of all classes, into which a pattern is put to learn how it looks.
    looked : int
        Pictures of each class in which it is then looked for.
    """

    def __init__(self, inputs: Inputs, learned: int, looked: int) -> None:
        self.inputs = inputs
        self._known: dict[PicturePattern, Presence] = {}
        self.k = len(inputs.class_names)
        each = max(learned // self.k, 2)
        rows = [
            inputs.rows("train", "validation", label=c, most=looked + each, salt=5)
            for c in range(self.k)
        ]
        # The first of a class, at most half, are learned from, the others looked at.
        mixed = [np.random.default_rng([inputs.seed, c]).permutation(r) for c, r in enumerate(rows)]
        most = [min(each, len(r) // 2) for r in mixed]
        self.learned = np.concatenate([r[:n] for r, n in zip(mixed, most, strict=True)])
        self.looks = [
            self._describe(inputs.examples(r[n:])) for r, n in zip(mixed, most, strict=True)
        ]
        self.without = self._describe(inputs.examples(self.learned))
        everything = np.concatenate([one for one in (self.without, *self.looks) if len(one)])
        scale = everything.std(axis=0)
        self.center, self.scale = everything.mean(axis=0), np.where(scale > 1e-9, scale, np.inf)
        self.means, self.unit = self._within()

    def of(self, pattern: PicturePattern) -> Presence:
        """See where a pattern is present; of the same object only once."""
        if pattern not in self._known:
            self._known[pattern] = self._look(pattern)
        return self._known[pattern]

    def _look(self, pattern: PicturePattern) -> Presence:
        rows, made = self.inputs.changed(self.learned, pattern.insert)
        if len(rows) < 2:
            return Presence(np.zeros(self.k), np.zeros(self.k))
        kept = np.isin(self.learned, rows)
        labels = self.inputs.labels[self.learned[kept]]
        order = {int(row): i for i, row in enumerate(rows)}
        there = self._describe(made)[[order[int(row)] for row in self.learned[kept]]]
        before = (self.without[kept] - self.center) / self.scale
        after = (there - self.center) / self.scale
        share = [self._share(c, before[labels != c], after[labels != c]) for c in range(self.k)]
        return Presence(np.array(share), self._nearer(after - before, labels))

    def _within(self) -> tuple[FloatArray, FloatArray]:
        """Mean looks of each class, (K, d), and how far looks vary within the classes, (d,)."""
        scaled = [(one - self.center) / self.scale for one in self.looks]
        means = np.stack(
            [one.mean(axis=0) if len(one) else np.full(len(self.center), np.nan) for one in scaled]
        )
        rest = np.concatenate([one - one.mean(axis=0) for one in scaled if len(one)])
        return means, rest.std(axis=0) + FLOOR

    def _nearer(self, moved: FloatArray, labels: IntArray) -> FloatArray:
        """Share of the way to each class that a move of the pictures of the others saves."""
        there = self.means.copy()
        for c in range(self.k):
            own = labels == c
            total = moved[own].sum(axis=0) + PRIOR * moved.mean(axis=0)
            there[c] += total / (own.sum() + PRIOR)
        return 1 - self._nearest(there) / np.maximum(self._nearest(self.means), 1e-9)

    def _nearest(self, others: FloatArray) -> FloatArray:
        """Distance of each class's looks to the nearest of the others', (K,)."""
        found = np.empty(self.k)
        for c in range(self.k):
            far = np.linalg.norm((self.means[c] - np.delete(others, c, axis=0)) / self.unit, axis=1)
            found[c] = np.nan if np.isnan(far).all() else np.nanmin(far)
        return np.nan_to_num(found, nan=1.0)

    def _share(self, c: int, before: FloatArray, after: FloatArray) -> float:
        if not len(before) or not len(self.looks[c]):
            return 0.0
        middle = (before.mean(axis=0) + after.mean(axis=0)) / 2
        x = np.concatenate([before, after]) - middle
        y = np.repeat([-1.0, 1.0], len(before))
        gram = x @ x.T + RIDGE * np.eye(len(x))
        weight = x.T @ np.linalg.solve(gram, y)
        seen = ((self.looks[c] - self.center) / self.scale - middle) @ weight
        return float(np.mean(seen > 0))

    @staticmethod
    def _describe(pictures: Sequence[Image.Image]) -> FloatArray:
        found = [describe_look(one) for one in pictures]
        return np.stack(found) if found else np.zeros((0, 1))
