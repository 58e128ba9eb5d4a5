"""Cholesky factors of Hessians that may be singular but for rounding."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import LinAlgError, cho_factor

from clearhead._types import FloatArray

__all__ = ["cholesky"]

_MORE = 100.0


def cholesky(matrix: FloatArray, ridge: FloatArray | float, jitter: float) -> Any:
    """Factor ``matrix + diag(ridge)``, with as little more on its diagonal as that takes.

    A matrix that is not finite, of features too large for its precision, becomes the identity:
    as a preconditioner that is none, but it lets the solver end.

    Parameters
    ----------
    matrix : (m, m) float32 or float64
        Symmetric and positive semidefinite but for rounding; it is left as it is.
    ridge : (m,) or float
    jitter : float
        First addition, relative to the mean of the matrix's diagonal; it grows a hundredfold.

    Returns
    -------
    factor
        For :func:`scipy.linalg.cho_solve`.
    """
    if not np.isfinite(matrix).all():
        matrix = np.eye(len(matrix), dtype=matrix.dtype)
    diagonal = np.diagonal(matrix).astype(np.float64)
    floor = jitter * float(diagonal.mean()) + 1e-30
    while True:
        trial = matrix.copy()
        trial[np.diag_indices_from(trial)] = diagonal + ridge + floor
        try:
            return cho_factor(trial, overwrite_a=True, check_finite=False)
        except LinAlgError:
            floor *= _MORE
