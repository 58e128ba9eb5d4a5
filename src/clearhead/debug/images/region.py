"""A part of pictures that recurs in a class: put where it was found, seen by its own likeness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from clearhead._types import FloatArray
from clearhead.debug.images.cutting import Patch, colour_of, paste
from clearhead.debug.images.pixels import resized, to_array, to_picture
from clearhead.debug.images.template import find_pieces, small

__all__ = ["Region"]

_FILLED = 0.05
"""How far around the region the colour that it is filled with is taken from, of the side."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Region(Patch):
    """Cut from several pictures (k, s, s, 3) with one soft mask, put at one of their places.

    Parameters
    ----------
    places : ndarray of shape (m, 2)
        Vertical and horizontal place of the window, from 0 (at the top, left) to 1.
    template : ndarray of shape (s, s, 3)
        What the pieces have in common, 0 … 255.
    radius : float
        How far, in shades of 0 … 1, a picture's most alike place may be from it; 0 sees none.
    side : int
        Pixels of the shorter side at which pictures are searched.
    """

    kind: ClassVar[str] = "image-region"

    places: FloatArray
    template: FloatArray
    radius: float = 0.0
    side: int = 0

    def describe(self) -> str:
        """Say what it looks like."""
        return f"a {self.colour} part that is nearly the same each time"

    @property
    def colour(self) -> str:
        """Its mean colour, in a word."""
        return colour_of(self.patches, self.masks)

    def change(self, picture: Image.Image, rng: np.random.Generator) -> Image.Image:
        """Give a changed copy."""
        pixels = to_array(picture).copy()
        i = int(rng.integers(len(self.patches)))
        place = self.places[int(rng.integers(len(self.places)))]
        side = max(round(self.share * min(pixels.shape[:2])), 2)
        top, left = (
            round(float(at) * max(length - side, 0))
            for at, length in zip(place, pixels.shape[:2], strict=True)
        )
        return to_picture(paste(pixels, self.patches[i], self.masks[i], (top, left, side)))

    def presence(self, example: Any) -> float:
        """How nearly the same a part of the picture is: .5 at the radius, 1 where it is equal."""
        return self._seen(example)[0]

    def remove(self, example: Any, seed: int) -> Image.Image | None:
        """Fill it with what is around it; None where it is not there."""
        score, (top, left) = self._seen(example)
        if score < self.threshold:
            return None
        pixels = to_array(example).copy()
        scale = min(pixels.shape[:2]) / self.side
        side = max(round(self.share * min(pixels.shape[:2])), 2)
        at = (round(top * scale), round(left * scale))
        return to_picture(_filled(pixels, self.masks.mean(axis=0), (*at, side)))

    def _seen(self, example: Any) -> tuple[float, tuple[int, int]]:
        if self.radius <= 0:
            return 0.0, (0, 0)
        pixels = small(example, self.side)
        side = round(self.share * self.side)
        piece = resized(self.template.astype(np.float32), side, side)[None] / 255.0
        mask = resized(self.masks.mean(axis=0).astype(np.float32), side, side)[None]
        found = find_pieces([pixels], piece, mask)
        score = 1 / (1 + float(found.distance[0, 0]) / self.radius)
        top, left = found.place[0, 0].tolist()
        return score, (top, left)


def _filled(pixels: FloatArray, mask: FloatArray, at: tuple[int, int, int]) -> FloatArray:
    """Put smoothed surroundings under a mask."""
    top, left, side = at
    opaque = np.zeros((pixels.shape[0] + 2 * side, pixels.shape[1] + 2 * side), dtype=np.float32)
    stretched = resized(mask.astype(np.float32), side, side)
    opaque[top + side : top + 2 * side, left + side : left + 2 * side] = stretched
    opaque = opaque[side:-side, side:-side]
    known = np.clip(1 - 2 * opaque, 0, 1)  # what is partly covered tells little of what is around
    sigma = max(_FILLED * min(pixels.shape[:2]), side / 4)
    weight = gaussian_filter(known, sigma) + 1e-4
    around = gaussian_filter(pixels * known[..., None], (sigma, sigma, 0)) / weight[..., None]
    cover = np.clip(2 * opaque, 0, 1)[..., None]
    found: FloatArray = cover * around + (1 - cover) * pixels
    return found
