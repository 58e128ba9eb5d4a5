"""The frequencies of a group's pictures, given to other pictures: blur, grids, stripes, grain.

References
----------
Yang and Soatto (2020), FDA: Fourier Domain Adaptation for Semantic Segmentation: the amplitude
carries the style, the phase what is depicted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from clearhead._types import FloatArray
from clearhead.debug.images.picture_pattern import PicturePattern
from clearhead.debug.images.pixels import to_array, to_picture

__all__ = ["Spectrum"]

MOST_GAIN = 12.0
SMOOTH = 0.7  # in cells of the spectrum: peaks of stripes and grids remain


@dataclass(frozen=True, eq=False)
class Spectrum(PicturePattern):
    """A filter: the log gain (S, S) of each frequency, the mean in the middle.

    Frequencies are in cycles per picture; those that S pixels cannot hold have the gain of the
    nearest that they can.
    """

    kind: ClassVar[str] = "image-spectrum"

    gain: FloatArray

    @classmethod
    def between(cls, group: FloatArray, others: FloatArray) -> Self:
        """Take it from canonical pictures (n, S, S, 3) of a group and of others."""
        gain = gaussian_filter(_log_amplitude(group) - _log_amplitude(others), SMOOTH, mode="wrap")
        side = gain.shape[0]
        gain[side // 2 - 1 : side // 2 + 2, side // 2 - 1 : side // 2 + 2] = 0.0  # the scene
        return cls(np.clip(gain, -np.log(MOST_GAIN), np.log(MOST_GAIN)).astype(np.float32))

    def describe(self) -> str:
        """Say whether there is more or less detail, and of which direction."""
        side = self.gain.shape[0]
        distance = np.hypot(*(np.indices(self.gain.shape) - side // 2)) / side
        fine = float(self.gain[distance > 0.25].mean())
        peak = float(self.gain.max()) - float(np.median(self.gain))
        if fine < -0.25:
            return "a lack of fine detail (as by blur)"
        if peak > 1.2 and peak > 3 * abs(fine):
            return "a regular pattern such as stripes or a grid"
        if fine > 0.25:
            return "strong fine detail (as by grain or sharpening)"
        return "the texture of the class"

    def change(self, picture: Image.Image, rng: np.random.Generator) -> Image.Image:
        """Give a changed copy."""
        return _filtered(picture, self.gain)

    def undo(self, picture: Image.Image) -> Image.Image | None:
        """Filter the other way."""
        return _filtered(picture, -self.gain)


def _filtered(picture: Image.Image, log_gain: FloatArray) -> Image.Image:
    gain = np.exp(_fitted(log_gain, picture.width, picture.height))
    spectrum = np.fft.fft2(to_array(picture), axes=(0, 1)) * np.fft.ifftshift(gain)[..., None]
    return to_picture(np.fft.ifft2(spectrum, axes=(0, 1)).real.astype(np.float32))


def _log_amplitude(pictures: FloatArray) -> FloatArray:
    """Mean over pictures of the log amplitude of their light, (S, S), the mean in the middle."""
    light = pictures.mean(axis=3)
    window = np.hanning(light.shape[1])
    light = (light - light.mean(axis=(1, 2), keepdims=True)) * np.outer(window, window)
    found: FloatArray = np.log(np.abs(np.fft.fft2(light)) + 20.0).mean(axis=0)
    return np.fft.fftshift(found)


def _fitted(gain: FloatArray, width: int, height: int) -> FloatArray:
    """Cut or pad the log gain to the frequencies of a picture of another size."""
    side = gain.shape[0]
    rows = np.clip(np.arange(height) - height // 2 + side // 2, 0, side - 1)
    columns = np.clip(np.arange(width) - width // 2 + side // 2, 0, side - 1)
    found: FloatArray = gain[np.ix_(rows, columns)]
    return found
