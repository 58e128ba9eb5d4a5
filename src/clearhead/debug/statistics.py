"""Intervals and tests for shares, and for differences of shares.

Each is a textbook formula with its source; tests compare them with simulation.
"""

from __future__ import annotations

import math

from scipy import stats

from clearhead.glm import Accuracy

__all__ = ["fisher_less", "mcnemar_greater", "paired_difference", "share_above", "two_shares"]

_Z = 1.959963984540054  # 97.5% point of the normal distribution


def paired_difference(lost: int, won: int, n: int) -> tuple[float, float, float]:
    """Estimate ``(lost - won) / n`` of the same n examples before and after.

    Returns
    -------
    value, low, high : float
        95% interval, Wald's with half an example added to each cell.

    References
    ----------
    Agresti, Min (2005), Simple improved confidence intervals for comparing matched
    proportions, section 2.
    """
    value = (lost - won) / n
    b, c, m = lost + 0.5, won + 0.5, n + 2.0
    middle = (b - c) / m
    half = _Z * math.sqrt(max(b + c - (b - c) ** 2 / m, 0.0)) / m
    return value, max(min(middle - half, value), -1.0), min(max(middle + half, value), 1.0)


def mcnemar_greater(lost: int, won: int) -> float:
    """Exact p value that more are lost than won by chance (McNemar, one-sided)."""
    if lost + won == 0:
        return 1.0
    return float(stats.binomtest(lost, lost + won, 0.5, alternative="greater").pvalue)


def two_shares(first: Accuracy, second: Accuracy) -> tuple[float, float, float]:
    """Estimate the difference ``first - second`` of two independent shares.

    References
    ----------
    Newcombe (1998), Interval estimation for the difference between independent
    proportions, method 10 (from the two Wilson intervals).
    """
    value = first.value - second.value
    low = value - math.hypot(first.value - first.low, second.high - second.value)
    high = value + math.hypot(first.high - first.value, second.value - second.low)
    return value, low, high


def fisher_less(hits: int, n: int, other_hits: int, other_n: int) -> float:
    """Exact p value that a share of `hits` is below the other by chance (Fisher)."""
    table = [[hits, n - hits], [other_hits, other_n - other_hits]]
    return float(stats.fisher_exact(table, alternative="less").pvalue)


def share_above(hits: int, n: int, floor: float) -> float:
    """Exact p value that a share of `hits` in `n` exceeds `floor` by chance."""
    return float(stats.binomtest(hits, n, floor, alternative="greater").pvalue)
