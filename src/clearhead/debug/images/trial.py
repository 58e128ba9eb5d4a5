"""Candidates put into validation examples, and how far each moves each class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clearhead._types import FloatArray, IntArray
from clearhead.debug.change import Change, change_inputs
from clearhead.debug.images.colours import Colours
from clearhead.debug.images.cutting import BOXES, Cutting
from clearhead.debug.images.families import FAMILIES, FamilyPattern
from clearhead.debug.images.overlay import Overlay
from clearhead.debug.images.picture_pattern import PicturePattern
from clearhead.debug.images.pixels import canonical
from clearhead.debug.images.recurring import recurring_patch
from clearhead.debug.images.space import FeatureSpace
from clearhead.debug.images.spectrum import Spectrum
from clearhead.debug.inputs import Inputs

__all__ = ["Gallery", "Trial", "Trials"]

SIDE = 96
BANK = 12
"""Pictures of a class of which parts are pasted."""
LEAST = 4
"""Pictures of a class, and of the others, below which nothing can be told of what they share."""


@dataclass(frozen=True, eq=False)
class Trial:
    """One candidate, put into validation examples of all classes.

    Parameters
    ----------
    pattern : PicturePattern
    method : str
        How it was made; candidates of one method control one another.
    origin : int or None
        The class that it was made from; None where it was made from none.
    change : Change
    links : ndarray of shape (K,)
        See :meth:`FeatureSpace.links`.
    size : float
        Length of the mean shift of the standardised features.
    """

    pattern: PicturePattern
    method: str
    origin: int | None
    change: Change
    links: FloatArray
    size: float


class Gallery:
    """Training pictures of classes in one small size, loaded once."""

    def __init__(self, inputs: Inputs, most: int) -> None:
        self.inputs, self.most = inputs, most
        self._kept: dict[int, FloatArray] = {}

    def of(self, c: int) -> FloatArray:
        """Pictures of a class, (n, S, S, 3)."""
        return self._load(self.inputs.rows("train", label=c, most=self.most, salt=c))

    def others(self, c: int) -> FloatArray:
        """Pictures of all other classes, as many from each, (n, S, S, 3)."""
        k = len(self.inputs.class_names)
        each = max(2 * self.most // max(k - 1, 1), 1)
        rows = [
            self.inputs.rows("train", label=other, most=self.most, salt=other)[:each]
            for other in range(k)
            if other != c
        ]
        found = np.concatenate(rows)
        return self._load(found[:: max(len(found) // (2 * self.most), 1)])

    def _load(self, rows: IntArray) -> FloatArray:
        for row in rows:
            if int(row) not in self._kept:
                self._kept[int(row)] = canonical(self.inputs.example(row), SIDE)
        found = [self._kept[int(row)] for row in rows]
        return np.stack(found) if found else np.zeros((0, SIDE, SIDE, 3), dtype=np.float32)


class Trials:
    """Puts candidates into the same validation examples."""

    def __init__(self, inputs: Inputs, space: FeatureSpace, rows: IntArray) -> None:
        self.inputs, self.space, self.rows = inputs, space, rows

    def families(self) -> list[Trial]:
        """Try each of :data:`FAMILIES` at its typical strength."""
        return [
            self.run(FamilyPattern(name, family.typical), "family", None)
            for name, family in FAMILIES.items()
        ]

    def of_class(self, gallery: Gallery, c: int) -> list[Trial]:
        """Try what sets the pictures of one class apart, by each method."""
        group, others = gallery.of(c), gallery.others(c)
        if len(group) < LEAST or len(others) < LEAST:
            return []
        return [self.run(pattern, method, c) for method, pattern in _candidates(group, others)]

    def run(self, pattern: PicturePattern, method: str, origin: int | None) -> Trial:
        """Try one candidate."""
        change = change_inputs(self.inputs, pattern.insert, self.rows)
        moved = self.space.moved(change) if len(change) else np.zeros(len(self.space.layer.used))
        size = float(np.linalg.norm(moved))
        return Trial(pattern, method, origin, change, self.space.links(moved), size)


def _candidates(group: FloatArray, others: FloatArray) -> Sequence[tuple[str, PicturePattern]]:
    found: list[tuple[str, PicturePattern]] = [
        ("overlay", Overlay.between(group, others)),
        ("colours", Colours.between(group, others)),
        ("spectrum", Spectrum.between(group, others)),
        *((where, Cutting(where, group[:BANK].astype(np.uint8))) for where in BOXES),
    ]
    recurring = recurring_patch(group, others)
    return [*found, ("patch", recurring[0])] if recurring else found
