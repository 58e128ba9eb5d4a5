"""Pictures as arrays, whatever their size."""

from __future__ import annotations

import numpy as np
from PIL import Image

from clearhead._types import FloatArray

__all__ = ["canonical", "resized", "to_array", "to_picture"]


def to_array(picture: Image.Image) -> FloatArray:
    """Pixels (H, W, 3) from 0 to 255, float32."""
    found: FloatArray = np.asarray(picture.convert("RGB"), dtype=np.float32)
    return found


def to_picture(pixels: FloatArray) -> Image.Image:
    """Undo :func:`to_array`, clipped and rounded."""
    return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))


def resized(values: FloatArray, width: int, height: int) -> FloatArray:
    """Stretch (h, w) or (h, w, C) to the given size, bilinearly."""
    if values.ndim == 2:
        layer = Image.fromarray(np.ascontiguousarray(values, dtype=np.float32))
        return np.asarray(layer.resize((width, height), Image.Resampling.BILINEAR))
    return np.stack([resized(values[..., i], width, height) for i in range(values.shape[2])], -1)


def canonical(picture: Image.Image, side: int) -> FloatArray:
    """Pixels (side, side, 3) of the whole picture, its aspect given up: pictures become alike."""
    return to_array(picture.convert("RGB").resize((side, side), Image.Resampling.BILINEAR))
