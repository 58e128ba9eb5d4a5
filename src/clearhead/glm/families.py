r"""Losses of the decision layer: value, residual, curvature and dual, row by row.

Scores are held as ``Z (O, n)``, one row per output, so that every operation runs
over contiguous memory: O = 1 for the binomial family, O = K for the others. Weights
``v (n,)`` sum to 1, so that weighted sums are the means of the objective. A *target*
is what a row should be: the index of its class, (n,), for the binomial and multinomial
families, or a probability of each class, (K, n); a matrix (K, n) of 0 and 1 for independent
labels, or of floats between them, their probabilities; of numbers for the gaussian. With
probabilities the loss is a divergence (:mod:`clearhead.glm.soft`).

With residuals ``R = target - mean`` the gradient of a row's loss is ``-R``. The dual of
the mean loss at ``-t R`` is :math:`-\sum_i v_i \ell_i^*(-t R_i)`; together with the
penalty's it bounds the optimum from below (docs/design/solver.md, Duals).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import expit, xlogy

from clearhead._types import BoolArray, FloatArray, IntArray
from clearhead.glm.dual_terms import (
    TINY,
    DualTerms,
    EntropyTerms,
    MixtureTerms,
    QuadraticTerms,
)
from clearhead.glm.soft import is_soft, negative_entropy

__all__ = [
    "Binomial",
    "Family",
    "Gaussian",
    "Multilabel",
    "Multinomial",
    "Target",
    "family_of",
]

Target = npt.NDArray[Any]
"""Class of each row, (n,), or what each output should be, (K, n)."""


class Family(Protocol):
    """A loss ``l(z, target)``, convex in the scores z, with what a Newton method needs."""

    @property
    def coupled(self) -> bool:
        """Whether the Hessian of a row has terms between outputs."""

    def n_outputs(self, n_classes: int) -> int:
        """Rows of the coefficients."""

    def null_intercept(self, target: Target, v: FloatArray, n_classes: int) -> FloatArray:
        """Intercept (O,) of the model without features."""

    def residual_size(self, null_loss: float) -> float:
        """Size of residuals that a vanishing gradient is judged against."""

    def loss(self, Z: FloatArray, target: Target, v: FloatArray) -> float:
        """Weighted mean loss, summed over outputs."""

    def mean(self, Z: FloatArray) -> FloatArray:
        """Expected target M (O, n): probabilities, or for the gaussian the scores."""

    def evaluate(self, Z: FloatArray, target: Target, v: FloatArray) -> tuple[float, FloatArray]:
        """:meth:`loss` and :meth:`mean` at once."""

    def residual(self, M: FloatArray, target: Target) -> FloatArray:
        """Residuals ``target - M`` (O, n), a new array."""

    def curvature(self, M: FloatArray, dZ: FloatArray) -> FloatArray:
        """Hessian of each row's loss times `dZ` (O, n), in place."""

    def diagonal(self, M: FloatArray, k: int | slice) -> FloatArray:
        """Second derivative (n,) of each row's loss in output k, or (O, n) in some."""

    def dual_terms(self, Z: FloatArray, M: FloatArray, target: Target, v: FloatArray) -> DualTerms:
        """The dual of the mean loss at the residuals of scores Z with means M."""

    def predict(self, Z: FloatArray) -> Target:
        """Most probable target, shaped like one."""

    def hits(self, Z: FloatArray, target: Target) -> BoolArray | None:
        """Rows (n,) that are predicted right; None for a target of numbers."""


