"""Losses of the decision layer: value, residual, curvature and dual, row by row.

Scores are held as ``Z (O, n)``, one row per output, so that every operation runs
over contiguous memory: O = 1 for the binomial family, O = K for the multinomial.
Weights ``v (n,)`` sum to 1, so that weighted sums are the means of the objective.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.special import expit, xlog1py

from clearhead._types import FloatArray, IntArray

__all__ = ["Binomial", "DualTerms", "Family", "Multinomial", "family_of"]


@dataclass(frozen=True)
class DualTerms:
    """What the dual objective needs of each row, once residuals are known.

    With ``q_i = Y_i - t R_i`` (in the simplex for t in [0, 1]), every class but the
    true one has ``q_ik = t P_ik``; so the entropy of q_i at any t follows from two
    numbers a row.

    Parameters
    ----------
    other : (n,) float64
        Probability of all classes but the true one, summed without cancellation.
    other_log : (n,) float64
        ``sum_{k != y} P_k log P_k``.
    """

    other: FloatArray
    other_log: FloatArray

    def entropy(self, t: float, v: FloatArray) -> float:
        """Weighted mean of ``-sum_k q_ik log q_ik`` at `t`; it costs O(n)."""
        if t <= 0.0:
            return 0.0
        # A sum of probabilities may exceed 1 by rounding, and has no logarithm then.
        kept = np.minimum(t * self.other, 1.0)
        rows = t * self.other_log + np.log(t) * kept + xlog1py(1.0 - kept, -kept)
        return -float(v @ rows)


class Family(Protocol):
    """A loss ``l(z, y)``, convex in the scores z, with what a Newton method needs."""

    def n_outputs(self, n_classes: int) -> int:
        """Rows of the coefficients."""

    def null_intercept(self, shares: FloatArray) -> FloatArray:
        """Intercept (O,) of the model without features, from the class shares (K,)."""

    def loss(self, Z: FloatArray, y: IntArray, v: FloatArray) -> float:
        """Weighted mean loss."""

    def probabilities(self, Z: FloatArray) -> FloatArray:
        """Probabilities P (O, n); for the binomial family of class 1."""

    def residual(self, P: FloatArray, y: IntArray) -> FloatArray:
        """Residuals ``Y - P`` (O, n)."""

    def curvature(self, P: FloatArray, dZ: FloatArray) -> FloatArray:
        """Hessian of each row's loss times `dZ` (O, n), in place."""

    def diagonal(self, P: FloatArray, k: int) -> FloatArray:
        """Second derivative (n,) of each row's loss in output k."""

    def dual_terms(self, Z: FloatArray, y: IntArray) -> DualTerms:
        """What the dual needs of each row."""

    def predict(self, Z: FloatArray) -> IntArray:
        """Most probable class (n,)."""


@dataclass(frozen=True)
class Binomial:
    """``log(1 + exp(z)) - y z`` for y in {0, 1}: one coefficient vector."""

    def n_outputs(self, n_classes: int) -> int:
        """One."""
        return 1

    def null_intercept(self, shares: FloatArray) -> FloatArray:
        """Log odds of class 1."""
        return np.array([np.log(shares[1]) - np.log(shares[0])])

    def loss(self, Z: FloatArray, y: IntArray, v: FloatArray) -> float:
        """Weighted mean of ``log(1 + exp(-margin))``."""
        return float(v @ np.logaddexp(0.0, -_margin(Z, y)))

    def probabilities(self, Z: FloatArray) -> FloatArray:
        """Probability of class 1, (1, n)."""
        return np.asarray(expit(Z))

    def residual(self, P: FloatArray, y: IntArray) -> FloatArray:
        """``y - p`` (1, n)."""
        return np.asarray(y[None, :] - P)

    def curvature(self, P: FloatArray, dZ: FloatArray) -> FloatArray:
        """``p (1 - p) dz``, in place."""
        dZ *= P
        dZ *= 1.0 - P
        return dZ

    def diagonal(self, P: FloatArray, k: int) -> FloatArray:
        """``p (1 - p)``."""
        p = P[0]
        return np.asarray(p * (1.0 - p))

    def dual_terms(self, Z: FloatArray, y: IntArray) -> DualTerms:
        """From the margin, so that tiny probabilities keep their digits."""
        margin = _margin(Z, y)
        other = np.asarray(expit(-margin))
        return DualTerms(other, -other * np.logaddexp(0.0, margin))

    def predict(self, Z: FloatArray) -> IntArray:
        """Class 1 where the score is positive."""
        return np.asarray(Z[0] > 0, np.int64)


def _margin(Z: FloatArray, y: IntArray) -> FloatArray:
    """Score of the true class against the other, (n,)."""
    return np.asarray(np.where(y == 1, Z[0], -Z[0]))


@dataclass(frozen=True)
class Multinomial:
    """``logsumexp(z) - z_y``: one coefficient vector a class, all classes coupled."""

    def n_outputs(self, n_classes: int) -> int:
        """One a class."""
        return n_classes

    def null_intercept(self, shares: FloatArray) -> FloatArray:
        """Centred log shares; a shift of all classes changes nothing."""
        logs = np.log(shares)
        return np.asarray(logs - logs.mean())

    def loss(self, Z: FloatArray, y: IntArray, v: FloatArray) -> float:
        """Weighted mean of ``logsumexp(z) - z_y``."""
        top = Z.max(axis=0)
        total = np.exp(Z - top).sum(axis=0)
        return float(v @ (np.log(total) + top - Z[y, np.arange(len(y))]))

    def probabilities(self, Z: FloatArray) -> FloatArray:
        """Softmax over classes, (K, n)."""
        P = np.exp(Z - Z.max(axis=0))
        P /= P.sum(axis=0)
        return np.asarray(P)

    def residual(self, P: FloatArray, y: IntArray) -> FloatArray:
        """``Y - P`` (K, n)."""
        R = -P
        R[y, np.arange(len(y))] += 1.0
        return R

    def curvature(self, P: FloatArray, dZ: FloatArray) -> FloatArray:
        """``(diag(P) - P P^T) dz`` for each row, in place."""
        dZ *= P
        total: Any = dZ.sum(axis=0)
        dZ -= P * total
        return dZ

    def diagonal(self, P: FloatArray, k: int) -> FloatArray:
        """``P_k (1 - P_k)``."""
        return np.asarray(P[k] * (1.0 - P[k]))

    def dual_terms(self, Z: FloatArray, y: IntArray) -> DualTerms:
        """Log-probabilities come from the scores, so that none is log of a rounded zero."""
        rows = np.arange(len(y))
        top = Z.max(axis=0)
        log_p = Z - top
        log_p -= np.log(np.exp(log_p).sum(axis=0))
        P = np.exp(log_p)
        P[y, rows] = 0.0
        return DualTerms(P.sum(axis=0), np.einsum("kn,kn->n", P, log_p))

    def predict(self, Z: FloatArray) -> IntArray:
        """Class of the highest score; the first of equal ones."""
        return np.asarray(Z.argmax(axis=0))


def family_of(name: str) -> Binomial | Multinomial:
    """Family called ``"binomial"`` or ``"multinomial"``."""
    return Binomial() if name == "binomial" else Multinomial()
