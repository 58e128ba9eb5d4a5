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
from scipy.special import logsumexp, xlogy

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
        zero = np.zeros((self.n_outputs, S.shape[1]))
        self._null_b = self._polish(self._scores(zero), np.zeros(self.n_outputs))[0]
        self.null_loss = self._loss(self._scores(zero) + self._null_b)

    def lambda_max(self) -> float:
        """Smallest lam at which W = 0; as in glmnet, r counts as at least 0.001."""
        Z = np.zeros((len(self.y), self.n_outputs)) + self._null_b
        return float(np.abs(self._correlation(Z)).max() / max(self.l1_ratio, 1e-3))

    def judge(self, W: np.ndarray, b: np.ndarray, lam: float) -> Judgement:
        """Judge coefficients (K, p), or (1, p), on the standardised scale."""
        W, b = np.asarray(W, np.float64), np.asarray(b, np.float64)
        if not (np.isfinite(W).all() and np.isfinite(b).all()):
            return Judgement(np.inf, -np.inf, np.inf, int(np.count_nonzero(W)))
        Z = self._scores(W)
        b, left = self._polish(Z, b)
        Z = Z + b
        penalty = self.l1_ratio * np.abs(W).sum() + (1 - self.l1_ratio) / 2 * (W**2).sum()
        objective = self._loss(Z) + lam * penalty
        # Where the intercept's gradient is not quite zero the bound lacks its product with
        # the distance to the best intercept, which is guessed generously.
        bound = self._bound(Z, lam) - 2 * left * (1 + float(np.linalg.norm(b)))
        return Judgement(
            objective, bound, self.relative(objective, bound), int(np.count_nonzero(W))
        )

    def relative(self, objective: float, bound: float) -> float:
        """How far an objective can be above the optimum, relative to itself."""
        return float((objective - bound) / max(objective, _NOT_BELOW * self.null_loss))

    def _scores(self, W: np.ndarray) -> np.ndarray:
        return self.S @ W.T

    def _all_scores(self, Z: np.ndarray) -> np.ndarray:
        return np.hstack([np.zeros_like(Z), Z]) if self.binomial else Z

    def _loss(self, Z: np.ndarray) -> float:
        Z = self._all_scores(Z)
        return float(np.mean(logsumexp(Z, axis=1) - Z[np.arange(len(Z)), self.y]))

    def _probabilities(self, Z: np.ndarray) -> np.ndarray:
        Z = self._all_scores(Z)
        return np.exp(Z - logsumexp(Z, axis=1, keepdims=True))

    def _residuals(self, P: np.ndarray) -> np.ndarray:
        """Y - P (n, K); the column of class 1 alone for the binomial."""
        R = -P
        R[np.arange(len(P)), self.y] += 1.0
        return R[:, -self.n_outputs :]

    def _correlation(self, Z: np.ndarray) -> np.ndarray:
        return self._residuals(self._probabilities(Z)).T @ self.S / len(self.y)

    def _polish(self, Z: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, float]:
        """Minimise the loss over b by damped Newton steps; also the norm of what is left."""
        if not self.intercept:
            return np.zeros(self.n_outputs), 0.0
        n, left = len(Z), np.inf
        for _ in range(50):
            P = self._probabilities(Z + b)
            gradient = -self._residuals(P).mean(axis=0)
            left = float(np.linalg.norm(gradient))
            if left <= _POLISHED:
                break
            Q = P[:, -self.n_outputs :]
            H = np.diag(Q.mean(axis=0)) - Q.T @ Q / n
            step = np.linalg.lstsq(H, gradient, rcond=1e-12)[0]
            loss, length = self._loss(Z + b), 1.0
            while length > 1e-6 and self._loss(Z + b - length * step) > loss * (1 + 1e-14):
                length /= 2
            if length <= 1e-6:
                break
            b = b - length * step
        return b, left

    def _bound(self, Z: np.ndarray, lam: float) -> float:
        """Largest dual value over q(t) = Y - t (Y - P), t in [0, 1]."""
        n, r = len(Z), self.l1_ratio
        P = self._probabilities(Z)
        V = np.abs(self._residuals(P.copy()).T @ self.S / n)
        P[np.arange(n), self.y] = 0.0
        # sum_k q log q = (1 - t m) log(1 - t m) + t (m log t + a): two numbers a row
        m, a = np.minimum(P.sum(axis=1), 1.0), float(xlogy(P, P).sum() / n)
        outside = V[lam * r < V]
        top = 1.0 if r < 1 or not len(outside) else min(1.0, lam * r / float(outside.max()))

        def minus_dual(t: float) -> float:
            rest = 1.0 - t * m
            entropy = -(xlogy(rest, rest).mean() + xlogy(t, t) * m.mean() + t * a)
            if r == 1:
                return -entropy
            excess = np.maximum(t * outside - lam * r, 0.0)
            return float((excess**2).sum() / (2 * lam * (1 - r)) - entropy)

        inside = minimize_scalar(
            minus_dual, bounds=(0.0, top), method="bounded", options={"xatol": 1e-12}
        )
        return -min(float(inside.fun), minus_dual(top), 0.0)
