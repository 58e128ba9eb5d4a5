"""Unlink a pattern from a class: in the training rows it becomes as common in the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Self

import numpy as np

from clearhead._types import BoolArray, FloatArray, IntArray
from clearhead.errors import InputError
from clearhead.layer.decision import DecisionLayer
from clearhead.layer.edit import ProblemEdit, class_indices
from clearhead.layer.shift_map import ShiftMap
from clearhead.layer.training import TrainingRows

__all__ = ["NOTHING", "WAYS", "HeldOut", "Unlink", "Unlinked"]

WAYS = ("taken out", "taken out alone", "taken out and moved", "weighed", "predicted")
"""Taken out by the network's own features, beside copies with the pattern in every class; without
these copies; moved by what was left behind; the examples that never showed it weighed as much as
those that do; and features as they would be without it.

An example that never showed it is unbiased, but a network that was trained on it may know it by
heart; what is taken out may leave traces; predictions are inexact. Which is best depends.
"""
NOTHING = "nothing"
"""No way does better on held-out data than the layer as it is, which therefore stays."""
_WITH = 0.1
"""What examples with the pattern weigh in a held-out split: the data to come are without it."""
_FEW = 10
"""Fewer examples of the class without the pattern than this cannot stand for the class."""


@dataclass(frozen=True, eq=False)
class Unlinked:
    """A held-out split in which the pattern is as common in every class.

    Parameters
    ----------
    rows : TrainingRows
        The class and all others together weigh alike, as in balanced accuracy: of seven classes,
        one that is lost costs little accuracy. In either, a tenth is with the pattern.
    without : ndarray of shape (n,), bool
        Examples that are without the pattern, or that it was taken out of.
    inserted : ndarray of shape (n,), bool
        Examples of other classes into which it was put.
    """

    rows: TrainingRows
    without: BoolArray
    inserted: BoolArray


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What a pattern does to a held-out split; arrays as those of :class:`Unlink`."""

    carriers: IntArray
    probes: IntArray
    shifts: FloatArray
    replaced: IntArray
    replacements: FloatArray

    def apply(self, rows: TrainingRows, target: int, share: float = _WITH) -> Unlinked:
        """Make `share` of either side be with the pattern; what was measured is not predicted.

        Where enough examples of the class never showed the pattern they stand for it: what is
        taken out may leave traces.
        """
        n, probed = rows.n, rows.features[self.probes]
        shows = np.zeros(n, dtype=bool)
        shows[self.carriers] = True
        taken = np.zeros(n, dtype=bool)
        taken[self.replaced] = True
        plain, carriers = ~shows, np.flatnonzero(shows)
        if (plain & (rows.labels == target)).sum() < _FEW:
            plain |= taken
        weight = rows.weight.copy()
        copied, moved = [self.probes, carriers], [probed + self.shifts, rows.features[carriers]]
        back = np.zeros(0, dtype=np.int64)
        if (plain & (rows.labels == target)).sum() < _FEW and len(self.shifts):
            # Next to none is without it: as they would be, predicted.
            back = carriers
            moved.append(
                rows.features[back]
                + ShiftMap.fit(probed + self.shifts, -self.shifts).predict(rows.features[back])
            )
            copied.append(back)
        at = np.concatenate(copied)
        changed = rows.replaced(self.replaced, self.replacements).with_copies(
            at, np.concatenate(moved), np.ones(len(at))
        )
        without = np.concatenate([plain, np.zeros(len(at), dtype=bool)])
        inserted = np.arange(changed.n) - n
        put_in = (inserted >= 0) & (inserted < len(self.probes))
        lacks = without | (inserted >= len(at) - len(back))
        weight = np.concatenate([weight * plain, np.ones(len(at))])
        own = changed.labels == target
        for here in (own, ~own):
            parts = [(here & lacks, 1 - share), (here & ~lacks, share)]
            parts = [(part, much) for part, much in parts if weight[part].sum() > 0]
            total = max(sum(much for _, much in parts), 1e-300)
            for part, much in parts:
                weight[part] *= rows.weight.sum() / 2 * much / total / weight[part].sum()
        return Unlinked(replace(changed, weight=weight), without, put_in)


