"""A share of right answers, with how sure it is."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Accuracy", "wilson_interval"]

_Z95 = 1.959963984540054


@dataclass(frozen=True)
class Accuracy:
    """Share of right answers with its 95% Wilson interval.

    Parameters
    ----------
    value, low, high : float
        The share and the ends of its interval, in [0, 1].
    n : int
        Answers counted.
    """

    value: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, right: int, n: int) -> Accuracy:
        """Accuracy of `right` right answers among `n`; without answers it is NaN in [0, 1]."""
        low, high = wilson_interval(right, n)
        return cls(right / n if n else math.nan, low, high, n)

    def __str__(self) -> str:
        return f"{self.value:.1%} ({self.low:.1%} to {self.high:.1%}, n = {self.n})"


def wilson_interval(right: int, n: int, z: float = _Z95) -> tuple[float, float]:
    """Give the Wilson score interval of a share of `right` among `n`.

    Parameters
    ----------
    right, n : int
        Right answers and answers.
    z : float
        Normal quantile; the default gives 95%.

    Returns
    -------
    low, high : float
        (0, 1) when `n` is 0.

    Examples
    --------
    >>> low, high = wilson_interval(9, 10)
    >>> round(low, 3), round(high, 3)
    (0.596, 0.982)

    References
    ----------
    E. B. Wilson (1927), Probable inference, the law of succession, and statistical
    inference. JASA 22, 209-212.
    """
    if n == 0:
        return 0.0, 1.0
    share = right / n
    spread = z * z / n
    centre = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    low = 0.0 if right == 0 else max(0.0, centre - half)
    high = 1.0 if right == n else min(1.0, centre + half)
    return low, high
