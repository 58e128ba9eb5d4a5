"""Every setting of a fit, checked before any work is done."""

from __future__ import annotations

from typing import Any

import numpy as np

from clearhead._types import FloatArray
from clearhead.errors import DataError, InputError
from clearhead.glm.rows import to_array

__all__ = ["check_factors", "check_lambdas", "check_scalars", "check_weights"]

_FINEST_TOL = 1e-13
_FAMILIES = ("auto", "binomial", "multinomial", "multilabel", "gaussian")


def check_scalars(
    *, family: str, l1_ratio: float, n_lambdas: int, lambda_min_ratio: float, tol: float, seed: int
) -> None:
    """Refuse settings out of range.

    Raises
    ------
    InputError
        Naming the setting, its range and what arrived.
    """
    if family not in _FAMILIES:
        raise InputError(f"family must be one of {', '.join(_FAMILIES)}; got {family!r}.")
    _number("l1_ratio", l1_ratio)
    if not 0.0 <= l1_ratio <= 1.0:
        raise InputError(
            f"l1_ratio must lie in [0, 1] (1 is the lasso, 0 is ridge); got {l1_ratio}."
        )
    _number("tol", tol)
    if not _FINEST_TOL <= tol < np.inf:
        raise InputError(
            f"tol must be a relative duality gap of at least {_FINEST_TOL:g}, the least that sums "
            f"in float64 can prove; got {tol}. Try 1e-4."
        )
    if isinstance(n_lambdas, bool) or not isinstance(n_lambdas, (int, np.integer)) or n_lambdas < 1:
        raise InputError(f"n_lambdas must be a whole number of at least 1; got {n_lambdas!r}.")
    _number("lambda_min_ratio", lambda_min_ratio)
    if not 0.0 < lambda_min_ratio < 1.0:
        raise InputError(
            f"lambda_min_ratio must lie strictly between 0 and 1; got {lambda_min_ratio}."
        )
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"seed must be a whole number of at least 0; got {seed!r}.")


def _number(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise InputError(f"{name} must be a number; got {value!r}.")


def check_lambdas(lambdas: Any) -> FloatArray:
    """Give the grid as float64; it must be positive, finite and strictly decreasing."""
    grid = _vector(lambdas, "lambdas")
    if len(grid) == 0:
        raise InputError("lambdas is empty; give at least one value, or leave it out.")
    bad = np.flatnonzero(~(np.isfinite(grid) & (grid > 0)))
    if len(bad):
        raise InputError(
            f"lambdas must be positive and finite; lambdas[{bad[0]}] is {grid[bad[0]]}. "
            "(lam = 0 has no certificate; unpenalised=True adds it as a last point.)"
        )
    rising = np.flatnonzero(np.diff(grid) >= 0)
    if len(rising):
        i = int(rising[0])
        raise InputError(
            f"lambdas must decrease strictly; lambdas[{i}] is {grid[i]} and lambdas[{i + 1}] is "
            f"{grid[i + 1]}. Pass np.unique(lambdas)[::-1]."
        )
    return grid


def check_weights(sample_weight: Any, n: int) -> FloatArray:
    """Weights (n,) as float64, scaled so that they sum to n; all 1 if there are none.

    Raises
    ------
    DataError
        If they are of another length, not finite, negative, or all zero.
    """
    if sample_weight is None:
        return np.ones(n)
    weights = _vector(sample_weight, "sample_weight")
    if len(weights) != n:
        raise DataError(
            f"sample_weight has {len(weights)} entries and the training split {n} rows; "
            "give one weight a row."
        )
    bad = np.flatnonzero(~np.isfinite(weights) | (weights < 0))
    if len(bad):
        raise DataError(
            f"sample_weight must be finite and not negative; sample_weight[{bad[0]}] is "
            f"{weights[bad[0]]}. Use 0 to leave a row out."
        )
    top = float(weights.max(initial=0.0))
    if top == 0.0:
        raise DataError("sample_weight is zero for every row; at least one must be positive.")
    weights = weights / top
    return np.asarray(weights * (n / weights.sum()))


def check_factors(penalty_factor: Any, p: int) -> FloatArray:
    """Factors (p,) as float64; all 1 if there are none.

    Raises
    ------
    InputError
        If they are of another length, NaN, negative, or all infinite.
    """
    if penalty_factor is None:
        return np.ones(p)
    factors = _vector(penalty_factor, "penalty_factor")
    if len(factors) != p:
        raise InputError(
            f"penalty_factor has {len(factors)} entries and X {p} features; give one a feature."
        )
    bad = np.flatnonzero(np.isnan(factors) | (factors < 0))
    if len(bad):
        raise InputError(
            f"penalty_factor must be at least 0 (0: never penalised, inf: banned); "
            f"penalty_factor[{bad[0]}] is {factors[bad[0]]}."
        )
    if np.isinf(factors).all():
        raise InputError("penalty_factor is inf for every feature, so none is left to fit.")
    return factors


def _vector(values: Any, name: str) -> FloatArray:
    array = to_array(values, name)
    if array.ndim != 1 or array.dtype.kind not in "fiub":
        raise InputError(
            f"{name} must be a list of numbers; got an array of shape {array.shape} "
            f"and dtype {array.dtype}."
        )
    return array.astype(np.float64)
