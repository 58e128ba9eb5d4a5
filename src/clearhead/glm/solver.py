"""Proximal Newton: one point of the path, to a proven gap.

Each iteration takes the exact gradient over all features, and minimises the quadratic
model of the loss plus the penalty (:mod:`clearhead.glm.model`) over what is not zero and
what may soon enter, all classes coupled. The step is halved until the objective, in
float64, falls; a step that is not finite is never taken. When no Newton step is accepted,
a proximal gradient step is tried. Iterations and products with the Hessian have a budget.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from clearhead._types import FloatArray
from clearhead.glm.certificate import Certificate, certify, duality_gap
from clearhead.glm.curvature import Curvature, Direction, State
from clearhead.glm.objective import Objective

__all__ = ["NewtonSolver", "Solution"]

_SUFFICIENT = 1e-4
_ROUNDING = 4e-16
_NOISE = 1e-14
_INVISIBLE = 1e-11
_STUCK = 4
_LITTLE = 1e-13
_CAUTION = (1e-7, 0.01, 1.0)
"""Least, first and greatest curvature of the model, in units of lam f_j: with l1_ratio = 1 a
shift of all classes on a feature has none, and the step along it would have no end. It falls
while full steps are accepted, and rises when they are not."""


@dataclass(frozen=True)
class Solution:
    """One solved point.

    Parameters
    ----------
    W : (O, p) float64
    b : (O,) float64
    certificate : Certificate
    iterations, cg_steps : int
        Newton iterations and conjugate-gradient steps taken.
    status : str
        ``"optimal"``, or why not.
    """

    W: FloatArray
    b: FloatArray
    certificate: Certificate
    iterations: int
    cg_steps: int
    status: str


@dataclass
class _Point:
    """Where the iteration stands; the reductions are always moved to (W, b)."""

    W: FloatArray
    b: FloatArray
    loss: float
    value: float


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
        W: FloatArray,
        b: FloatArray,
        *,
        tol: float,
        curvature: Curvature,
        guess: tuple[FloatArray, FloatArray] | None = None,
    ) -> Solution:
        """Minimise the objective, starting from (W, b), or from `guess` if that is lower.

        It ends when the gap, certified, is at most 0.3 `tol`; when nothing improves any
        more (optimal if the gap is at most `tol`); or when the budget is spent.
        """
        rows = objective.rows
        point = _start(objective, W, b)
        if guess is not None:
            guessed = _start(objective, *guess)
            if guessed.value <= point.value:
                point = guessed
            else:
                rows.move(point.W, point.b)
        V, vb = rows.correlation()
        target = 0.3 * tol
        cg_steps, iteration, stuck, best = 0, 0, 0, np.inf
        stale, last = False, np.inf
        least, caution, greatest = _CAUTION
        while iteration < self.max_iterations and cg_steps < self.max_products:
            gap = duality_gap(objective, V, point.value)
            if stale:
                curvature.review(objective, last, gap, target)
            last = gap
            if gap < 0.8 * best:
                best, stuck = gap, 0
            if gap <= target:
                point, V, vb, certificate = _certify(objective, point)
                if certificate.gap <= target:
                    return Solution(point.W, point.b, certificate, iteration, cg_steps, "optimal")
            before = point.value
            iteration += 1
            step = curvature.direction(objective, State(point.W, point.b, V, vb), caution)
            length = _walk(objective, point, step, V, vb)
            stale = step.stale
            cg_steps += step.products
            if stale and length < 1.0:
                curvature.forget()
            caution = max(least, 0.3 * caution) if length == 1.0 else min(greatest, 5 * caution)
            if length == 0.0 or (stuck and before - point.value <= _LITTLE * abs(before)):
                curvature.forget()
                V, vb = rows.correlation()
                _proximal_gradient(objective, point, V, vb)
            V, vb = rows.correlation()
            fallen = before - point.value
            stuck = stuck + 1 if fallen <= _ROUNDING * abs(before) else 0
            if stuck >= _STUCK:
                break
        point, V, vb, certificate = _certify(objective, _start(objective, point.W, point.b))
        status = "optimal"
        if not certificate.gap <= tol:
            why = " (float64 allows no further progress)" if stuck else ""
            status = f"not converged: gap {certificate.gap:.1e} after {iteration} iterations{why}"
        return Solution(point.W, point.b, certificate, iteration, cg_steps, status)


def _start(objective: Objective, W: FloatArray, b: FloatArray) -> _Point:
    objective.rows.move(W, b)
    loss = objective.rows.loss()
    return _Point(W, b, loss, objective.value(loss, W))


def _certify(
    objective: Objective, point: _Point
) -> tuple[_Point, FloatArray, FloatArray, Certificate]:
    certified = certify(objective, point.W, point.b)
    certificate = certified.certificate
    polished = _Point(certified.W, certified.b, certificate.loss, certificate.objective)
    return polished, certified.V, certified.vb, certificate


def _walk(
    objective: Objective, point: _Point, step: Direction, V: FloatArray, vb: FloatArray
) -> float:
    """Search along a Newton step; give the share of it that was taken."""
    penalty, lam = objective.penalty, objective.lam
    W, b = point.W, point.b

    def candidate(length: float) -> tuple[FloatArray, FloatArray]:
        # At full length cancellation must leave exact zeros: w + (0 - w) is 0.
        return W + length * step.dW, b + length * step.db

    def promised(moved: FloatArray, shift: FloatArray) -> float:
        linear = -float(np.vdot(V, moved - W) + vb @ (shift - b))
        return linear + penalty.change(W, moved, lam)

    return _search(objective, point, candidate, promised)


def _search(
    objective: Objective,
    point: _Point,
    candidate: Callable[[float], tuple[FloatArray, FloatArray]],
    promised: Callable[[FloatArray, FloatArray], float],
    tries: int = 12,
) -> float:
    """Halve the step until the objective falls enough, and move `point` there.

    Returns
    -------
    length : float
        Share of the step that was taken; 0 if none was.
    """
    length = 1.0
    size = abs(point.value)
    for _ in range(tries):
        W, b = candidate(length)
        change = promised(W, b)
        # A promise too small for the objective to show is believed; the gap will judge.
        slack = (_NOISE if -change < _INVISIBLE * size else _ROUNDING) * size
        if np.isfinite(change) and change < 0.0:
            loss = objective.rows.trial(W - point.W, b - point.b)
            value = objective.value(loss, W)
            if np.isfinite(value) and value <= point.value + _SUFFICIENT * change + slack:
                objective.rows.accept()
                point.W, point.b, point.loss, point.value = W, b, loss, value
                return length
        length *= 0.5
    return 0.0


def _proximal_gradient(objective: Objective, point: _Point, V: FloatArray, vb: FloatArray) -> None:
    """Take one proximal gradient step with a length found by halving; the last resort."""
    penalty, lam = objective.penalty, objective.lam
    l1, l2 = penalty.l1(lam), penalty.l2(lam)
    # A step this long is right for one standardised feature alone.
    longest = 4.0

    def candidate(length: float) -> tuple[FloatArray, FloatArray]:
        t = longest * length
        raw = point.W + t * V
        W = np.sign(raw) * np.maximum(np.abs(raw) - t * l1, 0.0) / (1.0 + t * l2)
        return W, point.b + t * vb

    def promised(W: FloatArray, b: FloatArray) -> float:
        smooth = -float(np.vdot(V, W - point.W) + vb @ (b - point.b))
        return smooth + penalty.change(point.W, W, lam)

    _search(objective, point, candidate, promised, tries=60)
