r"""Minimise the quadratic model of the loss plus a penalty on the norms of whole features.

The minimiser of ``g d + d H d / 2 + sum_j l1_j ||w_j + d_j||`` over the columns j of w is
smooth but where a column is zero. So each round takes proximal gradient steps, which let
columns leave zero and return to it, and then a Newton step on those that are not zero, whose
Hessian has the curvature of the norm,

.. math:: \frac{l_j}{\|u_j\|} \bigl(I - \hat u_j \hat u_j^T\bigr),

solved by conjugate gradients. A column that this step would carry through zero is set to
zero. While Newton steps have to be cut short, proximal ones, accelerated, take over more and
more. No step raises the model, so that stopping early is safe. With one row, (1, m), every
coefficient is a group of its own and the penalty is the l1 norm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from clearhead._types import BoolArray, FloatArray
from clearhead.glm.conjugate_gradients import conjugate_gradients
from clearhead.glm.model_step import ModelStep

__all__ = ["GroupedModel"]

_Operator = Callable[[FloatArray], FloatArray]
_SHARPEST = 1e6
"""Most curvature of a norm, relative to that of the loss: more would drown the loss's digits."""
_MOST_STEPS = 64
_MOST_TRIES = 60
_LENGTHS = 0.5 ** np.arange(8)


@dataclass(frozen=True)
class _State:
    """Coefficients u (O, 1 + m), and there the slope of the quadratic part."""

    u: FloatArray
    slope: FloatArray

    def moved(self, d: FloatArray, Hd: FloatArray) -> _State:
        """Where a step leads; a column that cancels is exactly zero."""
        return _State(self.u + d, self.slope + Hd)


