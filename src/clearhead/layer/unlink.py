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
from clearhead.layer.training import TrainingRows

__all__ = ["Unlink"]

_FEW = 20
"""Fewer examples of the class without the pattern than this cannot stand for the class."""


@dataclass(frozen=True, eq=False)
class Unlink(ProblemEdit):
    """Solve on features in which a pattern says nothing about a class.

    Every row of the other classes gets a copy as it would be with the pattern, and every row of
    the class that shows it one as it would be without; a row and its copy share its weight.
    What the pattern does to the features is measured on examples into which it was put.
    Rows from which the pattern could be taken out are replaced by what the network makes of
    them without it.

    Parameters
    ----------
    pattern : str
        In words.
    target : str
        The class that it goes with.
    carriers : ndarray of shape (m,), int
        Training rows of the class that show the pattern.
    shifts : ndarray of shape (d, p), float32
        Changes of the features of single examples when the pattern is put in.
    replaced : ndarray of shape (r,), int
        Training rows from which the pattern was taken out.
    replacements : ndarray of shape (r, p), float32
        Their features without it.
    seed : int
        Which change a row gets.
    """

    action: ClassVar[str] = "unlink"
    pattern: str
    target: str
    carriers: IntArray = field(metadata={"array": True})
    shifts: FloatArray = field(metadata={"array": True})
    replaced: IntArray = field(metadata={"array": True})
    replacements: FloatArray = field(metadata={"array": True})
    seed: int = 0

    def describe(self) -> str:
        """Say in words what is changed."""
        if len(self.replaced):
            return (
                f"{self.pattern} taken out of {len(self.replaced)} training examples, and solved "
                "again"
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
            return rows.replaced(self.replaced, self.replacements)
        target = class_names.index(self.target)
        rng = np.random.default_rng(self.seed)
        shows = np.zeros(rows.n, dtype=bool)
        shows[self.carriers] = True
        of_class = (rows.labels == target) & (rows.weight > 0)
        others = np.flatnonzero((rows.labels != target) & (rows.weight > 0))
        carriers = np.flatnonzero(of_class & shows)
        without = np.flatnonzero(of_class & ~shows)
        weight = rows.weight.copy()
        weight[others] /= 2
        copied, sign = others, np.ones(len(others))
        if len(without) >= _FEW:
            total = weight[of_class].sum()
            for part in (carriers, without):
                if len(carriers):
                    weight[part] *= total / 2 / weight[part].sum()
        else:
            weight[carriers] /= 2
            copied = np.concatenate([others, carriers])
            sign = np.concatenate([sign, -np.ones(len(carriers))])
        moved = sign[:, None] * self.shifts[rng.integers(len(self.shifts), size=len(copied))]
        changed = replace(rows, weight=weight)
        return changed.with_copies(copied, rows.features[copied] + moved, weight[copied])
