"""Small parts cut from pictures of a group and pasted into others, anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from PIL import Image

from clearhead._types import FloatArray
from clearhead.debug.images.picture_pattern import PicturePattern
from clearhead.debug.images.pixels import resized, to_array, to_picture

__all__ = ["Patch", "colour_of", "paste"]


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
        return f"a small {colour_of(self.patches, self.masks)} thing that recurs in the class"

    def change(self, picture: Image.Image, rng: np.random.Generator) -> Image.Image:
        """Give a changed copy."""
        pixels = to_array(picture).copy()
        height, width = pixels.shape[:2]
        side = max(round(self.share * min(height, width)), 2)
        i = rng.integers(len(self.patches))
        top = rng.integers(height - side + 1)
        left = rng.integers(width - side + 1)
        return to_picture(paste(pixels, self.patches[i], self.masks[i], (top, left, side)))


def paste(
    pixels: FloatArray, patch: FloatArray, mask: FloatArray, at: tuple[int, int, int]
) -> FloatArray:
    """Lay a patch (s, s, 3) over pixels, in place, as opaque as its mask (s, s) says.

    `at` is top, left and the side to which patch and mask are stretched; what hangs over the
    edge is left out.
    """
    top, left, side = at
    part = np.s_[top : top + side, left : left + side]
    height, width = pixels[part].shape[:2]
    content = resized(patch.astype(np.float32), side, side)[:height, :width]
    opaque = resized(mask.astype(np.float32), side, side)[:height, :width, None]
    pixels[part] = opaque * content + (1 - opaque) * pixels[part]
    return pixels


def colour_of(patches: FloatArray, masks: FloatArray) -> str:
    """Name the mean colour of patches (k, s, s, 3) under their masks (k, s, s)."""
    opaque = masks[..., None] / max(float(masks.sum()), 1e-9)
    red, green, blue = (patches * opaque).sum(axis=(0, 1, 2))
    return _colour_word(float(red), float(green), float(blue))


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