@dataclass(frozen=True)
class Binomial:
    """``log(1 + exp(z)) - y z`` for a class y in {0, 1}: one coefficient vector."""

    coupled = False

    def n_outputs(self, n_classes: int) -> int:
        """One."""
        return 1

    def null_intercept(self, target: Target, v: FloatArray, n_classes: int) -> FloatArray:
        """Log odds of class 1."""
        return _log_odds(_of_class_1(target), v)

    def residual_size(self, null_loss: float) -> float:
        """One: probabilities."""
        return 1.0

    def loss(self, Z: FloatArray, target: Target, v: FloatArray) -> float:
        """Weighted mean of ``log(1 + exp(-margin))``."""
        return _logistic(Z, _of_class_1(target), v)[0]

    def mean(self, Z: FloatArray) -> FloatArray:
        """Probability of class 1, (1, n)."""
        return np.asarray(expit(Z))

    def evaluate(self, Z: FloatArray, target: Target, v: FloatArray) -> tuple[float, FloatArray]:
        """Loss and mean, from one exponential a score."""
        return _logistic(Z, _of_class_1(target), v)

    def residual(self, M: FloatArray, target: Target) -> FloatArray:
        """``y - p`` (1, n)."""
        return np.asarray(_of_class_1(target) - M)

    def curvature(self, M: FloatArray, dZ: FloatArray) -> FloatArray:
        """``p (1 - p) dz``, in place."""
        return _logistic_curvature(M, dZ)

    def diagonal(self, M: FloatArray, k: int | slice) -> FloatArray:
        """``p (1 - p)``."""
        return np.asarray(M[k] * (1.0 - M[k]))

    def dual_terms(
        self, Z: FloatArray, M: FloatArray, target: Target, v: FloatArray
    ) -> EntropyTerms | MixtureTerms:
        """Entropy of the two classes."""
        return _logistic_dual(Z, _of_class_1(target), v)

    def predict(self, Z: FloatArray) -> IntArray:
        """Class 1 where the score is positive."""
        return np.asarray(Z[0] > 0, np.int64)

    def hits(self, Z: FloatArray, target: Target) -> BoolArray:
        """Rows of which the class is right."""
        return np.asarray(self.predict(Z) == _likeliest(target))


@dataclass(frozen=True)
class Multilabel:
    """``sum_k log(1 + exp(z_k)) - y_k z_k`` for labels y_k in {0, 1}, independent of each other."""

    coupled = False

    def n_outputs(self, n_classes: int) -> int:
        """One a label."""
        return n_classes

    def null_intercept(self, target: Target, v: FloatArray, n_classes: int) -> FloatArray:
        """Log odds of each label."""
        return _log_odds(target, v)

    def residual_size(self, null_loss: float) -> float:
        """One: probabilities."""
        return 1.0

    def loss(self, Z: FloatArray, target: Target, v: FloatArray) -> float:
        """Weighted mean of ``sum_k log(1 + exp(-margin_k))``."""
        return _logistic(Z, target, v)[0]

    def mean(self, Z: FloatArray) -> FloatArray:
        """Probability of each label, (K, n)."""
        return np.asarray(expit(Z))

    def evaluate(self, Z: FloatArray, target: Target, v: FloatArray) -> tuple[float, FloatArray]:
        """Loss and mean, from one exponential a score."""
        return _logistic(Z, target, v)

    def residual(self, M: FloatArray, target: Target) -> FloatArray:
        """``y - p`` (K, n)."""
        return np.asarray(target - M)

    def curvature(self, M: FloatArray, dZ: FloatArray) -> FloatArray:
        """``p (1 - p) dz``, in place."""
        return _logistic_curvature(M, dZ)

    def diagonal(self, M: FloatArray, k: int | slice) -> FloatArray:
        """``p_k (1 - p_k)``."""
        return np.asarray(M[k] * (1.0 - M[k]))

    def dual_terms(
        self, Z: FloatArray, M: FloatArray, target: Target, v: FloatArray
    ) -> EntropyTerms | MixtureTerms:
        """Binary entropies, summed over labels."""
        return _logistic_dual(Z, target, v)

    def predict(self, Z: FloatArray) -> IntArray:
        """1 where a label's score is positive, (K, n)."""
        return np.asarray(Z > 0, np.int64)

    def hits(self, Z: FloatArray, target: Target) -> BoolArray:
        """Rows of which every label is right."""
        return np.asarray((self.predict(Z) == (target > 0.5)).all(axis=0))


def _of_class_1(target: Target) -> Target:
    """Label or probability of class 1, (1, n)."""
    return np.asarray(target[-1:] if is_soft(target, classes=True) else target[None])


