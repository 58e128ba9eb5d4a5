r"""Confusion fades with depth, label noise does not.

Of the examples labelled A or B, let d be how much more they look like A than B, the difference of
two scores. Where labels are right, B becomes exponentially rare as d grows: that is what a
logistic model says, and what its scores were fitted to. Where a share of A's examples carry the
label B by mistake, B's share stays at that floor however large d is:

.. math:: P(B \mid d) = \rho_A + (1 - \rho_A - \rho_B)\, \sigma(-(a + b d))

It is the psychometric function with lapses at both ends. The floors are the rates of label noise
beyond what confusion explains, and a likelihood ratio tells whether one is needed.

References
----------
Wichmann, Hill (2001), The psychometric function: I. Fitting, sampling, and goodness of fit.
Liu, Tao (2016), Classification with noisy labels by importance reweighting: the rate of noise is
the least probability of the wrong label anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, xlogy
from scipy.stats import chi2

from clearhead._types import BoolArray, FloatArray

__all__ = ["Lapses", "fit_lapses"]

_STARTS = (0.02, 0.3)
_MOST = 0.49
"""A floor of one half or more would make the wrong label the usual one, which nobody can tell."""


@dataclass(frozen=True)
class Lapses:
    """The fitted curve.

    Parameters
    ----------
    a, b : float
        Of the confusion, ``sigma(-(a + b d))``.
    floor, ceiling : float
        Share of B that stays at large d, and of A that stays at small d.
    p_value : float
        That the floor is needed: likelihood ratio against a floor of 0.
    """

    a: float
    b: float
    floor: float
    ceiling: float
    p_value: float

    def confused(self, d: FloatArray) -> FloatArray:
        """Share of B at `d` that confusion alone explains."""
        share: FloatArray = (1.0 - self.floor - self.ceiling) * expit(-(self.a + self.b * d))
        return share

    def wrong(self, d: FloatArray) -> FloatArray:
        """Probability that an example labelled B at `d` has that label by mistake.

        Those of the floor, but not those that would look like B anyway.
        """
        by_mistake = self.floor * expit(self.a + self.b * d)
        right = (1.0 - self.ceiling) * expit(-(self.a + self.b * d))
        total = by_mistake + right
        share: FloatArray = np.divide(by_mistake, total, out=np.zeros_like(d), where=total > 0)
        return share


def fit_lapses(d: FloatArray, is_b: BoolArray) -> Lapses:
    """Fit the curve by maximum likelihood.

    Parameters
    ----------
    d : ndarray of shape (m,)
        How much more an example looks like A than like B.
    is_b : ndarray of shape (m,), bool
        Where the label is B.
    """
    scale = float(np.std(d)) or 1.0
    z = d / scale

    def solve(floor: bool) -> tuple[FloatArray, float]:
        best: tuple[FloatArray, float] | None = None
        for start in _STARTS:
            bounds = [(None, None), (1e-3, 50.0), (0.0, _MOST if floor else 0.0), (0.0, _MOST)]
            x0 = np.array([0.0, 1.0, start if floor else 0.0, 0.02])
            found = minimize(_loss, x0, args=(z, is_b), jac=True, bounds=bounds, method="L-BFGS-B")
            if best is None or found.fun < best[1]:
                best = found.x, float(found.fun)
        assert best is not None
        return best

    x, loss = solve(True)
    without = solve(False)[1]
    # On the edge of what is allowed, half of the time the ratio is exactly 0.
    p = 0.5 * float(chi2.sf(2.0 * max(without - loss, 0.0), 1))
    return Lapses(float(x[0]), float(x[1]) / scale, float(x[2]), float(x[3]), p)


def _loss(x: FloatArray, z: FloatArray, is_b: BoolArray) -> tuple[float, FloatArray]:
    """Negative log-likelihood and its gradient."""
    a, b, floor, ceiling = x
    s = expit(-(a + b * z))
    p = np.clip(floor + (1.0 - floor - ceiling) * s, 1e-12, 1.0 - 1e-12)
    loss = -float((xlogy(is_b, p) + xlogy(~is_b, 1.0 - p)).sum())
    by_p = (p - is_b) / (p * (1.0 - p))
    slope = -(1.0 - floor - ceiling) * s * (1.0 - s)
    gradient = [by_p * slope, by_p * slope * z, by_p * (1.0 - s), -by_p * s]
    return loss, np.array([part.sum() for part in gradient])
