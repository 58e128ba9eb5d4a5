"""Which feature of one network is which of another? Matched by how they vary together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from clearhead._types import FloatArray, IntArray
from clearhead.errors import InputError

__all__ = ["Matching", "correlate", "match"]

BLOCK_ROWS = 4096
"""Rows whose products are added up at once: what bounds the memory beside the result."""


@dataclass(frozen=True, eq=False)
class Matching:
    """Which columns belong together, and how far every column has a counterpart.

    Parameters
    ----------
    rows, columns : ndarray of shape (m,), int
        The pairs: column ``rows[i]`` of X with column ``columns[i]`` of Y.
    correlation : ndarray of shape (u, v)
        Pearson's correlation of every column of X with every column of Y.
    """

    rows: IntArray
    columns: IntArray
    correlation: FloatArray


def correlate(X: FloatArray, Y: FloatArray, *, block_rows: int = BLOCK_ROWS) -> FloatArray:
    """Correlate every column of `X` (n, u) with every column of `Y` (n, v); returns (u, v).

    Rows are the same examples. Products are added up in float64 over blocks of rows, so that
    2,048 × 2,048 columns take no more memory than the result and one block. A constant column
    correlates with nothing: 0.

    Raises
    ------
    InputError
        The rows are not as many, or fewer than three.
    """
    if X.ndim != 2 or Y.ndim != 2 or len(X) != len(Y):
        raise InputError(
            f"X and Y: expected the same examples as rows, got shapes {X.shape} and {Y.shape}."
        )
    if len(X) < 3:
        raise InputError(f"A correlation needs at least 3 examples, got {len(X)}.")
    centers = [A.mean(axis=0, dtype=np.float64) for A in (X, Y)]
    products = np.zeros((X.shape[1], Y.shape[1]))
    squares = [np.zeros(A.shape[1]) for A in (X, Y)]
    for first in range(0, len(X), block_rows):
        blocks = [
            A[first : first + block_rows].astype(np.float64) - center
            for A, center in zip((X, Y), centers, strict=True)
        ]
        products += blocks[0].T @ blocks[1]
        for i, block in enumerate(blocks):
            squares[i] += np.einsum("ij,ij->j", block, block)
    spreads = [
        # What rounding leaves of a constant column is no variation.
        np.where(square > len(X) * (1e-12 * np.abs(center)) ** 2, np.sqrt(square), np.inf)
        for square, center in zip(squares, centers, strict=True)
    ]
    correlation: FloatArray = np.clip(products / np.outer(*spreads), -1.0, 1.0)
    return correlation


def match(
    correlation: FloatArray, *, signed: bool = False, known: IntArray | None = None
) -> Matching:
    """Pair rows with columns so that the sum of their correlations is largest.

    Parameters
    ----------
    correlation : ndarray of shape (u, v)
    signed : bool
        Whether a feature that goes down where another goes up is a poor match; else it is as
        good as one that goes up with it.
    known : ndarray of shape (m, 2), int, optional
        Pairs that are one and the same feature: kept whatever else would correlate.

    Returns
    -------
    Matching
        min(u, v) pairs, by row. A pair may correlate as little as it likes: the caller says
        what counts.

    References
    ----------
    Li, Yosinski, Clune, Lipson, Hopcroft (2016), Convergent learning: do different neural
    networks learn the same representations?, section 3 (bipartite matching).
    """
    known = np.zeros((0, 2), dtype=np.int64) if known is None else known
    left = np.setdiff1d(np.arange(correlation.shape[0]), known[:, 0])
    right = np.setdiff1d(np.arange(correlation.shape[1]), known[:, 1])
    score = correlation if signed else np.abs(correlation)
    at, to = linear_sum_assignment(score[np.ix_(left, right)], maximize=True)
    rows = np.concatenate([known[:, 0], left[at]])
    columns = np.concatenate([known[:, 1], right[to]])
    order = np.argsort(rows, kind="stable")
    return Matching(rows[order], columns[order], correlation)