def _likeliest(target: Target) -> IntArray:
    """Class (n,) of each row, the first of equally probable ones."""
    return np.asarray(target.argmax(axis=0) if is_soft(target, classes=True) else target)


def _log_odds(Y: Target, v: FloatArray) -> FloatArray:
    """Log odds (O,) of the weighted shares of 1."""
    return np.asarray(np.log(Y @ v) - np.log((1 - Y) @ v))


def _margin(Z: FloatArray, Y: Target) -> FloatArray:
    """Scores for what is true, against what is not."""
    return np.asarray(np.where(Y == 1, Z, -Z))


def _logistic(Z: FloatArray, Y: Target, v: FloatArray) -> tuple[float, FloatArray]:
    """Loss and probabilities."""
    tail = np.exp(-np.abs(Z))
    # Where the label is right by far the first terms cancel exactly and the last keeps its digits.
    rows = np.maximum(Z, 0.0)
    rows -= Y * Z
    rows += np.log1p(tail)
    if is_soft(Y, classes=False):
        rows += xlogy(Y, Y) + xlogy(1.0 - Y, 1.0 - Y)
    P = np.where(Z >= 0.0, 1.0, tail)
    P /= 1.0 + tail
    return float((rows @ v).sum()), P


def _logistic_curvature(M: FloatArray, dZ: FloatArray) -> FloatArray:
    dZ *= M
    dZ *= 1.0 - M
    return dZ


def _logistic_dual(Z: FloatArray, Y: Target, v: FloatArray) -> EntropyTerms | MixtureTerms:
    """From the margin, so that tiny probabilities keep their digits."""
    if is_soft(Y, classes=False):
        p, P = np.concatenate([Y, 1.0 - Y]), np.concatenate([expit(Z), expit(-Z)])
        return MixtureTerms(((p, P, v),))
    margin = _margin(Z, Y)
    own, other = np.asarray(expit(margin)), np.asarray(expit(-margin))
    return EntropyTerms(own, other, other * np.log(np.maximum(other, TINY)), v)


def _fit(Z: FloatArray, target: Target) -> FloatArray:
    """What is taken from a row's logsumexp (n,): its class's score, or the mean of all."""
    if is_soft(target, classes=True):
        return np.asarray((target * Z).sum(axis=0) - negative_entropy(target))
    return np.asarray(Z[target, np.arange(len(target))])


@dataclass(frozen=True)
class Multinomial:
    """``logsumexp(z) - z_y``: one coefficient vector a class, all classes coupled."""

    coupled = True

    def n_outputs(self, n_classes: int) -> int:
        """One a class."""
        return n_classes

    def null_intercept(self, target: Target, v: FloatArray, n_classes: int) -> FloatArray:
        """Centred log shares; a shift of all classes changes nothing."""
        soft = is_soft(target, classes=True)
        logs = np.log(target @ v if soft else np.bincount(target, v, n_classes))
        return np.asarray(logs - logs.mean())

    def residual_size(self, null_loss: float) -> float:
        """One: probabilities."""
        return 1.0

    def loss(self, Z: FloatArray, target: Target, v: FloatArray) -> float:
        """Weighted mean of ``logsumexp(z) - z_y``."""
        top = Z.max(axis=0)
        total = np.exp(Z - top).sum(axis=0)
        return float(v @ (np.log(total) - _fit(Z - top, target)))

    def mean(self, Z: FloatArray) -> FloatArray:
        """Softmax over classes, (K, n)."""
        P = np.exp(Z - Z.max(axis=0))
        P /= P.sum(axis=0)
        return np.asarray(P)

    def evaluate(self, Z: FloatArray, target: Target, v: FloatArray) -> tuple[float, FloatArray]:
        """Loss and mean, from one exponential a score."""
        shifted = Z - Z.max(axis=0)
        P = np.exp(shifted)
        total = P.sum(axis=0)
        loss = float(v @ (np.log(total) - _fit(shifted, target)))
        P /= total
        return loss, P

    def residual(self, M: FloatArray, target: Target) -> FloatArray:
        """``Y - P`` (K, n), Y one-hot or probabilities."""
        if is_soft(target, classes=True):
            return np.asarray(target - M)
        R = -M
        R[target, np.arange(len(target))] += 1.0
        return R

    def curvature(self, M: FloatArray, dZ: FloatArray) -> FloatArray:
        """``(diag(P) - P P^T) dz`` for each row, in place."""
        dZ *= M
        total: Any = dZ.sum(axis=0)
        dZ -= M * total
        return dZ

    def diagonal(self, M: FloatArray, k: int | slice) -> FloatArray:
        """``P_k (1 - P_k)``."""
        return np.asarray(M[k] * (1.0 - M[k]))

    def dual_terms(
        self, Z: FloatArray, M: FloatArray, target: Target, v: FloatArray
    ) -> EntropyTerms | MixtureTerms:
        """Entropy of the classes.

        Log-probabilities come from the scores, so that none is log of a rounded zero.
        """
        if is_soft(target, classes=True):
            return MixtureTerms(((target, M, v),))
        rows = np.arange(len(target))
        top = Z.max(axis=0)
        # The most probable class has at least 1/K, so that its logarithm is exact.
        log_p_top = np.log(M.max(axis=0))
        own, others = M[target, rows], M.copy()
        others[target, rows] = 0.0
        other = others.sum(axis=0)
        others *= Z - top
        return EntropyTerms(own, other, others.sum(axis=0) + log_p_top * other, v)

    def predict(self, Z: FloatArray) -> IntArray:
        """Class of the highest score; the first of equal ones."""
        return np.asarray(Z.argmax(axis=0))

    def hits(self, Z: FloatArray, target: Target) -> BoolArray:
        """Rows of which the class is right."""
        return np.asarray(self.predict(Z) == _likeliest(target))


