"""Weighted ridge regression of many outputs on the same few inputs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from clearhead._types import FloatArray
from clearhead.errors import InputError

__all__ = ["RidgeFit", "weighted_ridge"]

_NOTHING_LEFT = 1e-9
# A spread of this share of the values is rounding, not a response.
_ROUNDING = 1e-6


@dataclass(frozen=True, eq=False)
class RidgeFit:
    """Linear models of u outputs on m inputs.

    Parameters
    ----------
    coef : ndarray of shape (m, u)
    intercept : ndarray of shape (u,)
    std_error : ndarray of shape (m, u)
        Infinite where there are no more rows than coefficients: nothing is left to estimate
        the noise from.
    r2 : ndarray of shape (u,)
        Weighted R²; 0 for an output that does not vary.
    """

    coef: FloatArray
    intercept: FloatArray
    std_error: FloatArray
    r2: FloatArray


def weighted_ridge(X: FloatArray, Y: FloatArray, weight: FloatArray, ridge: float) -> RidgeFit:
    r"""Fit all outputs at once with one Cholesky factor.

    For each output y: ``minimise sum_i w_i (y_i - b - x_i @ c)^2 + ridge * ||c||^2``, as
    scikit-learn's ``Ridge(alpha=ridge).fit(X, y, sample_weight=w)``.

    The weights say how near a row is, not how exact: noise is taken to be alike in all rows.
    With X and y centred at their weighted means, W = diag(w), G = X'WX, M = X'W²X and
    A = G + ridge·I, the covariance of the coefficients is s² A⁻¹MA⁻¹, where s² is the
    weighted residual sum of squares divided by its expectation for noise of variance 1,
    Σw − Σw²/Σw − 2 tr(A⁻¹M) + tr(A⁻¹GA⁻¹M).

    Parameters
    ----------
    X : ndarray of shape (n, m)
    Y : ndarray of shape (n, u)
    weight : ndarray of shape (n,)
        Positive.
    ridge : float
        At least 0; 0 needs columns that are linearly independent.

    Returns
    -------
    RidgeFit
        In float64.

    Raises
    ------
    InputError
        ``ridge=0`` and the columns are linearly dependent.
    """
    X, Y, w = (np.asarray(values, dtype=np.float64) for values in (X, Y, weight))
    total = w.sum()
    x_mean, y_mean = w @ X / total, w @ Y / total
    X, Y = X - x_mean, Y - y_mean
    weighted = w[:, None] * X
    gram = X.T @ weighted
    inverse = _inverse(gram, ridge)
    cross = weighted.T @ Y
    coef = inverse @ cross
    spread = w @ np.square(Y)
    # Expanded, so that no second table of n rows is made; exact to a rounding of the spread.
    residual = spread - np.sum(coef * (2 * cross - gram @ coef), axis=0)
    residual = residual.clip(min=0.0)
    noise = weighted.T @ weighted
    factor = inverse @ noise
    left = total - w @ w / total - 2 * np.trace(factor) + np.sum((inverse @ gram) * factor.T)
    if len(X) > X.shape[1] + 1 and left > _NOTHING_LEFT * total:
        shape = np.sqrt(np.diag(factor @ inverse).clip(min=0.0))
        std_error = shape[:, None] * np.sqrt(residual / left)
    else:
        std_error = np.full(coef.shape, np.inf)
    varies = spread > total * (_ROUNDING * np.maximum(1.0, np.abs(y_mean))) ** 2
    r2 = np.where(varies, 1.0 - residual / np.where(varies, spread, 1.0), 0.0)
    return RidgeFit(coef, y_mean - x_mean @ coef, std_error, r2)


def _inverse(gram: FloatArray, ridge: float) -> FloatArray:
    """(gram + ridge·I)⁻¹, of which one factor serves all outputs and the standard errors."""
    m = len(gram)
    if m == 0:
        return gram
    try:
        inverse: FloatArray = cho_solve(cho_factor(gram + ridge * np.eye(m)), np.eye(m))
    except np.linalg.LinAlgError as error:
        raise InputError(
            f"ridge={ridge}: the {m} inputs are linearly dependent over these rows, so least "
            "squares has no single answer. Take a ridge above 0, or more rows."
        ) from error
    return inverse
