"""How light falls on a group's pictures: smooth differences of brightness from place to place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from clearhead._types import FloatArray
from clearhead.debug.images.picture_pattern import PicturePattern
from clearhead.debug.images.pixels import resized, to_array, to_picture

__all__ = ["Lighting"]

SMOOTH = 1 / 10
"""Of the side: what is finer is a mark, or an edge of the object."""
GAIN = 1.25
"""A mean dilutes what some pictures of the group lack."""
FLOOR = 8.0
"""Units of 255 that are added to both means: what is black in both says nothing of the light."""


@dataclass(frozen=True, eq=False)
class Lighting(PicturePattern):
    """A factor (S, S) by which each place becomes lighter, stretched to the picture's size."""

    kind: ClassVar[str] = "image-lighting"

    factor: FloatArray

    @classmethod
    def between(cls, group: FloatArray, others: FloatArray) -> Self:
        """Take it from canonical pictures (n, S, S, 3) of a group and of others."""
        sigma = SMOOTH * group.shape[1]
        own, rest = (
            gaussian_filter(one.mean(axis=(0, 3)), sigma, mode="nearest") + FLOOR
            for one in (group, others)
        )
        return cls(np.clip((own / rest) ** GAIN, 0.1, 4.0).astype(np.float32))

    def describe(self) -> str:
        """Say where it is lightest and darkest."""
        side = self.factor.shape[0]
        part = side // 4
        log = np.log(self.factor)
        middle = float(log[part:-part, part:-part].mean())
        around = (float(log.sum()) - middle * (side - 2 * part) ** 2) / (
            side**2 - (side - 2 * part) ** 2
        )
        across = float(log[:, side // 2 :].mean() - log[:, : side // 2].mean())
        along = float(log[side // 2 :].mean() - log[: side // 2].mean())
        ways = {
            "dark towards the border" if middle > around else "light towards the border": (
                abs(middle - around)
            ),
            "light from the right" if across > 0 else "light from the left": abs(across),
            "light from below" if along > 0 else "light from above": abs(along),
        }
        return f"the light of the class ({max(ways, key=lambda way: ways[way])})"

    def change(self, picture: Image.Image, rng: np.random.Generator) -> Image.Image:
        """Give a changed copy."""
        return to_picture(to_array(picture) * resized(self.factor, *picture.size)[..., None])

    def undo(self, picture: Image.Image) -> Image.Image | None:
        """Divide by the factor."""
        return to_picture(to_array(picture) / resized(self.factor, *picture.size)[..., None])
