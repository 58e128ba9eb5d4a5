"""A layer as a function of what was selected and the edits since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clearhead._types import BoolArray, FloatArray, IntArray
from clearhead.errors import InputError
from clearhead.events import EventCallback
from clearhead.layer.again import changed_problem, coefficients_of, shared_ban, solved_layer
from clearhead.layer.decision import DecisionLayer
from clearhead.layer.edit import Edit, LayerEdit, ProblemEdit
from clearhead.layer.lam_again import (
    ROUGH,
    Again,
    Lam,
    choose_again,
    wanted_lam,
    weighted_accuracy,
)
from clearhead.layer.training import TrainingRows
from clearhead.layer.unlink import NOTHING, Unlink

__all__ = ["Edited", "apply_edits", "changed_rows", "collapsed", "with_ways"]

COLLAPSED = 0.5
"""A layer that keeps fewer of its features than this at the same lam is another kind of layer."""


@dataclass(frozen=True, eq=False)
class Edited:
    """What edits made of a layer.

    Parameters
    ----------
    layer : DecisionLayer
    solved : bool
        Whether the problem was changed, and solved again.
    best : DecisionLayer or None
        Of the best accuracy on validation, where lam was chosen again.
    at_same_lam : DecisionLayer or None
        The layer at the lam that it had, where it collapsed there.
    """

    layer: DecisionLayer
    solved: bool
    best: DecisionLayer | None = None
    at_same_lam: DecisionLayer | None = None


def apply_edits(
    selected: DecisionLayer,
    edits: Sequence[Edit],
    train: TrainingRows,
    validation: tuple[FloatArray, IntArray],
    *,
    again: Again | None = None,
    grouped: bool = False,
    tol: float = 1e-4,
    on_event: EventCallback | None = None,
) -> Edited:
    """Apply edits to a layer as it was selected.

    Edits of the problem come first, all together: the layer is solved again once on everything
    that they change. Edits of the layer follow in their order. So a feature that was set to zero
    stays there when another is banned later.

    Parameters
    ----------
    selected : DecisionLayer
        As it was taken from its path.
    edits : sequence of Edit
    train : TrainingRows
        What it was fitted to.
    validation : (features, labels)
        On which a temperature is chosen.
    again : Again, optional
        What choosing lam again takes; without it lam stays.
    grouped : bool
        As it was given to :func:`clearhead.fit_path`.
    tol : float
        Relative duality gap of what is solved again.
    on_event : callable, optional
        Told of every iteration of a solve; what it raises ends it.

    Raises
    ------
    InputError
        An edit names what the layer or the data do not have, or leaves a class no example.
    """
    for edit in edits:
        edit.check(selected)
    rows = changed_rows(train, edits, selected.class_names)
    solver: Any = {"grouped": grouped, "tol": tol, "on_event": on_event}
    found = Edited(selected, solved=False)
    if rows is not train or wanted_lam(edits) == "again":
        found = _solve(selected, edits, rows, again, **solver)
    layer = found.layer
    for edit in edits:
        if isinstance(edit, LayerEdit):
            layer = edit.change(layer, rows, validation)
    return replace(found, layer=layer)


def with_ways(
    selected: DecisionLayer,
    before: Sequence[Edit],
    edits: Sequence[Edit],
    train: TrainingRows,
    again: Again,
    *,
    current: DecisionLayer | None = None,
    grouped: bool = False,
    tol: float = 1e-4,
    on_event: EventCallback | None = None,
) -> list[Edit]:
    """Choose how patterns are unlinked, by accuracy on validation: `edits` with their ways.

    Parameters
    ----------
    before, edits : sequence of Edit
        Those that stand, and those whose ways are to be chosen.
    current : DecisionLayer, optional
        After those that stand, `selected` if not given: what no way may do worse than.
    """
    found = list(edits)
    solver: Any = {"grouped": grouped, "tol": max(tol, ROUGH), "on_event": on_event}
    for i, edit in enumerate(found):
        if not isinstance(edit, Unlink) or edit.way:
            continue
        edit.check(selected)
        ways = edit.ways(train, selected.class_names)
        if "validation" not in edit.held_out:
            found[i] = replace(edit, way=ways[0])
            continue
        standing = [*before, *found[:i]]
        rows = changed_rows(again.validation, standing, selected.class_names, "validation")
        scores = _Scores.of(edit, rows, selected.class_names, current or selected)
        found[i] = replace(edit, way=NOTHING)
        for way in ways:
            tried = [*standing, replace(edit, way=way), Lam("again")]
            changed = changed_rows(train, tried, selected.class_names)
            solved = _solve(selected, tried, changed, again, **solver)
            if scores.improved_by(solved.layer):
                found[i] = replace(edit, way=way)
    return found


class _Scores:
    """The best way so far: none may do worse than the layer does on data without the pattern."""

    def __init__(self, without: TrainingRows, rows: TrainingRows, current: DecisionLayer) -> None:
        self.without, self.rows = without, rows
        self.floor = weighted_accuracy(current, without)
        self.best = weighted_accuracy(current, rows)

    @classmethod
    def of(
        cls, edit: Unlink, rows: TrainingRows, names: Sequence[str], current: DecisionLayer
    ) -> _Scores:
        held, target = edit.held_out["validation"], names.index(edit.target)
        return cls(held.apply(rows, target, 0.0).rows, held.apply(rows, target).rows, current)

    def improved_by(self, layer: DecisionLayer) -> bool:
        """Whether a layer is the best yet; it is remembered."""
        score = weighted_accuracy(layer, self.rows)
        if score <= self.best or weighted_accuracy(layer, self.without) < self.floor:
            return False
        self.best = score
        return True


def changed_rows(
    train: TrainingRows, edits: Sequence[Edit], class_names: Sequence[str], split: str = "train"
) -> TrainingRows:
    """Rows of a split after all edits of the problem; the same rows where there are none."""
    rows = train
    for edit in edits:
        if isinstance(edit, ProblemEdit) and split == "train":
            rows = edit.change(rows, class_names)
        elif isinstance(edit, ProblemEdit):
            rows = edit.change_held_out(rows, class_names, split)
    return rows


def _solve(
    selected: DecisionLayer,
    edits: Sequence[Edit],
    rows: TrainingRows,
    again: Again | None,
    *,
    grouped: bool,
    tol: float,
    on_event: EventCallback | None,
) -> Edited:
    kept = rows.weight > 0
    allowed = _allowed(selected, rows)
    banned = ~allowed.any(axis=0)
    resolver = changed_problem(
        selected,
        rows.features[kept],
        rows.targets[kept],
        sample_weight=rows.weight[kept],
        penalty_factor=np.where(banned, np.inf, 1.0) if banned.any() else None,
        grouped=grouped,
        tol=tol,
        on_event=on_event,
    )
    held = None if (allowed | banned).all() else shared_ban(selected, allowed)
    how = wanted_lam(edits)
    unlinks = any(isinstance(edit, Unlink) and edit.way != NOTHING for edit in edits)
    same = None
    if again is None or how == "same" or not (how == "again" or unlinks):
        same = solved_layer(selected, resolver.solve(*coefficients_of(selected), allowed=held))
        if again is None or how == "same" or not collapsed(selected, same):
            return Edited(same, solved=True)
    validation = changed_rows(again.validation, edits, selected.class_names, "validation")
    chosen = choose_again(selected, resolver, again, validation, held, on_event=on_event)
    return Edited(chosen.layer, solved=True, best=chosen.best, at_same_lam=same)


def collapsed(before: DecisionLayer, after: DecisionLayer) -> bool:
    """Whether a layer has lost half of its features, or a class all of them."""
    lost = bool(((after.n_nonzero == 0) & (before.n_nonzero > 0)).any())
    return lost or after.features_per_class < COLLAPSED * before.features_per_class


def _allowed(selected: DecisionLayer, rows: TrainingRows) -> BoolArray:
    """What each class may use (K, p), where every class has an example and a feature is left."""
    kept = rows.weight > 0
    weight = np.bincount(rows.labels[kept], rows.weight[kept], minlength=rows.n_classes)
    if not weight.all():
        name = selected.class_names[int(np.argmin(weight))]
        raise InputError(
            f"edit: no training example of {name} is left that counts. Leave some in, or add "
            "counterexamples of it."
        )
    if not rows.allowed.any():
        raise InputError("edit: all features would be banned from all classes. Keep some.")
    return rows.allowed
