r"""The objective, once, and the judge of every solver's coefficients.

.. math::

    P(W, b) = \tfrac1n \sum_i \ell(W x_i + b, y_i)
              + \lambda \bigl( r \|W\|_1 + \tfrac{1-r}{2} \|W\|_2^2 \bigr)

on standardised features. Plain NumPy in float64, written apart from clearhead's own certificate:
clearhead and its peers are judged by the same code, and it is not clearhead's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import xlogy

_NOT_BELOW = 1e-3
_POLISHED = 1e-13


@dataclass(frozen=True)
class Judgement:
    """What is known of one point.

    Parameters
    ----------
    objective : float
        P at the point, its intercept polished.
    bound : float
        No point has a smaller objective.
    gap : float
        (objective - bound) / max(objective, objective of the null model / 1000).
    n_nonzero : int
    """

    objective: float
    bound: float
    gap: float
    n_nonzero: int


@dataclass(frozen=True)
class _Model:
    """What the scores of all rows give.

    Parameters
    ----------
    loss : float
        Mean loss.
    P : (n, K) float64
        Probabilities.
    residuals : (n, outputs) float64
        Y - P; for the binomial the column of class 1.
    missed : (n,) float64
        1 - P of the true class.
    entropy : float
        Mean over rows of the sum of P log P over all but the true class.
    """

    loss: float
    P: np.ndarray
    residuals: np.ndarray
    missed: np.ndarray
    entropy: float


class Evaluator:
    """Objective and duality gap of any coefficients.

    Parameters
    ----------
    S : (n, p) float64
        Standardised features.
    y : (n,) int
        Classes 0 … K - 1.
    family : {"binomial", "multinomial"}
        Binomial: one row of coefficients, for class 1.
    l1_ratio : float
    intercept : bool
        False: b is zero, in the problem and in its dual.
    """

    def __init__(
        self, S: np.ndarray, y: np.ndarray, family: str, l1_ratio: float, *, intercept: bool = True
    ) -> None:
        self.S, self.y, self.l1_ratio, self.intercept = S, y, l1_ratio, intercept
        self.binomial = family == "binomial"
        self.n_outputs = 1 if self.binomial else int(y.max()) + 1
        Z = np.zeros((len(y), self.n_outputs))
        self._null = self._polish(Z, np.zeros(self.n_outputs))[1]
        self.null_loss = self._null.loss

    def lambda_max(self) -> float:
        """Smallest lam at which W = 0; as in glmnet, r counts as at least 0.001."""
        V = self._null.residuals.T @ self.S / len(self.y)
        return float(np.abs(V).max() / max(self.l1_ratio, 1e-3))

    def judge(self, W: np.ndarray, b: np.ndarray, lam: float) -> Judgement:
        """Judge coefficients (K, p), or (1, p), on the standardised scale."""
        W, b = np.asarray(W, np.float64), np.asarray(b, np.float64)
        if not (np.isfinite(W).all() and np.isfinite(b).all()):
            return Judgement(np.inf, -np.inf, np.inf, int(np.count_nonzero(W)))
        b, model, left = self._polish(self.S @ W.T, b)
        penalty = self.l1_ratio * np.abs(W).sum() + (1 - self.l1_ratio) / 2 * (W**2).sum()
        objective = model.loss + float(lam * penalty)
        # Where the intercept's gradient is not quite zero the bound lacks its product with
        # the distance to the best intercept, which is guessed generously.
        bound = self._bound(model, lam) - 2 * left * (1 + float(np.linalg.norm(b)))
        return Judgement(
            objective, bound, self.relative(objective, bound), int(np.count_nonzero(W))
        )

    def relative(self, objective: float, bound: float) -> float:
        """How far an objective can be above the optimum, relative to itself."""
        return float((objective - bound) / max(objective, _NOT_BELOW * self.null_loss))

    def _model(self, Z: np.ndarray) -> _Model:
        """Loss, residuals and entropy at scores (n, outputs)."""
        n, rows = len(Z), np.arange(len(Z))
        log_P = np.hstack([np.zeros_like(Z), Z]) if self.binomial else Z.copy()
        log_P -= log_P.max(axis=1, keepdims=True)
        log_P -= np.log(np.exp(log_P).sum(axis=1, keepdims=True))
        P = np.exp(log_P)
        loss = -float(log_P[rows, self.y].mean())
        R = -P
        R[rows, self.y] = 0.0
        missed = -R.sum(axis=1)  # 1 - P of the true class, without cancellation
        entropy = -float(np.einsum("ik,ik->", R, log_P)) / n
        R[rows, self.y] = missed
        return _Model(loss, P, R[:, -self.n_outputs :], missed, entropy)

    def _polish(self, Z: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, _Model, float]:
        """Minimise the loss over b by Newton steps, shortened until the loss does not rise.

        Returns b, the model there, and the norm of the gradient that is left.
        """
        if not self.intercept:
            return np.zeros(self.n_outputs), self._model(Z), 0.0
        model = self._model(Z + b)
        left = float(np.linalg.norm(model.residuals.mean(axis=0)))
        for _ in range(50):
            if left <= _POLISHED:
                break
            Q = model.P[:, -self.n_outputs :]
            H = np.diag(Q.mean(axis=0)) - Q.T @ Q / len(Q)
            step = np.linalg.lstsq(H, model.residuals.mean(axis=0), rcond=1e-12)[0]
            for halvings in range(20):
                trial = b + 0.5**halvings * step
                moved = self._model(Z + trial)
                if moved.loss <= model.loss * (1 + 1e-14):
                    break
            else:
                break
            before, left = left, float(np.linalg.norm(moved.residuals.mean(axis=0)))
            b, model = trial, moved
            if left > 0.5 * before and left < 1e-11:  # rounding is all that is left
                break
        return b, model, left

    def _bound(self, model: _Model, lam: float) -> float:
        """Largest dual value over q(t) = Y - t (Y - P), t in [0, 1]."""
        r, m = self.l1_ratio, model.missed
        V = np.abs(model.residuals.T @ self.S / len(m))
        outside = V[lam * r < V]
        top = 1.0 if r < 1 or not len(outside) else min(1.0, lam * r / float(outside.max()))

        def minus_dual(t: float) -> float:
            # sum_k q log q = (1 - t m) log(1 - t m) + t (m log t + sum of P log P, true class out)
            rest = 1.0 - t * m
            entropy = -float(xlogy(rest, rest).mean() + xlogy(t, t) * m.mean() + t * model.entropy)
            if r == 1:
                return -entropy
            excess = np.maximum(t * outside - lam * r, 0.0)
            return float((excess**2).sum() / (2 * lam * (1 - r))) - entropy

        inside = minimize_scalar(
            minus_dual, bounds=(0.0, top), method="bounded", options={"xatol": 1e-10}
        )
        return -min(float(inside.fun), minus_dual(top), 0.0)
