"""Proximal Newton: one point of the path, to a proven gap.

Each iteration takes the exact gradient over all features, and minimises the quadratic
model of the loss plus the penalty (:mod:`clearhead.glm.model`) over what is not zero and
what may soon enter, all classes coupled. The step is halved until the objective, in
float64, falls; a step that is not finite is never taken. When no Newton step is accepted,
a proximal gradient step is tried. Iterations and products with the Hessian have a budget.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from clearhead._types import FloatArray
from clearhead.events import Event, EventCallback, emit
from clearhead.glm.certificate import Certificate, duality_gap
from clearhead.glm.curvature import Curvature, Direction
from clearhead.glm.objective import Objective
from clearhead.glm.point import Point, look, proof

__all__ = ["NewtonSolver", "Solution"]

_SUFFICIENT = 1e-4
_ROUNDING = 4e-16
_NOISE = 1e-14
_INVISIBLE = 1e-11
_STUCK = 4
_LITTLE = 1e-13
_CAUTION = (1e-7, 0.01, 1e4)
"""Least, first and greatest curvature of the model, in units of lam f_j: with l1_ratio = 1 a
shift of all classes on a feature has none, and the step along it would have no end. It falls
while full steps are accepted, and rises when they are not."""


@dataclass(frozen=True)
class Solution:
    """One solved point.

    Parameters
    ----------
    point : Point
    certificate : Certificate
    iterations, products : int
        Newton iterations and products with the Hessian taken.
    status : str
        ``"optimal"``, or why not.
    """

    point: Point
    certificate: Certificate
    iterations: int
    products: int
    status: str


@dataclass(frozen=True)
class NewtonSolver:
    """Hyper-parameters of the method; it holds no state.

    Parameters
    ----------
    max_iterations : int
        Budget of Newton iterations a point.
    max_products : int
        Budget of products with the Hessian a point: no point runs for ever.
    """

    max_iterations: int = 200
    max_products: int = 10_000

    def solve(
        self,
        objective: Objective,
        warm: Point,
        *,
        tol: float,
        curvature: Curvature,
        guess: tuple[FloatArray, FloatArray] | None = None,
        on_event: EventCallback | None = None,
    ) -> Solution:
        """Minimise the objective, starting from `warm`, or from `guess` if that is lower.

        The rows must be at `warm`, which may have been solved for another lam.

        It ends when the gap, certified, is at most 0.3 `tol`; when nothing improves any
        more (optimal if the gap is at most `tol`); or when the budget is spent. `on_event` is
        told of every iteration; what it raises ends the solve.
        """
        target = 0.3 * tol
        free = (objective.penalty.factors == 0).any()
        early = objective.rows.costs.polishing_is_cheap() and not free
        point = _start(objective, warm, guess, polished=early)
        products, iteration, stuck, best = 0, 0, 0, np.inf
        smallest = np.inf
        step: Direction | None = None
        least, caution, greatest = _CAUTION
        while iteration < self.max_iterations and products < self.max_products:
            gap = duality_gap(objective, point.V, point.value)
            emit(on_event, Event("solve", "progress", f"gap {gap:.0e}, {target:.0e} is wanted"))
            if gap <= target:
                if point.left is None:
                    point = look(objective, point.W, point.b, polished=True)
                    gap = duality_gap(objective, point.V, point.value)
                certificate = proof(objective, point, gap)
                if certificate.gap <= target:
                    return Solution(point, certificate, iteration, products, "optimal")
            # Only now: unless polished, a point may seem to have no gap at all.
            if step is not None:
                curvature.review(objective, step, smallest, gap, target)
            smallest = min(smallest, gap)
            if gap < 0.8 * best:
                best, stuck = gap, 0
            iteration += 1
            step = curvature.direction(objective, point, caution)
            moved = _walk(objective, point, step)
            products += step.products
            if step.stale and moved.length < 1.0:
                curvature.forget()
            full = moved.length == 1.0
            caution = max(least, 0.3 * caution) if full else min(greatest, 5 * caution)
            before = point.value
            if moved.length == 0.0 or (stuck and before - moved.value <= _LITTLE * abs(before)):
                curvature.forget()
                if moved.length > 0.0:
                    point = look(objective, moved.W, moved.b, polished=False)
                moved = _proximal_gradient(objective, point)
            fallen = before - moved.value
            stuck = stuck + 1 if fallen <= _ROUNDING * abs(before) else 0
            point = look(objective, moved.W, moved.b, polished=early)
            if stuck >= _STUCK:
                break
        objective.rows.move(point.W, point.b)
        point = look(objective, point.W, point.b, polished=True)
        certificate = proof(objective, point)
        status = "optimal"
        if not certificate.gap <= tol:
            why = " (float64 allows no further progress)" if stuck else ""
            status = f"not converged: gap {certificate.gap:.1e} after {iteration} iterations{why}"
        return Solution(point, certificate, iteration, products, status)


def _start(
    objective: Objective,
    warm: Point,
    guess: tuple[FloatArray, FloatArray] | None,
    *,
    polished: bool,
) -> Point:
    """Better of two starts; what is known at `warm` needs no pass over the data."""
    value = objective.value(warm.loss, warm.W)
    if guess is not None:
        objective.rows.move(*guess)
        if objective.value(objective.rows.loss(), guess[0]) <= value:
            return look(objective, *guess, polished=polished)
        objective.rows.move(warm.W, warm.b)
    return replace(warm, value=value)


@dataclass(frozen=True)
class _Moved:
    """Where a search ended: the share of the step that was taken, 0 if none was."""

    W: FloatArray
    b: FloatArray
    value: float
    length: float


def _walk(objective: Objective, point: Point, step: Direction) -> _Moved:
    """Search along a Newton step."""

    def candidate(length: float) -> tuple[FloatArray, FloatArray]:
        # At full length cancellation must leave exact zeros: w + (0 - w) is 0.
        return point.W + length * step.dW, point.b + length * step.db

    return _search(objective, point, candidate)


def _proximal_gradient(objective: Objective, point: Point) -> _Moved:
    """Take one proximal gradient step with a length found by halving; the last resort."""
    penalty, lam = objective.penalty, objective.lam
    # A step this long is right for one standardised feature alone.
    longest = 4.0

    def candidate(length: float) -> tuple[FloatArray, FloatArray]:
        t = longest * length
        return penalty.prox(point.W + t * point.V, t, lam), point.b + t * point.vb

    return _search(objective, point, candidate, tries=60)


def _search(
    objective: Objective,
    point: Point,
    candidate: Callable[[float], tuple[FloatArray, FloatArray]],
    tries: int = 12,
) -> _Moved:
    """Halve the step until the objective falls enough, and move the rows there."""
    length = 1.0
    size = abs(point.value)
    for _ in range(tries):
        W, b = candidate(length)
        dW, db = W - point.W, b - point.b
        change = -float(np.vdot(point.V, dW) + point.vb @ db)
        change += objective.penalty.change(point.W, W, objective.lam)
        # A promise too small for the objective to show is believed; the gap will judge.
        slack = (_NOISE if -change < _INVISIBLE * size else _ROUNDING) * size
        if np.isfinite(change) and change < 0.0:
            value = objective.value(objective.rows.trial(dW, db), W)
            if np.isfinite(value) and value <= point.value + _SUFFICIENT * change + slack:
                objective.rows.accept()
                return _Moved(W, b, value, length)
        length *= 0.5
    return _Moved(point.W, point.b, point.value, 0.0)
