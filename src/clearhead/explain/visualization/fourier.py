"""Pictures as spectra: what is optimised is not pixels but frequencies of decorrelated colours.

A picture in [0, 1] is ``sigmoid(C @ s)``, where `s` are three decorrelated colour signals and
`C` mixes them. Its spectrum falls with frequency f, as that of natural pictures does: a step of
the optimiser then changes coarse structure before fine, instead of adding noise. Natural
pictures fall as 1/f; 1/f**1.3 gives coarser patterns and stronger colours in few steps, at equal
activation (looked at on EfficientNet-Lite0).

References
----------
Olah, Mordvintsev and Schubert, Feature Visualization, Distill 2017, "Preconditioning and
parameterization"; the colour matrix is that of lucid (tensorflow/lucid,
``lucid/optvis/param/color.py``, Apache-2.0), measured on ImageNet.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor

__all__ = [
    "Fourier",
    "Parametrisation",
    "decorrelate",
    "inverse_frequencies",
    "pixels_of",
    "recorrelate",
    "signals_of",
]

_CORRELATION = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))
# Pixels nearer to black or white than this have too large a logit to be optimised away from.
_EDGE = 0.02
# Standard deviation of the signals of the first picture: faint, but not the same for all.
_START = 0.3
_DECAY = 1.3
_MEAN = 1.0


def _mixing(channels: int) -> Tensor:
    """`C`, scaled to a largest column of norm 1; one channel has nothing to mix."""
    if channels == 1:
        return torch.ones(1, 1)
    matrix = torch.tensor(_CORRELATION)
    scaled: Tensor = matrix / matrix.norm(dim=0).max()
    return scaled


def recorrelate(signals: Tensor) -> Tensor:
    """Mix decorrelated colours (b, c, H, W) to red, green and blue; undoes `decorrelate`."""
    return torch.einsum("ck,bkij->bcij", _mixing(signals.shape[1]).to(signals), signals)


def decorrelate(colours: Tensor) -> Tensor:
    """Separate red, green and blue (b, c, H, W) into signals that natural pictures have alone."""
    inverse = torch.linalg.inv(_mixing(colours.shape[1])).to(colours)
    return torch.einsum("ck,bkij->bcij", inverse, colours)


def pixels_of(signals: Tensor) -> Tensor:
    """Pixels in [0, 1] of decorrelated signals (b, c, H, W)."""
    return torch.sigmoid(recorrelate(signals))


def signals_of(pixels: Tensor) -> Tensor:
    """Undo :func:`pixels_of`, up to the clipping of pure black and white."""
    return decorrelate(torch.logit(pixels.clamp(_EDGE, 1.0 - _EDGE)))


class Parametrisation(ABC):
    """What is optimised, and the picture that it stands for."""

    rate: float
    """Learning rate of Adam that fits these parameters."""

    @abstractmethod
    def start(self, channels: int, generator: torch.Generator) -> Tensor:
        """Draw the parameters of one random picture."""

    @abstractmethod
    def inverse(self, pixels: Tensor) -> Tensor:
        """Parameters of one picture (1, c, H, W) in [0, 1], without the first axis."""

    @abstractmethod
    def pixels(self, parameters: Tensor) -> Tensor:
        """Pictures (b, c, H, W) in [0, 1] of stacked parameters."""


class Fourier(Parametrisation):
    """Real and imaginary part of each frequency, divided by a power of it.

    Parameters
    ----------
    size : (H, W)
    """

    rate = 0.2

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self.scale = inverse_frequencies(size, _DECAY)
        # The mean colour moves as fast at any size, fast enough for a feature of plain colour.
        self.scale[0, 0] = _MEAN * (size[0] * size[1]) ** 0.5

    def start(self, channels: int, generator: torch.Generator) -> Tensor:
        """Draw a faint picture with the spectrum of natural ones, grey on the mean."""
        drawn = _START * torch.randn(channels, *self.scale.shape, 2, generator=generator)
        drawn[:, 0, 0] = 0.0
        return drawn

    def inverse(self, pixels: Tensor) -> Tensor:
        """Divide the picture's spectrum by the scale."""
        spectrum = torch.fft.rfft2(signals_of(pixels), norm="ortho")[0]
        return torch.view_as_real(spectrum / self.scale.to(pixels.device)).contiguous()

    def pixels(self, parameters: Tensor) -> Tensor:
        """Transform the scaled spectrum back."""
        spectrum = torch.view_as_complex(parameters) * self.scale.to(parameters.device)
        return pixels_of(torch.fft.irfft2(spectrum, s=self.size, norm="ortho"))


def inverse_frequencies(size: tuple[int, int], decay: float = 1.0) -> Tensor:
    """1/f**decay over the half plane (H, W // 2 + 1), so that white noise gets variance 1.

    The frequency 0 counts as the lowest other one.
    """
    rows, columns = np.fft.fftfreq(size[0])[:, None], np.fft.rfftfreq(size[1])[None]
    scale = np.maximum(np.hypot(rows, columns), 1.0 / max(size)) ** -decay
    # All frequencies but those of the first (and last) column stand for two.
    twice = np.full(scale.shape, 2.0)
    twice[:, 0] = 1.0
    if size[1] % 2 == 0:
        twice[:, -1] = 1.0
    # Real and imaginary part have variance 1 each.
    scale /= np.sqrt(2.0 * (twice * scale**2).sum() / (size[0] * size[1]))
    return torch.from_numpy(scale).float()
