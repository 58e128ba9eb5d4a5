"""Minimise the quadratic model of the loss plus the penalty, over the working set.

The minimiser of ``g d + d H d / 2 + penalty(w + d)`` is found by pivoting on the signs
of the coefficients: given signs it solves a linear system on the coefficients that are
not zero; whoever comes out with the wrong sign becomes zero, whoever at zero has too
large a gradient joins. A handful of rounds settle it, each a few CG steps. Pivoting may
cycle where features are nearly collinear; then a monotone search takes over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from clearhead._types import BoolArray, FloatArray
from clearhead.glm.conjugate_gradients import FaceSolution, conjugate_gradients
from clearhead.glm.grouped_model import GroupedModel
from clearhead.glm.model_step import ModelStep

__all__ = ["QuadraticModel"]

_Operator = Callable[[FloatArray], FloatArray]


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
        """Pivot for up to `max_rounds`; where signs have not settled, descend and try again."""
        step = self._pivot(self.w, self.gradient, rtol, max_cg, max_rounds)
        if step.settled:
            return step
        careful = step.then(self._descend(rtol, max_cg, 4 * max_rounds))
        slope = self.gradient + self.product(careful.d)
        again = careful.then(self._pivot(self.w + careful.d, slope, rtol, max_cg, max_rounds))
        return again if again.settled else careful

    def _pivot(
        self, u: FloatArray, slope: FloatArray, rtol: float, max_cg: int, max_rounds: int
    ) -> ModelStep:
        """Change all wrong signs at once: a few rounds as a rule, but it may cycle.

        It starts at the coefficients `u`, where the quadratic part has this `slope`.
        """
        unsigned = np.broadcast_to(self.l1 == 0.0, self.w.shape)
        joins = (u == 0.0) & (np.abs(slope) > self.l1)
        signs = np.where(joins, -np.sign(slope), np.sign(u))
        u, slope = u.copy(), slope.copy()
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
        shape = self.w.shape

        def product(d: FloatArray) -> FloatArray:
            return self.product(d.reshape(shape)).reshape(1, -1)

        def precondition(face: BoolArray) -> _Operator:
            inner = self.precondition(face.reshape(shape))
            return lambda r: inner(r.reshape(shape)).reshape(1, -1)

        # Each coefficient is a group of its own then, whose norm is its absolute value.
        model = GroupedModel(
            w=self.w.reshape(1, -1),
            gradient=self.gradient.reshape(1, -1),
            l1=np.broadcast_to(self.l1, shape).ravel(),
            product=product,
            precondition=precondition,
        )
        step = model.minimise(rtol=rtol, max_cg=max_cg, max_rounds=max_rounds)
        return replace(step, d=step.d.reshape(shape))

    def _solve(
        self, face: BoolArray, rhs: FloatArray, small: float | None, rtol: float, max_cg: int
    ) -> FaceSolution:
        return conjugate_gradients(
            self.product, self.precondition(face), rhs, face,
            small=small, rtol=rtol, max_steps=max_cg,
        )  # fmt: skip
