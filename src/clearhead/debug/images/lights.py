"""Ways in which light, tone and edges of a picture change: shadows, spots, relief, echoes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, ImageOps
from scipy.ndimage import maximum_filter, median_filter, minimum_filter

from clearhead.debug.images.pixels import to_array, to_picture

__all__ = ["curve", "echo", "fold", "hide", "relief", "rise", "shade", "smear", "solarize"]
__all__ += ["speckle", "spot", "spread", "streaks", "thin", "vignette"]

SMEARED = 112
"""Pixels of the shorter side."""


def vignette(picture: Image.Image, amount: float, _: np.random.Generator) -> Image.Image:
    """Darken what is far from the middle."""
    y, x = _middle(picture)
    far = np.clip((np.hypot(x, y) - 0.25) / 0.45, 0, 1)
    return to_picture(to_array(picture) * (1 - amount * far)[..., None])


def shade(picture: Image.Image, amount: float, _: np.random.Generator) -> Image.Image:
    """Lighten one side, the right one above 0."""
    x = _middle(picture)[1]
    return to_picture(to_array(picture) + (abs(amount) * (0.5 + np.sign(amount) * x))[..., None])


def rise(picture: Image.Image, amount: float, _: np.random.Generator) -> Image.Image:
    """Lighten the bottom (above 0) or the top (below 0)."""
    y = _middle(picture)[0]
    return to_picture(to_array(picture) + (abs(amount) * (0.5 + np.sign(amount) * y))[..., None])


def spot(picture: Image.Image, amount: float, rng: np.random.Generator) -> Image.Image:
    """Lighten a soft round spot somewhere."""
    y, x = _middle(picture)
    row, column = rng.uniform(-0.35, 0.35, 2)
    light = np.exp(-((y - row) ** 2 + (x - column) ** 2) / 0.03)
    return to_picture(to_array(picture) + amount * light[..., None])


def curve(picture: Image.Image, exponent: float, _: np.random.Generator) -> Image.Image:
    """Lighten (below 1) or darken the middle tones."""
    return to_picture(255 * (to_array(picture) / 255) ** exponent)


def solarize(picture: Image.Image, above: float, _: np.random.Generator) -> Image.Image:
    """Invert the light parts."""
    return ImageOps.solarize(picture.convert("RGB"), int(above))


def relief(picture: Image.Image, amount: float, _: np.random.Generator) -> Image.Image:
    """Light edges as if from a corner."""
    pixels = to_array(picture)
    k = max(round(min(picture.size) / 28), 1)
    slope = pixels - np.roll(pixels, (k, k), axis=(0, 1))
    return to_picture((1 - amount / 2) * pixels + amount * slope + 25 * amount)


def echo(picture: Image.Image, amount: float, _: np.random.Generator) -> Image.Image:
    """Show it a second time, faintly, moved sideways."""
    pixels = to_array(picture)
    moved = np.roll(pixels, round(0.15 * picture.width), axis=1)
    return to_picture(np.maximum(pixels, amount * moved))


def fold(picture: Image.Image, amount: float, _: np.random.Generator) -> Image.Image:
    """Show it a second time, faintly, upside down."""
    pixels = to_array(picture)
    return to_picture(np.maximum(pixels, amount * pixels[::-1]))


def smear(picture: Image.Image, share: float, _: np.random.Generator) -> Image.Image:
    """Take the median of the surroundings: details go, edges stay."""
    # The time grows with the square of the window: of large pictures a small copy is smeared.
    factor = max(min(picture.size) / SMEARED, 1.0)
    small = picture.convert("RGB").resize(
        (round(picture.width / factor), round(picture.height / factor)), Image.Resampling.BOX
    )
    side = _side(small, share)
    made = Image.fromarray(median_filter(np.asarray(small), (side, side, 1)))
    return made.resize(picture.size, Image.Resampling.BILINEAR)


def spread(picture: Image.Image, share: float, _: np.random.Generator) -> Image.Image:
    """Let light parts grow."""
    return _extreme(picture, share, maximum_filter)


def thin(picture: Image.Image, share: float, _: np.random.Generator) -> Image.Image:
    """Let dark parts grow."""
    return _extreme(picture, share, minimum_filter)


def speckle(picture: Image.Image, number: float, rng: np.random.Generator) -> Image.Image:
    """Put small black and white marks anywhere."""
    pixels = to_array(picture).copy()
    k = max(round(min(picture.size) / 28), 1)
    for _ in range(int(number)):
        top, left = rng.integers(picture.height - k + 1), rng.integers(picture.width - k + 1)
        pixels[top : top + k, left : left + k] = 255 * rng.integers(0, 2)
    return to_picture(pixels)


def streaks(picture: Image.Image, light: float, rng: np.random.Generator) -> Image.Image:
    """Put short light upright lines anywhere."""
    pixels = to_array(picture).copy()
    k, long = max(round(min(picture.size) / 40), 1), max(picture.height // 5, 1)
    for _ in range(10):
        top, left = rng.integers(picture.height - long + 1), rng.integers(picture.width - k + 1)
        pixels[top : top + long, left : left + k] += light
    return to_picture(pixels)


def hide(picture: Image.Image, share: float, rng: np.random.Generator) -> Image.Image:
    """Hide a bar across the picture, somewhere, in the colour of its corners."""
    pixels = to_array(picture).copy()
    k = max(round(share * picture.height), 1)
    top = rng.integers(picture.height // 5, max(4 * picture.height // 5 - k, 1) + 1)
    pixels[top : top + k] = np.median(pixels[[0, 0, -1, -1], [0, -1, 0, -1]], axis=0)
    return to_picture(pixels)


def _middle(picture: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of each pixel from the middle, as shares of the sides."""
    y, x = np.mgrid[0 : picture.height, 0 : picture.width].astype(np.float32)
    return (y + 0.5) / picture.height - 0.5, (x + 0.5) / picture.width - 0.5


def _extreme(picture: Image.Image, share: float, take: Callable[..., Any]) -> Image.Image:
    side = _side(picture, share)
    return Image.fromarray(take(np.asarray(picture.convert("RGB")), (side, side, 1)))


def _side(picture: Image.Image, share: float) -> int:
    return 2 * max(round(share * min(picture.size) / 2), 1) + 1
