"""Ways to change any picture that need no other picture: turned, blurred, compressed, tinted."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from clearhead.debug.images.picture_pattern import PicturePattern
from clearhead.debug.images.pixels import to_array, to_picture
from clearhead.errors import InputError

__all__ = ["FAMILIES", "Family", "FamilyPattern"]

Transform = Callable[[Image.Image, float, np.random.Generator], Image.Image]


def _turn(picture: Image.Image, degrees: float, _: np.random.Generator) -> Image.Image:
    exact = {
        90: Image.Transpose.ROTATE_90,
        180: Image.Transpose.ROTATE_180,
        270: Image.Transpose.ROTATE_270,
    }
    if degrees in exact:
        return picture.transpose(exact[int(degrees)])
    corner = tuple(int(v) for v in np.median(to_array(picture)[[0, 0, -1, -1], [0, -1, 0, -1]], 0))
    return picture.rotate(degrees, Image.Resampling.BILINEAR, fillcolor=corner)


def _mirror(picture: Image.Image, _: float, __: np.random.Generator) -> Image.Image:
    return ImageOps.mirror(picture)


def _flip(picture: Image.Image, _: float, __: np.random.Generator) -> Image.Image:
    return ImageOps.flip(picture)


def _blur(picture: Image.Image, share: float, _: np.random.Generator) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur(share * min(picture.size)))


def _sharpen(picture: Image.Image, percent: float, _: np.random.Generator) -> Image.Image:
    radius = max(0.008 * min(picture.size), 0.7)
    return picture.filter(ImageFilter.UnsharpMask(radius, int(percent), 0))


def _noise(picture: Image.Image, deviation: float, rng: np.random.Generator) -> Image.Image:
    pixels = to_array(picture)
    # Grain of a fixed number a picture, so that it survives the network's own resizing.
    height, width = (min(s, 224) for s in pixels.shape[:2])
    grain = Image.fromarray(rng.normal(0, deviation, (height, width)).astype(np.float32))
    grain = grain.resize(picture.size, Image.Resampling.NEAREST)
    return to_picture(pixels + np.asarray(grain)[..., None])


def _compress(picture: Image.Image, quality: float, _: np.random.Generator) -> Image.Image:
    small = picture.copy()
    small.thumbnail((256, 256), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=int(quality))
    return Image.open(buffer).convert("RGB").resize(picture.size, Image.Resampling.BILINEAR)


def _pixelate(picture: Image.Image, cells: float, _: np.random.Generator) -> Image.Image:
    factor = min(cells / min(picture.size), 0.5)  # small pictures have few pixels to begin with
    size = (max(round(picture.width * factor), 1), max(round(picture.height * factor), 1))
    return picture.resize(size, Image.Resampling.BOX).resize(picture.size, Image.Resampling.NEAREST)


def _brightness(picture: Image.Image, factor: float, _: np.random.Generator) -> Image.Image:
    return ImageEnhance.Brightness(picture).enhance(factor)


def _contrast(picture: Image.Image, factor: float, _: np.random.Generator) -> Image.Image:
    return ImageEnhance.Contrast(picture).enhance(factor)


def _saturation(picture: Image.Image, factor: float, _: np.random.Generator) -> Image.Image:
    return ImageEnhance.Color(picture).enhance(factor)


def _warmth(picture: Image.Image, share: float, _: np.random.Generator) -> Image.Image:
    return to_picture(to_array(picture) * np.array([1 + share, 1.0, 1 - share]))


def _hue(picture: Image.Image, degrees: float, _: np.random.Generator) -> Image.Image:
    hue, saturation, value = picture.convert("HSV").split()
    turned = hue.point([int((i + degrees / 360 * 256) % 256) for i in range(256)])
    return Image.merge("HSV", (turned, saturation, value)).convert("RGB")


def _invert(picture: Image.Image, _: float, __: np.random.Generator) -> Image.Image:
    return ImageOps.invert(picture)


def _posterize(picture: Image.Image, bits: float, _: np.random.Generator) -> Image.Image:
    return ImageOps.posterize(picture, int(bits))


def _frame(grey: int) -> Transform:
    def change(picture: Image.Image, share: float, _: np.random.Generator) -> Image.Image:
        made = picture.copy()
        width = max(round(share * min(made.size)), 1)
        inner = (width, width, made.width - width, made.height - width)
        made = Image.new("RGB", made.size, (grey,) * 3)
        made.paste(picture.crop(inner), inner[:2])
        return made

    return change


def _zoom(picture: Image.Image, factor: float, _: np.random.Generator) -> Image.Image:
    """Above 1 the middle fills the picture; below 1 the picture shrinks on its corners' colour."""
    width, height = picture.size
    if factor >= 1:
        cut_x, cut_y = width * (1 - 1 / factor) / 2, height * (1 - 1 / factor) / 2
        box = (cut_x, cut_y, width - cut_x, height - cut_y)
        return picture.resize(picture.size, Image.Resampling.BILINEAR, box=box)
    corners = np.median(to_array(picture)[[0, 0, -1, -1], [0, -1, 0, -1]], axis=0)
    made = Image.new("RGB", picture.size, tuple(int(v) for v in corners))
    small = picture.resize((max(round(width * factor), 1), max(round(height * factor), 1)))
    made.paste(small, ((width - small.width) // 2, (height - small.height) // 2))
    return made


def _stretch(picture: Image.Image, factor: float, _: np.random.Generator) -> Image.Image:
    """Above 1 wider, below 1 taller; the network's crop then sees another part."""
    size = (max(round(picture.width * factor), 2), picture.height)
    if factor < 1:
        size = (picture.width, max(round(picture.height / factor), 2))
    return picture.resize(size, Image.Resampling.BILINEAR)


@dataclass(frozen=True)
class Family:
    """A way to change a picture.

    Parameters
    ----------
    words : str
        What a changed picture shows, to stand in a sentence.
    change : callable
        From a picture, a strength and a generator to a changed picture.
    strengths : tuple of float
        From hardly visible to plain; where there is no degree, one.
    typical : float
        The strength that is tried first.
    """

    words: str
    change: Transform
    strengths: tuple[float, ...]
    typical: float


FAMILIES: Mapping[str, Family] = {
    "turned 90": Family("a quarter turn to the left", _turn, (90,), 90),
    "turned 180": Family("a half turn", _turn, (180,), 180),
    "turned 270": Family("a quarter turn to the right", _turn, (270,), 270),
    "tilted": Family("a tilt", _turn, (5, 10, 20, 35), 20),
    "mirrored": Family("mirroring", _mirror, (1,), 1),
    "upside down": Family("an upside-down mirroring", _flip, (1,), 1),
    "blurred": Family("blur", _blur, (0.003, 0.006, 0.012, 0.024), 0.012),
    "sharpened": Family("sharpening", _sharpen, (80, 200, 400), 400),
    "noisy": Family("noise", _noise, (8, 16, 32, 64), 28),
    "compressed": Family("compression artefacts", _compress, (40, 20, 10, 5), 8),
    "pixelated": Family("coarse pixels", _pixelate, (96, 64, 40, 24), 48),
    "darker": Family("darkness", _brightness, (0.85, 0.7, 0.5, 0.3), 0.55),
    "brighter": Family("brightness", _brightness, (1.15, 1.4, 1.8, 2.5), 1.5),
    "flatter": Family("low contrast", _contrast, (0.8, 0.6, 0.4, 0.2), 0.45),
    "more contrast": Family("high contrast", _contrast, (1.25, 1.6, 2.2, 3.0), 1.9),
    "grey": Family("lack of colour", _saturation, (0.6, 0.3, 0.0), 0.0),
    "colourful": Family("strong colours", _saturation, (1.4, 2.0, 3.0), 2.2),
    "warmer": Family("a warm cast", _warmth, (0.08, 0.15, 0.25, 0.4), 0.22),
    "cooler": Family("a cool cast", _warmth, (-0.08, -0.15, -0.25, -0.4), -0.22),
    "hue 120": Family("colours turned from red towards green", _hue, (30, 60, 120), 120),
    "hue 240": Family("colours turned from red towards blue", _hue, (330, 300, 240), 240),
    "inverted": Family("inverted colours", _invert, (1,), 1),
    "posterized": Family("few shades", _posterize, (4, 3, 2, 1), 2),
    "dark frame": Family(
        "a dark frame around the picture", _frame(0), (0.03, 0.06, 0.1, 0.15), 0.11
    ),
    "light frame": Family(
        "a light frame around the picture", _frame(255), (0.03, 0.06, 0.1, 0.15), 0.11
    ),
    "closer": Family("a close view", _zoom, (1.15, 1.3, 1.6, 2.2), 1.6),
    "farther": Family("a far view", _zoom, (0.85, 0.7, 0.55), 0.65),
    "wider": Family("a stretched width", _stretch, (1.15, 1.4, 1.8), 1.5),
    "taller": Family("a stretched height", _stretch, (0.87, 0.7, 0.55), 0.67),
}
"""Changes that need nothing from the data; what they are linked to the data tells."""


@dataclass(frozen=True, eq=False)
class FamilyPattern(PicturePattern):
    """One of :data:`FAMILIES` at one strength."""

    kind: ClassVar[str] = "image-family"

    name: str
    strength: float

    def __post_init__(self) -> None:
        if self.name not in FAMILIES:
            raise InputError(f"name: expected one of {', '.join(FAMILIES)}, got {self.name!r}.")

    def describe(self) -> str:
        """Say what it is."""
        return FAMILIES[self.name].words

    def change(self, picture: Image.Image, rng: np.random.Generator) -> Image.Image:
        """Give a changed copy."""
        return FAMILIES[self.name].change(picture.convert("RGB"), self.strength, rng)
