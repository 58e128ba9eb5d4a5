"""Which rows hold the k largest and the k smallest values of each column?

One pass over row blocks. A chunk of rows is first reduced to the largest (smallest) value of
each column in each group of 64 rows, which costs about as much as reading it; only groups that
go beyond the k-th value known so far are looked into. What is found waits in a list of bounded
length and is merged by sorting. Threads may look with a threshold that is out of date: they find
too much, never too little, so the result depends neither on them nor on the size of blocks.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from clearhead._prefetch import prefetched
from clearhead._types import BoolArray, FloatArray, IntArray
from clearhead.errors import InputError
from clearhead.glm.rows import Rows

__all__ = ["Extremes", "find_extremes"]

_GROUP = 64
_CHUNK_BYTES = 1 << 23
_FIRST = 64
_MAX_WORKERS = 4


@dataclass(frozen=True, eq=False)
class _Chunk:
    """Some rows, which of them count, and how far values must go to be of interest."""

    first: int
    values: FloatArray
    keep: BoolArray | None
    above: FloatArray
    below: FloatArray


@dataclass(frozen=True, eq=False)
class _Found:
    """Values beyond the threshold, in the order of their rows."""

    rows: IntArray
    columns: IntArray
    values: FloatArray


class Extremes:
    """The k rows with the largest (or smallest) values of each column, so far.

    Parameters
    ----------
    k, p : int
    largest : bool
    dtype : numpy dtype
        Of the values.

    Attributes
    ----------
    values : (p, k) array
        Most extreme first; equal values in the order of their rows.
    rows : (p, k) int64 array
        −1 as long as there are fewer than k rows.
    """

    def __init__(self, k: int, p: int, dtype: np.dtype[Any], *, largest: bool) -> None:
        self._largest = largest
        self.values: FloatArray = np.full((p, k), -np.inf if largest else np.inf, dtype)
        self.rows: IntArray = np.full((p, k), -1, np.int64)
        self._waiting: list[_Found] = []
        self._n_waiting = 0

    @property
    def threshold(self) -> FloatArray:
        """What a value must go beyond, (p,); an equal value of a later row does not."""
        return self.values[:, -1].copy()

    def add(self, found: _Found) -> None:
        """Take in what a later chunk holds."""
        self._waiting.append(found)
        self._n_waiting += len(found.rows)
        # Merging costs about as much as sorting what is kept already: not for a few.
        if self._n_waiting > 2 * self.rows.size:
            self.merge()

    def merge(self) -> None:
        """Keep the k most extreme of what is known."""
        p, k = self.rows.shape
        rows = np.concatenate([self.rows.ravel(), *(f.rows for f in self._waiting)])
        values = np.concatenate([self.values.ravel(), *(f.values for f in self._waiting)])
        columns = np.concatenate(
            [np.repeat(np.arange(p), k), *(f.columns for f in self._waiting)]
        ).astype(np.min_scalar_type(p))  # small integers are sorted by counting
        # Stable, and earlier rows come first: so they do among equal values.
        order = np.lexsort((-values if self._largest else values, columns))
        counts = np.bincount(columns, minlength=p)
        best = order[(np.cumsum(counts) - counts)[:, None] + np.arange(k)]
        self.rows, self.values = rows[best], values[best]
        self._waiting, self._n_waiting = [], 0


def find_extremes(
    rows: Rows,
    k: int,
    *,
    keep: BoolArray | None = None,
    sample: IntArray,
    progress: Callable[[int], None] = lambda done: None,
) -> tuple[Extremes, Extremes, FloatArray]:
    """Find the k largest and k smallest values of each column in one pass over `rows`.

    Parameters
    ----------
    rows : Rows
        Finite; each block is a whole array, or a view of a mapped file.
    k : int
        At most the number of rows that count.
    keep : (n,) bool array, optional
        Rows that count.
    sample : (s,) int array
        Ascending numbers of rows to copy on the way.
    progress : callable
        Told how many rows have been seen.

    Returns
    -------
    largest, smallest : Extremes
    sampled : (p, s) array

    Raises
    ------
    InputError
        A value is NaN or infinite.
    """
    blocks = rows.blocks()
    start = next(blocks)
    p, dtype = rows.shape[1], start.dtype
    largest, smallest = (Extremes(k, p, dtype, largest=one) for one in (True, False))
    sampled = np.empty((p, len(sample)), dtype)

    def chunks() -> Iterator[_Chunk]:
        most = max(_CHUNK_BYTES // (dtype.itemsize * p) // _GROUP * _GROUP, _GROUP)
        for first, values in _cut(itertools.chain([start], blocks), most):
            kept = None if keep is None else keep[first : first + len(values)]
            yield _Chunk(first, values, kept, largest.threshold, smallest.threshold)

    def take(found: tuple[_Found, _Found], chunk_stop: int) -> None:
        largest.add(found[0])
        smallest.add(found[1])
        progress(chunk_stop)

    def work(chunk: _Chunk) -> tuple[tuple[_Found, _Found], int]:
        stop = chunk.first + len(chunk.values)
        wanted = slice(*np.searchsorted(sample, [chunk.first, stop]))
        sampled[:, wanted] = chunk.values[sample[wanted] - chunk.first].T
        return _look(chunk), stop

    todo = chunks()
    workers = min(os.cpu_count() or 1, _MAX_WORKERS)
    # One by one, until thresholds change little from chunk to chunk.
    for chunk in todo:
        take(*work(chunk))
        largest.merge()
        smallest.merge()
        if chunk.first + len(chunk.values) >= workers * _CHUNK_BYTES // (dtype.itemsize * p):
            break
    with contextlib.closing(prefetched(work, todo, ahead=workers, workers=workers)) as done:
        for found in done:
            take(*found)
    largest.merge()
    smallest.merge()
    return largest, smallest, sampled


def _cut(blocks: Iterable[FloatArray], most: int) -> Iterator[tuple[int, FloatArray]]:
    """Cut blocks into chunks: small at first, while nearly everything is a new extreme."""
    seen = 0
    for block in blocks:
        at = 0
        while at < len(block):
            values = block[at : at + min(max(seen, _FIRST), most)]
            yield seen, values
            at += len(values)
            seen += len(values)


def _look(chunk: _Chunk) -> tuple[_Found, _Found]:
    return (
        _beyond(chunk, np.maximum, np.greater, chunk.above),
        _beyond(chunk, np.minimum, np.less, chunk.below),
    )


def _beyond(chunk: _Chunk, extreme: np.ufunc, beyond: np.ufunc, threshold: FloatArray) -> _Found:
    values = chunk.values
    m, p = values.shape
    whole = m // _GROUP * _GROUP
    parts = [
        _in_groups(values[:whole].reshape(-1, _GROUP, p), extreme, beyond, threshold),
        _in_groups(values[None, whole:], extreme, beyond, threshold),
    ]
    rows = np.concatenate([parts[0][0], parts[1][0] + whole])
    columns = np.concatenate([part[1] for part in parts])
    if chunk.keep is not None:
        kept = chunk.keep[rows]
        rows, columns = rows[kept], columns[kept]
    order = np.argsort(rows, kind="stable")
    rows, columns = rows[order], columns[order]
    return _Found(rows + chunk.first, columns, values[rows, columns])


def _in_groups(
    groups: FloatArray, extreme: np.ufunc, beyond: np.ufunc, threshold: FloatArray
) -> tuple[IntArray, IntArray]:
    """Row and column of each value of (g, m, p) `groups` that goes beyond its threshold."""
    if groups.size == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    furthest = extreme.reduce(groups, axis=1)
    if not np.isfinite(furthest).all():  # NaN goes through every maximum
        wrong = np.flatnonzero(~np.isfinite(furthest).all(axis=0))[0]
        raise InputError(
            f"features: feature {wrong} holds NaN or infinite values, and examples cannot be "
            "put in their order. Extract the features again, or leave out these examples."
        )
    group, column = np.nonzero(beyond(furthest, threshold))
    pair, row = np.nonzero(beyond(groups[group, :, column], threshold[column, None]))
    return group[pair] * groups.shape[1] + row, column[pair]
