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
SOURCES, QUERIES = 12, 1200
"""Pictures of the group that squares are cut from, and how many squares of one size."""
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
    lead, patches = max(found, key=lambda one: one[0])
    if lead < LEAST:
        return None
    masks = np.stack([_soft_disc(patches.shape[1])] * len(patches))
    return Patch(patches, masks, patches.shape[1] / group.shape[1]), lead


def _best(group: FloatArray, others: FloatArray, side: int) -> tuple[float, FloatArray]:
    """Squares of one size that recur most, and the lead of the best."""
    n = min(SOURCES, len(group) // 2)
    if n == 0:
        return 0.0, group[:0]
    queries = _looks(group[:n], side)
    squares = _wider(group[:n], side)
    # Every so many: an odd step visits all places of a picture.
    step = queries.shape[0] * queries.shape[1] // QUERIES // 2 * 2 + 1
    queries = queries.reshape(-1, queries.shape[-1])[::step]
    squares = squares.reshape(-1, *squares.shape[2:])[::step]
    own = _nearest(queries, _looks(group[n:], side))
    rest = _nearest(queries, _looks(others, side))
    radius = np.quantile(rest, NEAREST, axis=1)  # alike: closer than nearly all of the others
    lead = (own < radius[:, None]).mean(axis=1) - NEAREST
    # Flat squares are everywhere the same: those of a colour of its own are kept by the lead.
    order = np.argsort(-lead)[:KEPT]
    return float(lead[order[0]]), squares[order].astype(np.float32)


def _looks(pictures: FloatArray, side: int) -> FloatArray:
    """Describe squares half a side apart: colour, contrast and edges, (n, m, 8)."""
    squares = _windows(pictures, side, side // 2)
    light = squares.mean(axis=4)
    across = np.abs(np.diff(light, axis=3)).mean(axis=(2, 3))
    along = np.abs(np.diff(light, axis=2)).mean(axis=(2, 3))
    looks = [
        squares.mean(axis=(2, 3)),
        1.5 * squares.std(axis=(2, 3)),
        2.0 * across[..., None],
        2.0 * along[..., None],
    ]
    return np.concatenate(looks, axis=2).astype(np.float32)


def _wider(pictures: FloatArray, side: int) -> FloatArray:
    """Cut out the same squares with what is around them: a thing is larger than what recurs."""
    margin = side // 2
    padded = np.pad(pictures, ((0, 0), (margin, margin), (margin, margin), (0, 0)), mode="edge")
    return _windows(padded, side + 2 * margin, side // 2)


def _windows(pictures: FloatArray, side: int, step: int) -> FloatArray:
    """Squares of pictures, (n, m, side, side, 3)."""
    windows = np.lib.stride_tricks.sliding_window_view(pictures, (side, side), axis=(1, 2))
    found = windows[:, ::step, ::step].transpose(0, 1, 2, 4, 5, 3)
    return found.reshape(len(pictures), -1, side, side, 3)


def _nearest(queries: FloatArray, pictures: FloatArray) -> FloatArray:
    """Distance (q, n) of each query to the most alike square of each picture."""
    from scipy.spatial import cKDTree

    found = [cKDTree(one).query(queries)[0] for one in pictures]
    return np.stack(found, axis=1)


def _soft_disc(side: int) -> FloatArray:
    """Opaque in the middle, fading out towards the sides, (side, side)."""
    y, x = (np.indices((side, side)) + 0.5) / side * 2 - 1
    found: FloatArray = np.clip(4 * (1 - np.hypot(x, y)), 0, 1).astype(np.float32)
    return found
