"""The nearest rows of one set of features for each row of another, block by block."""

from __future__ import annotations

import numpy as np

from clearhead._types import FloatArray, IntArray
from clearhead.layer import DecisionLayer

__all__ = ["directions", "nearest"]

_BLOCK = 1024
_CHUNK = 16384


def directions(layer: DecisionLayer, features: FloatArray) -> FloatArray:
    """Standardise all deep features (n, p) and scale each row to length 1, as float32.

    All of them, not those in use: a sparse layer leaves out most of what makes two examples
    alike.
    """
    found = np.empty(features.shape, dtype=np.float32)
    for start in range(0, len(features), _BLOCK):
        z = layer.standardize(features[start : start + _BLOCK])
        length = np.linalg.norm(z, axis=1, keepdims=True)
        found[start : start + _BLOCK] = z / np.where(length > 0, length, 1.0)
    return found


def nearest(
    queries: FloatArray, bank: FloatArray, k: int, *, own: IntArray | None = None
) -> tuple[IntArray, FloatArray]:
    """Find the k rows of `bank` with the largest cosine to each query, exactly.

    Never more than 1,024 x 16,384 cosines are held.

    Parameters
    ----------
    queries : ndarray of shape (m, p), rows of length 1
    bank : ndarray of shape (n, p), rows of length 1
    k : int
        At most n.
    own : ndarray of shape (m,), optional
        Row of the bank that is the query itself, which is left out.

    Returns
    -------
    rows : ndarray of shape (m, k)
    cosines : ndarray of shape (m, k)
        Largest first; -inf where fewer than k rows are left.
    """
    k = min(k, len(bank))
    rows = np.zeros((len(queries), k), dtype=np.int64)
    cosines = np.full((len(queries), k), -np.inf, dtype=np.float32)
    for start in range(0, len(queries), _BLOCK):
        here = slice(start, min(start + _BLOCK, len(queries)))
        best_rows, best = rows[here], cosines[here]
        for first in range(0, len(bank), _CHUNK):
            found = queries[here] @ bank[first : first + _CHUNK].T
            if own is not None:
                at = own[here] - first
                inside = np.flatnonzero((at >= 0) & (at < found.shape[1]))
                found[inside, at[inside]] = -np.inf
            both = np.concatenate([best, found], axis=1)
            names = np.concatenate(
                [best_rows, np.broadcast_to(np.arange(found.shape[1]) + first, found.shape)], axis=1
            )
            part = np.argpartition(-both, k - 1, axis=1)[:, :k] if k < both.shape[1] else None
            if part is not None:
                both = np.take_along_axis(both, part, axis=1)
                names = np.take_along_axis(names, part, axis=1)
            order = np.argsort(-both, axis=1, kind="stable")
            best = np.take_along_axis(both, order, axis=1)[:, :k]
            best_rows = np.take_along_axis(names, order, axis=1)[:, :k]
        rows[here], cosines[here] = best_rows, best
    return rows, cosines
