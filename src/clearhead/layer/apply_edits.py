"""A layer as a function of what was selected and the edits since."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clearhead._types import FloatArray, IntArray
from clearhead.errors import InputError
from clearhead.layer.again import solve_changed
from clearhead.layer.decision import DecisionLayer
from clearhead.layer.edit import Edit, LayerEdit, ProblemEdit
from clearhead.layer.training import TrainingRows

__all__ = ["apply_edits", "changed_rows"]


def apply_edits(
    selected: DecisionLayer,
    edits: Sequence[Edit],
    train: TrainingRows,
    validation: tuple[FloatArray, IntArray],
    *,
    grouped: bool = False,
    tol: float = 1e-4,
) -> DecisionLayer:
    """Apply edits to a layer as it was selected.

    Edits of the problem come first, all together: the layer is solved again once, at the same
    lam, on everything that they change. Edits of the layer follow in their order. So a
    feature that was set to zero stays there when another is banned later.

    Parameters
    ----------
    selected : DecisionLayer
        As it was taken from its path.
    edits : sequence of Edit
    train : TrainingRows
        What it was fitted to.
    validation : (features, labels)
        On which a temperature is chosen.
    grouped : bool
        As it was given to :func:`clearhead.fit_path`.
    tol : float
        Relative duality gap of what is solved again.

    Raises
    ------
    InputError
        An edit names what the layer or the data do not have, or leaves a class no example.
    """
    for edit in edits:
        edit.check(selected)
    rows = changed_rows(train, edits, selected.class_names)
    layer = selected
    if rows is not train:
        layer = _solve(selected, rows, grouped=grouped, tol=tol)
    for edit in edits:
        if isinstance(edit, LayerEdit):
            layer = edit.change(layer, rows, validation)
    return layer


def changed_rows(
    train: TrainingRows, edits: Sequence[Edit], class_names: Sequence[str]
) -> TrainingRows:
    """Training rows after all edits of the problem; `train` itself where there are none."""
    rows = train
    for edit in edits:
        if isinstance(edit, ProblemEdit):
            rows = edit.change(rows, class_names)
    return rows


def _solve(
    selected: DecisionLayer, rows: TrainingRows, *, grouped: bool, tol: float
) -> DecisionLayer:
    kept = rows.weight > 0
    weight = np.bincount(rows.labels[kept], rows.weight[kept], minlength=rows.n_classes)
    if not weight.all():
        name = selected.class_names[int(np.argmin(weight))]
        raise InputError(
            f"edit: no training example of {name} is left that counts. Leave some in, or add "
            "counterexamples of it."
        )
    allowed = rows.allowed
    banned = ~allowed.any(axis=0)
    if banned.all():
        raise InputError("edit: all features would be banned from all classes. Keep some.")
    return solve_changed(
        selected,
        rows.features[kept],
        rows.targets[kept],
        sample_weight=rows.weight[kept],
        penalty_factor=np.where(banned, np.inf, 1.0) if banned.any() else None,
        grouped=grouped,
        allowed=None if (allowed | banned).all() else allowed,
        tol=tol,
    )
