r"""How far a point can be from the optimum, at most.

With residuals R_i = Y_i - P_i, ``V = mean_i s_i R_i x_i^T``, unpenalised coefficients
polished until their gradient vanishes, and ``q_i = Y_i - t R_i`` for t in [0, 1],

.. math::

    D(t) = -\tfrac1n \sum_i s_i \sum_k q_{ik} \log q_{ik}
           - \sum_{kj} \frac{(|t V_{kj}| - \lambda r f_j)_+^2}{2 \lambda (1-r) f_j}

bounds the optimum from below; ``gap = (P - D) / max(P, P_null / 1000)`` with the best t.
Every sum is taken in float64, from the coefficients that are stored.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, lstsq
from scipy.optimize import minimize_scalar

from clearhead._types import FloatArray, IntArray
from clearhead.glm.objective import Objective
from clearhead.glm.penalty import ElasticNet
from clearhead.glm.reductions import Reductions

__all__ = ["Certificate", "Certified", "certify", "duality_gap", "polish"]

_POLISHED = 1e-13
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
    """Relative gap at the current coefficients, with the best dual point ``q(t)``.

    `value` is the objective there, `V` the correlation of residuals and features.
    It is a proof only where unpenalised coefficients are polished.
    """
    penalty, lam = objective.penalty, objective.lam
    terms, v = objective.rows.dual_entropy()
    top = penalty.largest_dual_step(V, lam)
    # Only these can leave the dual's free zone as t grows to its largest value.
    near = (np.abs(V) > penalty.l1(lam)).any(axis=0) & (penalty.factors > 0)
    few = ElasticNet(penalty.l1_ratio, penalty.factors[near])
    V_near = V[:, near]

    def minus_dual(t: float) -> float:
        return few.conjugate(V_near, lam, t) - terms.entropy(t, v)

    best = min(0.0, minus_dual(top))
    inside = minimize_scalar(
        minus_dual, bounds=(0.0, top), method="bounded", options={"xatol": 1e-10, "maxiter": 60}
    )
    best = min(best, float(inside.fun))
    return objective.relative(value + best, value)


def polish(
    rows: Reductions, W: FloatArray, b: FloatArray, free: IntArray, max_steps: int = 50
) -> tuple[FloatArray, FloatArray, float]:
    """Minimise the loss over the intercept and the features that are never penalised.

    Newton steps in float64 from the current coefficients, which must be (W, b); they
    are moved along.

    Returns
    -------
    W, b : arrays
        The polished coefficients.
    left : float
        Norm of what is left of the unpenalised gradient.
    """
    V, vb = rows.correlation(free)
    left = float(np.sqrt((V * V).sum() + (vb * vb).sum()))
    for _ in range(max_steps):
        if left <= _POLISHED:
            break
        moved = _descend(rows, free, V, vb, W=W, b=b)
        if moved is None:
            break
        W, b = moved
        V, vb = rows.correlation(free)
        before, left = left, float(np.sqrt((V * V).sum() + (vb * vb).sum()))
        if left > 0.5 * before and left < 1e-12:
            break
    return W, b, left


def _descend(
    rows: Reductions,
    free: IntArray,
    V: FloatArray,
    vb: FloatArray,
    *,
    W: FloatArray,
    b: FloatArray,
) -> tuple[FloatArray, FloatArray] | None:
    """Move (W, b) along a Newton step that lowers the loss; None if there is none."""
    H = rows.unpenalised_hessian(free)
    start = rows.loss()
    for ridge in _RIDGES:
        dW, db = _unpenalised_step(H, V, vb, ridge)
        for halvings in range(12):
            length = 0.5**halvings
            step = np.zeros_like(W)
            step[:, free] = length * dW
            # Near the optimum the loss cannot tell steps apart; the gradient still can.
            if rows.trial(step, length * db) <= start + 1e-14 * abs(start):
                rows.accept()
                return W + step, b + length * db
    return None


def _unpenalised_step(
    H: FloatArray, V: FloatArray, vb: FloatArray, ridge: float
) -> tuple[FloatArray, FloatArray]:
    """Newton step (O, m0) of the free features and (O,) of the intercept.

    `ridge` is added to the Hessian's diagonal, relative to it.
    """
    rhs = np.concatenate([vb[:, None], V], axis=1)
    # Rows of H differ by the classes' weight; scaled, a rare class is not taken for rounding.
    diagonal = np.diagonal(H)
    size = np.sqrt(np.maximum(diagonal, 1e-16 * diagonal.max() + np.finfo(np.float64).tiny))
    scaled = H / np.outer(size, size)
    scaled[np.diag_indices_from(scaled)] += ridge
    try:
        # A shift of all classes is free in the multinomial, so H is singular there.
        step = lstsq(scaled, rhs.ravel() / size, cond=1e-12)[0] / size
    except (LinAlgError, ValueError):
        return V, vb
    step = step.reshape(rhs.shape)
    return step[:, 1:], step[:, 0]


@dataclass(frozen=True)
class Certified:
    """A polished point with its proof.

    Parameters
    ----------
    W, b : (O, p) and (O,) float64
        To be stored as they are.
    V, vb : (O, p) and (O,) float64
        Minus the gradient of the mean loss there.
    certificate : Certificate
    """

    W: FloatArray
    b: FloatArray
    V: FloatArray
    vb: FloatArray
    certificate: Certificate


def certify(objective: Objective, W: FloatArray, b: FloatArray) -> Certified:
    """Polish what is not penalised, then prove how near to the optimum the point is.

    The rows must have been moved to (W, b), and are moved along.
    """
    rows, penalty, lam = objective.rows, objective.penalty, objective.lam
    free = np.flatnonzero(penalty.factors == 0)
    W, b, left = polish(rows, W, b, free)
    loss = rows.loss()
    value = objective.value(loss, W)
    V, vb = rows.correlation()
    gap = duality_gap(objective, V, value)
    if left > _POLISHED or len(free):
        # The bound then lacks left * ||b - b*||. The distance is not known; twice the norm of
        # what could still move is a generous guess.
        reach = 1.0 + float(np.linalg.norm(b)) + float(np.linalg.norm(W[:, free]))
        gap += objective.relative(2.0 * left * reach, value)
    kkt = max(penalty.violation(W, -V, lam), float(np.abs(vb).max()) / lam)
    return Certified(W, b, V, vb, Certificate(value, loss, gap, kkt))
