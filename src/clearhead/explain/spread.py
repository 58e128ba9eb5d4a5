"""How do the values of each feature spread? From a uniform sample of rows of bounded size."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from clearhead._types import FloatArray, IntArray

__all__ = ["N_BARS", "Spread", "bar_edges"]

N_BARS = 24
_RANKS = 1024
_FOR_BANDS = 1024
_PER_BAND = 4


@dataclass(frozen=True, eq=False)
class Spread:
    """What is kept of a sample of s rows of p features; raw values.

    Parameters
    ----------
    ranks : (q,) int64 array
        Ranks from 0 to s − 1 whose values are kept; all of them up to 1,024.
    table : (p, q) array
        Values of these ranks, ascending.
    bars : (p, 24) int64 array
        Rows of the sample in each bar of the histogram; see :func:`bar_edges`.
    band_edges : (p, B + 1) array
        Band b holds what is above its lower edge and at most its upper edge; the first holds
        its lower edge, too.
    band_members : (p, B, 4) int64 array
        Places in the sample of a few rows of each band, highest value first; −1 where there
        are no more.
    """

    ranks: IntArray
    table: FloatArray
    bars: IntArray
    band_edges: FloatArray
    band_members: IntArray

    @classmethod
    def of(
        cls,
        sample: FloatArray,
        lowest: FloatArray,
        highest: FloatArray,
        *,
        scale: FloatArray,
        n_bands: int,
        rng: np.random.Generator,
    ) -> Spread:
        """Summarise `sample` (s, p), whose columns lie between `lowest` and `highest` (p,)."""
        s = len(sample)
        columns = _sorted_columns(sample)
        ranks = np.unique(np.linspace(0, s - 1, min(s, _RANKS)).round().astype(np.int64))
        inner = [-(-s * b // n_bands) - 1 for b in range(1, n_bands)]
        edges = np.column_stack([lowest, columns[:, inner], highest])
        # Any rows would do; in random order, the first few of a band are a fair choice.
        drawn = rng.permutation(s)[:_FOR_BANDS]
        return cls(
            ranks=ranks,
            table=columns[:, ranks],
            bars=_bars(columns, bar_edges(lowest, highest, scale)),
            band_edges=edges,
            band_members=_members(sample[drawn], drawn, edges),
        )


def bar_edges(lowest: FloatArray, highest: FloatArray, scale: FloatArray) -> FloatArray:
    """Edges of the histograms, (p, 25); half a `scale` on each side of a constant."""
    low, high = lowest.astype(np.float64), highest.astype(np.float64)
    margin = np.where(low == high, scale / 2, 0.0)
    edges: FloatArray = np.linspace(low - margin, high + margin, N_BARS + 1, axis=1)
    return edges


def _sorted_columns(sample: FloatArray) -> FloatArray:
    """Columns of `sample` as sorted rows."""
    columns = np.ascontiguousarray(sample.T)
    with ThreadPoolExecutor() as pool:
        for _ in pool.map(lambda part: part.sort(axis=1), np.array_split(columns, 8)):
            pass
    return columns


def _bars(columns: FloatArray, edges: FloatArray) -> IntArray:
    """Count the values of each row of `columns` in [edge, next edge); the last bar is closed."""
    s = columns.shape[1]
    below = np.stack(
        [
            np.searchsorted(column, inner)
            for column, inner in zip(columns, edges[:, 1:-1], strict=True)
        ]
    )
    counts: IntArray = np.diff(below, axis=1, prepend=0, append=s)
    return counts


def _members(values: FloatArray, places: IntArray, edges: FloatArray) -> IntArray:
    """Take up to four rows of each band of each column of `values`, as their `places`."""
    columns = np.ascontiguousarray(values.T)
    (p, d), n_bands = columns.shape, edges.shape[1] - 1
    band = np.zeros((p, d), np.int16)
    for b in range(1, n_bands):
        band += columns > edges[:, b, None]
    counts = np.column_stack([np.count_nonzero(band == b, axis=1) for b in range(n_bands)])
    first = np.cumsum(counts, axis=1) - counts
    nth = np.minimum(first[:, :, None] + np.arange(_PER_BAND), d - 1).reshape(p, -1)
    member = np.take_along_axis(np.argsort(band, axis=1, kind="stable"), nth, axis=1)
    value = np.take_along_axis(columns, member, axis=1).reshape(p, n_bands, _PER_BAND)
    missing = np.arange(_PER_BAND) >= counts[:, :, None]
    member = np.where(missing, -1, places[member].reshape(value.shape))
    order = np.argsort(np.where(missing, np.inf, -value), axis=2, kind="stable")
    return np.take_along_axis(member, order, axis=2)
