"""Candidates put into validation examples, and how far each moves each class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from clearhead._types import FloatArray, IntArray
from clearhead.debug.change import Change, change_inputs
from clearhead.debug.images.colours import Colours
from clearhead.debug.images.families import FAMILIES, FamilyPattern
from clearhead.debug.images.lighting import Lighting
from clearhead.debug.images.links import Links, Presence
from clearhead.debug.images.overlay import Overlay
from clearhead.debug.images.picture_pattern import PicturePattern
from clearhead.debug.images.pixels import canonical
from clearhead.debug.images.recurring import recurring_patch
from clearhead.debug.images.space import FeatureSpace
from clearhead.debug.images.spectrum import Spectrum
from clearhead.debug.inputs import Inputs

__all__ = ["Gallery", "Trial", "Trials"]

SIDE = 96
SEARCHED = 50
"""Pictures of a class, and of the others, that are searched for small things."""
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
    links : Links
        Say where it is present.
    size : float
        Length of the mean shift of the standardised features.
    """

    pattern: PicturePattern
    method: str
    origin: int | None
    change: Change
    links: Links
    size: float

    @cached_property
    def presence(self) -> Presence:
        """Share of each class's pictures that show it."""
        return self.links.of(self.pattern)


class Gallery:
    """Training pictures of classes in one small size, loaded once."""

    def __init__(self, inputs: Inputs, most: int) -> None:
        self.inputs, self.most = inputs, most
        self._kept: dict[int, FloatArray] = {}

    def of(self, c: int) -> FloatArray:
        """Pictures of a class, (n, S, S, 3)."""
        return self._load(self.rows(c))

    def rows(self, c: int) -> IntArray:
        """Rows of the pictures of a class."""
        return self.inputs.rows("train", label=c, most=self.most, salt=c)

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

    def __init__(self, inputs: Inputs, space: FeatureSpace, links: Links, rows: IntArray) -> None:
        self.inputs, self.space, self.links, self.rows = inputs, space, links, rows

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
        made = list(_candidates(group, others))
        order = np.argsort(-self.space.suspicion(c, gallery.rows(c)), kind="stable")
        part = len(order) // 3
        if part >= LEAST:
            made += _halves(group[order[: 2 * part]], group[order[-part:]])
        return [self.run(pattern, method, c) for method, pattern in made]

    def fitted(self, trial: Trial, c: int) -> Trial | None:
        """Try a family at the strength that brings others nearest to class `c`.

        None where that is the strength at which it was tried.
        """
        pattern = trial.pattern
        if not isinstance(pattern, FamilyPattern):
            return None
        best, nearest = pattern, trial.presence.nearer[c]
        for strength in FAMILIES[pattern.name].strengths:
            other = replace(pattern, strength=strength)
            nearer = self.links.of(other).nearer[c]
            if nearer > nearest:
                best, nearest = other, nearer
        return None if best is pattern else self.run(best, trial.method, None)

    def on(self, trial: Trial, rows: IntArray) -> Trial:
        """Put the same candidate into other examples."""
        return replace(trial, change=change_inputs(self.inputs, trial.pattern.insert, rows))

    def run(self, pattern: PicturePattern, method: str, origin: int | None) -> Trial:
        """Try one candidate."""
        change = change_inputs(self.inputs, pattern.insert, self.rows)
        moved = self.space.moved(change) if len(change) else np.zeros(len(self.space.layer.used))
        size = float(np.linalg.norm(moved))
        return Trial(pattern, method, origin, change, self.links, size)


def _candidates(group: FloatArray, others: FloatArray) -> Sequence[tuple[str, PicturePattern]]:
    found: list[tuple[str, PicturePattern]] = [
        ("overlay", Overlay.between(group, others)),
        ("colours", Colours.between(group, others)),
        ("spectrum", Spectrum.between(group, others)),
        ("lighting", Lighting.between(group, others)),
    ]
    recurring = recurring_patch(group[:SEARCHED], others[:: max(len(others) // SEARCHED, 1)])
    return [*found, ("patch", recurring[0])] if recurring else found


def _halves(high: FloatArray, low: FloatArray) -> Sequence[tuple[str, PicturePattern]]:
    """What sets those pictures of a class apart that hold its strongest evidence."""
    return [
        ("overlay of a part", Overlay.between(high, low)),
        ("colours of a part", Colours.between(high, low)),
        ("spectrum of a part", Spectrum.between(high, low)),
    ]