@dataclass(frozen=True)
class Gaussian:
    """``|y - z|^2 / 2``, summed over outputs."""

    coupled = False

    def n_outputs(self, n_classes: int) -> int:
        """One an output."""
        return n_classes

    def null_intercept(self, target: Target, v: FloatArray, n_classes: int) -> FloatArray:
        """Weighted means."""
        return np.asarray(target @ v)

    def residual_size(self, null_loss: float) -> float:
        """Root of the mean square that the null model leaves."""
        return float(np.sqrt(2.0 * null_loss))

    def loss(self, Z: FloatArray, target: Target, v: FloatArray) -> float:
        """Half the weighted mean square of the residuals."""
        R = target - Z
        R *= R
        return float(0.5 * (R @ v).sum())

    def mean(self, Z: FloatArray) -> FloatArray:
        """The scores themselves; not a copy."""
        return Z

    def evaluate(self, Z: FloatArray, target: Target, v: FloatArray) -> tuple[float, FloatArray]:
        """Loss and mean."""
        return self.loss(Z, target, v), self.mean(Z)

    def residual(self, M: FloatArray, target: Target) -> FloatArray:
        """``y - z`` (K, n)."""
        return np.asarray(target - M)

    def curvature(self, M: FloatArray, dZ: FloatArray) -> FloatArray:
        """`dZ` itself."""
        return dZ

    def diagonal(self, M: FloatArray, k: int | slice) -> FloatArray:
        """Ones."""
        return np.ones_like(M[k])

    def dual_terms(
        self, Z: FloatArray, M: FloatArray, target: Target, v: FloatArray
    ) -> QuadraticTerms:
        """``l*(u) = u y + u^2 / 2``, at ``u = -t R``."""
        R = target - Z
        weighted = R * v
        return QuadraticTerms(float(np.vdot(weighted, target)), float(np.vdot(weighted, R)))

    def predict(self, Z: FloatArray) -> FloatArray:
        """The scores."""
        return Z

    def hits(self, Z: FloatArray, target: Target) -> None:
        """None: numbers are not right or wrong."""


_FAMILIES: dict[str, Family] = {
    "binomial": Binomial(),
    "multinomial": Multinomial(),
    "multilabel": Multilabel(),
    "gaussian": Gaussian(),
}


def family_of(name: str) -> Family:
    """Family called ``"binomial"``, ``"multinomial"``, ``"multilabel"`` or ``"gaussian"``."""
    return _FAMILIES[name]