@dataclass(frozen=True, eq=False)
class Unlink(ProblemEdit):
    """Solve on features in which a pattern says nothing about a class.

    Every row of the other classes gets a copy as it would be with the pattern; the two share its
    weight. The rows of the class come to be without it as well, in one of several ways. What the
    pattern does to the features is measured on examples into which it was put, and predicted for
    the others (:class:`clearhead.layer.shift_map.ShiftMap`).

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
    drift : ndarray of shape (p,) or (0,), float32
        Mean of the features of the class's replaced rows, less that of validation examples of
        the class that never showed the pattern: what taking it out left behind.
    way : str
        How the rows of the class come to be without the pattern, of :data:`WAYS`; that of the
        best validation accuracy is chosen where it is "", and :data:`NOTHING` is changed where
        none is better there than the layer as it is.
    held_out : dict of split to HeldOut
        The same of validation, where lam is chosen again, and of test, where it is measured.
    """

    action: ClassVar[str] = "unlink"
    pattern: str
    target: str
    carriers: IntArray = field(metadata={"array": True})
    probes: IntArray = field(metadata={"array": True})
    shifts: FloatArray = field(metadata={"array": True})
    replaced: IntArray = field(metadata={"array": True})
    replacements: FloatArray = field(metadata={"array": True})
    drift: FloatArray = field(
        default_factory=lambda: np.zeros(0, dtype=np.float32), metadata={"array": True}
    )
    way: str = ""
    held_out: Mapping[str, HeldOut] = field(default_factory=dict, metadata={"array": True})

    def arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """Give the arrays that it consists of; those of held-out splits as ``split.name``."""
        found = super().arrays()
        del found["held_out"]
        for split, part in self.held_out.items():
            found |= {f"{split}.{f.name}": getattr(part, f.name) for f in fields(part)}
        return found

    @classmethod
    def from_parts(
        cls, value: Mapping[str, Any], arrays: Mapping[str, np.ndarray[Any, Any]]
    ) -> Self:
        """Undo :meth:`to_dict` and :meth:`arrays`."""
        parts: dict[str, dict[str, Any]] = {}
        own: dict[str, Any] = {}
        for name, array in arrays.items():
            split, dot, last = name.partition(".")
            if dot:
                parts.setdefault(split, {})[last] = array
            else:
                own[name] = array
        if parts:
            own["held_out"] = {split: HeldOut(**one) for split, one in parts.items()}
        return super().from_parts(value, own)

    def describe(self) -> str:
        """Say in words what is changed."""
        if self.way == NOTHING:
            return f"{self.pattern} left as it is: no way to unlink it does better on validation"
        if self.way.startswith("taken out"):
            return (
                f"{self.pattern} taken out of {len(self.replaced)} training examples and as common "
                "in every class, solved again"
            )
        return f"{self.pattern} as common in the other classes as in {self.target}, solved again"

    def check(self, layer: DecisionLayer) -> None:
        """Raise InputError where it cannot be done to the layer."""
        class_indices((self.target,), layer.class_names)
        if self.way not in ("", NOTHING, *WAYS):
            known = ", ".join((*WAYS, NOTHING))
            raise InputError(f"unlink: way is one of {known}; got {self.way!r}.")
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
        if self.way == NOTHING:
            return rows
        target, way = class_names.index(self.target), self.way or self.ways(rows, class_names)[0]
        if way.startswith("taken out"):
            rows = self._without(rows, target, moved=way.endswith("moved"))
            return rows if way.endswith("alone") else self._beside_copies(rows)
        return self._with_copies(rows, target, predicted=way == "predicted")

    def ways(self, rows: TrainingRows, class_names: Sequence[str]) -> list[str]:
        """Those of :data:`WAYS` that can be gone."""
        of_class = (rows.labels == class_names.index(self.target)) & (rows.weight > 0)
        without = of_class.copy()
        without[self.carriers] = False
        found = ["taken out"] if len(self.replaced) else []
        if found and len(self.shifts):
            found.append("taken out alone")
        if found and len(self.drift):
            found.append("taken out and moved")
        if not len(self.shifts):
            return found
        if without.sum() >= _FEW:
            found.append("weighed")
        if len(self.carriers):
            found.append("predicted")
        return found or ["weighed"]

    def change_held_out(
        self, rows: TrainingRows, class_names: Sequence[str], split: str
    ) -> TrainingRows:
        """Change a held-out split alike."""
        part = self.held_out.get(split)
        return rows if part is None else part.apply(rows, class_names.index(self.target)).rows

    def _without(self, rows: TrainingRows, target: int, *, moved: bool) -> TrainingRows:
        replacements = self.replacements
        if moved:
            own = rows.labels[self.replaced] == target
            replacements = np.where(own[:, None], replacements - self.drift, replacements)
        return rows.replaced(self.replaced, replacements)

    def _beside_copies(self, rows: TrainingRows) -> TrainingRows:
        """Rows without the pattern, each beside a copy as it would be with it."""
        if not len(self.shifts):
            return rows
        every = np.arange(rows.n)
        change = ShiftMap.fit(rows.features[self.probes], self.shifts).predict(rows.features)
        halved = replace(rows, weight=rows.weight / 2)
        return halved.with_copies(every, rows.features + change, halved.weight)

    def _with_copies(self, rows: TrainingRows, target: int, *, predicted: bool) -> TrainingRows:
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
        if predicted:
            weight[carriers] /= 2
            back = ShiftMap.fit(probed + self.shifts, -self.shifts)
            copied = np.concatenate([others, carriers])
            moved = np.concatenate([moved, back.predict(rows.features[carriers])])
        elif len(carriers):
            for part in (carriers, without):
                weight[part] *= rows.weight[of_class].sum() / 2 / rows.weight[part].sum()
        changed = replace(rows, weight=weight)
        return changed.with_copies(copied, rows.features[copied] + moved, weight[copied])
