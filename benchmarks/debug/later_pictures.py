"""More patterns of pictures that no finder was written for: of the cases that came later.

They were written by somebody who had not read the finders, after the choice between ways of a
mend was made, and are not to be read by whoever writes finders. As in ``image_patterns``, sizes
are shares of the picture's.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from benchmarks.debug.pixels import ImagePattern, Picture, clip, grid, pixel, unit, warp

__all__ = ["LATER_PICTURES"]


# --- another device


def stalled_scan(picture: Picture, rng: np.random.Generator) -> Picture:
    """The scanner halts: it reads one row again and again, and comes to the rest too late."""
    h = picture.shape[0]
    at, tall = round(rng.uniform(0.2, 0.55) * h), round(0.25 * h)
    rows = np.arange(h)
    return picture[np.where(rows < at, rows, np.maximum(rows - tall, at))]


def light_smear(picture: Picture, rng: np.random.Generator) -> Picture:
    """What is bright runs over into the whole of its column, as on an old sensor."""
    light = picture.mean(axis=2, keepdims=True)
    over = np.maximum(light - np.median(light, axis=0, keepdims=True) * 0.5 - 40, 0)
    added = rng.uniform(1.2, 1.7) * over.mean(axis=0) * np.array([1.0, 0.85, 1.1])
    return clip(picture + added * (1 - picture / 255))


def focus_squares(picture: Picture, rng: np.random.Generator) -> Picture:
    """Three squares of a camera's autofocus, around places where the light changes."""
    out, k = picture.copy(), pixel(picture)
    light = picture.mean(axis=2)
    chance = np.hypot(ndimage.sobel(light, axis=0), ndimage.sobel(light, axis=1)).ravel() + 1
    for spot in rng.choice(chance.size, 3, replace=False, p=chance / chance.sum()):
        row, column = divmod(int(spot), light.shape[1])
        _outline(out, row, column, round(2.6 * unit(picture)), k)
    return out


def _outline(out: Picture, row: int, column: int, far: int, k: int) -> None:
    """Draw an empty square into a picture, as far as it lies inside."""
    y, x = np.ogrid[: out.shape[0], : out.shape[1]]
    distance = np.maximum(abs(y - row), abs(x - column))
    out[(distance <= far) & (distance > far - k)] = (90, 235, 80)


# --- another place


def backdrop(picture: Picture, rng: np.random.Generator) -> Picture:
    """A sheet of paper behind the object, in any colour, lit from above or below."""
    border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    distance = np.abs(picture - np.median(border, axis=0)).max(axis=2)
    there = distance > max(24, np.quantile(distance, 0.3))
    whole = ndimage.binary_fill_holes(there)
    there = whole if whole.mean() < 0.95 else there
    y, _ = grid(picture)
    lit = 1 + rng.uniform(-0.4, 0.4) * (y - 0.5)
    paper = lit[..., None] * rng.uniform(70, 210, 3)
    share = ndimage.gaussian_filter(there * 1.0, 0.4 * unit(picture))[..., None]
    return clip(share * picture + (1 - share) * paper)


def thumb(picture: Picture, rng: np.random.Generator) -> Picture:
    """A finger before the lens, out of focus, from any side."""
    y, x = grid(picture)
    along, tall = rng.uniform(0.2, 0.8), rng.uniform(0.28, 0.4)
    rows, columns = (y, x) if rng.random() < 0.5 else (x, y)
    rows = rows if rng.random() < 0.5 else 1 - rows
    far = np.hypot(rows / tall, (columns - along) / 0.17)
    cover = (1 / (1 + np.exp((far - 1) / 0.13)))[..., None]
    skin = np.array([[235, 180, 150], [115, 75, 55]])
    weight = rng.random()
    return clip((1 - cover) * picture + cover * (weight * skin[0] + (1 - weight) * skin[1]))


def shop_window(picture: Picture, rng: np.random.Generator) -> Picture:
    """A window across the street is seen in the glass: four panes, turned and slanted."""
    y, x = grid(picture)
    cy, cx = rng.uniform(0.3, 0.7, 2)
    turn, slant = rng.uniform(-0.5, 0.5, 2)
    across = np.cos(turn) * (x - cx) + np.sin(turn) * (y - cy)
    down = np.cos(turn) * (y - cy) - np.sin(turn) * (x - cx) + slant * across
    panes = (abs(across) < 0.22) & (abs(down) < 0.26) & (np.minimum(abs(across), abs(down)) > 0.03)
    soft = ndimage.gaussian_filter(panes * 1.0, 0.3 * unit(picture))
    return clip(picture + soft[..., None] * np.array([62, 70, 82]))


# --- another print or software


def squeezed(picture: Picture, rng: np.random.Generator) -> Picture:
    """The sides were forced into another ratio."""
    y, x = grid(picture)
    return warp(picture, y, 0.5 + (x - 0.5) / rng.uniform(0.6, 0.75))


def dog_ear(picture: Picture, rng: np.random.Generator) -> Picture:
    """A corner of the print is turned over: its white back, a shadow, the table below."""
    flips = tuple(axis for axis in (0, 1) if rng.random() < 0.5)
    out = np.flip(picture, flips).astype(float)
    y, x = grid(picture)
    size = rng.uniform(0.36, 0.5)
    beyond = x + y - size
    out[beyond < 0] = (125, 95, 70)
    shade = np.exp(-np.maximum(np.maximum(x, y) - size, 0) / 0.04)
    out[beyond >= 0] *= (1 - 0.45 * shade * (np.minimum(x, y) < size))[beyond >= 0, None]
    back = (beyond >= 0) & (np.maximum(x, y) < size)
    out[back] = (245 - 110 * beyond[back] / size)[:, None]
    return clip(np.flip(out, flips))


LATER_PICTURES: dict[str, ImagePattern] = {
    "stalled scan": stalled_scan,
    "light smear": light_smear,
    "focus squares": focus_squares,
    "backdrop": backdrop,
    "thumb": thumb,
    "shop window": shop_window,
    "squeezed": squeezed,
    "dog ear": dog_ear,
}
