"""Standardised features as the reductions read them: in pieces of rows, one row a feature.

They are held in memory, or read and standardised anew in every pass, the next block
while the one at hand is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from clearhead._prefetch import prefetched
from clearhead._types import FloatArray, IntArray
from clearhead.glm.rows import Rows
from clearhead.glm.standardize import Standardization

__all__ = ["FeatureRows", "ResidentRows", "StreamedRows"]

_READ_ROWS = 1024
_CACHED_ROWS = 64
_AHEAD = 1


class FeatureRows(Protocol):
    """Standardised features of n rows."""

    @property
    def n_rows(self) -> int:
        """Rows n."""

    @property
    def n_features(self) -> int:
        """Features p."""

    @property
    def resident(self) -> bool:
        """Whether a pass reads memory only."""

    def pieces(
        self, most: int, features: IntArray | None = None
    ) -> Iterator[tuple[slice, FloatArray]]:
        """Yield (rows, A): A (p, m) float64, or of the given features; m is at most `most`.

        A may be overwritten once the next piece is asked for.
        """


@dataclass(frozen=True)
class ResidentRows:
    """Features in one array.

    Parameters
    ----------
    A : (p, n) float64 or float32
        Standardised. In float32 twice as many fit; sums are still taken in float64.
    """

    A: FloatArray

    @property
    def n_rows(self) -> int:
        """Rows n."""
        return int(self.A.shape[1])

    @property
    def n_features(self) -> int:
        """Features p."""
        return int(self.A.shape[0])

    @property
    def resident(self) -> bool:
        """True."""
        return True

    def pieces(
        self, most: int, features: IntArray | None = None
    ) -> Iterator[tuple[slice, FloatArray]]:
        """Yield (rows, A), views where the array is float64."""
        A = self.A if features is None else self.A[features]
        for start in range(0, self.n_rows, most):
            rows = slice(start, min(start + most, self.n_rows))
            yield rows, A[:, rows].astype(np.float64, copy=False)


@dataclass(frozen=True)
class StreamedRows:
    """Features that stay where they are: on disk, or in a large array of somebody else.

    Parameters
    ----------
    rows : Rows
    how : Standardization
    columns : (p,) int
        Features that take part.
    keep : (n,) int
        Rows that take part, ascending.
    """

    rows: Rows
    how: Standardization
    columns: IntArray
    keep: IntArray

    @property
    def n_rows(self) -> int:
        """Rows n."""
        return len(self.keep)

    @property
    def n_features(self) -> int:
        """Features p."""
        return len(self.columns)

    @property
    def resident(self) -> bool:
        """False."""
        return False

    def pieces(
        self, most: int, features: IntArray | None = None
    ) -> Iterator[tuple[slice, FloatArray]]:
        """Yield (rows, A); the next piece is read and standardised in a thread."""
        columns = self.columns if features is None else self.columns[features]
        every = len(columns) == self.rows.shape[1]
        center, inverse = self.how.center[columns], 1.0 / self.how.scale[columns]
        height = min(most, _READ_ROWS)
        # One is in use, one is being filled, and two wait; new ones would cost page faults.
        ring = [np.empty((height, len(columns))) for _ in range(_AHEAD + 3)]
        places = iter(range(self.rows.shape[0] + 1))

        def standardised(job: tuple[slice, FloatArray]) -> tuple[slice, FloatArray]:
            rows, block = job
            values = ring[next(places) % len(ring)][: len(block)]
            for start in range(0, len(block), _CACHED_ROWS):
                part = values[start : start + _CACHED_ROWS]
                raw = block[start : start + _CACHED_ROWS]
                np.subtract(raw if every else raw[:, columns], center, out=part)
                part *= inverse
            return rows, values.T

        yield from prefetched(standardised, self._raw(height), ahead=_AHEAD)

    def _raw(self, most: int) -> Iterator[tuple[slice, FloatArray]]:
        start = done = 0
        for block in self.rows.blocks():
            for offset in range(0, len(block), most):
                piece = block[offset : offset + most]
                end = int(np.searchsorted(self.keep, start + len(piece)))
                if end > done:
                    whole = end - done == len(piece)
                    kept = piece if whole else piece[self.keep[done:end] - start]
                    yield slice(done, end), kept
                done, start = end, start + len(piece)
