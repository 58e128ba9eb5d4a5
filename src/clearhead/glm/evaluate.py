"""Loss and accuracy of every point of a path on rows it was not fitted to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clearhead._types import FloatArray, IntArray
from clearhead.errors import DataError
from clearhead.glm.accuracy import Accuracy
from clearhead.glm.families import Family, Gaussian
from clearhead.glm.path import SparseCoefficients
from clearhead.glm.problem import LabelledRows
from clearhead.glm.rows import check_block
from clearhead.glm.standardize import Standardization

__all__ = ["evaluate"]

_CHUNK = 4096


def evaluate(
    split: LabelledRows,
    name: str,
    family: Family,
    how: Standardization,
    *,
    coefficients: Sequence[SparseCoefficients],
    intercepts: FloatArray,
) -> tuple[FloatArray, tuple[Accuracy, ...]]:
    """Measure all L points in one pass over the rows.

    Returns
    -------
    losses : (L,) float64
        Mean loss, without penalty; NaN for a split without rows.
    accuracies : tuple of L Accuracy
        Empty where targets are numbers.
    """
    points = len(coefficients)
    losses, right = np.zeros(points), np.zeros(points, np.int64)
    alive = np.flatnonzero(~how.dead)
    start = 0
    for block in split.rows.blocks():
        for offset in range(0, len(block), _CHUNK):
            piece = np.asarray(block[offset : offset + _CHUNK])
            check_block(piece, start, f"The {name} split", split.rows.shape)
            y = split.y[..., start : start + len(piece)]
            start += len(piece)
            features = how.apply(piece, alive)
            ones = np.ones(len(piece))
            for i, sparse in enumerate(coefficients):
                Z = _scores(sparse, alive, features, intercepts[i])
                losses[i] += family.loss(Z, y, ones)
                hits = family.hits(Z, y)
                right[i] += 0 if hits is None else int(hits.sum())
    if start != split.rows.shape[0]:
        raise DataError(
            f"The {name} split yielded {start} rows; its shape says {split.rows.shape[0]}."
        )
    losses = losses / start if start else np.full(points, np.nan)
    if isinstance(family, Gaussian):
        return losses, ()
    return losses, tuple(Accuracy.of(int(r), start) for r in right)


def _scores(
    sparse: SparseCoefficients, alive: IntArray, features: FloatArray, b: FloatArray
) -> FloatArray:
    W = sparse.dense()[:, alive]
    used = np.flatnonzero(W.any(axis=0))
    if 2 * len(used) < len(alive):
        return np.asarray(W[:, used] @ features[:, used].T + b[:, None])
    return np.asarray(W @ features.T + b[:, None])
