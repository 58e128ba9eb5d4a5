"""What a picture looks like, in about a hundred and fifty numbers, without any network.

Spectrum by frequency and direction, colour, layout, edges by place, border, flatness, tones,
symmetry. None of them was made for a particular pattern: a :class:`Detector` learns from examples
which of them tell that a pattern is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

import numpy as np
from PIL import Image
from scipy.special import expit

from clearhead._types import FloatArray, IntArray
from clearhead.debug.images.pixels import canonical, to_array
from clearhead.errors import InputError

__all__ = ["Detector", "describe_look"]

SIDE = 96
BANDS, DIRECTIONS, CELLS = 8, 4, 6
STRENGTH = 1e-2
"""Inverse of the detector's ridge penalty: there are more looks than pictures to learn from."""


def describe_look(picture: Image.Image) -> FloatArray:
    """Describe a picture of any size by the same (d,) numbers."""
    pixels = canonical(picture, SIDE)
    light = pixels.mean(axis=2)
    parts = [
        _spectrum(light),
        _colour(pixels),
        _layout(light),
        _border(light),
        _flatness(to_array(picture)),
        _tones(to_array(picture)),
        _symmetry(light),
    ]
    found: FloatArray = np.concatenate(parts).astype(np.float64)
    return found


def _spectrum(light: FloatArray) -> FloatArray:
    """Log power by frequency (8 octave-like bands) and direction (4)."""
    window, where, count = _frequencies()
    power = np.abs(np.fft.fft2((light - light.mean()) * window)) ** 2
    total = np.bincount(where, power.ravel(), BANDS * DIRECTIONS)
    found: FloatArray = np.log(total / np.maximum(count, 1) + 1.0)
    return found


@cache
def _frequencies() -> tuple[FloatArray, IntArray, IntArray]:
    """Window of a picture, band and direction of each frequency, and how many there are."""
    window = np.outer(np.hanning(SIDE), np.hanning(SIDE))
    fy, fx = np.meshgrid(np.fft.fftfreq(SIDE), np.fft.fftfreq(SIDE), indexing="ij")
    radius, angle = np.hypot(fy, fx), np.mod(np.arctan2(fy, fx), np.pi)
    band = np.digitize(radius, np.linspace(0.01, 0.5, BANDS + 1)[1:-1])
    direction = np.minimum((angle / np.pi * DIRECTIONS + 0.5).astype(int) % DIRECTIONS, 3)
    where = (band * DIRECTIONS + direction).ravel()
    return window, where, np.bincount(where, minlength=BANDS * DIRECTIONS)


def _colour(pixels: FloatArray) -> FloatArray:
    """Mean and spread of the channels, their differences, and how light is distributed."""
    flat = pixels.reshape(-1, 3)[::5]  # percentiles are slow, and 5 does not divide the side
    light = flat.mean(axis=1)
    saturation = flat.max(axis=1) - flat.min(axis=1)
    covariance = np.cov(flat.T)[np.triu_indices(3)]
    return np.concatenate(
        [
            flat.mean(axis=0),
            np.sign(covariance) * np.sqrt(np.abs(covariance)),
            (flat - light[:, None]).mean(axis=0),
            np.percentile(light, [1, 10, 25, 50, 75, 90, 99]),
            np.percentile(saturation, [10, 50, 90, 99]),
            [100 * np.mean(light < 8), 100 * np.mean(light > 247)],
        ]
    )


def _layout(light: FloatArray) -> FloatArray:
    """Light and strength of edges in 6 × 6 cells, against the picture's mean."""
    size = SIDE // CELLS
    edges = np.hypot(*np.gradient(light))
    found = []
    for values in (light, np.log1p(edges)):
        cells = values.reshape(CELLS, size, CELLS, size).mean(axis=(1, 3)).ravel()
        found.append(cells - cells.mean())
    return np.concatenate(found)


