r"""The dual of the mean loss along ``t R``, a number of t: what bounds the optimum from below.

With hard targets ``q = target - t R`` puts t P_k on every class but the true one, so that two
numbers a row tell its entropy. With probabilities as targets, ``R = p - P`` and the loss is a
divergence: the dual is the entropy that :math:`q = (1 - t) p + t P` has more than p, a mixture
of probabilities, so that every t in [0, 1] is feasible. Derived in docs/design/solver.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Protocol

import numpy as np
from scipy.special import xlogy

from clearhead._types import FloatArray

__all__ = [
    "SHARPEST",
    "TINY",
    "DualTerms",
    "EntropyTerms",
    "MixtureTerms",
    "QuadraticTerms",
]

TINY = np.finfo(np.float64).tiny
SHARPEST = 1e-3
"""Rows that are certainly wrong bend the entropy within a width of nothing; for steps along t
the curvature is that seen at this distance."""


class DualTerms(Protocol):
    """The dual of the mean loss along ``t R``, concave in t."""

    def at(self, t: float) -> tuple[float, float, float]:
        """Value, slope and curvature at t in [0, 1]; the curvature may be approximate."""

    def joined(self, parts: Sequence[Any]) -> DualTerms:
        """Terms of all rows, from those of their parts."""


@dataclass(frozen=True)
class EntropyTerms:
    r"""Mean entropy of ``q = target - t R``, from two numbers a row.

    Every class but the true one has ``q_k = t P_k``, and the true one what is left of 1:

    .. math::

        -\sum_i v_i \Bigl[ t \log t\, o_i + t\, l_i + (1 - t o_i) \log(1 - t o_i) \Bigr],
        \quad o = \sum_{k \ne y} P_k, \quad l = \sum_{k \ne y} P_k \log P_k

    Parameters
    ----------
    own : (..., n) float64
        Probability of the true class.
    other : (..., n) float64
        That of all others, summed without cancellation.
    other_log : (..., n) float64
        ``sum_{k != y} P_k log P_k``.
    v : (n,) float64
        Weights of the rows. A leading axis of independent labels is summed over.
    """

    own: FloatArray
    other: FloatArray
    other_log: FloatArray
    v: FloatArray

    def at(self, t: float) -> tuple[float, float, float]:
        """Value, slope and curvature at `t`; it costs O(n)."""
        if t <= 0.0:
            return 0.0, np.inf, -np.inf
        v, other = self.v, self.other
        # 1 - t o, without cancellation.
        kept = (1.0 - t) * other
        kept += self.own
        log_kept = np.log(np.maximum(kept, TINY))
        fixed, mass = float((self.other_log @ v).sum()), float((other @ v).sum())
        log_t = math.log(t)
        value = t * fixed + t * log_t * mass + float(((kept * log_kept) @ v).sum())
        slope = fixed + log_t * mass - float(((other * log_kept) @ v).sum())
        bend = mass / t + float(((other * other / np.maximum(kept, SHARPEST)) @ v).sum())
        return -value, -slope, -bend

    def joined(self, parts: Sequence[EntropyTerms]) -> EntropyTerms:
        """Terms of all rows, from those of their parts."""
        if len(parts) == 1:
            return parts[0]
        own, other, logs = (
            np.concatenate([getattr(part, name) for part in parts], axis=-1)
            for name in ("own", "other", "other_log")
        )
        return EntropyTerms(own, other, logs, np.concatenate([part.v for part in parts]))


@dataclass(frozen=True)
class QuadraticTerms:
    """``t c - t^2 e / 2``, with ``c = sum_i v_i R_i . y_i`` and ``e = sum_i v_i |R_i|^2``."""

    c: float
    e: float

    def at(self, t: float) -> tuple[float, float, float]:
        """Value, slope and curvature at `t`."""
        return t * self.c - 0.5 * t * t * self.e, self.c - t * self.e, -self.e

    def joined(self, parts: Sequence[QuadraticTerms]) -> QuadraticTerms:
        """Terms of all rows, from those of their parts."""
        return QuadraticTerms(sum(part.c for part in parts), sum(part.e for part in parts))


@dataclass(frozen=True)
class MixtureTerms:
    r"""Mean of ``H(q) - H(p)``, with ``q = (1 - t) p + t P`` and H the entropy.

    Parameters
    ----------
    parts : tuple of (p, P, v)
        Probabilities (K, n) asked for and given, and the weights (n,) of rows.
    """

    parts: tuple[tuple[FloatArray, FloatArray, FloatArray], ...]

    def at(self, t: float) -> tuple[float, float, float]:
        """Value, slope and curvature at `t`; it costs O(n K)."""
        if t <= 0.0:
            return 0.0, np.inf, -np.inf
        value = slope = bend = 0.0
        for p, P, v in self.parts:
            D = P - p
            # A weighted mean keeps the digits of small probabilities; p + t D would not.
            q = (1.0 - t) * p + t * P
            log_q = np.log(np.maximum(q, TINY))
            value += float(((xlogy(p, p) - q * log_q) @ v).sum())
            slope -= float(((D * log_q) @ v).sum())
            bend -= float(((D * D / np.maximum(q, SHARPEST)) @ v).sum())
        return value, slope, bend

    def joined(self, parts: Sequence[MixtureTerms]) -> MixtureTerms:
        """Terms of all rows, from those of their parts."""
        return MixtureTerms(tuple(chain.from_iterable(part.parts for part in parts)))
