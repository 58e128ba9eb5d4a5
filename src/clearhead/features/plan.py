"""Which rows are computed together, in which order, and in which file they end.

The plan is fixed before the first batch and kept in the store, so that a killed
extraction goes on with the very same batches and ends with the same bytes. A
shard holds a fixed range of the dataset's rows; only within that range are rows
put in another order, so that texts of alike length share a batch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clearhead._types import IntArray

__all__ = ["Plan", "make_plan", "rows_per_shard"]

MAX_ROWS = 65_536
MAX_BYTES = 256 << 20


@dataclass(frozen=True, eq=False)
class Plan:
    """Order of the rows, batches and shards.

    Positions 0 … n − 1 count the rows in the order of computation.

    Parameters
    ----------
    n : int
        Rows of the dataset.
    batch_size, shard_rows : int
        Rows a batch and a shard; a shard holds whole batches.
    threads : int
        Threads that torch computes with: sums differ in their last digits with it.
    device : str
        Kind of device that computes: so do they with it.
    order : (n,) int64 array or None
        Row of the dataset at each position; None where they are the same.
    """

    n: int
    batch_size: int
    shard_rows: int
    threads: int
    device: str = "cpu"
    order: IntArray | None = None

    @property
    def shards(self) -> list[tuple[int, int]]:
        """First and last + 1 position of each shard: the same numbers as its rows'."""
        return [
            (start, min(start + self.shard_rows, self.n))
            for start in range(0, self.n, self.shard_rows)
        ]

    def batches(self, start: int, stop: int) -> list[tuple[int, int]]:
        """Cut a range of positions into batches."""
        return [
            (first, min(first + self.batch_size, stop))
            for first in range(start, stop, self.batch_size)
        ]

    def rows(self, start: int, stop: int) -> IntArray:
        """Rows of the dataset at the positions `start` … `stop` − 1."""
        if self.order is None:
            return np.arange(start, stop, dtype=np.int64)
        return self.order[start:stop]

    def to_json(self) -> dict[str, Any]:
        """Everything but the order, which has a file of its own."""
        return {
            "n": self.n,
            "batch_size": self.batch_size,
            "shard_rows": self.shard_rows,
            "threads": self.threads,
            "device": self.device,
        }


def rows_per_shard(p: int, batch_size: int, wanted: int | None = None) -> int:
    """At most 65,536 rows and 256 MiB of features, in whole batches, at least one."""
    most = wanted if wanted is not None else min(MAX_ROWS, MAX_BYTES // (4 * max(p, 1)))
    return max(1, most // batch_size) * batch_size


def make_plan(
    n: int,
    *,
    batch_size: int,
    shard_rows: int,
    threads: int,
    device: str = "cpu",
    lengths: IntArray | None = None,
) -> Plan:
    """Plan the extraction of `n` rows.

    Parameters
    ----------
    lengths : (n,) int array, optional
        How much work each row is; rows of alike length then share batches, and the
        batches are shuffled (seed 0), so that the time left can be told from the start.
    """
    plan = Plan(n, batch_size, shard_rows, threads, device)
    if lengths is None or n == 0 or lengths.min() == lengths.max():
        return plan
    random = np.random.default_rng(0)
    order = np.empty(n, dtype=np.int64)
    for start, stop in plan.shards:
        # the longest first: the one batch that is not full has the shortest
        ranked = start + np.argsort(-lengths[start:stop], kind="stable")
        full = len(ranked) // batch_size * batch_size
        batches = ranked[:full].reshape(-1, batch_size)
        order[start : start + full] = random.permutation(batches).reshape(-1)
        order[start + full : stop] = ranked[full:]
    return replace(plan, order=order)
