"""Regions that LIME found, cut from their pictures, and what they have in common with others.

A piece that a class's pictures share is cut out sharply by the pictures themselves: its nearest
places in several of them are laid over one another, and what agrees there, and does not agree at
the same places of other pictures, is the thing; the rest is what happened to be around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import binary_dilation, gaussian_filter, label

from clearhead._types import BoolArray, FloatArray, IntArray
from clearhead.debug.driving import Driven
from clearhead.debug.images.shown import shown_box
from clearhead.debug.images.template import cut_window, small
from clearhead.debug.inputs import Inputs

__all__ = ["CONTRAST", "Common", "Piece", "cut_pieces", "in_common"]

GROWN = 0.5
"""Neighbours that drive the feature so much of what the strongest region does belong to it."""
WIDEST = 0.5
"""Of the shorter side: a larger region is the object itself."""
LEAST = 3
"""Pixels across: less is no region."""
MARGIN = 2
CONTRAST = 0.08
"""Shades of 0 … 1: an empty part of a picture is the same in many."""
AGREE = 0.4
"""Spread over the carriers, of that at the same places of other pictures."""
VARIED = 0.04
"""Shades of 0 … 1 by which other pictures must differ there: all agree on an empty ground."""


@dataclass(frozen=True, eq=False)
class Piece:
    """A part of one picture, at the size at which pictures are compared.

    Parameters
    ----------
    window : ndarray of shape (s, s, 3)
        Shades of 0 … 1.
    mask : ndarray of shape (s, s)
    row : int
        Of the picture.
    drives : bool
        Whether LIME found that it drives the feature; else it is one of those that do not.
    corner : (int, int)
        Top and left of the window in the picture.
    """

    window: FloatArray
    mask: FloatArray
    row: int
    drives: bool
    corner: tuple[int, int]

    @property
    def contrast(self) -> float:
        """How far it varies with what is right around it, in shades of 0 … 1."""
        return _contrast(self.window, self.mask)


def _contrast(window: FloatArray, mask: FloatArray) -> float:
    around = binary_dilation(mask > 0.5, iterations=MARGIN)
    return float(window[around].std(axis=0).mean())


def cut_pieces(inputs: Inputs, driven: Sequence[Driven], side: int) -> list[Piece]:
    """The strongest region of each example, alone and with its neighbours, and two idle ones."""
    found = [piece for one in driven for piece in _pieces(inputs, one, side)]
    return _of_one_size(found)


def _pieces(inputs: Inputs, one: Driven, side: int) -> list[Piece]:
    picture = inputs.example(one.row)
    pixels = small(picture, side)
    regions = _regions(one, picture, pixels)
    order = np.argsort(-one.weight, kind="stable")
    strong = [int(j) for j in order[:2] if one.weight[j] > 0]
    if not strong:
        return []
    chosen = [regions == j for j in strong]
    grown = _grown(regions, one.weight, strong[0])
    if (grown != chosen[0]).any():
        chosen.append(grown)
    idle = np.argsort(np.abs(one.weight), kind="stable")
    made = [_piece(pixels, mask, one.row, True) for mask in chosen]
    made += [_piece(pixels, regions == j, one.row, False) for j in idle[: len(idle) // 2]]
    found = [one for one in made if one is not None and one.contrast >= CONTRAST]
    return [one for one in found if one.drives] + [one for one in found if not one.drives][:2]


def _regions(one: Driven, picture: object, pixels: FloatArray) -> IntArray:
    """Number of the region of each pixel, −1 where the network does not look."""
    parts = one.lime.parts
    assert parts.segments is not None
    left, top, right, bottom = shown_box(picture, parts.picture)  # type: ignore[arg-type]
    width, height = picture.size  # type: ignore[attr-defined]
    y = ((np.arange(pixels.shape[0]) + 0.5) / pixels.shape[0] * height - top) / (bottom - top)
    x = ((np.arange(pixels.shape[1]) + 0.5) / pixels.shape[1] * width - left) / (right - left)
    rows = np.floor(y * parts.segments.shape[0]).astype(int)
    columns = np.floor(x * parts.segments.shape[1]).astype(int)
    outside = [
        (at < 0) | (at >= n) for at, n in zip((rows, columns), parts.segments.shape, strict=True)
    ]
    found = parts.segments[
        np.ix_(
            *(
                np.clip(at, 0, n - 1)
                for at, n in zip((rows, columns), parts.segments.shape, strict=True)
            )
        )
    ]
    return np.where(outside[0][:, None] | outside[1][None, :], -1, found)


def _grown(regions: IntArray, weight: FloatArray, first: int) -> BoolArray:
    """The strongest region with what is next to it and nearly as strong."""
    strong = np.flatnonzero(weight >= GROWN * weight[first])
    apart, _ = label(np.isin(regions, strong))
    at = apart[regions == first]
    found: BoolArray = apart == (at[0] if at.size else -1)
    return found


def _piece(pixels: FloatArray, where: BoolArray, row: int, drives: bool) -> Piece | None:
    rows, columns = np.flatnonzero(where.any(axis=1)), np.flatnonzero(where.any(axis=0))
    if not rows.size:
        return None
    across = max(int(np.ptp(rows)), int(np.ptp(columns))) + 1
    if across < LEAST or across > WIDEST * min(where.shape):
        return None
    side = across + 2 * MARGIN
    top, left = (int(at[0] + at[-1] + 1 - side) // 2 for at in (rows, columns))
    padded = np.pad(where.astype(np.float32), side)
    mask = padded[top + side : top + 2 * side, left + side : left + 2 * side]
    return Piece(cut_window(pixels, top, left, side), mask, row, drives, (top, left))


def _of_one_size(pieces: Sequence[Piece]) -> list[Piece]:
    """All in windows as large as the largest, so that they are looked for at once."""
    side = max((one.mask.shape[0] for one in pieces), default=0)
    made = []
    for one in pieces:
        before = (side - one.mask.shape[0]) // 2
        around = (before, side - one.mask.shape[0] - before)
        window = np.pad(one.window, (around, around, (0, 0)), mode="edge")
        corner = (one.corner[0] - before, one.corner[1] - before)
        mask = np.pad(one.mask, (around, around))
        made.append(replace(one, window=window, mask=mask, corner=corner))
    return made


@dataclass(frozen=True, eq=False)
class Common:
    """What the nearest places of several pictures have in common.

    Parameters
    ----------
    template : ndarray of shape (s, s, 3)
        Shades of 0 … 1.
    mask : ndarray of shape (s, s)
        1 where they agree.
    windows : ndarray of shape (k, s, s, 3)
        As each of them shows it.
    places : ndarray of shape (k, 2)
        Where the window is, from 0 (top, left) to 1.
    """

    template: FloatArray
    mask: FloatArray
    windows: FloatArray
    places: FloatArray

    @property
    def contrast(self) -> float:
        """How far it varies, in shades of 0 … 1."""
        return _contrast(self.template, self.mask)


def in_common(
    mask: FloatArray,
    carriers: Sequence[FloatArray],
    places: IntArray,
    others: Sequence[FloatArray],
) -> Common | None:
    """Cut a thing out by what pictures that hold it agree on; None where that is nothing.

    Parameters
    ----------
    mask : ndarray of shape (s, s)
        Where one picture has it.
    carriers : sequence of ndarray of shape (h, w, 3)
    places : ndarray of shape (k, 2), int
        Top and left of its window in each.
    others : sequence of ndarray of shape (h, w, 3)
        What is at the same places of these says how much agreement means.
    """
    side = mask.shape[0]
    windows = _windows(carriers, places, side)
    elsewhere = _windows(others, places[np.arange(len(others)) % len(places)], side)
    spread = gaussian_filter(windows.std(axis=0).mean(axis=2), 0.5)
    usual = gaussian_filter(elsewhere.std(axis=0).mean(axis=2), 0.5)
    agrees = _nearest_part((spread < AGREE * usual) & (usual > VARIED), mask)
    if agrees.sum() < LEAST**2:
        return None
    part = _around(agrees)
    inner = part[0].stop - part[0].start
    corners = places + np.array([part[0].start, part[1].start])
    room = np.array([np.array(one.shape[:2]) - inner for one in carriers])
    windows = windows[:, part[0], part[1]]
    return Common(
        np.median(windows, axis=0).astype(np.float32),
        agrees[part].astype(np.float32),
        windows,
        np.clip(corners / np.maximum(room, 1), 0, 1),
    )


def _around(mask: BoolArray) -> tuple[slice, slice]:
    """The smallest square that holds a mask and a pixel around it, where there is one."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    side = min(max(int(np.ptp(rows)), int(np.ptp(columns))) + 3, len(mask))
    first = (int(np.clip(at[0] - 1, 0, len(mask) - side)) for at in (rows, columns))
    top, left = first
    return slice(top, top + side), slice(left, left + side)


def _windows(pictures: Sequence[FloatArray], places: IntArray, side: int) -> FloatArray:
    pairs = zip(pictures, places, strict=True)
    return np.stack([cut_window(one, int(top), int(left), side) for one, (top, left) in pairs])


def _nearest_part(agrees: BoolArray, mask: FloatArray) -> BoolArray:
    """The connected part that shares most with a mask."""
    parts, n = label(agrees)
    shared = np.bincount(parts.ravel(), mask.ravel(), n + 1)
    shared[0] = 0.0
    found: BoolArray = (parts == int(shared.argmax())) & (shared.max() > 0)
    return found