def _border(light: FloatArray) -> FloatArray:
    """Light, spread and step to what lies inside, of each side."""
    found = []
    for turned in (light, light[::-1], light.T, light.T[::-1]):
        outer, inner = turned[: SIDE // 24], turned[SIDE // 12 : SIDE // 6]
        found += [outer.mean(), outer.std(), np.abs(outer.mean(axis=0) - inner.mean(axis=0)).mean()]
    return np.array(found)


def _flatness(pixels: FloatArray) -> FloatArray:
    """Fine structure at full size: equal neighbours, small steps, noise, left-right balance."""
    light = np.pad(pixels.mean(axis=2), ((0, 0), (0, 1 if pixels.shape[1] < 2 else 0)), "edge")
    step = np.abs(np.diff(light, axis=1))
    second = np.abs(np.diff(light, 2, axis=1)) if light.shape[1] > 2 else step
    return np.array(
        [
            100 * np.mean(step == 0),
            100 * np.mean(step < 2),
            np.log1p(np.median(second)),
            np.log1p(second.mean()),
            100 * np.log(light.shape[1] / light.shape[0]),
        ]
    )


def _tones(pixels: FloatArray) -> FloatArray:
    """How many levels of light there are, and the share of the most frequent ones."""
    counts = np.bincount(pixels.mean(axis=2).astype(int).ravel(), minlength=256)
    shares = np.sort(counts)[::-1] / counts.sum()
    there = shares[shares > 0]
    entropy = -float((there * np.log(there)).sum())
    return np.array([10 * np.log(len(there)), 10 * entropy, *(100 * np.cumsum(shares)[[3, 15]])])


def _symmetry(light: FloatArray) -> FloatArray:
    """Correlation with itself mirrored, upside down, turned, and moved sideways."""
    centred = light - light.mean()
    power = max(float((centred**2).sum()), 1e-9)
    others = (centred[:, ::-1], centred[::-1], centred.T, np.roll(centred, SIDE // 6, axis=1))
    return np.array([100 * float((centred * other).sum()) / power for other in others])


@dataclass(frozen=True, eq=False)
class Detector:
    """Tells from how a picture looks whether a pattern is in it.

    Parameters
    ----------
    center, scale, weight : ndarray of shape (d,)
    bias : float
    """

    center: FloatArray
    scale: FloatArray
    weight: FloatArray
    bias: float

    @classmethod
    def fit(cls, without: Sequence[Image.Image], inside: Sequence[Image.Image]) -> Self:
        """Learn from pictures without a pattern and the same ones with it.

        Raises
        ------
        InputError
            There are none of one kind.
        """
        from sklearn.linear_model import LogisticRegression

        if not without or not inside:
            raise InputError("Detector.fit: expected pictures with the pattern and without it.")
        looks = np.stack([describe_look(one) for one in (*without, *inside)])
        there = np.repeat([0, 1], [len(without), len(inside)])
        center, scale = looks.mean(axis=0), looks.std(axis=0)
        scale = np.where(scale > 1e-9, scale, 1.0)
        model = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=1000)
        model.fit((looks - center) / scale, there)
        return cls(center, scale, model.coef_[0], float(model.intercept_[0]))

    def score(self, picture: Image.Image) -> float:
        """Probability that the pattern is in it."""
        look = (describe_look(picture) - self.center) / self.scale
        return float(expit(look @ self.weight + self.bias))

    def arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """As arrays, to be saved."""
        return {
            "detector_center": self.center,
            "detector_scale": self.scale,
            "detector_weight": self.weight,
            "detector_bias": np.array([self.bias]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray[Any, Any]]) -> Self | None:
        """Undo :meth:`arrays`; None where there is none.

        Raises
        ------
        InputError
            It is of other looks than :func:`describe_look` gives: another version learned it.
        """
        if "detector_weight" not in arrays:
            return None
        for name in ("detector_center", "detector_scale", "detector_weight"):
            if arrays[name].shape != (_n_looks(),):
                raise InputError(
                    f"{name}: expected shape ({_n_looks()},), got {arrays[name].shape}. Another "
                    "version of clearhead has learned this detector: fit it again."
                )
        return cls(
            arrays["detector_center"],
            arrays["detector_scale"],
            arrays["detector_weight"],
            float(arrays["detector_bias"][0]),
        )


@cache
def _n_looks() -> int:
    """How many numbers describe a picture."""
    return len(describe_look(Image.new("RGB", (SIDE, SIDE))))
