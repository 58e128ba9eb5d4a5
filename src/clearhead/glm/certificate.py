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

__all__ = ["Certificate", "certify", "duality_gap", "polish"]

_POLISHED = 1e-13


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
        dW, db = _unpenalised_step(rows, free, V, vb)
        start, length = rows.loss(), 1.0
        while length > 1e-6:
            step = np.zeros_like(W)
            step[:, free] = length * dW
            # Near the optimum the loss cannot tell steps apart; the gradient still can.
            if rows.trial(step, length * db) <= start + 1e-14 * abs(start):
                break
            length *= 0.5
        else:
            break
        rows.accept()
        W, b = W + step, b + length * db
        V, vb = rows.correlation(free)
        before, left = left, float(np.sqrt((V * V).sum() + (vb * vb).sum()))
        if left > 0.5 * before and left < 1e-12:
            break
    return W, b, left


def _unpenalised_step(
    rows: Reductions, free: IntArray, V: FloatArray, vb: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Newton step of the intercept (and of the features `free`)."""
    rhs = np.concatenate([vb[:, None], V], axis=1)
    H = rows.unpenalised_hessian(free)
    try:
        # A shift of all classes is free in the multinomial, so H is singular there.
        step = lstsq(H, rhs.ravel(), cond=1e-12, check_finite=True)[0].reshape(rhs.shape)
    except (LinAlgError, ValueError):
        step = rhs
    return step[:, 1:], step[:, 0]


def certify(
    objective: Objective, W: FloatArray, b: FloatArray
) -> tuple[FloatArray, FloatArray, Certificate]:
    """Polish what is not penalised, then prove how near to the optimum the point is.

    Everything is recomputed from (W, b): nothing of the solver's state is trusted.

    Returns
    -------
    W, b : arrays
        The polished coefficients, to be stored as they are.
    certificate : Certificate
    """
    rows, penalty, lam = objective.rows, objective.penalty, objective.lam
    rows.move(W, b)
    W, b, left = polish(rows, W, b, np.flatnonzero(penalty.factors == 0))
    rows.move(W, b)
    loss = rows.loss()
    value = objective.value(loss, W)
    V, vb = rows.correlation()
    gap = duality_gap(objective, V, value)
    if left > 1e-10:
        # The bound then lacks ||left|| * ||b - b*||, and the distance is not known.
        gap += objective.relative(left * (1.0 + float(np.abs(b).max())), value)
    kkt = max(penalty.violation(W, -V, lam), float(np.abs(vb).max()) / lam)
    return W, b, Certificate(value, loss, gap, kkt)
