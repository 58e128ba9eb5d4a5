"""How far the probabilities of a layer are from others."""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax, xlogy

from clearhead._types import FloatArray

__all__ = ["divergence"]


def divergence(probabilities: FloatArray, logits: FloatArray) -> FloatArray:
    r"""Kullback-Leibler divergence of the softmax of `logits` from `probabilities`, in nats.

    .. math:: \sum_k p_k \log \frac{p_k}{\mathrm{softmax}(z)_k}

    Parameters
    ----------
    probabilities, logits : (n, K)
        Rows of the first sum to 1.

    Returns
    -------
    (n,) float64
        0 where they are the same.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    return np.asarray((xlogy(p, p) - p * log_softmax(logits, axis=1)).sum(axis=1))
