"""A layer as a function of what was selected and the edits since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

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
from clearhead.layer.one_of import OneOf
from clearhead.layer.training import TrainingRows
from clearhead.layer.unlink import NOTHING, Unlink

__all__ = ["Edited", "apply_edits", "changed_rows", "collapsed", "with_ways"]

COLLAPSED = 0.5
"""A layer that keeps fewer of its features than this at the same lam is another kind of layer."""
NEAR = 0.003
"""Ways whose accuracies on unlinked validation data differ by less are as good."""
BETTER = 0.005
"""What changes more must do so much better."""
MORE_FOOLED = 0.1
"""A way after which the pattern makes so many more of the others the class's did not undo it."""


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
    again: Again | None,
    *,
    current: DecisionLayer | None = None,
    grouped: bool = False,
    tol: float = 1e-4,
    on_event: EventCallback | None = None,
) -> list[Edit]:
    """Choose between ways to make edits, by accuracy on validation: `edits` as they will be made.

    A pattern is unlinked in one of several ways; of :class:`OneOf` one option is left.

    Parameters
    ----------
    before, edits : sequence of Edit
        Those that stand, and those whose ways are to be chosen.
    again : Again or None
        Without it the first way or option is taken.
    current : DecisionLayer, optional
        After those that stand, `selected` if not given: what no way may do worse than.
    """
    trial = _Trial(
        selected,
        current or selected,
        train,
        again,
        {"grouped": grouped, "tol": max(tol, ROUGH), "on_event": on_event},
        decided=wanted_lam(edits) is not None,
    )
    found: list[Edit] = []
    for edit in edits:
        standing = [*before, *found]
        if isinstance(edit, OneOf):
            edit.check(selected)
            found += trial.option(edit, standing)
        elif isinstance(edit, Unlink) and not edit.way:
            edit.check(selected)
            found.append(replace(edit, way=trial.way(edit, standing)))
        else:
            found.append(edit)
    return found


@dataclass(frozen=True, eq=False)
class _Trial:
    """Solves the layer with an edit made in several ways; `decided` where lam is not to choose."""

    selected: DecisionLayer
    current: DecisionLayer
    train: TrainingRows
    again: Again | None
    solver: Any
    decided: bool

    def way(self, edit: Unlink, standing: list[Edit]) -> str:
        """Choose how a pattern is unlinked.

        None may do worse than the layer as it is on data without the pattern. One after which the
        pattern fools the layer much more is taken only where there is no other. Of those that
        hardly differ on data where the pattern is as common in every class, the one is taken that
        costs least on data as they are.
        """
        names = self.selected.class_names
        ways = edit.ways(self.train, names)
        if self.again is None or "validation" not in edit.held_out:
            return ways[0]
        rows = changed_rows(self.again.validation, standing, names, "validation")
        held, target = edit.held_out["validation"], names.index(edit.target)
        without, unlinked = held.apply(rows, target, 0.0).rows, held.apply(rows, target)
        floor = weighted_accuracy(self.current, without)
        least = weighted_accuracy(self.current, unlinked.rows)
        before = unlinked.fooled(self.current, target).sum()
        tried = list[_Tried]()
        for way in ways:
            layer = self._solved([*standing, replace(edit, way=way), Lam("again")])
            score = weighted_accuracy(layer, unlinked.rows)
            if score > least and weighted_accuracy(layer, without) >= floor:
                after = unlinked.fooled(layer, target)
                more = float((after.sum() - before) / max(len(after), 1))
                tried.append(_Tried(way, score, weighted_accuracy(layer, rows), more))
        return _best(tried).way if tried else NOTHING

    def option(self, edit: OneOf, standing: list[Edit]) -> tuple[Edit, ...]:
        """Choose one of several lists of edits by balanced accuracy: each class counts alike."""
        if self.again is None or self.decided:
            return edit.options[0]
        names = self.selected.class_names
        rows = changed_rows(self.again.validation, standing, names, "validation")
        best, chosen = -np.inf, edit.options[0]
        for option in edit.options:
            score = balanced_accuracy(self._solved([*standing, *option]), rows)
            if score > best + BETTER:
                best, chosen = score, option
        return chosen

    def _solved(self, edits: list[Edit]) -> DecisionLayer:
        rows = changed_rows(self.train, edits, self.selected.class_names)
        return _solve(self.selected, edits, rows, self.again, **self.solver).layer


class _Tried(NamedTuple):
    """A way: accuracy on unlinked data and on data as they are, and how much more is fooled."""

    way: str
    unlinked: float
    as_is: float
    more_fooled: float


def _best(tried: Sequence[_Tried]) -> _Tried:
    among = [one for one in tried if one.more_fooled <= MORE_FOOLED] or tried
    best = max(one.unlinked for one in among)
    return max((one for one in among if one.unlinked >= best - NEAR), key=lambda one: one.as_is)


def balanced_accuracy(layer: DecisionLayer, rows: TrainingRows) -> float:
    """Mean over the classes that have examples of the share of these that are recognised."""
    right = layer.predict(rows.features) == rows.labels
    counts = np.bincount(rows.labels, minlength=rows.n_classes)
    recall = np.bincount(rows.labels, right, minlength=rows.n_classes)[counts > 0]
    return float((recall / counts[counts > 0]).mean())


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
