r"""Targets that are probabilities: what a row should be, class by class, and not only which.

The loss of a row is the Kullback-Leibler divergence of the layer's probabilities P from the
target's p, :math:`\sum_k p_k \log (p_k / P_k)`. It is the cross-entropy less the target's own
entropy, which no layer can take away: it has the same minimisers, is 0 where the target is met,
and is the log loss where one class has all. A row is as good as K rows of hard labels with the
weights p, but for that constant.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import xlogy

from clearhead._types import FloatArray

__all__ = ["is_soft", "negative_entropy"]


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
