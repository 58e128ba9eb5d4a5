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
    """What is kept of a sample of s values of p features.

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
    band_values : (p, B, 4) array
        A few values of each band, highest first.
    band_members : (p, B, 4) int64 array
        Their places in the sample; −1 where there are no more.
    """

    ranks: IntArray
    table: FloatArray
    bars: IntArray
    band_edges: FloatArray
    band_values: FloatArray
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
        """Summarise `sample` (p, s), which is sorted in place.

        Its values lie between `lowest` and `highest` (p,) of all.
        """
        s = sample.shape[1]
        # Any would do; in random order, the first few of a band are a fair choice.
        drawn = rng.permutation(s)[:_FOR_BANDS]
        values = sample[:, drawn]
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda part: part.sort(axis=1), np.array_split(sample, 8)))
        ranks = np.unique(np.linspace(0, s - 1, min(s, _RANKS)).round().astype(np.int64))
        inner = [-(-s * b // n_bands) - 1 for b in range(1, n_bands)]
        edges = np.column_stack([lowest, sample[:, inner], highest])
        band_values, band_members = _members(values, drawn, edges)
        return cls(
            ranks=ranks,
            table=sample[:, ranks],
            bars=_bars(sample, bar_edges(lowest, highest, scale)),
            band_edges=edges,
            band_values=band_values,
            band_members=band_members,
        )


def bar_edges(lowest: FloatArray, highest: FloatArray, scale: FloatArray) -> FloatArray:
    """Edges of the histograms, (p, 25); half a `scale` on each side of a constant."""
    low, high = lowest.astype(np.float64), highest.astype(np.float64)
    margin = np.where(low == high, scale / 2, 0.0)
    edges: FloatArray = np.linspace(low - margin, high + margin, N_BARS + 1, axis=1)
    return edges


def _bars(values: FloatArray, edges: FloatArray) -> IntArray:
    """Count the sorted values of each feature in [edge, next edge); the last bar is closed."""
    below = np.stack(
        [np.searchsorted(one, inner) for one, inner in zip(values, edges[:, 1:-1], strict=True)]
    )
    counts: IntArray = np.diff(below, axis=1, prepend=0, append=values.shape[1])
    return counts


def _members(
    values: FloatArray, places: IntArray, edges: FloatArray
) -> tuple[FloatArray, IntArray]:
    """Take up to four of the (p, d) `values` of each band of each feature; their `places`, too."""
    (p, d), n_bands = values.shape, edges.shape[1] - 1
    shape = (p, n_bands, _PER_BAND)
    band = np.zeros((p, d), np.int16)
    for b in range(1, n_bands):
        band += values > edges[:, b, None]
    counts = np.column_stack([np.count_nonzero(band == b, axis=1) for b in range(n_bands)])
    first = np.cumsum(counts, axis=1) - counts
    nth = np.minimum(first[:, :, None] + np.arange(_PER_BAND), d - 1).reshape(p, -1)
    member = np.take_along_axis(np.argsort(band, axis=1, kind="stable"), nth, axis=1)
    value = np.take_along_axis(values, member, axis=1).reshape(shape)
    missing = np.arange(_PER_BAND) >= counts[:, :, None]
    place = np.where(missing, -1, places[member].reshape(shape))
    order = np.argsort(np.where(missing, np.inf, -value), axis=2, kind="stable")
    return np.take_along_axis(value, order, axis=2), np.take_along_axis(place, order, axis=2)
