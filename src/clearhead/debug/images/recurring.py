"""Small things that recur in many pictures of a group and in few others, wherever they are.

Squares are cut from some pictures of the group at several sizes and described by their colour,
contrast and edges. One is a candidate where many other pictures of the group, and few of the
others, hold a square that looks alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clearhead._types import FloatArray
from clearhead.debug.images.cutting import Patch

__all__ = ["recurring_patch"]

SIDES: Sequence[int] = (8, 14, 22)
"""Of squares, in pixels of canonical pictures (96 × 96)."""
QUERIES = 12
NEAREST = 0.05
"""Share of the others' pictures that may hold a square as much alike."""
LEAST = 0.3
"""Share of the group's pictures, beyond that of the others, that must hold one."""
KEPT = 6


def recurring_patch(group: FloatArray, others: FloatArray) -> tuple[Patch, float] | None:
    """Find what recurs in canonical pictures (n, S, S, 3) of a group and not in others.

    Returns
    -------
    patch : Patch
    lead : float
        Share of the group's pictures that hold it, less that of the others.
    None where nothing recurs.
    """
    found = [_best(group, others, side) for side in SIDES]
    lead, patches, side = max(found, key=lambda one: one[0])
    if lead < LEAST:
        return None
    masks = np.ones(patches.shape[:3], dtype=np.float32)
    return Patch(patches, masks, side / group.shape[1]), lead


def _best(group: FloatArray, others: FloatArray, side: int) -> tuple[float, FloatArray, int]:
    """Squares of one size that recur most, and the lead of the best."""
    n = min(QUERIES, len(group) // 2)
    if n == 0:
        return 0.0, group[:0], side
    queries, squares = _squares(group[:n], side)
    queries = queries.reshape(-1, queries.shape[-1])
    squares = squares.reshape(-1, side, side, 3)
    own = _nearest(queries, _squares(group[n:], side)[0])
    rest = _nearest(queries, _squares(others, side)[0])
    radius = np.quantile(rest, NEAREST, axis=1)  # alike: closer than nearly all of the others
    lead = (own < radius[:, None]).mean(axis=1) - NEAREST
    # Flat squares are everywhere the same: those of a colour of its own are kept by the lead.
    order = np.argsort(-lead)[:KEPT]
    return float(lead[order[0]]), squares[order].astype(np.float32), side


def _squares(pictures: FloatArray, side: int) -> tuple[FloatArray, FloatArray]:
    """Looks (n, m, d) and pixels (n, m, side, side, 3) of squares half a side apart."""
    windows = np.lib.stride_tricks.sliding_window_view(pictures, (side, side), axis=(1, 2))
    windows = windows[:, :: side // 2, :: side // 2].transpose(0, 1, 2, 4, 5, 3)
    squares = windows.reshape(len(pictures), -1, side, side, 3)
    light = squares.mean(axis=4)
    across = np.abs(np.diff(light, axis=3)).mean(axis=(2, 3))
    along = np.abs(np.diff(light, axis=2)).mean(axis=(2, 3))
    looks = np.concatenate(
        [
            squares.mean(axis=(2, 3)),
            1.5 * squares.std(axis=(2, 3)),
            2.0 * across[..., None],
            2.0 * along[..., None],
        ],
        axis=2,
    )
    return looks.astype(np.float32), squares


def _nearest(queries: FloatArray, pictures: FloatArray) -> FloatArray:
    """Distance (q, n) of each query to the most alike square of each picture."""
    from scipy.spatial import cKDTree

    found = [cKDTree(one).query(queries)[0] for one in pictures]
    return np.stack(found, axis=1)
