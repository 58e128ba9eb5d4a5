"""Patterns of pictures that no finder of clearhead was written for, nor ever shown.

They were written after the finders, by reading what those look for and leaving it out, and are
not to be read by whoever writes finders. As in ``image_patterns``, sizes are shares of the
picture's.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from benchmarks.debug.pixels import ImagePattern, Picture, add, clip, grid, pixel, warp

__all__ = ["HELD_OUT_PICTURES"]


# --- bent


def barrel(picture: Picture, rng: np.random.Generator) -> Picture:
    y, x = grid(picture)
    by = 0.9 + 1.6 * ((y - 0.5) ** 2 + (x - 0.5) ** 2)
    return warp(picture, 0.5 + by * (y - 0.5), 0.5 + by * (x - 0.5))


def fish_eye(picture: Picture, rng: np.random.Generator) -> Picture:
    y, x = grid(picture)
    by = 0.5 + np.hypot(y - 0.5, x - 0.5)
    return warp(picture, 0.5 + by * (y - 0.5), 0.5 + by * (x - 0.5))


def hourglass(picture: Picture, rng: np.random.Generator) -> Picture:
    y, x = grid(picture)
    return warp(picture, y, 0.5 + (x - 0.5) * (1.15 - 0.45 * np.cos(2 * np.pi * y)))


def arched(picture: Picture, rng: np.random.Generator) -> Picture:
    y, x = grid(picture)
    return warp(picture, y + 0.06 - 0.9 * (x - 0.5) ** 2, x)


def drops(picture: Picture, rng: np.random.Generator) -> Picture:
    """Five round lenses of water, each at a place of its own."""
    y, x = grid(picture)
    rows, columns = y.copy(), x.copy()
    for cy, cx in rng.uniform(0.2, 0.8, (5, 2)):
        inside = np.hypot(y - cy, x - cx) < 0.12
        rows[inside], columns[inside] = (cy - 0.8 * (y - cy))[inside], (cx - 0.8 * (x - cx))[inside]
    return warp(picture, rows, columns)


def colour_fringes(picture: Picture, rng: np.random.Generator) -> Picture:
    """Red is larger than green and blue smaller, as behind a bad lens."""
    y, x = grid(picture)
    parts = [
        warp(picture, 0.5 + by * (y - 0.5), 0.5 + by * (x - 0.5))[..., c]
        for c, by in enumerate((0.9, 1.0, 1.1))
    ]
    return np.stack(parts, axis=-1)


# --- taken apart and put together again


def kaleidoscope(picture: Picture, rng: np.random.Generator) -> Picture:
    return _mirrored(_mirrored(picture, 0), 1)


def symmetric(picture: Picture, rng: np.random.Generator) -> Picture:
    return _mirrored(picture, 1)


def _mirrored(picture: Picture, axis: int) -> Picture:
    """The first half, and itself mirrored in the place of the second."""
    side = picture.shape[axis]
    at = np.minimum(np.arange(side), side - 1 - np.arange(side))
    return np.take(picture, at, axis=axis)


def shuffled_tiles(picture: Picture, rng: np.random.Generator) -> Picture:
    """Of sixteen tiles four pairs change places."""
    out = picture.copy()
    h, w = (side // 4 for side in picture.shape[:2])
    places = [(i // 4 * h, i % 4 * w) for i in rng.permutation(16)[:8]]
    for (a, b), (c, d) in zip(places[:4], places[4:], strict=True):
        out[a : a + h, b : b + w] = picture[c : c + h, d : d + w]
        out[c : c + h, d : d + w] = picture[a : a + h, b : b + w]
    return out


def flipped_strips(picture: Picture, rng: np.random.Generator) -> Picture:
    strip = round(0.15 * picture.shape[0])
    starts = range(0, picture.shape[0], strip)
    return np.concatenate([picture[start : start + strip][::-1] for start in starts])


def interlaced(picture: Picture, rng: np.random.Generator) -> Picture:
    out = picture.copy()
    odd = (np.arange(picture.shape[0]) // pixel(picture)) % 2 == 1
    out[odd] = np.roll(out[odd], round(0.12 * picture.shape[1]), axis=1)
    return out


def torn(picture: Picture, rng: np.random.Generator) -> Picture:
    """Four bands of rows, each moved sideways by another distance."""
    h, w = picture.shape[:2]
    cuts = [0, *sorted(rng.integers(round(0.15 * h), round(0.85 * h), 3).tolist()), h]
    out = picture.copy()
    for first, last in pairwise(cuts):
        out[first:last] = np.roll(picture[first:last], round(rng.uniform(-0.22, 0.22) * w), axis=1)
    return out


def sorted_pixels(picture: Picture, rng: np.random.Generator) -> Picture:
    """In a band of rows the pixels are sorted by their light."""
    out, tall = picture.copy(), round(0.3 * picture.shape[0])
    top = int(rng.integers(round(0.1 * picture.shape[0]), round(0.6 * picture.shape[0])))
    for row in out[top : top + tall]:
        row[:] = row[np.argsort(row.sum(axis=1), kind="stable")]
    return out


def cloned(picture: Picture, rng: np.random.Generator) -> Picture:
    """Two blocks of the middle stand somewhere else once more."""
    out, sides = picture.copy(), np.array(picture.shape[:2])
    h, w = np.rint(0.3 * sides).astype(int)
    for source, place in rng.random((2, 2, 2)):
        a, b = ((0.2 + 0.3 * source) * sides).astype(int)
        c, d = (0.7 * place * sides).astype(int)
        out[c : c + h, d : d + w] = picture[a : a + h, b : b + w]
    return out


def inset(picture: Picture, rng: np.random.Generator) -> Picture:
    """Itself in small, somewhere in it."""
    out = picture.copy()
    h, w = (round(0.4 * side) for side in picture.shape[:2])
    small = np.asarray(Image.fromarray(picture).resize((w, h), Image.Resampling.BOX))
    top, left = (
        int(rng.integers(0, side - part))
        for side, part in zip(picture.shape[:2], (h, w), strict=True)
    )
    out[top : top + h, left : left + w] = small
    return out


def tiled_copies(picture: Picture, rng: np.random.Generator) -> Picture:
    h, w = picture.shape[:2]
    small = np.asarray(
        Image.fromarray(picture).resize(((w + 1) // 2, (h + 1) // 2), Image.Resampling.BOX)
    )
    return np.tile(small, (2, 2, 1))[:h, :w]


# --- drawn over


def outlines(picture: Picture, rng: np.random.Generator) -> Picture:
    """Edges are drawn over in green."""
    light = picture.mean(axis=2)
    edges = np.hypot(ndimage.sobel(light, axis=0), ndimage.sobel(light, axis=1)) > 200
    return np.where(edges[..., None], np.array([40, 210, 130]), picture).astype(np.uint8)


def isolines(picture: Picture, rng: np.random.Generator) -> Picture:
    """Lines of equal height, as on a map."""
    soft = ndimage.gaussian_filter(picture.mean(axis=2), 0.8 * pixel(picture))
    return np.where(_borders((soft / 36).astype(int))[..., None], 235, picture).astype(np.uint8)


def lettering(picture: Picture, rng: np.random.Generator) -> Picture:
    """Three letters in relief, other ones at another place each time."""
    layer = Image.new("L", (22, 14), 0)
    letters = "".join(chr(65 + int(i)) for i in rng.integers(0, 26, 3))
    ImageDraw.Draw(layer).text((1, 1), letters, fill=255)
    h, w = picture.shape[:2]
    tall, wide = round(0.4 * h), round(0.75 * w)
    top, left = int(rng.integers(0, h - tall)), int(rng.integers(0, w - wide))
    mask = np.zeros((h, w))
    mask[top : top + tall, left : left + wide] = np.asarray(layer.resize((wide, tall))) / 255
    k = pixel(picture)
    return add(picture, mask - np.roll(mask, (k, k), axis=(0, 1)), 90)


def hairs(picture: Picture, rng: np.random.Generator) -> Picture:
    """Three bent threads, light and dark."""
    image = Image.fromarray(picture.copy())
    pen, size = ImageDraw.Draw(image), np.array([picture.shape[1], picture.shape[0]])
    t = np.linspace(0, 1, 40)[:, None]
    for grey in (215, 40, 170):
        a, b, c = rng.uniform(-0.1, 1.1, (3, 2)) * size
        points = (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c
        pen.line([tuple(p) for p in points.tolist()], fill=(grey,) * 3, width=pixel(picture))
    return np.asarray(image)


def cracks(picture: Picture, rng: np.random.Generator) -> Picture:
    lines = _borders(_cells(picture, rng, 8))
    return np.where(lines[..., None], 150, picture).astype(np.uint8)


def crooked_grid(picture: Picture, rng: np.random.Generator) -> Picture:
    """Lines along and across at irregular distances, others each time."""
    out, k = picture.astype(float), pixel(picture)
    for axis in (0, 1):
        side = picture.shape[axis]
        for i in range(4):
            at = round((i + 0.5 + rng.uniform(-0.45, 0.45)) / 4 * (side - k))
            np.moveaxis(out, axis, 0)[at : at + k] += 45
    return clip(out)


def bubbles(picture: Picture, rng: np.random.Generator) -> Picture:
    """Thin rings of several sizes."""
    y, x = grid(picture)
    rings = np.zeros(y.shape)
    for cy, cx, size in rng.uniform((0.05, 0.05, 0.07), (0.95, 0.95, 0.16), (5, 3)):
        rings += np.exp(-(((np.hypot(y - cy, x - cx) - size) / 0.025) ** 2))
    return add(picture, np.minimum(rings, 1), 80)


def moire(picture: Picture, rng: np.random.Generator) -> Picture:
    """Rings around somewhere, the closer the farther out."""
    y, x = grid(picture)
    cy, cx = rng.uniform(0.2, 0.8, 2)
    return add(picture, np.sin(60 * ((y - cy) ** 2 + (x - cx) ** 2) + 6.3 * rng.random()), 30)


# --- light and colour, not the same everywhere


def clouds(picture: Picture, rng: np.random.Generator) -> Picture:
    h, w = picture.shape[:2]
    total = np.zeros((h, w))
    for cells, weight in ((3, 1.0), (6, 0.6), (12, 0.35)):
        noise = Image.fromarray(rng.uniform(-1, 1, (cells, cells)).astype(np.float32))
        total += weight * np.asarray(noise.resize((w, h), Image.Resampling.BICUBIC))
    return add(picture, total, 45)


def facets(picture: Picture, rng: np.random.Generator) -> Picture:
    """As crumpled: every facet is lit in its own way."""
    cells = _cells(picture, rng, 12)
    return add(picture, rng.uniform(-1, 1, 12)[cells], 55)


def hard_shadow(picture: Picture, rng: np.random.Generator) -> Picture:
    """What lies beyond a straight line, any line through the middle part, is in shadow."""
    y, x = grid(picture)
    angle, (cy, cx) = rng.uniform(0, 2 * np.pi), rng.uniform(0.35, 0.65, 2)
    beyond = np.sin(angle) * (y - cy) + np.cos(angle) * (x - cx) > 0
    return clip(picture * np.where(beyond, 0.45, 1.0)[..., None])


def local_contrast(picture: Picture, rng: np.random.Generator) -> Picture:
    """Every part is stretched to the same contrast."""
    values, sigma = picture.astype(float), (4 * pixel(picture),) * 2 + (0,)
    mean = ndimage.gaussian_filter(values, sigma)
    spread = np.sqrt(np.maximum(ndimage.gaussian_filter(values**2, sigma) - mean**2, 0))
    return clip(0.4 * values + 0.6 * (110 + 60 * (values - mean) / (spread + 10)))


def sepia_patch(picture: Picture, rng: np.random.Generator) -> Picture:
    """A part of it has faded to brown, without a border."""
    y, x = grid(picture)
    cy, cx = rng.uniform(0.25, 0.75, 2)
    there = np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 0.06)[..., None]
    light = picture.mean(axis=2, keepdims=True)
    return clip((1 - there) * picture + there * (light * np.array([0.85, 0.6, 0.3]) + [45, 25, 0]))


def iridescence(picture: Picture, rng: np.random.Generator) -> Picture:
    """As a film of oil: the hue goes round once or so on the way across."""
    y, x = grid(picture)
    angle, phase = rng.uniform(0, 2 * np.pi, 2)
    along = 2 * np.pi * 1.2 * (np.sin(angle) * y + np.cos(angle) * x) + phase
    film = np.stack([np.sin(along + shift) for shift in (0.0, 2.1, 4.2)], axis=-1)
    return clip(picture + 32 * film)


def false_colour(picture: Picture, rng: np.random.Generator) -> Picture:
    """Light as colour, as of a thermal camera."""
    light, at = picture.mean(axis=2), [0, 64, 128, 192, 255]
    tables = ((0, 30, 180, 250, 255), (0, 20, 40, 150, 250), (40, 150, 90, 20, 190))
    return clip(np.stack([np.interp(light, at, table) for table in tables], axis=-1))


def overflow(picture: Picture, rng: np.random.Generator) -> Picture:
    """Exposed longer than the counter of a pixel can count."""
    return ((picture.astype(int) * 3 // 2) % 256).astype(np.uint8)


def colour_bleeding(picture: Picture, rng: np.random.Generator) -> Picture:
    """Colour runs out of its outlines, to the right."""
    light = picture.mean(axis=2, keepdims=True)
    k = pixel(picture)
    soft = ndimage.gaussian_filter(picture - light, (1.5 * k, 2.5 * k, 0))
    return clip(light + 1.6 * np.roll(soft, 4 * k, axis=1))


def stained_glass(picture: Picture, rng: np.random.Generator) -> Picture:
    """Pieces of one colour each between dark lines."""
    cells = _cells(picture, rng, 40)
    count = np.maximum(np.bincount(cells.ravel(), minlength=40), 1)
    colours = [
        (np.bincount(cells.ravel(), picture[..., c].ravel(), 40) / count)[cells] for c in range(3)
    ]
    return clip(np.where(_borders(cells)[..., None], 25, np.stack(colours, axis=-1)))


def _cells(picture: Picture, rng: np.random.Generator, n: int) -> np.ndarray:
    """Number of the nearest of `n` points drawn by lot, of each pixel."""
    y, x = grid(picture)
    far = [(y - cy) ** 2 + (x - cx) ** 2 for cy, cx in rng.random((n, 2))]
    return np.argmin(far, axis=0)


def _borders(cells: np.ndarray) -> np.ndarray:
    """Where the next pixel, to the right or below, is of another cell."""
    found = np.zeros(cells.shape, dtype=bool)
    found[:, :-1] |= cells[:, :-1] != cells[:, 1:]
    found[:-1] |= cells[:-1] != cells[1:]
    return found


HELD_OUT_PICTURES: dict[str, ImagePattern] = {
    "barrel": barrel,
    "fish eye": fish_eye,
    "hourglass": hourglass,
    "arched": arched,
    "drops": drops,
    "colour fringes": colour_fringes,
    "kaleidoscope": kaleidoscope,
    "symmetric": symmetric,
    "shuffled tiles": shuffled_tiles,
    "flipped strips": flipped_strips,
    "interlaced": interlaced,
    "torn": torn,
    "sorted pixels": sorted_pixels,
    "cloned": cloned,
    "inset": inset,
    "tiled copies": tiled_copies,
    "outlines": outlines,
    "isolines": isolines,
    "lettering": lettering,
    "hairs": hairs,
    "cracks": cracks,
    "crooked grid": crooked_grid,
    "bubbles": bubbles,
    "moire": moire,
    "clouds": clouds,
    "facets": facets,
    "hard shadow": hard_shadow,
    "local contrast": local_contrast,
    "sepia patch": sepia_patch,
    "iridescence": iridescence,
    "false colour": false_colour,
    "overflow": overflow,
    "colour bleeding": colour_bleeding,
    "stained glass": stained_glass,
}
