"""Whether a mend worked: on the data as the mend wants them, not as they are.

The shortcut is in validation and test as well, so accuracy there may fall with a good mend.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from clearhead.debug.statistics import paired_difference
from clearhead.layer import (
    NOTHING,
    Again,
    DecisionLayer,
    Edit,
    Edited,
    Lam,
    ProblemEdit,
    TrainingRows,
    Unlink,
    changed_rows,
    weighted_accuracy,
)
from clearhead.run.edit_result import Measured

__all__ = ["notes_of", "pattern_rows", "worries"]

HARDLY = 0.65
"""A class is told from the others by a coin in half of the cases; so little more is hardly."""


def pattern_rows(
    before: DecisionLayer,
    after: DecisionLayer,
    edits: Sequence[Edit],
    splits: Mapping[str, TrainingRows],
) -> list[Measured]:
    """Measure on examples without an unlinked pattern, and on others into which it was put."""
    found = []
    for edit in edits:
        if not isinstance(edit, Unlink):
            continue
        for split, rows in splits.items():
            if split in edit.held_out:
                found += _of_pattern(before, after, edit, split, rows)
    return found


def _of_pattern(
    before: DecisionLayer, after: DecisionLayer, edit: Unlink, split: str, rows: TrainingRows
) -> list[Measured]:
    target = before.class_names.index(edit.target)
    changed = edit.held_out[split].apply(rows, target)
    labels = changed.rows.labels
    old, new = (layer.predict(changed.rows.features) for layer in (before, after))
    own = changed.without & (labels == target)
    put_in = changed.inserted
    wanted = [
        (f"accuracy without {edit.pattern}", changed.without, old == labels, new == labels),
        (f"recall of {edit.target} without {edit.pattern}", own, old == labels, new == labels),
        (f"{edit.pattern} put in: taken for {edit.target}", put_in, old == target, new == target),
        (f"{edit.pattern} put in: accuracy", put_in, old == labels, new == labels),
    ]
    return [
        Measured.of(what, "pattern", split, first[at], second[at])
        for what, at, first, second in wanted
        if at.any()
    ]


def notes_of(selected: DecisionLayer, edited: Edited, edits: Sequence[Edit]) -> tuple[str, ...]:
    """Say what the edits of this step did to lam."""
    was, now = selected.certificate.lam, edited.layer.certificate.lam
    if edited.best is None or not _solves(edits):
        return ()
    why = ""
    if edited.at_same_lam is not None:
        why = (
            f": at {was:.3g} only {edited.at_same_lam.features_per_class:.1f} features a class "
            f"were left of {selected.features_per_class:.1f}"
        )
    return (f"λ was chosen again on the changed data, {was:.3g} → {now:.3g}{why}",)


def worries(
    before: DecisionLayer,
    edited: Edited,
    edits: Sequence[Edit],
    logged: Sequence[Edit],
    again: Again | None,
) -> list[str]:
    """Warn where the edits of the problem do not help, or cannot.

    Parameters
    ----------
    edits, logged : sequence of Edit
        Those of this step, and all.
    """
    left = [
        f"{edit.pattern} was not unlinked from {edit.target}: on validation data without it no "
        "way does better than the layer as it is. Retrain the network on data without the pattern"
        for edit in edits
        if isinstance(edit, Unlink) and edit.way == NOTHING
    ]
    if left or again is None or not _solves(edits):
        return left
    rows = changed_rows(again.validation, logged, before.class_names, "validation")
    was, now = (weighted_accuracy(layer, rows) for layer in (before, edited.layer))
    found = []
    if now <= was < 1:
        what = "validation accuracy" + ("" if rows is again.validation else " on the changed data")
        found.append(f"{what} does not improve: {100 * was:.1f}% → {100 * now:.1f}%")
    found += _falls(before, edited.layer, again.validation)
    if edited.best is None and edited.at_same_lam is None:
        few = edited.layer.features_per_class
        if few < before.features_per_class / 2:
            found.append(
                f"only {few:.1f} features a class are left of {before.features_per_class:.1f}: "
                "let λ be chosen again (--lam again)"
            )
    for edit in edits:
        if isinstance(edit, Unlink) and "validation" in edit.held_out:
            found += _more_fooled(before, edited.layer, edit, again.validation)
            found += _blind(edited.best or edited.layer, edit, again.validation)
    return found


def _falls(before: DecisionLayer, after: DecisionLayer, rows: TrainingRows) -> list[str]:
    """Say so where accuracy on validation as it is certainly falls: what a mend may cost."""
    right = [layer.predict(rows.features) == rows.labels for layer in (before, after)]
    lost, won = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    value, low, _ = paired_difference(lost, won, rows.n)
    if low <= 0:
        return []
    return [
        f"accuracy on validation data as they are falls by {100 * value:.1f} points (at least "
        f"{100 * low:.1f}): undo it where the pattern, or the slice, belongs to the class"
    ]


def _more_fooled(
    before: DecisionLayer, after: DecisionLayer, edit: Unlink, rows: TrainingRows
) -> list[str]:
    """Say so where the pattern, put into other classes, certainly makes more the class's."""
    target = before.class_names.index(edit.target)
    changed = edit.held_out["validation"].apply(rows, target)
    was, now = (changed.fooled(layer, target) for layer in (before, after))
    if not len(was):
        return []
    lost, won = int((now & ~was).sum()), int((was & ~now).sum())
    _, low, _ = paired_difference(lost, won, len(was))
    if low <= 0:
        return []
    return [
        f"with {edit.pattern} put in, more examples of other classes are taken for {edit.target} "
        f"than before: {100 * was.mean():.0f}% → {100 * now.mean():.0f}%. The edit did not undo "
        f"what the pattern does; {edit.target} is found more often in all data"
    ]


def _solves(edits: Sequence[Edit]) -> bool:
    """Whether it is these edits for which the layer is solved again, not earlier ones."""
    return any(isinstance(edit, ProblemEdit | Lam) for edit in edits)


def _blind(best: DecisionLayer, edit: Unlink, rows: TrainingRows) -> list[str]:
    """Say so where even the best layer hardly sees the class without the pattern."""
    target = best.class_names.index(edit.target)
    changed = edit.held_out["validation"].apply(rows, target)
    labels, taken = changed.rows.labels, best.predict(changed.rows.features) == target
    own = changed.without & (labels == target)
    others = changed.without & (labels != target)
    if not own.any() or not others.any():
        return []
    told = float(np.mean([taken[own].mean(), (~taken[others]).mean()]))
    if told >= HARDLY:
        return []
    return [
        f"the network itself hardly sees {edit.target} without {edit.pattern}: the best layer on "
        f"its features tells the class from the others in {100 * told:.0f}% (a coin: 50%). "
        "Retrain the network on data without the pattern"
    ]
