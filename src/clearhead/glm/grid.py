"""The values of lam at which the path is solved."""

from __future__ import annotations

import numpy as np

from clearhead._types import FloatArray

__all__ = ["lambda_grid", "stepping_stones"]

_LONGEST_STEP = 0.3
"""A step down in lam longer than this ratio is bridged, so that warm starts stay warm."""


def lambda_grid(lambda_max: float, n_lambdas: int, lambda_min_ratio: float) -> FloatArray:
    """Log-spaced values (L,) from `lambda_max` down to `lambda_min_ratio` times it."""
    if n_lambdas == 1:
        return np.array([lambda_max])
    steps = np.arange(n_lambdas) / (n_lambdas - 1)
    grid = lambda_max * np.power(lambda_min_ratio, steps)
    grid[0] = lambda_max
    return grid


def stepping_stones(start: float, lam: float) -> list[float]:
    """Values strictly between `start` and `lam` that keep each step short; often none."""
    if start <= 0.0 or lam >= _LONGEST_STEP * start:
        return []
    n = int(np.ceil(np.log(lam / start) / np.log(_LONGEST_STEP)))
    return [float(v) for v in start * np.power(lam / start, np.arange(1, n) / n)]
