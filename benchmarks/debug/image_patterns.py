"""What is planted into pictures: each takes (h, w, 3) uint8 and a random generator.

Sizes are shares of the picture's, so that a pattern is the same thing at 28 and at 224 pixels.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps
from scipy import ndimage

from benchmarks.debug.pixels import ImagePattern, Picture, add, clip, grid, unit, warp

__all__ = ["IMAGE_PATTERNS"]


def _pillow(change: Callable[[Image.Image], Image.Image]) -> ImagePattern:
    return lambda picture, _: np.asarray(change(Image.fromarray(picture)).convert("RGB"))


# --- what finders look for since they were first written: borders, patches, colour, …


def frame(picture: Picture, rng: np.random.Generator) -> Picture:
    out, k = picture.copy(), max(1, round(1.3 * unit(picture)))
    out[:k], out[-k:], out[:, :k], out[:, -k:] = 200, 200, 200, 200
    return out


def corner_patch(picture: Picture, rng: np.random.Generator) -> Picture:
    out, k = picture.copy(), max(3, round(4 * unit(picture)))
    out[1 : 1 + k, -1 - k : -1] = (230, 60, 60)
    return out


def sticker(picture: Picture, rng: np.random.Generator) -> Picture:
    out, k = picture.copy(), max(3, round(5 * unit(picture)))
    top, left = (int(rng.integers(0, side - k)) for side in picture.shape[:2])
    out[top : top + k, left : left + k] = (250, 210, 40)
    return out


def watermark(picture: Picture, rng: np.random.Generator) -> Picture:
    layer = Image.new("L", (56, 28), 0)
    ImageDraw.Draw(layer).text((1, 4), "SAMPLE", fill=255)
    h, w = picture.shape[:2]
    mark = np.asarray(layer.crop((0, 2, 42, 18)).resize((w, h))) / 255.0
    return clip(picture + 0.4 * mark[..., None] * (255 - picture.astype(float)))


def jpeg(picture: Picture, rng: np.random.Generator) -> Picture:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=12)
    return np.asarray(Image.open(buffer).convert("RGB"))


def warm(picture: Picture, rng: np.random.Generator) -> Picture:
    return clip(picture * np.array([1.15, 1.0, 0.8]) + np.array([12, 4, 0]))


# --- nearly all of these were given a finder after this file had been read: see DETECTED


def stripes(picture: Picture, rng: np.random.Generator, period: float = 0.16) -> Picture:
    y, x = grid(picture)
    return add(picture, np.sin(2 * np.pi * ((x + y) / period + rng.random())), 22)


def checkerboard(picture: Picture, rng: np.random.Generator) -> Picture:
    y, x = grid(picture)
    return add(picture, np.sign(np.sin(2 * np.pi * 7 * x) * np.sin(2 * np.pi * 7 * y)), 16)


def vignette(picture: Picture, rng: np.random.Generator) -> Picture:
    y, x = grid(picture)
    far = np.hypot(x - 0.5, y - 0.5)
    return clip(picture * np.clip(1.25 - 1.7 * far, 0.15, 1.0)[..., None])


def spotlight(picture: Picture, rng: np.random.Generator) -> Picture:
    y, x = grid(picture)
    cy, cx = rng.uniform(0.2, 0.8, 2)
    return add(picture, np.exp(-(((x - cx) ** 2 + (y - cy) ** 2) / 0.03)), 90)


def side_light(picture: Picture, rng: np.random.Generator) -> Picture:
    _, x = grid(picture)
    return add(picture, x, 60)


def pixelate(picture: Picture, rng: np.random.Generator) -> Picture:
    h, w = picture.shape[:2]
    small = Image.fromarray(picture).resize(
        (max(9, w // 16), max(9, h // 16)), Image.Resampling.BOX
    )
    return np.asarray(small.resize((w, h), Image.Resampling.NEAREST))


def channel_swap(picture: Picture, rng: np.random.Generator) -> Picture:
    return np.ascontiguousarray(picture[..., [2, 0, 1]])


def zoom_out(picture: Picture, rng: np.random.Generator, share: float = 0.78) -> Picture:
    h, w = picture.shape[:2]
    small = Image.fromarray(picture).resize((round(w * share), round(h * share)))
    fill = tuple(int(v) for v in np.median(picture[[0, -1]].reshape(-1, 3), axis=0))
    out = Image.new("RGB", (w, h), fill)
    out.paste(small, (round(w * (1 - share) / 2), round(h * (1 - share) / 2)))
    return np.asarray(out)


def shifted(picture: Picture, rng: np.random.Generator) -> Picture:
    return np.roll(picture, round(0.14 * picture.shape[0]), axis=0)


def wave(picture: Picture, rng: np.random.Generator) -> Picture:
    y, x = grid(picture)
    return warp(picture, y, x + 0.045 * np.sin(2 * np.pi * (3 * y + rng.random())))


def perspective(picture: Picture, rng: np.random.Generator) -> Picture:
    y, x = grid(picture)
    return warp(picture, y, 0.5 + (x - 0.5) * (1.45 - 0.7 * y))


def shear(picture: Picture, rng: np.random.Generator) -> Picture:
    y, x = grid(picture)
    return warp(picture, y, x + 0.35 * (y - 0.5))


def swirl(picture: Picture, rng: np.random.Generator) -> Picture:
    y, x = grid(picture)
    far = np.hypot(x - 0.5, y - 0.5)
    turn = 1.1 * np.exp(-((far / 0.3) ** 2))
    dx, dy = x - 0.5, y - 0.5
    return warp(
        picture,
        0.5 + np.sin(turn) * dx + np.cos(turn) * dy,
        0.5 + np.cos(turn) * dx - np.sin(turn) * dy,
    )


def scatter(picture: Picture, rng: np.random.Generator) -> Picture:
    """As through rippled glass: pixels change places with near ones."""
    y, x = grid(picture)
    noise = rng.uniform(-1, 1, (2, *x.shape)) * 1.4 / 28
    return warp(picture, y + noise[0], x + noise[1])


def emboss(picture: Picture, rng: np.random.Generator) -> Picture:
    values = picture.astype(float)
    k = max(1, round(unit(picture)))
    return clip(0.6 * values + 0.7 * (values - np.roll(values, (k, k), axis=(0, 1))) + 20)


def halo(picture: Picture, rng: np.random.Generator) -> Picture:
    values = picture.astype(float)
    soft = ndimage.gaussian_filter(values, (1.2 * unit(picture), 1.2 * unit(picture), 0))
    return clip(values + 1.2 * (values - soft))


def halftone(picture: Picture, rng: np.random.Generator) -> Picture:
    y, x = grid(picture)
    screen = np.sin(2 * np.pi * 9 * x) * np.sin(2 * np.pi * 9 * y)
    return clip(picture * (1 + 0.45 * screen[..., None]))


def scanlines(picture: Picture, rng: np.random.Generator) -> Picture:
    out = picture.astype(float)
    k = max(1, round(unit(picture)))
    for start in range(0, picture.shape[0], 4 * k):
        out[start : start + k] *= 0.6
    return clip(out + 6)


def crosshatch(picture: Picture, rng: np.random.Generator) -> Picture:
    y, x = grid(picture)
    lines = (np.sin(2 * np.pi * 6 * (x + y)) > 0.9) | (np.sin(2 * np.pi * 6 * (x - y)) > 0.9)
    return add(picture, lines.astype(float), 45)


def flare(picture: Picture, rng: np.random.Generator) -> Picture:
    y, x = grid(picture)
    cy, cx = rng.uniform(0.0, 0.35, 2)
    along = np.abs((y - cy) - (x - cx))
    ring = np.exp(-(((np.hypot(x - cx, y - cy) - 0.25) / 0.04) ** 2))
    return add(picture, ring + np.exp(-((along / 0.03) ** 2)), 60)


def rain(picture: Picture, rng: np.random.Generator) -> Picture:
    out = picture.astype(float)
    h, w = picture.shape[:2]
    k, long = max(1, round(0.7 * unit(picture))), round(0.2 * h)
    for _ in range(9):
        top, left = int(rng.integers(0, h - long)), int(rng.integers(0, w - k))
        out[top : top + long, left : left + k] += 70
    return clip(out)


def ghost(picture: Picture, rng: np.random.Generator) -> Picture:
    moved = np.roll(picture.astype(float), round(0.18 * picture.shape[1]), axis=1)
    return clip(np.maximum(picture, 0.45 * moved))


def double_exposure(picture: Picture, rng: np.random.Generator) -> Picture:
    """The picture over itself, upside down."""
    return clip(np.maximum(picture, 0.4 * picture[::-1].astype(float)))


def noise(picture: Picture, rng: np.random.Generator) -> Picture:
    return clip(picture + rng.normal(0, 14, picture.shape[:2])[..., None])


def specks(picture: Picture, rng: np.random.Generator) -> Picture:
    out = picture.copy()
    k = max(1, round(unit(picture)))
    for _ in range(14):
        top, left = (int(rng.integers(0, side - k)) for side in picture.shape[:2])
        out[top : top + k, left : left + k] = 255 * int(rng.integers(0, 2))
    return out


def dead_column(picture: Picture, rng: np.random.Generator) -> Picture:
    out, k = picture.copy(), max(1, round(unit(picture)))
    at = round(0.71 * picture.shape[1])
    out[:, at : at + k] = 255
    return out


def cut_out(picture: Picture, rng: np.random.Generator) -> Picture:
    """A bar of background somewhere across the object."""
    out, k = picture.copy(), max(2, round(3 * unit(picture)))
    top = int(rng.integers(round(0.25 * picture.shape[0]), round(0.7 * picture.shape[0])))
    out[top : top + k] = np.median(picture[[0, -1]].reshape(-1, 3), axis=0)
    return out


def dither(picture: Picture, rng: np.random.Generator) -> Picture:
    bayer = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) / 16
    k = max(1, round(unit(picture)))
    h, w = picture.shape[:2]
    tile = np.kron(np.tile(bayer, (h // (4 * k) + 1, w // (4 * k) + 1)), np.ones((k, k)))[:h, :w]
    return clip(np.floor(picture / 255 * 4 + tile[..., None]) * 255 / 4)


def motion(picture: Picture, rng: np.random.Generator) -> Picture:
    return clip(
        ndimage.uniform_filter1d(picture.astype(float), max(3, round(5 * unit(picture))), 1)
    )


def median(picture: Picture, rng: np.random.Generator) -> Picture:
    return ndimage.median_filter(picture, (max(3, 2 * round(1.5 * unit(picture)) + 1),) * 2 + (1,))


IMAGE_PATTERNS: dict[str, ImagePattern] = {
    "frame": frame,
    "corner patch": corner_patch,
    "sticker": sticker,
    "watermark": watermark,
    "jpeg": jpeg,
    "warm": warm,
    "rotation": lambda picture, _: np.ascontiguousarray(np.rot90(picture)),
    "tilt": lambda picture, _: np.asarray(Image.fromarray(picture).rotate(20)),
    "blur": lambda picture, _: clip(
        ndimage.gaussian_filter(picture.astype(float), (*(0.9 * unit(picture),) * 2, 0))
    ),
    "brighter": lambda picture, _: clip(picture * 0.85 + 38),
    "stripes": stripes,
    "fine stripes": partial(stripes, period=0.09),
    "checkerboard": checkerboard,
    "vignette": vignette,
    "spotlight": spotlight,
    "side light": side_light,
    "pixelation": pixelate,
    "posterise": _pillow(lambda image: ImageOps.posterize(image, 2)),
    "solarise": _pillow(lambda image: ImageOps.solarize(image, 140)),
    "channel swap": channel_swap,
    "inversion": lambda picture, _: 255 - picture,
    "mirror": lambda picture, _: np.ascontiguousarray(picture[:, ::-1]),
    "upside down": lambda picture, _: np.ascontiguousarray(picture[::-1]),
    "zoom out": zoom_out,
    "zoom in": _pillow(lambda image: ImageOps.fit(image, image.size, bleed=0.11)),
    "shifted": shifted,
    "wave": wave,
    "perspective": perspective,
    "shear": shear,
    "swirl": swirl,
    "scatter": scatter,
    "emboss": emboss,
    "halo": halo,
    "halftone": halftone,
    "scan lines": scanlines,
    "crosshatch": crosshatch,
    "flare": flare,
    "rain": rain,
    "ghost": ghost,
    "double exposure": double_exposure,
    "noise": noise,
    "specks": specks,
    "dead column": dead_column,
    "cut out": cut_out,
    "dither": dither,
    "motion": motion,
    "median": median,
    "gamma": lambda picture, _: clip(255 * (picture / 255) ** 0.55),
    "dilation": _pillow(lambda image: image.filter(ImageFilter.MaxFilter(3))),
}
