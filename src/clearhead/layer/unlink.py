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

DIRECTIONS = (3, 20)
"""How many directions of the features a pattern is taken to move."""
TAKEN_OUT, PREDICTED, WEIGHED, SHUFFLED = "taken out", "predicted", "weighed", "shuffled"
WAYS = (
    TAKEN_OUT,
    PREDICTED,
    WEIGHED,
    *(f"{SHUFFLED} {k}" for k in DIRECTIONS),
    *(f"{first} and {SHUFFLED} {DIRECTIONS[0]}" for first in (TAKEN_OUT, PREDICTED)),
)
"""The pattern is taken out of the examples, whose features the network then computes; or the
features of the class are predicted as they would be without it; or examples of the class that
never showed it weigh as much as those that do. Besides, or instead, all that the features of an
example are along the directions in which the pattern moves them is taken from another example.

An example that never showed it is unbiased, but there may be few; what is taken out may leave
traces; predictions are inexact; what is shuffled is lost to the class. Which is best depends.
"""
NOTHING = "nothing"
"""No way does better on held-out data than the layer as it is, which therefore stays."""
_WITH = 0.1
"""What examples with the pattern weigh in a held-out split: the data to come are without it."""
_FEW = 10
"""Fewer examples of the class without the pattern than this cannot stand for the class."""


def _no_rows() -> IntArray:
    return np.zeros(0, dtype=np.int64)


