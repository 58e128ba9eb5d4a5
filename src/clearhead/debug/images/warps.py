"""Ways in which a whole picture is bent: sheared, in perspective, in waves, rippled."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy.ndimage import map_coordinates

from clearhead._types import FloatArray
from clearhead.debug.images.pixels import to_array, to_picture

__all__ = ["keystone", "ripple", "roll", "shear", "twirl", "wave"]

CELLS = 28
"""Of a ripple: neighbours so many to a side go different ways."""


def shear(picture: Image.Image, amount: float, _: np.random.Generator) -> Image.Image:
    """Move each row sideways, the further the lower it is."""
    y, x = _places(picture)
    return _taken(picture, y, x + amount * (y - 0.5))


def keystone(picture: Image.Image, amount: float, _: np.random.Generator) -> Image.Image:
    """Narrow the top (above 0) or the bottom (below 0), as seen from below or above."""
    y, x = _places(picture)
    return _taken(picture, y, 0.5 + (x - 0.5) * (1 + 2 * amount * (0.5 - y)))


def wave(picture: Image.Image, amount: float, rng: np.random.Generator) -> Image.Image:
    """Bend it in waves."""
    y, x = _places(picture)
    return _taken(picture, y, x + amount * np.sin(2 * np.pi * (2.5 * y + rng.random())))


def twirl(picture: Image.Image, angle: float, _: np.random.Generator) -> Image.Image:
    """Turn the middle more than the border; `angle` in radians."""
    y, x = _places(picture)
    turn = angle * np.exp(-((y - 0.5) ** 2 + (x - 0.5) ** 2) / 0.08)
    rows = 0.5 + np.cos(turn) * (y - 0.5) + np.sin(turn) * (x - 0.5)
    return _taken(picture, rows, 0.5 + np.cos(turn) * (x - 0.5) - np.sin(turn) * (y - 0.5))


def ripple(picture: Image.Image, amount: float, rng: np.random.Generator) -> Image.Image:
    """Move every small part its own way, as through rippled glass."""
    y, x = _places(picture)
    grids = rng.uniform(-1, 1, (2, CELLS, CELLS)).astype(np.float32)
    rows, columns = (
        np.asarray(Image.fromarray(grid).resize(picture.size, Image.Resampling.NEAREST))
        for grid in grids
    )
    return _taken(picture, y + amount * rows, x + amount * columns)


def roll(picture: Image.Image, share: float, _: np.random.Generator) -> Image.Image:
    """Move it down; what leaves at the bottom comes in at the top."""
    pixels = to_array(picture)
    return to_picture(np.roll(pixels, round(share * pixels.shape[0]), axis=0))


def _places(picture: Image.Image) -> tuple[FloatArray, FloatArray]:
    """Row and column of each pixel, as shares of the sides."""
    y, x = np.mgrid[0 : picture.height, 0 : picture.width].astype(np.float32)
    return y / picture.height, x / picture.width


def _taken(picture: Image.Image, rows: FloatArray, columns: FloatArray) -> Image.Image:
    """Take each pixel from another place."""
    pixels = to_array(picture)
    at = np.stack([rows * picture.height, columns * picture.width])
    channels = [map_coordinates(pixels[..., i], at, order=1, mode="nearest") for i in range(3)]
    return to_picture(np.stack(channels, axis=-1))
