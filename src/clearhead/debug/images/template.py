"""Small pieces of pictures found again in others: where they are, and how nearly the same.

Pictures are compared at one small size. A piece is as near as the root mean square of the
differences under its mask, at the place where that is least.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from clearhead._types import FloatArray, IntArray
from clearhead.debug.images.pixels import to_array

__all__ = ["LARGEST", "Matches", "cut_window", "find_pieces", "resolution", "small"]

LARGEST = 48
"""Pixels of the shorter side at which pictures are compared; smaller ones as they are."""
HANGING = 1e-5
"""Square of shades that a pixel beyond the edge costs: what is repeated there tells nothing."""
LONGEST = 2
"""A longer side is squeezed to so many times the shorter one."""


@dataclass(frozen=True, eq=False)
class Matches:
    """Where pieces (r) are most nearly found in pictures (n).

    Parameters
    ----------
    distance : ndarray of shape (n, r)
        Root mean square of the differences, in shades of 0 … 1.
    place : ndarray of shape (n, r, 2), int
        Top and left of its window, which may hang over the edge by half.
    """

    distance: FloatArray
    place: IntArray


def resolution(pictures: Sequence[Image.Image]) -> int:
    """Side at which pictures are compared."""
    return int(np.clip(np.median([min(one.size) for one in pictures]), 8, LARGEST))


def small(picture: Image.Image, side: int) -> FloatArray:
    """Pixels (h, w, 3) from 0 to 1, the shorter side `side` pixels long."""
    width, height = picture.size
    scale = side / min(width, height)
    wanted = (
        int(np.clip(round(scale * width), side, LONGEST * side)),
        int(np.clip(round(scale * height), side, LONGEST * side)),
    )
    made = picture if picture.size == wanted else picture.convert("RGB").resize(wanted)
    return to_array(made) / 255.0


def cut_window(pixels: FloatArray, top: int, left: int, side: int) -> FloatArray:
    """A square of a picture; what lies outside repeats its edge."""
    rows = np.clip(np.arange(top, top + side), 0, pixels.shape[0] - 1)
    columns = np.clip(np.arange(left, left + side), 0, pixels.shape[1] - 1)
    found: FloatArray = pixels[np.ix_(rows, columns)]
    return found


def find_pieces(pictures: Sequence[FloatArray], pieces: FloatArray, masks: FloatArray) -> Matches:
    """Look for pieces (r, s, s, 3) under masks (r, s, s) in pictures (h, w, 3)."""
    r, side = masks.shape[:2]
    if not r:
        return Matches(np.zeros((len(pictures), 0)), np.zeros((len(pictures), 0, 2), dtype=int))
    weight = torch.tensor(masks, dtype=torch.float32)[:, None]
    content = torch.tensor(pieces, dtype=torch.float32).permute(0, 3, 1, 2)
    kernels = torch.cat([-2 * weight * content, weight.expand(-1, 3, -1, -1)], dim=1)
    constant = (weight * content**2).sum(dim=(1, 2, 3))
    total = 3 * weight.sum(dim=(1, 2, 3)).clamp(min=1e-6)
    over = side // 2  # a piece at the edge is found as well
    distance = np.zeros((len(pictures), r))
    place = np.zeros((len(pictures), r, 2), dtype=np.int64)
    with torch.inference_mode():
        for i, pixels in enumerate(pictures):
            wider = np.pad(pixels, ((over, over), (over, over), (0, 0)), mode="edge")
            x = torch.tensor(wider, dtype=torch.float32).permute(2, 0, 1)
            both = torch.cat([x, x**2])[None]
            error = torch.nn.functional.conv2d(both, kernels)[0] + constant[:, None, None]
            error += total[:, None, None] * _hanging(error.shape[1:], over)
            least, at = error.flatten(1).min(dim=1)
            distance[i] = (least.clamp(min=0) / total).sqrt().numpy()
            place[i] = np.stack(np.unravel_index(at.numpy(), error.shape[1:]), axis=1) - over
    return Matches(distance, place)


def _hanging(shape: Sequence[int], over: int) -> torch.Tensor:
    """How much worse a place is for hanging over the edge, (h, w)."""
    rows, columns = (torch.arange(n) - over for n in shape)
    room = [n - 1 - 2 * over for n in shape]
    beyond = [
        (-at).clamp(min=0) + (at - most).clamp(min=0)
        for at, most in zip((rows, columns), room, strict=True)
    ]
    return HANGING * (beyond[0][:, None] + beyond[1][None, :]).float()
