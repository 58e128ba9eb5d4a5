"""Parts cut from pictures of a group and pasted into others: at their own place, or anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from PIL import Image

from clearhead._types import FloatArray
from clearhead.debug.images.picture_pattern import PicturePattern
from clearhead.debug.images.pixels import resized, to_array, to_picture

__all__ = ["BOXES", "Cutting", "Patch"]

Boxes = tuple[tuple[float, float, float, float], ...]

BOXES: Mapping[str, Boxes] = {
    "border": ((0, 0, 1, 0.14), (0, 0.86, 1, 1), (0, 0.14, 0.14, 0.86), (0.86, 0.14, 1, 0.86)),
    "top": ((0, 0, 1, 0.25),),
    "bottom": ((0, 0.75, 1, 1),),
    "corners": tuple((x, y, x + 0.28, y + 0.28) for x in (0, 0.72) for y in (0, 0.72)),
}
"""Left, top, right and bottom of what is cut out, in shares of the sides."""


@dataclass(frozen=True, eq=False)
class Cutting(PicturePattern):
    """The same part of one of several pictures (k, S, S, 3), pasted at its place."""

    kind: ClassVar[str] = "image-cutting"

    where: str
    pictures: FloatArray

    def describe(self) -> str:
        """Say which part."""
        return f"what is seen at the {self.where} of the class's pictures"

    def change(self, picture: Image.Image, rng: np.random.Generator) -> Image.Image:
        """Give a changed copy."""
        pixels = to_array(picture).copy()
        height, width = pixels.shape[:2]
        other = resized(
            self.pictures[rng.integers(len(self.pictures))].astype(np.float32), width, height
        )
        for left, top, right, bottom in BOXES[self.where]:
            part = np.s_[
                round(top * height) : round(bottom * height),
                round(left * width) : round(right * width),
            ]
            pixels[part] = other[part]
        return to_picture(pixels)


@dataclass(frozen=True, eq=False)
class Patch(PicturePattern):
    """One of several small square pictures (k, s, s, 3), pasted at a random place.

    Parameters
    ----------
    patches : ndarray
    masks : ndarray of shape (k, s, s)
        How opaque each pixel of a patch is.
    share : float
        Side of the patch, of the picture's shorter side.
    """

    kind: ClassVar[str] = "image-patch"

    patches: FloatArray
    masks: FloatArray
    share: float
    source: Literal["recurring", "region"] = "recurring"

    def describe(self) -> str:
        """Say what it looks like."""
        opaque = self.masks[..., None] / max(float(self.masks.sum()), 1e-9)
        red, green, blue = (self.patches * opaque).sum(axis=(0, 1, 2))
        colour = _colour_word(float(red), float(green), float(blue))
        return f"a small {colour} thing that recurs in the class"

    def change(self, picture: Image.Image, rng: np.random.Generator) -> Image.Image:
        """Give a changed copy."""
        pixels = to_array(picture).copy()
        height, width = pixels.shape[:2]
        side = max(round(self.share * min(height, width)), 2)
        i = rng.integers(len(self.patches))
        top = rng.integers(height - side + 1)
        left = rng.integers(width - side + 1)
        patch = resized(self.patches[i].astype(np.float32), side, side)
        mask = resized(self.masks[i].astype(np.float32), side, side)[..., None]
        part = np.s_[top : top + side, left : left + side]
        pixels[part] = mask * patch + (1 - mask) * pixels[part]
        return to_picture(pixels)


def _colour_word(red: float, green: float, blue: float) -> str:
    high, low = max(red, green, blue), min(red, green, blue)
    if high - low < 40:
        return "dark" if high < 80 else "light" if low > 175 else "grey"
    names = {
        (True, False, False): "red",
        (False, True, False): "green",
        (False, False, True): "blue",
        (True, True, False): "yellow",
        (True, False, True): "pink",
        (False, True, True): "turquoise",
    }
    middle = (high + low) / 2
    return names[(red > middle, green > middle, blue > middle)]
