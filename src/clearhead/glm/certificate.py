r"""How far a point can be from the optimum, at most.

With residuals R_i = Y_i - M_i, ``V = mean_i s_i R_i x_i^T``, unpenalised coefficients
polished until their gradient vanishes, and any t in [0, 1],

.. math::

    D(t) = -\tfrac1n \sum_i s_i\, \ell_i^*(-t R_i)
           - \sum_{kj} \frac{(|t V_{kj}| - \lambda r f_j)_+^2}{2 \lambda (1-r) f_j}

bounds the optimum from below; ``gap = (P - D) / max(P, P_null / 1000)`` with a t near the best.
Every sum is taken in float64, from the coefficients that are stored.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve, pinvh

from clearhead._types import FloatArray, IntArray
from clearhead.glm.objective import Objective
from clearhead.glm.reductions import Reductions
from clearhead.glm.threads import one_thread

__all__ = ["Certificate", "certify", "duality_gap", "polish"]

_POLISHED = 1e-13
"""Least size of a gradient that polishing aims at, relative to that of residuals."""
_FAST = 1e-2
"""While a step leaves no more of the gradient than this share, its Hessian serves again."""
_FEW = 64
"""So few unpenalised coefficients are decomposed by their eigenvectors, which is safest."""
_FREE, _SINGULAR = 1e-9, 1e-8
"""Largest curvature, and least pivot of a factor, relative to the scaled diagonal of ones, of a
direction that counts as free, and of a Hessian that is not singular."""
_NEAR = 0.02
"""Share of the gap for which no further dual step is tried."""
_MOST_TRIALS = 30
_TINY = 1e-300
_RIDGES = (0.0, 1e-8, 1e-5, 1e-2, 1.0)
"""Tried in turn where rows are nearly separated and the Newton step is far too long."""


@dataclass(frozen=True)
class Certificate:
    """What is proven about one point.

    Parameters
    ----------
    objective : float
        Objective P at the point.
    loss : float
        Its unpenalised part.
    gap : float
        Relative duality gap: the objective is at most this far above the optimum.
    kkt : float
        Largest violation of the optimality condition, relative to lam.
    """

    objective: float
    loss: float
    gap: float
    kkt: float


def duality_gap(objective: Objective, V: FloatArray, value: float) -> float:
    """Relative gap at the current coefficients, with a dual point ``t R`` near the best.

    `value` is the objective there, `V` the correlation of residuals and features.
    It is a proof only where unpenalised coefficients are polished. Every t is; D is concave
    in it, so that a few Newton steps from the largest t come within percents of the smallest gap.
    """
    penalty, lam = objective.penalty, objective.lam
    terms, conjugate = objective.rows.dual_terms(), penalty.conjugate(V, lam)
    t = penalty.largest_dual_step(V, lam)
    low, high, best, sure = 0.0, t, 0.0, False
    for _ in range(_MOST_TRIALS):
        loss, penalised = terms.at(t), conjugate.at(t)
        dual, slope, bend = (a - b for a, b in zip(loss, penalised, strict=True))
        best = max(best, dual)
        # What a step along t may still win, by Newton's model.
        hope = 0.5 * slope * slope / max(-bend, _TINY)
        little = hope <= _NEAR * (value - best)
        # Rows that are certainly wrong bend D at t = 1 only, so that while the gap is large
        # what is said there is asked twice.
        if (slope >= 0.0 and t == high) or (little and (sure or best > 0.5 * value)) or bend == 0.0:
            break
        sure = little
        if slope > 0.0:
            low = t
        else:
            high = t
        t -= slope / bend
        if not low < t < high:
            t = 0.5 * (low + high)
    return objective.relative(value - best, value)


def polish(
    rows: Reductions,
    W: FloatArray,
    b: FloatArray,
    free: IntArray,
    *,
    residual_size: float = 1.0,
    max_steps: int = 50,
) -> tuple[FloatArray, FloatArray, float]:
    """Minimise the loss over the intercept and the features that are never penalised.

    Newton steps in float64 from the current coefficients, which must be (W, b); they
    are moved along.

    Returns
    -------
    W, b : arrays
        The polished coefficients.
    left : float
        Norm of what is left of the unpenalised gradient, relative to `residual_size`.
    """
    V, vb = rows.correlation(free)
    left = _norm(V, vb) / residual_size
    inverse: _Inverse | None = None
    for _ in range(max_steps):
        if left <= _POLISHED:
            break
        inverse = _Inverse(rows.unpenalised_hessian(free), len(b)) if inverse is None else inverse
        moved = _descend(rows, free, V, vb, inverse, W=W, b=b)
        if moved is None:
            break
        W, b = moved
        V, vb = rows.correlation(free)
        before, left = left, _norm(V, vb) / residual_size
        if left > 0.5 * before and left < 1e-12:
            break
        if left > _FAST * before:
            inverse = None
    return W, b, left


def _norm(V: FloatArray, vb: FloatArray) -> float:
    return float(np.sqrt((V * V).sum() + (vb * vb).sum()))


class _Inverse:
    """Newton steps from one Hessian, which serves while they gain much.

    Parameters
    ----------
    H : (m, m) float64
        Hessian over the unpenalised coefficients, ordered by output.
    outputs : int
    """

    def __init__(self, H: FloatArray, outputs: int) -> None:
        # Rows of H differ by the classes' weight; scaled, a rare class is not taken for rounding.
        diagonal = np.diagonal(H)
        least = 1e-16 * diagonal.max() + np.finfo(np.float64).tiny
        self._size = np.sqrt(np.maximum(diagonal, least))
        self._scaled: FloatArray = H / np.outer(self._size, self._size)
        if len(H) > _FEW:
            self._scaled = _pinned(self._scaled, self._size, outputs)
        self._solvers: dict[float, Callable[[FloatArray], FloatArray]] = {}

    def step(self, gradient: FloatArray, ridge: float) -> FloatArray:
        """Step for minus the gradient (m,); `ridge` is relative to the Hessian's diagonal."""
        if len(gradient) == 1 and self._scaled[0, 0] > 0.0:
            # One intercept alone: a decomposition would take longer than all the rest.
            return np.asarray(gradient / (self._scaled[0] + ridge) / self._size**2)
        if ridge not in self._solvers:
            self._solvers[ridge] = _solver(self._scaled + ridge * np.eye(len(self._scaled)))
        return np.asarray(self._solvers[ridge](gradient / self._size) / self._size)


