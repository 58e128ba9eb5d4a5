"""The colours of a group's pictures, given to other pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from PIL import Image

from clearhead._types import FloatArray
from clearhead.debug.images.picture_pattern import PicturePattern
from clearhead.debug.images.pixels import to_array, to_picture

__all__ = ["Colours"]

FLOOR = 3.0
"""Spread of a colour, in units of 255, below which it is not stretched."""
FLATTEST = 50.0
"""A map that makes one direction of colour so much flatter than another is not undone."""


@dataclass(frozen=True, eq=False)
class Colours(PicturePattern):
    """An affine map of colours: ``matrix @ (x - before) + after``.

    It takes the mean and covariance that others' colours have within a picture to those of the
    group (the optimal transport between two normal distributions), so a picture keeps how it
    differs from the others.
    """

    kind: ClassVar[str] = "image-colours"

    matrix: FloatArray
    before: FloatArray
    after: FloatArray

    @classmethod
    def between(cls, group: FloatArray, others: FloatArray) -> Self:
        """Take it from canonical pictures (n, S, S, 3) of a group and of others."""
        (after, wanted), (before, given) = _moments(group), _moments(others)
        root = _power(given, 0.5)
        inverse = _power(given, -0.5)
        matrix = inverse @ _power(root @ wanted @ root, 0.5) @ inverse
        return cls(matrix, before, after)

    def describe(self) -> str:
        """Say how it differs from leaving colours alone."""
        shift = self.after - self.before
        light, warm = shift.mean(), shift[0] - shift[2]
        spread = float(np.trace(self.matrix)) / 3
        words = [
            *([f"{'lighter' if light > 0 else 'darker'}"] if abs(light) > 12 else []),
            *([f"{'warmer' if warm > 0 else 'cooler'}"] if abs(warm) > 10 else []),
            *([f"{'stronger' if spread > 1 else 'flatter'}"] if abs(spread - 1) > 0.2 else []),
        ]
        return f"the colours of the class ({', '.join(words) or 'another palette'})"

    def change(self, picture: Image.Image, rng: np.random.Generator) -> Image.Image:
        """Give a changed copy."""
        return to_picture((to_array(picture) - self.before) @ self.matrix.T + self.after)

    def undo(self, picture: Image.Image) -> Image.Image | None:
        """Map the colours back."""
        if np.linalg.cond(self.matrix) > FLATTEST:
            return None
        back = np.linalg.inv(self.matrix)
        return to_picture((to_array(picture) - self.after) @ back.T + self.before)


def _moments(pictures: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean colour, and mean covariance of the colours within a picture."""
    flat = pictures.reshape(len(pictures), -1, 3).astype(np.float64)
    centred = flat - flat.mean(axis=1, keepdims=True)
    covariance = np.einsum("nic,nid->cd", centred, centred) / (flat.shape[0] * flat.shape[1])
    return flat.mean(axis=(0, 1)), covariance + FLOOR**2 * np.eye(3)


def _power(matrix: FloatArray, exponent: float) -> FloatArray:
    values, vectors = np.linalg.eigh(matrix)
    found: FloatArray = (vectors * np.maximum(values, 1e-9) ** exponent) @ vectors.T
    return found
