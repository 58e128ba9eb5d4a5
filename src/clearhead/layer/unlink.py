"""Unlink a pattern from a class: in the training rows it becomes as common in the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from clearhead._types import FloatArray, IntArray
from clearhead.errors import InputError
from clearhead.layer.decision import DecisionLayer
from clearhead.layer.edit import ProblemEdit, class_indices
from clearhead.layer.shift_map import ShiftMap
from clearhead.layer.training import TrainingRows

__all__ = ["Unlink"]

_FEW = 20
"""Fewer examples of the class without the pattern than this cannot stand for the class."""


@dataclass(frozen=True, eq=False)
class Unlink(ProblemEdit):
    """Solve on features in which a pattern says nothing about a class.

    Every row of the other classes gets a copy as it would be with the pattern; the two share its
    weight. Rows of the class with and without the pattern come to count alike, and where there
    are hardly any without it, those with it get copies as they would be without.
    What the pattern does to the features is measured on examples into which it was put, and
    predicted for the others (:class:`clearhead.layer.shift_map.ShiftMap`).
    Where the pattern could be taken out of the rows that show it, these are replaced by what the
    network makes of them without it, and every row of every class gets a copy with it.

    Parameters
    ----------
    pattern : str
        In words.
    target : str
        The class that it goes with.
    carriers : ndarray of shape (m,), int
        Training rows of the class that show the pattern.
    probes : ndarray of shape (d,), int
        Training rows of other classes into which the pattern was put.
    shifts : ndarray of shape (d, p), float32
        Changes of their features.
    replaced : ndarray of shape (r,), int
        Training rows from which the pattern was taken out.
    replacements : ndarray of shape (r, p), float32
        Their features without it.
    """

    action: ClassVar[str] = "unlink"
    pattern: str
    target: str
    carriers: IntArray = field(metadata={"array": True})
    probes: IntArray = field(metadata={"array": True})
    shifts: FloatArray = field(metadata={"array": True})
    replaced: IntArray = field(metadata={"array": True})
    replacements: FloatArray = field(metadata={"array": True})

    def describe(self) -> str:
        """Say in words what is changed."""
        if len(self.replaced):
            return (
                f"{self.pattern} taken out of {len(self.replaced)} training examples and as common "
                "in every class, solved again"
            )
        return f"{self.pattern} as common in the other classes as in {self.target}, solved again"

    def check(self, layer: DecisionLayer) -> None:
        """Raise InputError where it cannot be done to the layer."""
        class_indices((self.target,), layer.class_names)
        p = layer.weight.shape[1]
        for name in ("shifts", "replacements"):
            shape = np.shape(getattr(self, name))
            if len(shape) != 2 or shape[1] != p:
                raise InputError(f"unlink: expected {name} of shape (m, {p}), got {shape}.")
        if not len(self.shifts) and not len(self.replaced):
            raise InputError(
                f"unlink: {self.pattern} could neither be put into examples nor taken out of them."
            )

    def change(self, rows: TrainingRows, class_names: Sequence[str]) -> TrainingRows:
        """Change what the layer is fitted to."""
        if len(self.replaced):
            return self._with_and_without(rows.replaced(self.replaced, self.replacements))
        return self._with_copies(rows, class_names.index(self.target))

    def _with_and_without(self, rows: TrainingRows) -> TrainingRows:
        """Rows without the pattern, each beside a copy as it would be with it."""
        if not len(self.shifts):
            return rows
        every = np.arange(rows.n)
        moved = ShiftMap.fit(rows.features[self.probes], self.shifts).predict(rows.features)
        halved = replace(rows, weight=rows.weight / 2)
        return halved.with_copies(every, rows.features + moved, halved.weight)

    def _with_copies(self, rows: TrainingRows, target: int) -> TrainingRows:
        shows = np.zeros(rows.n, dtype=bool)
        shows[self.carriers] = True
        of_class, counts = rows.labels == target, rows.weight > 0
        others = np.flatnonzero(~of_class & counts)
        carriers = np.flatnonzero(of_class & counts & shows)
        without = np.flatnonzero(of_class & counts & ~shows)
        probed = rows.features[self.probes]
        weight = rows.weight.copy()
        weight[others] /= 2
        copied, moved = others, ShiftMap.fit(probed, self.shifts).predict(rows.features[others])
        if len(without) < _FEW:
            weight[carriers] /= 2
            back = ShiftMap.fit(probed + self.shifts, -self.shifts)
            copied = np.concatenate([others, carriers])
            moved = np.concatenate([moved, back.predict(rows.features[carriers])])
        elif len(carriers):
            for part in (carriers, without):
                weight[part] *= rows.weight[of_class].sum() / 2 / rows.weight[part].sum()
        changed = replace(rows, weight=weight)
        return changed.with_copies(copied, rows.features[copied] + moved, weight[copied])
