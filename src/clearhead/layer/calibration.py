"""How far probabilities can be believed."""

from __future__ import annotations

import numpy as np

from clearhead._types import FloatArray, IntArray

__all__ = ["expected_calibration_error", "log_losses"]

_BINS = 15


def expected_calibration_error(
    probabilities: FloatArray, labels: IntArray, n_bins: int = _BINS
) -> float:
    """Mean distance of confidence from accuracy, over bins of equal width.

    Parameters
    ----------
    probabilities : ndarray of shape (n, K)
    labels : ndarray of shape (n,), int

    References
    ----------
    Naeini, Cooper, Hauskrecht (2015), Obtaining well calibrated probabilities using Bayesian
    binning. AAAI. Guo et al. (2017) with 15 bins.
    """
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    off = np.bincount(bins, confidence - right, minlength=n_bins)
    return float(np.abs(off).sum() / len(labels))


def log_losses(probabilities: FloatArray, labels: IntArray) -> FloatArray:
    """Negative log probability of the label of each example, (n,), in nats."""
    own = probabilities[np.arange(len(labels)), labels]
    losses: FloatArray = -np.log(np.maximum(own, np.finfo(np.float64).tiny))
    return losses