@dataclass(frozen=True)
class GroupedModel:
    """The model at the current coefficients w; see :class:`~clearhead.glm.model.QuadraticModel`.

    Parameters
    ----------
    w : (O, 1 + m) float64
        Working coefficients, the intercept first.
    gradient : (O, 1 + m) float64
        Of the loss and the l2 term.
    l1 : (1 + m,) float64
        Weight of each column's norm; 0 for the intercept.
    product : callable
        Hessian of the loss and the l2 term times an array like `w`.
    precondition : callable
        From a face (O, 1 + m) bool, of whole columns, to an approximate inverse on it.
    """

    w: FloatArray
    gradient: FloatArray
    l1: FloatArray
    product: _Operator
    precondition: Callable[[BoolArray], _Operator]

    def minimise(self, *, rtol: float, max_cg: int, max_rounds: int) -> ModelStep:
        """Alternate proximal and Newton steps until the optimality residual falls by `rtol`.

        Residuals are measured relative to each output's mean curvature.
        """
        curvature = self._mean_curvature()
        steepness = float(curvature.max())
        state = _State(self.w.copy(), self.gradient.copy())
        first = self._residual(state, curvature)
        total = most = rounds = 0
        small: float | None = None
        steps, settled = 1, first == 0.0
        while rounds < max_rounds and not settled:
            rounds += 1
            state, steepness, products = self._accelerate(state, steepness, steps)
            total += products
            settled = self._residual(state, curvature) <= rtol * first
            if settled:
                break
            d, Hd, small, solved = self._newton(state, curvature, small, rtol, max_cg)
            total, most = total + solved, max(most, solved)
            lower, smooth, products = self._lower(state, d, Hd)
            total += products
            # Where columns are still to come and go, Newton steps are of little use.
            steps = 1 if smooth else min(2 * steps, _MOST_STEPS)
            state = state if lower is None else lower
            settled = self._residual(state, curvature) <= rtol * first
        return ModelStep(state.u - self.w, total, most, rounds, settled)

    def _mean_curvature(self) -> FloatArray:
        """Mean diagonal of each output's block, (O, 1), estimated with random signs."""
        signs = np.random.default_rng(0).choice([-1.0, 1.0], self.w.shape)
        mean = (signs * self.product(signs)).mean(axis=1, keepdims=True)
        top = float(np.abs(mean).max())
        return np.asarray(np.maximum(mean, 1e-3 * top + np.finfo(np.float64).tiny))

    def _residual(self, state: _State, curvature: FloatArray) -> float:
        """Norm of the shortest subgradient."""
        size = np.linalg.norm(state.u, axis=0)
        inside = size > 0.0
        steep = np.linalg.norm(state.slope, axis=0)
        shrunk = np.maximum(steep - self.l1, 0.0) / np.where(steep > 0.0, steep, 1.0)
        smooth = state.slope + state.u * (self.l1 / np.where(inside, size, 1.0))
        left = np.where(inside, smooth, state.slope * shrunk)
        return float(np.sqrt((left * left / curvature).sum()))

    def _change(self, state: _State, d: FloatArray, Hd: FloatArray) -> float:
        """By how much a step changes the model; norms by products, so that digits are kept."""
        after = state.u + d
        sizes = np.linalg.norm(after, axis=0) + np.linalg.norm(state.u, axis=0)
        norms = (d * (after + state.u)).sum(axis=0) / np.where(sizes > 0.0, sizes, 1.0)
        return float(np.vdot(state.slope, d) + 0.5 * np.vdot(d, Hd) + self.l1 @ norms)

    def _accelerate(self, state: _State, steepness: float, steps: int) -> tuple[_State, float, int]:
        """Take accelerated proximal gradient steps, none of which raises the model.

        `steepness` grows until it bounds the curvature. Also gives the number of products.
        """
        start, momentum, products = state, 1.0, 0
        for _ in range(steps):
            after, steepness, tries = self._proximal(start, steepness)
            products += tries
            if start is not state:
                step = after.u - state.u
                if self._change(state, step, after.slope - state.slope) > 0.0:
                    momentum = 1.0
                    after, steepness, tries = self._proximal(state, steepness)
                    products += tries
            following = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * momentum * momentum))
            share = (momentum - 1.0) / following
            start = _State(
                after.u + share * (after.u - state.u),
                after.slope + share * (after.slope - state.slope),
            )
            state, momentum = after, following
        return state, steepness, products

    def _proximal(self, state: _State, steepness: float) -> tuple[_State, float, int]:
        """Take a proximal gradient step, with `steepness` raised until it bounds the curvature."""
        for tries in range(1, _MOST_TRIES):
            raw = state.u - state.slope / steepness
            size = np.linalg.norm(raw, axis=0)
            kept = np.maximum(size - self.l1 / steepness, 0.0) / np.where(size > 0.0, size, 1.0)
            d = raw * kept - state.u
            Hd = self.product(d)
            if float(np.vdot(d, Hd)) <= steepness * float(np.vdot(d, d)):
                return _State(raw * kept, state.slope + Hd), steepness, tries
            steepness *= 2.0
        return state, steepness, tries

    def _newton(
        self,
        state: _State,
        curvature: FloatArray,
        small: float | None,
        rtol: float,
        max_cg: int,
    ) -> tuple[FloatArray, FloatArray, float, int]:
        """Newton step on the columns that are not zero, and the Hessian times it."""
        face = np.broadcast_to((self.l1 == 0.0) | state.u.any(axis=0), state.u.shape)
        norms = _Norms.at(state.u, self.l1, float(curvature.mean()))
        inner = self.precondition(face)
        solved = conjugate_gradients(
            lambda D: self.product(D) + norms.curve(D),
            lambda R: norms.scale(inner(norms.scale(R))),
            -(state.slope + self.l1 * norms.direction),
            face,
            small=small,
            rtol=rtol,
            max_steps=max_cg,
        )
        Hd = solved.product - norms.curve(solved.x)
        return solved.x, Hd, solved.first if small is None else small, solved.steps

    def _lower(
        self, state: _State, d: FloatArray, Hd: FloatArray
    ) -> tuple[_State | None, bool, int]:
        """Better of two ways along a Newton step.

        One is its best share; the other the whole step, with columns that it carries
        through zero set to zero.

        Returns
        -------
        lower : _State or None
            None if neither lowers the model.
        smooth : bool
            Whether the whole step was right.
        products : int
        """
        best, found, products = 0.0, None, 0
        taken = 0.0
        for length in _LENGTHS:
            change = self._change(state, length * d, length * Hd)
            if change < best:
                best, found, taken = change, state.moved(length * d, length * Hd), length
        crossing = ((state.u + d) * state.u).sum(axis=0) <= 0.0
        crossing &= state.u.any(axis=0) & (self.l1 > 0.0)
        if crossing.any():
            cut = np.where(crossing, -state.u, d)
            H_cut, products = self.product(cut), 1
            if self._change(state, cut, H_cut) < best:
                found, taken = state.moved(cut, H_cut), 1.0
        return found, taken == 1.0, products


@dataclass(frozen=True)
class _Norms:
    """Curvature of the norms, across each column's direction.

    Parameters
    ----------
    direction : (O, 1 + m) float64
        Columns of length one, or zero.
    bend : (1 + m,) float64
        ``l1_j / ||u_j||``; zero where the column is zero.
    shrink : (1 + m,) float64
        What makes the preconditioner, which does not know of `bend`, small enough.
    """

    direction: FloatArray
    bend: FloatArray
    shrink: FloatArray

    @classmethod
    def at(cls, u: FloatArray, l1: FloatArray, curvature: float) -> _Norms:
        size = np.linalg.norm(u, axis=0)
        divisor = np.where(size > 0.0, size, 1.0)
        bend = np.where(size > 0.0, np.minimum(l1 / divisor, _SHARPEST * curvature), 0.0)
        return cls(u / divisor, bend, 1.0 / np.sqrt(1.0 + bend / curvature))

    def _across(self, D: FloatArray) -> FloatArray:
        return np.asarray(D - self.direction * (self.direction * D).sum(axis=0))

    def curve(self, D: FloatArray) -> FloatArray:
        return self.bend * self._across(D)

    def scale(self, R: FloatArray) -> FloatArray:
        across = self._across(R)
        return R - across + self.shrink * across
