"""Pictures as arrays: what patterns of pictures have in common."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import ndimage

__all__ = ["ImagePattern", "Picture", "add", "clip", "grid", "pixel", "unit", "warp"]

Picture = np.ndarray
"""(h, w, 3) uint8."""
ImagePattern = Callable[[Picture, np.random.Generator], Picture]


def clip(values: np.ndarray) -> Picture:
    """Round to 0 … 255."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def grid(picture: Picture) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the pixels, as shares of the picture."""
    h, w = picture.shape[:2]
    y, x = np.mgrid[0:h, 0:w] / np.array([h, w]).reshape(2, 1, 1)
    return y, x


def add(picture: Picture, wave: np.ndarray, strength: float) -> Picture:
    """Add `strength` times a (h, w) array to each channel."""
    return clip(picture + strength * wave[..., None])


def unit(picture: Picture) -> float:
    """One pixel of a picture of 28."""
    return picture.shape[0] / 28


def pixel(picture: Picture) -> int:
    """Count the pixels that one of a picture of 28 is, at least one."""
    return max(1, round(unit(picture)))


def warp(picture: Picture, rows: np.ndarray, columns: np.ndarray) -> Picture:
    """Take each pixel from another place, given as shares of the picture."""
    at = np.stack([rows * picture.shape[0], columns * picture.shape[1]])
    channels = [
        ndimage.map_coordinates(picture[..., c].astype(float), at, order=1, mode="nearest")
        for c in range(3)
    ]
    return clip(np.stack(channels, axis=-1))
