"""Where the next point of the path is likely to lie."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from clearhead._types import FloatArray

__all__ = ["Trend"]


@dataclass
class Trend:
    """Extrapolates coefficients along log(lam) from the last two points.

    Between two values of lam at which a coefficient enters or leaves, the path is smooth.
    """

    _points: list[tuple[float, FloatArray, FloatArray]] = field(default_factory=list)

    def add(self, lam: float, W: FloatArray, b: FloatArray) -> None:
        """Take in a solved point."""
        self._points = [*self._points[-1:], (lam, W, b)]

    def at(self, lam: float) -> tuple[FloatArray, FloatArray] | None:
        """Guess (W, b) at `lam`; None where nothing can be said.

        A coefficient that would change its sign becomes zero.
        """
        if len(self._points) < 2:
            return None
        (before, W0, b0), (now, W1, b1) = self._points
        if not before > now > lam:
            return None
        share = np.log(lam / now) / np.log(now / before)
        W = W1 + share * (W1 - W0)
        W[W * W1 <= 0.0] = 0.0
        return W, b1 + share * (b1 - b0)
