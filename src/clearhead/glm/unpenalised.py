"""The end of the path, lam = 0: the loss alone, where that has a minimum.

It is approached by ridge of less and less strength. Where rows can be separated the loss
falls for ever along some direction, and there is no minimum to report.
"""

from __future__ import annotations

import numpy as np

from clearhead._types import FloatArray
from clearhead.glm.certificate import Certificate
from clearhead.glm.curvature import Curvature
from clearhead.glm.objective import Objective
from clearhead.glm.penalty import ElasticNet
from clearhead.glm.point import Point, look
from clearhead.glm.reductions import Reductions
from clearhead.glm.solver import NewtonSolver

__all__ = ["unpenalised_point"]

_STRENGTHS = 10.0 ** -np.arange(2.0, 11.0)
"""Ridge relative to the mean curvature of the loss, one after the other."""
_TOL = 1e-12
_LEFT = 1e-9
"""Relative to the loss, what ridge may still take away at the end."""
_FAR = 1e4
"""How many times the length of the coefficients a direction is followed."""
_ON = 30.0
_GROWS = 0.01
_STEADY = 3.0
"""Coefficients that have no end grow by as much with each tenfold weaker ridge: by more than 1%,
less than three times as fast, and thirty times further the loss is still no higher."""


def unpenalised_point(
    rows: Reductions,
    W: FloatArray,
    b: FloatArray,
    *,
    null_loss: float,
    residual_size: float,
    separable: bool,
) -> tuple[Point, Certificate, str]:
    """Minimise the loss without penalty, starting from (W, b); `rows` is left at the result.

    Parameters
    ----------
    rows : Reductions
    W, b : (O, p), (O,) float64
    null_loss, residual_size : float
        See :class:`~clearhead.glm.objective.Objective`.
    separable : bool
        Whether the loss may have no minimum; False for squares.

    Returns
    -------
    point : Point
        Where ridge of vanishing strength leads: of several minimisers the shortest.
    certificate : Certificate
        Its gap is NaN, its `kkt` the norm of the gradient.
    status : str
        ``"unregularised"``, or ``"separable: stopped at ridge ..."``.
    """
    ridge = ElasticNet(0.0, np.ones(rows.n_features))
    rows.move(W, b)
    first, curvature = rows.loss(), _mean_curvature(rows)
    solver = NewtonSolver()
    status, moved = "unregularised", np.zeros(len(W))
    strengths = _STRENGTHS * curvature
    for strength in strengths:
        objective = Objective(rows, ridge, float(strength), null_loss, residual_size)
        before = np.concatenate([b[:, None], W], axis=1)
        start = look(objective, W, b, polished=False)
        point = solver.solve(objective, start, tol=_TOL, curvature=Curvature()).point
        W, b, loss = point.W, point.b, point.loss
        now = np.concatenate([b[:, None], W], axis=1)
        step, size = now - before, np.linalg.norm(now, axis=1)
        last, moved = moved, np.linalg.norm(step, axis=1)
        growing = (moved > _GROWS * size) & (moved < _STEADY * last)
        at_end = strength == strengths[-1] and growing.any()
        if separable and loss <= first and _recedes(rows, step, now, at_end=bool(at_end)):
            status = f"separable: stopped at ridge {strength:.1e}"
            break
        # Ridge pulls by its strength times W, so this bounds what is left to win.
        left = objective.relative(strength * float(size @ size), loss)
        if left <= _LEFT and (moved <= _GROWS * size).all():
            break
    norm = float(np.sqrt((point.V**2).sum() + (point.vb**2).sum()))
    return point, Certificate(point.loss, point.loss, float("nan"), norm), status


def _mean_curvature(rows: Reductions) -> float:
    """Mean diagonal of the loss's Hessian, estimated by one product with random signs."""
    shape = (rows.n_outputs, 1 + rows.n_features)
    signs = np.random.default_rng(0).choice([-1.0, 1.0], shape)
    rows.work_on(np.arange(rows.n_features))
    return float(np.vdot(signs, rows.hessian_product(signs, all_rows=False)) / signs.size)


def _recedes(rows: Reductions, step: FloatArray, now: FloatArray, *, at_end: bool) -> bool:
    """Whether the loss does not rise however far coefficients go on as in their last step.

    The loss is convex: where it has not risen after so much, no row speaks against the
    direction by more than that can show. Outputs that have hardly moved may be held still, as
    those that have an end do beside one that has none. `at_end` asks for less.
    """
    moved = np.linalg.norm(step, axis=1)
    total = float(np.linalg.norm(moved))
    if total == 0.0:
        return False
    start = rows.loss()
    lengths = [_FAR * max(1.0, float(np.linalg.norm(now))) / total, *([_ON] if at_end else [])]
    for chosen in (step, step * (moved >= 0.1 * moved.max())[:, None]):
        for length in lengths:
            if rows.trial(length * chosen[:, 1:], length * chosen[:, 0]) <= start:
                return True
    return False
