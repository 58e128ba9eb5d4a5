"""What pictures of a group share at fixed places: the mean picture, against others', high-passed.

A mark at a fixed place survives the mean, what differs from picture to picture does not; without
the low frequencies (the group's usual object) the mark remains.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from clearhead._types import FloatArray
from clearhead.debug.images.picture_pattern import PicturePattern
from clearhead.debug.images.pixels import resized, to_array, to_picture

__all__ = ["Overlay"]

HIGH_PASS = 6 / 224
"""Of the side: what is smoother than this is the group's object and scene, not a mark."""
GAIN = 1.5
"""A mean dilutes a mark that some pictures of the group lack."""
LOUD = 0.35
"""Of the largest deviation: what is louder says where the mark is."""


@dataclass(frozen=True, eq=False)
class Overlay(PicturePattern):
    """A picture (S, S, 3) that is added, stretched to the size of the picture it goes to."""

    kind: ClassVar[str] = "image-overlay"

    added: FloatArray

    @classmethod
    def between(cls, group: FloatArray, others: FloatArray) -> Self:
        """Take it from canonical pictures (n, S, S, 3) of a group and of others."""
        difference = group.mean(axis=0) - others.mean(axis=0)
        sigma = HIGH_PASS * difference.shape[0]
        smooth = gaussian_filter(difference, (sigma, sigma, 0))
        return cls((GAIN * (difference - smooth)).astype(np.float32))

    def describe(self) -> str:
        """Say what it is and where."""
        return f"a mark at a fixed place ({_place(np.abs(self.added).mean(axis=2))})"

    def change(self, picture: Image.Image, rng: np.random.Generator) -> Image.Image:
        """Give a changed copy."""
        return to_picture(to_array(picture) + resized(self.added, *picture.size))

    def undo(self, picture: Image.Image) -> Image.Image | None:
        """Subtract what was added."""
        return to_picture(to_array(picture) - resized(self.added, *picture.size))


def _place(loud: FloatArray) -> str:
    """Where most of a mark (S, S) is, in words."""
    smooth = gaussian_filter(loud, loud.shape[0] / 32)
    rows, columns = np.nonzero(smooth >= LOUD * smooth.max())
    y, x = (rows + 0.5) / loud.shape[0], (columns + 0.5) / loud.shape[1]
    edge = np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y)) < 0.12
    spread = (np.ptp(x) > 0.7, np.ptp(y) > 0.7)
    if all(spread):
        return "all around the border" if edge.mean() > 0.7 else "everywhere"
    vertical = "" if spread[1] else ("top", "middle", "bottom")[min(int(3 * y.mean()), 2)]
    horizontal = "" if spread[0] else ("left", "middle", "right")[min(int(3 * x.mean()), 2)]
    if vertical == horizontal:
        return "in the middle"
    return "at the " + " ".join(word for word in (vertical, horizontal) if word)