def _pinned(scaled: FloatArray, size: FloatArray, outputs: int) -> FloatArray:
    """Give curvature to what shifts all outputs alike, where that is free, as it is for classes.

    Gradients have no part in it, so that no other step is moved.
    """
    shifts = np.tile(np.eye(len(scaled) // outputs), (outputs, 1)) * size[:, None]
    shifts /= np.linalg.norm(shifts, axis=0)
    free = np.abs(scaled @ shifts).max(axis=0) <= _FREE
    return np.asarray(scaled + shifts[:, free] @ shifts[:, free].T)


def _solver(matrix: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """Solve with a symmetric matrix (m, m), in the least-squares sense if it is singular."""
    if len(matrix) > _FEW:
        # SciPy brings a BLAS of its own, whose waiting threads would take NumPy's cores.
        with contextlib.suppress(LinAlgError), one_thread():
            factor = cho_factor(matrix)
            if np.square(np.diagonal(factor[0])).min() > _SINGULAR:
                return lambda gradient: np.asarray(cho_solve(factor, gradient))
    # A shift of all classes is free in the multinomial, so the matrix is singular there.
    with one_thread():
        inverse = pinvh(matrix, rtol=1e-12)
    return lambda gradient: np.asarray(inverse @ gradient)


def _descend(
    rows: Reductions,
    free: IntArray,
    V: FloatArray,
    vb: FloatArray,
    inverse: _Inverse,
    *,
    W: FloatArray,
    b: FloatArray,
) -> tuple[FloatArray, FloatArray] | None:
    """Move (W, b) along a Newton step that lowers the loss; None if there is none."""
    gradient = np.concatenate([vb[:, None], V], axis=1)
    start = rows.loss()
    for ridge in _RIDGES:
        try:
            whole = inverse.step(gradient.ravel(), ridge).reshape(gradient.shape)
        except (LinAlgError, ValueError):
            whole = gradient
        for halvings in range(12):
            length = 0.5**halvings
            step, db = np.zeros_like(W), length * whole[:, 0]
            step[:, free] = length * whole[:, 1:]
            # Near the optimum the loss cannot tell steps apart; the gradient still can.
            if rows.trial(step, db) <= start + 1e-14 * abs(start):
                rows.accept()
                return W + step, b + db
    return None


def certify(
    objective: Objective,
    W: FloatArray,
    b: FloatArray,
    V: FloatArray,
    vb: FloatArray,
    *,
    loss: float,
    left: float,
    gap: float,
) -> Certificate:
    """Prove how near to the optimum polished coefficients are.

    Parameters
    ----------
    objective : Objective
        Its rows must be moved to (W, b).
    W, b : (O, p) and (O,) float64
    V, vb : (O, p) and (O,) float64
        Minus the gradient of the mean loss there.
    loss : float
        The mean loss there.
    left : float
        What :func:`polish` left.
    gap : float
        :func:`duality_gap` there.
    """
    penalty, lam, unit = objective.penalty, objective.lam, objective.residual_size
    value = objective.value(loss, W)
    free = penalty.factors == 0
    if left > _POLISHED or free.any():
        # The bound then lacks left * ||b - b*||. The distance is not known; twice the norm of
        # what could still move is a generous guess.
        reach = unit + float(np.linalg.norm(b)) + float(np.linalg.norm(W[:, free]))
        gap += objective.relative(2.0 * left * unit * reach, value)
    kkt = max(penalty.violation(W, -V, lam), float(np.abs(vb).max()) / lam)
    return Certificate(value, loss, gap, kkt)
