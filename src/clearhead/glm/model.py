"""Minimise the quadratic model of the loss plus the penalty, over the working set.

The minimiser of ``g d + d H d / 2 + penalty(w + d)`` is found by pivoting on the signs
of the coefficients: given signs it solves a linear system on the coefficients that are
not zero; whoever comes out with the wrong sign becomes zero, whoever at zero has too
large a gradient joins. A handful of rounds settle it, each a few CG steps. Pivoting may
cycle where features are nearly collinear; then a monotone search takes over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from clearhead._types import BoolArray, FloatArray
from clearhead.glm.conjugate_gradients import FaceSolution, conjugate_gradients

__all__ = ["ModelStep", "QuadraticModel"]

_Operator = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True)
class ModelStep:
    """Where the model's minimiser lies.

    Parameters
    ----------
    d : (O, 1 + m) float64
        Step from the current coefficients.
    cg_steps, most_cg_steps, rounds : int
        Steps in all, most in one round, rounds.
    settled : bool
        Whether it is the minimiser, to the accuracy asked for.
    """

    d: FloatArray
    cg_steps: int
    most_cg_steps: int
    rounds: int
    settled: bool


@dataclass(frozen=True)
class QuadraticModel:
    """The model at the current coefficients w.

    Parameters
    ----------
    w : (O, 1 + m) float64
        Working coefficients, the intercept first.
    gradient : (O, 1 + m) float64
        Of the loss and the l2 term.
    l1 : (1 + m,) float64
        Weight of the l1 term; 0 for the intercept.
    product : callable
        Hessian of the loss and the l2 term times an array like `w`.
    precondition : callable
        From a face (O, 1 + m) bool to an approximate inverse on it.
    """

    w: FloatArray
    gradient: FloatArray
    l1: FloatArray
    product: _Operator
    precondition: Callable[[BoolArray], _Operator]

    def minimise(self, *, rtol: float, max_cg: int, max_rounds: int) -> ModelStep:
        """Pivot for up to `max_rounds`; if signs have not settled by then, descend instead."""
        step = self._pivot(rtol, max_cg, max_rounds)
        if step.settled:
            return step
        careful = self._descend(rtol, max_cg, 4 * max_rounds)
        return ModelStep(
            careful.d,
            step.cg_steps + careful.cg_steps,
            max(step.most_cg_steps, careful.most_cg_steps),
            step.rounds + careful.rounds,
            careful.settled,
        )

    def _pivot(self, rtol: float, max_cg: int, max_rounds: int) -> ModelStep:
        """Change all wrong signs at once: a few rounds as a rule, but it may cycle."""
        unsigned = np.broadcast_to(self.l1 == 0.0, self.w.shape)
        joins = (self.w == 0.0) & (np.abs(self.gradient) > self.l1)
        signs = np.where(joins, -np.sign(self.gradient), np.sign(self.w))
        u, slope = self.w.copy(), self.gradient.copy()
        small: float | None = None
        total = most = rounds = 0
        settled = False
        while rounds < max_rounds and not settled:
            rounds += 1
            face = unsigned | (signs != 0.0)
            left = ~face & (u != 0.0)
            if left.any():
                slope -= self.product(np.where(left, u, 0.0))
                u[left] = 0.0
            solved = self._solve(face, -(slope + self.l1 * signs), small, rtol, max_cg)
            small = solved.first if small is None else small
            u += solved.x
            slope += solved.product
            total, most = total + solved.steps, max(most, solved.steps)
            wrong = ~unsigned & face & (u * signs <= 0.0)
            joins = ~face & (np.abs(slope) > self.l1 * (1.0 + 1e-9))
            # Without a step, who pivots now makes no difference at this accuracy.
            settled = (rounds > 1 and solved.steps == 0) or not (wrong.any() or joins.any())
            if not settled:
                signs = np.where(wrong, 0.0, np.where(joins, -np.sign(slope), signs))
        u[~unsigned & (u * signs <= 0.0)] = 0.0
        return ModelStep(u - self.w, total, most, rounds, settled)

    def _descend(self, rtol: float, max_cg: int, max_rounds: int) -> ModelStep:
        """Lower the model in every round, so that it cannot cycle; slower."""
        unsigned = np.broadcast_to(self.l1 == 0.0, self.w.shape)
        u, slope = self.w.copy(), self.gradient.copy()
        small: float | None = None
        total = most = rounds = 0
        settled = False
        while rounds < max_rounds and not settled:
            rounds += 1
            joins = (u == 0.0) & (np.abs(slope) > self.l1)
            signs = np.where(unsigned, 0.0, np.where(joins, -np.sign(slope), np.sign(u)))
            face = unsigned | (signs != 0.0)
            solved = self._solve(face, -(slope + self.l1 * signs), small, rtol, max_cg)
            small = solved.first if small is None else small
            total, most = total + solved.steps, max(most, solved.steps)
            moved = self._lower(u, slope, signs, solved)
            settled = solved.steps == 0 or moved is None
            if moved is not None:
                u, slope = moved
        return ModelStep(u - self.w, total, most, rounds, settled)

    def _lower(
        self, u: FloatArray, slope: FloatArray, signs: FloatArray, solved: FaceSolution
    ) -> tuple[FloatArray, FloatArray] | None:
        """Search along the face's step, projected to the signs; None if nothing is lower.

        The first projected step that lowers the model competes with the longest step
        that changes no sign.
        """
        d, Hd = solved.x, solved.product
        crossing = (u * d < 0.0) & (signs != 0.0)
        first = float(np.min(-u[crossing] / d[crossing])) if crossing.any() else 1.0
        best, found = 0.0, None
        for length in (1.0, 0.5, 0.25, 0.125, 0.03, 0.005, min(1.0, first)):
            if found is not None and length != min(1.0, first):
                continue
            v = u + length * d
            v[signs * v < 0.0] = 0.0
            if length == first:
                v[crossing & (np.abs(v) <= 1e-15 * np.abs(u))] = 0.0
            step = v - u
            H_step = length * Hd if (step == length * d).all() else self.product(step)
            change = float(
                np.vdot(slope, step)
                + 0.5 * np.vdot(step, H_step)
                + (self.l1 * (np.abs(v) - np.abs(u))).sum()
            )
            if change < best:
                best, found = change, (v, slope + H_step)
        return found

    def _solve(
        self, face: BoolArray, rhs: FloatArray, small: float | None, rtol: float, max_cg: int
    ) -> FaceSolution:
        return conjugate_gradients(
            self.product, self.precondition(face), rhs, face,
            small=small, rtol=rtol, max_steps=max_cg,
        )  # fmt: skip
