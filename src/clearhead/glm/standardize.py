"""Centre and scale of every feature, in one stable pass over row blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xxhash

from clearhead._types import BoolArray, FloatArray, IntArray
from clearhead.errors import DataError
from clearhead.glm.rows import Rows, check_block

__all__ = ["Standardization", "dead_features", "standardization", "standardized_columns"]

_CHUNK = 1024
_HUGE = 1e140
_NOISE = 4.0
"""A feature that varies by fewer than so many units in the last place is constant."""


@dataclass(frozen=True)
class Standardization:
    """How features are standardised: ``(x - center) / scale``.

    Parameters
    ----------
    center, scale : (p,) float64
        Weighted mean and population standard deviation; 0 and 1 without standardising.
        The scale of a dead feature is 1.
    dead : (p,) bool
        Features that are constant, up to the rounding of their own numbers.
    digest : str
        xxh3-128 of the features as read.
    """

    center: FloatArray
    scale: FloatArray
    dead: BoolArray
    digest: str

    def apply(self, block: FloatArray, columns: IntArray) -> FloatArray:
        """Standardised float64 values of some columns of a block."""
        values = block[:, columns].astype(np.float64)
        values -= self.center[columns]
        values /= self.scale[columns]
        return values


def standardization(
    rows: Rows, weights: FloatArray, *, standardize: bool = True, name: str = "X"
) -> Standardization:
    """Compute centre and scale in one streaming pass, in float64.

    Blocks are merged by their means and centred sums of squares, so that a feature
    with a large mean keeps its digits.

    Parameters
    ----------
    rows : Rows
        Features (n, p).
    weights : (n,) float64
        Rows of weight 0 are read and checked, and count for nothing.
    standardize : bool
        False leaves features as they are; dead ones are found all the same.
    name : str
        How errors call the features.

    Raises
    ------
    DataError
        At the first NaN or inf, naming row and column, and for numbers whose variance
        overflows.

    References
    ----------
    Chan, Golub, LeVeque (1983), Algorithms for computing the sample variance.
    The American Statistician 37, 242-247.
    """
    p = rows.shape[1]
    total, mean, squares = 0.0, np.zeros(p), np.zeros(p)
    low, high = np.full(p, np.inf), np.full(p, -np.inf)
    digest = xxhash.xxh3_128()
    rounding = float(np.finfo(np.float64).eps)
    for start, block in _chunks(rows, name):
        digest.update(str(block.dtype).encode() if start == 0 else b"")
        digest.update(np.ascontiguousarray(block).data)
        if block.dtype.itemsize <= 4:
            rounding = float(np.finfo(np.float32).eps)
        w = weights[start : start + len(block)]
        used = w > 0
        if not used.any():
            continue
        values, w = block[used].astype(np.float64), w[used]
        low = np.minimum(low, values.min(axis=0))
        high = np.maximum(high, values.max(axis=0))
        _refuse_huge(np.maximum(high, -low), name)
        # Sums around the block's first row: exact for constants, stable for offsets.
        pivot = values[0].copy()
        values -= pivot
        block_total = float(w.sum())
        shift = (w @ values) / block_total
        values -= shift
        block_squares = w @ (values * values)
        delta = pivot + shift - mean
        total += block_total
        mean += delta * (block_total / total)
        squares += block_squares + delta * delta * (total - block_total) * block_total / total
    scale = np.sqrt(squares / total)
    dead = dead_features(high == low, mean, scale, rounding)
    if not standardize:
        mean, scale = np.zeros(p), np.ones(p)
    return Standardization(mean, np.where(dead, 1.0, scale), dead, digest.hexdigest())


def dead_features(
    constant: BoolArray, mean: FloatArray, scale: FloatArray, rounding: float
) -> BoolArray:
    """Features (p,) that do not vary, or by no more than numbers of such `rounding` tell."""
    small = scale <= _NOISE * rounding * np.abs(mean)
    return np.asarray(constant | small | (scale == 0.0))


def _refuse_huge(size: FloatArray, name: str) -> None:
    if size.max() > _HUGE:
        column = int(size.argmax())
        raise DataError(
            f"Column {column} of {name} holds numbers up to {size[column]:.3g}, too large for a "
            "variance in float64. Rescale the feature."
        )


def standardized_columns(
    rows: Rows, how: Standardization, columns: IntArray, keep: IntArray, out: FloatArray
) -> None:
    """Fill `out` (p', n') with standardised features, one row a feature.

    Parameters
    ----------
    rows : Rows
    how : Standardization
    columns : (p',) int
        Features to take.
    keep : (n',) int
        Rows to take, ascending.
    out : (p', n') float32 or float64
    """
    done = 0
    for start, block in _chunks(rows, ""):
        end = int(np.searchsorted(keep, start + len(block)))
        local = keep[done:end] - start
        out[:, done:end] = how.apply(block[local], columns).T
        done = end


def _chunks(rows: Rows, name: str) -> Iterator[tuple[int, FloatArray]]:
    """Small pieces of the blocks with the row each begins at; checked if named."""
    start, (n, p) = 0, rows.shape
    for block in rows.blocks():
        for offset in range(0, len(block), _CHUNK):
            piece = np.asarray(block[offset : offset + _CHUNK])
            if name:
                check_block(piece, start, name, (n, p))
            yield start, piece
            start += len(piece)
    if name and start != n:
        raise DataError(f"{name} yielded {start} rows; its shape says {n}.")
