r"""What a pattern does to the features of an example, predicted from the features themselves.

A black frame moves the features of a dark picture less than those of a bright one. Measured on
a few hundred pairs of features before and after, the change is predicted for any example by
ridge regression in its dual form, on standardised features:

.. math:: \hat d(x) = \bar d + k(x)^T (K + ridge\, I)^{-1} (D - \bar d), \quad
    K = Z Z^T / p

with the ridge of the least leave-one-out error, which needs no refit: the residual of row i is
row i of :math:`(K + ridge I)^{-1} (D - \bar d)`, divided by entry i of the diagonal of the
inverse.

References
----------
Hastie, Tibshirani, Friedman (2009), The Elements of Statistical Learning, sections 7.10, 18.3.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from clearhead._types import FloatArray

__all__ = ["ShiftMap"]

_RIDGES = (0.1, 0.3, 1.0, 3.0, 10.0, 1000.0)
"""Of kernels whose diagonal is about 1; the last is next to the mean change."""


@dataclass(frozen=True, eq=False)
class ShiftMap:
    """Predicts the change of features (p,) of an example.

    Parameters
    ----------
    center, scale : ndarray of shape (p,)
    z : ndarray of shape (d, p)
        Standardised features of the examples that it was measured on.
    coef : ndarray of shape (d, p)
    mean : ndarray of shape (p,)
        Mean change.
    ridge : float
    """

    center: FloatArray
    scale: FloatArray
    z: FloatArray
    coef: FloatArray
    mean: FloatArray
    ridge: float

    @classmethod
    def fit(cls, before: FloatArray, change: FloatArray) -> Self:
        """Fit to features (d, p) of examples and their measured changes (d, p), d > 0."""
        before, change = before.astype(np.float64), change.astype(np.float64)
        center, scale = before.mean(axis=0), before.std(axis=0)
        scale = np.where(scale > 1e-6 * np.maximum(np.abs(center), 1e-12), scale, np.inf)
        z, mean = (before - center) / scale, change.mean(axis=0)
        kernel = z @ z.T / z.shape[1]
        found = [_solve(kernel, change - mean, ridge) for ridge in _RIDGES]
        best = int(np.argmin([error for _, error in found]))
        return cls(center, scale, z, found[best][0], mean, _RIDGES[best])

    def predict(self, features: FloatArray) -> FloatArray:
        """Changes (n, p) of features (n, p)."""
        z = (features.astype(np.float64) - self.center) / self.scale
        predicted: FloatArray = (z @ self.z.T / z.shape[1]) @ self.coef + self.mean
        return predicted


def _solve(kernel: FloatArray, change: FloatArray, ridge: float) -> tuple[FloatArray, float]:
    """Dual coefficients, and the sum of squared leave-one-out residuals."""
    inverse = np.linalg.inv(kernel + ridge * np.eye(len(kernel)))
    coef = inverse @ change
    return coef, float(((coef / np.diag(inverse)[:, None]) ** 2).sum())
