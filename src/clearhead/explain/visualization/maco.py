"""Magnitude-constrained pictures: the spectrum's magnitude is fixed, only its phase is free.

A picture whose magnitudes are those of natural pictures cannot turn into the high-frequency
noise that networks respond to: what can be changed is where things are.

References
----------
Fel et al., Unlocking Feature Visualization for Deeper Networks with MAgnitude Constrained
Optimization, NeurIPS 2023 (arXiv 2306.06805), section 3.
"""

from __future__ import annotations

import torch
from torch import Tensor

from clearhead.explain.visualization.fourier import (
    Parametrisation,
    inverse_frequencies,
    pixels_of,
    signals_of,
)

__all__ = ["Maco"]


class Maco(Parametrisation):
    """Phases of a spectrum of fixed magnitude.

    Parameters
    ----------
    size : (H, W)
    channels : int
        1 or 3.
    pictures : (n, c, H, W) Tensor, optional
        Real pictures in [0, 1], whose mean magnitude is taken; 1/f if not given.
    """

    rate = 0.3

    def __init__(
        self, size: tuple[int, int], channels: int, pictures: Tensor | None = None
    ) -> None:
        self.size = size
        if pictures is None:
            # Signals of standard deviation 1: contrast as of natural pictures.
            magnitude = 2.0**0.5 * inverse_frequencies(size).expand(channels, -1, -1).clone()
            magnitude[:, 0, 0] = 0.0
        else:
            fade = _fade(size)
            magnitude = torch.zeros(channels, size[0], size[1] // 2 + 1)
            for one in pictures:
                signals = signals_of(one[None])[0]
                faded = fade * (signals - signals.mean((1, 2), keepdim=True))
                magnitude += torch.fft.rfft2(faded, norm="ortho").abs() / len(pictures)
            # The mean colour has a sign, no phase that could be found.
            magnitude[:, 0, 0] = 0.0
        self.magnitude = magnitude

    def start(self, channels: int, generator: torch.Generator) -> Tensor:
        """Draw phases at random."""
        shape = self.magnitude.shape
        return (2.0 * torch.rand(shape, generator=generator) - 1.0) * torch.pi

    def inverse(self, pixels: Tensor) -> Tensor:
        """Take the picture's phases; its magnitudes are lost."""
        phases: Tensor = torch.fft.rfft2(signals_of(pixels), norm="ortho")[0].angle()
        return phases

    def spectrum(self, parameters: Tensor) -> Tensor:
        """The complex spectrum (b, c, H, W // 2 + 1) of stacked phases."""
        return torch.polar(self.magnitude.to(parameters.device).expand_as(parameters), parameters)

    def pixels(self, parameters: Tensor) -> Tensor:
        """Transform magnitude and phase back."""
        return pixels_of(torch.fft.irfft2(self.spectrum(parameters), s=self.size, norm="ortho"))


def _fade(size: tuple[int, int]) -> Tensor:
    """Let pictures fade towards their edges (Hann), at equal power.

    Else the step from one edge to the opposite one, which a spectrum sees, would put a cross
    on all pictures.
    """
    rows = torch.hann_window(size[0], periodic=False)
    fade = rows[:, None] * torch.hann_window(size[1], periodic=False)
    return fade / fade.square().mean().sqrt()