def _no_features() -> FloatArray:
    return np.zeros((0, 0), dtype=np.float32)


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

    def fooled(self, layer: DecisionLayer, target: int) -> BoolArray:
        """Which of the inserted (d,) a layer takes for the class."""
        found: BoolArray = layer.predict(self.rows.features[self.inserted]) == target
        return found


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What a pattern does to a held-out split; arrays as those of :class:`Unlink`."""

    carriers: IntArray
    probes: IntArray
    shifts: FloatArray
    replaced: IntArray
    replacements: FloatArray
    controls: IntArray = field(default_factory=_no_rows)
    controlled: FloatArray = field(default_factory=_no_features)

    def apply(self, rows: TrainingRows, target: int, share: float = _WITH) -> Unlinked:
        """Make `share` of either side be with the pattern.

        The class without it is known by examples that never showed it (a detector may have
        overlooked it in them) and by those that it was taken out of (traces may be left), which
        weigh alike; where there are neither, by features predicted without it. Of the others half
        are those that the same was done to, so that its traces do not tell the class.
        """
        n, own = rows.n, rows.labels == target
        shows, taken = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
        shows[self.carriers], taken[self.replaced] = True, True
        never, enough = own & ~shows, (own & ~shows).sum() >= _FEW
        probed, carriers = rows.features[self.probes], np.flatnonzero(shows)
        back = carriers[:0] if enough or (taken & own).any() or not len(self.shifts) else carriers
        copied = np.concatenate([self.probes, carriers, back, self.controls])
        moved = [probed + self.shifts, rows.features[carriers]]
        if len(back):
            map_back = ShiftMap.fit(probed + self.shifts, -self.shifts)
            moved.append(rows.features[back] + map_back.predict(rows.features[back]))
        if len(self.controls):
            moved.append(self.controlled)
        changed = rows.replaced(self.replaced, self.replacements).with_copies(
            copied, np.concatenate(moved), np.ones(len(copied))
        )
        parts = np.repeat(
            range(4), [len(self.probes), len(carriers), len(back), len(self.controls)]
        )
        inserted, kept, predicted, control = (
            np.concatenate([np.zeros(n, dtype=bool), parts == part]) for part in range(4)
        )
        more = np.zeros(len(copied), dtype=bool)
        never, taken, plain = (np.concatenate([at, more]) for at in (never, taken & own, ~own))
        views = ([never] if enough else []) + [taken, predicted]
        lacks = [view for view in views if view.any()] or [never]
        weight = np.zeros(changed.n)
        others = [plain, control] if control.any() else [plain]
        self._share(weight, changed.weight, lacks, kept, share)
        self._share(weight, changed.weight, others, inserted, share)
        weight *= rows.weight.sum() / 2
        measured = plain | never | (taken & (not enough))
        return Unlinked(replace(changed, weight=weight), measured, inserted)

    @staticmethod
    def _share(
        weight: FloatArray,
        counts: FloatArray,
        lacks: list[BoolArray],
        shows: BoolArray,
        share: float,
    ) -> None:
        """Give one side, of sum 1, its weights: `share` to what shows the pattern."""
        parts = [(view, (1 - share) / len(lacks)) for view in lacks] + [(shows, share)]
        parts = [(at, much) for at, much in parts if counts[at].sum() > 0]
        total = max(sum(much for _, much in parts), 1e-300)
        for at, much in parts:
            weight[at] += counts[at] * much / total / counts[at].sum()


@dataclass(frozen=True, eq=False)
class Unlink(ProblemEdit):
    """Solve on features in which a pattern says nothing about a class.

    What the pattern does to the features is measured on examples into which it was put. The class
    comes to be without it in one of several ways. Where its examples are weighed, every row of the
    other classes gets a copy as it would be with the pattern, by prediction
    (:class:`clearhead.layer.shift_map.ShiftMap`); the two share its weight.

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
    controls : ndarray of shape (c,), int
        Training rows of other classes, without the pattern, to which the same was done as where it
        is taken out.
    controlled : ndarray of shape (c, p), float32
        Their features then.
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
    way: str = ""
    controls: IntArray = field(default_factory=_no_rows, metadata={"array": True})
    controlled: FloatArray = field(default_factory=_no_features, metadata={"array": True})
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
        if not self.way:
            return f"{self.pattern} unlinked from {self.target}, solved again"
        if self.way == NOTHING:
            return f"{self.pattern} left as it is: no way to unlink it does better on validation"
        useless = ", what it changes in the features made useless" if SHUFFLED in self.way else ""
        if self.way.startswith(TAKEN_OUT):
            what = f"{self.pattern} taken out of {len(self.replaced)} training examples"
            return f"{what}{useless}, solved again"
        if self.way.startswith(SHUFFLED):
            return f"what {self.pattern} changes in the features made useless, solved again"
        if self.way.startswith(PREDICTED):
            what = f"features of {self.target} predicted without {self.pattern}"
            return f"{what}{useless}, solved again"
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
        way = self.way or self.ways(rows, class_names)[0]
        if way == WEIGHED:
            return self._with_copies(rows, class_names.index(self.target))
        changed = rows
        if way.startswith(TAKEN_OUT):
            changed = self._taken_out(rows, class_names.index(self.target))
        elif way.startswith(PREDICTED):
            changed = rows.replaced(self.carriers, self._predicted(rows))
        if SHUFFLED not in way:
            return changed
        return self._shuffled(changed, rows.features, int(way.rpartition(" ")[2]))

    def ways(self, rows: TrainingRows, class_names: Sequence[str]) -> list[str]:
        """Those of :data:`WAYS` that can be gone."""
        without = (rows.labels == class_names.index(self.target)) & (rows.weight > 0)
        without[self.carriers] = False
        moves = bool(len(self.shifts))
        can = {
            TAKEN_OUT: bool(len(self.replaced)),
            PREDICTED: moves and bool(len(self.carriers)),
            WEIGHED: moves and without.sum() >= _FEW,
            SHUFFLED: moves,
        }
        return [way for way in WAYS if all(can[part] for part in can if part in way)]

    def change_held_out(
        self, rows: TrainingRows, class_names: Sequence[str], split: str
    ) -> TrainingRows:
        """Change a held-out split alike."""
        part = self.held_out.get(split)
        return rows if part is None else part.apply(rows, class_names.index(self.target)).rows

    def _taken_out(self, rows: TrainingRows, target: int) -> TrainingRows:
        """Rows without the pattern; half of what the others weigh goes to the controls.

        Taking it out leaves traces, which would tell the class as the pattern did.
        """
        changed = rows.replaced(self.replaced, self.replacements)
        if not len(self.controls):
            return changed
        weight = rows.weight.copy()
        others = rows.labels != target
        half = weight[others].sum() / 2
        weight[others] /= 2
        each = np.full(len(self.controls), half / len(self.controls))
        return replace(changed, weight=weight).with_copies(self.controls, self.controlled, each)

    def _predicted(self, rows: TrainingRows) -> FloatArray:
        """Features of the carriers as they would be without the pattern.

        A prediction leaves out what differs from example to example for reasons that features do
        not tell. Each carrier gets what it missed in one of the probes: else the class would be
        told by how little it scatters.
        """
        own, shown = rows.features[self.carriers], rows.features[self.probes] + self.shifts
        back = ShiftMap.fit(shown, -self.shifts)
        missed = -self.shifts - back.predict(shown)
        drawn = np.random.default_rng(1).integers(0, len(missed), len(own))
        found: FloatArray = own + back.predict(own) + missed[drawn]
        return found

    def _shuffled(self, rows: TrainingRows, seen: FloatArray, k: int) -> TrainingRows:
        """Give every row, along the pattern's directions, what another row had as it was seen.

        So these directions tell nothing about the class; what rows were like with the pattern
        is among what is given, so that a weight along them does harm.
        """
        scale = seen.std(axis=0, dtype=np.float64)
        scale = np.where(scale > 1e-9, scale, np.inf)
        directions = np.linalg.svd(self.shifts / scale, full_matrices=False)[2][:k]
        lift = directions * np.where(np.isfinite(scale), scale, 0.0)  # (k, p), in raw features
        given = np.random.default_rng(0).integers(0, len(seen), rows.n)
        change = (seen[given] / scale - rows.features / scale) @ directions.T @ lift
        return replace(rows, features=(rows.features + change).astype(rows.features.dtype))

    def _with_copies(self, rows: TrainingRows, target: int) -> TrainingRows:
        shows = np.zeros(rows.n, dtype=bool)
        shows[self.carriers] = True
        of_class, counts = rows.labels == target, rows.weight > 0
        others = np.flatnonzero(~of_class & counts)
        weight = rows.weight.copy()
        weight[others] /= 2
        for part in (of_class & counts & shows, of_class & counts & ~shows):
            if part.any():
                weight[part] *= rows.weight[of_class].sum() / 2 / rows.weight[part].sum()
        predicted = ShiftMap.fit(rows.features[self.probes], self.shifts)
        moved = rows.features[others] + predicted.predict(rows.features[others])
        return replace(rows, weight=weight).with_copies(others, moved, weight[others])
