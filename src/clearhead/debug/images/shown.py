"""Where in a picture a network looks: the part that it is shown, as a share of the picture."""

from __future__ import annotations

import numpy as np
from PIL import Image

from clearhead._types import FloatArray

__all__ = ["Box", "shown_box"]

Box = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels of the picture."""

FRACTIONS = (1.0, 0.95, 0.9, 0.875, 0.85, 0.8, 0.75, 0.7)
_SIDE = 24


def shown_box(picture: Image.Image, shown: FloatArray) -> Box:
    """Find the part of a picture that is most like what the network is shown, (H, W, 3).

    Tried are the whole picture, and squares in its middle: what networks are given.
    """
    width, height = picture.size
    boxes: list[Box] = [(0.0, 0.0, float(width), float(height))]
    for fraction in FRACTIONS:
        side = fraction * min(width, height)
        left, top = (width - side) / 2, (height - side) / 2
        boxes.append((left, top, left + side, top + side))
    seen = _small(Image.fromarray(np.asarray(shown, dtype=np.uint8)), None)
    return min(boxes, key=lambda box: float(np.abs(_small(picture, box) - seen).mean()))


def _small(picture: Image.Image, box: Box | None) -> FloatArray:
    made = picture.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BOX, box=box)
    return np.asarray(made, dtype=np.float32)
