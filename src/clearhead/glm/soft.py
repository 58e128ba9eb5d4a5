r"""Targets that are probabilities: what a row should be, class by class, and not only which.

The loss of a row is the Kullback-Leibler divergence of the layer's probabilities P from the
target's p, :math:`\sum_k p_k \log (p_k / P_k)`. It is the cross-entropy less the target's own
entropy, which no layer can take away: it has the same minimisers, is 0 where the target is met,
and is the log loss where one class has all. A row is as good as K rows of hard labels with the
weights p, but for that constant.

Its dual at ``-t R``, with ``R = p - P``, is the entropy that :math:`q = (1 - t) p + t P` has more
than p. q is a mixture of probabilities, so that every t in [0, 1] is feasible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import xlogy

from clearhead._types import FloatArray

__all__ = ["MixtureTerms", "is_soft", "negative_entropy"]

_TINY = np.finfo(np.float64).tiny
_SHARPEST = 1e-3
"""As for hard targets: where q is next to nothing, curvature along t is that seen here."""


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
            log_q = np.log(np.maximum(q, _TINY))
            value += float(((xlogy(p, p) - q * log_q) @ v).sum())
            slope -= float(((D * log_q) @ v).sum())
            bend -= float(((D * D / np.maximum(q, _SHARPEST)) @ v).sum())
        return value, slope, bend

    def joined(self, parts: Sequence[MixtureTerms]) -> MixtureTerms:
        """Terms of all rows, from those of their parts."""
        return MixtureTerms(tuple(chain.from_iterable(part.parts for part in parts)))


def is_soft(target: npt.NDArray[Any], *, classes: bool) -> bool:
    """Whether a target is of probabilities.

    Parameters
    ----------
    target : (n,) or (K, n)
    classes : bool
        Of classes, where a hard target has one number a row; of independent labels both have
        (K, n), and the hard one integers.
    """
    return target.ndim == 2 if classes else target.dtype.kind == "f"


def negative_entropy(p: FloatArray) -> FloatArray:
    """``sum_k p_k log p_k`` (n,), over the first axis."""
    return np.asarray(xlogy(p, p).sum(axis=0))
