"""Minimise the quadratic model of the loss plus the penalty, over the working set.

The minimiser of ``g d + d H d / 2 + penalty(w + d)`` is found by pivoting on the signs
of the coefficients: given signs it solves a linear system on the coefficients that are
not zero; whoever comes out with the wrong sign becomes zero, whoever at zero has too
large a gradient joins. A handful of rounds settle it, each a few CG steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from clearhead._types import BoolArray, FloatArray
from clearhead.glm.conjugate_gradients import conjugate_gradients

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
        Steps in all, most in one round, rounds of pivoting.
    """

    d: FloatArray
    cg_steps: int
    most_cg_steps: int
    rounds: int


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
        """Pivot until the signs are right, or `max_rounds`."""
        unsigned = np.broadcast_to(self.l1 == 0.0, self.w.shape)
        joins = (self.w == 0.0) & (np.abs(self.gradient) > self.l1)
        signs = np.where(joins, -np.sign(self.gradient), np.sign(self.w))
        u, slope = self.w.copy(), self.gradient.copy()
        small: float | None = None
        total = most = rounds = 0
        while rounds < max_rounds:
            rounds += 1
            face = unsigned | (signs != 0.0)
            left = ~face & (u != 0.0)
            if left.any():
                slope -= self.product(np.where(left, u, 0.0))
                u[left] = 0.0
            solved = conjugate_gradients(
                self.product,
                self.precondition(face),
                -(slope + self.l1 * signs),
                face,
                small=small,
                rtol=rtol,
                max_steps=max_cg,
            )
            if rounds > 1 and solved.steps == 0:
                break  # who pivots now makes no difference at this accuracy
            small = solved.first if small is None else small
            u += solved.x
            slope += solved.product
            total, most = total + solved.steps, max(most, solved.steps)
            wrong = ~unsigned & face & (u * signs <= 0.0)
            joins = ~face & (np.abs(slope) > self.l1 * (1.0 + 1e-9))
            if not (wrong.any() or joins.any()):
                break
            signs = np.where(wrong, 0.0, np.where(joins, -np.sign(slope), signs))
        u[~unsigned & (u * signs <= 0.0)] = 0.0
        return ModelStep(u - self.w, total, most, rounds)
