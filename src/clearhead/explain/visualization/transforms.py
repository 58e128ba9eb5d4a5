"""What a picture must stand: being moved, scaled and turned a little before each look.

Without it, optimisation finds patterns that excite the network at exact pixels only (Olah et
al., Distill 2017, "Transformation robustness").
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["Transforms", "look", "window_grid"]


@dataclass(frozen=True)
class Transforms:
    """How far each look may be from the plain one.

    Parameters
    ----------
    jitter : float
        Largest shift, as a share of the window's side.
    scale : float
        The window is up to 1 + `scale` times larger or smaller.
    degrees : float
        Largest rotation.
    noise : float
        Standard deviation of noise on pixels in [0, 1].
    """

    jitter: float = 0.08
    scale: float = 0.2
    degrees: float = 10.0
    noise: float = 0.0

    def draw(self, steps: int, generator: torch.Generator) -> Tensor:
        """Draw the looks at one picture: (steps, 4) of zoom, angle, shift down and right."""
        uniform = 2.0 * torch.rand(steps, 4, generator=generator) - 1.0
        zoom = (1.0 + self.scale) ** uniform[:, 0]
        angle = uniform[:, 1] * self.degrees * torch.pi / 180.0
        return torch.stack(
            [zoom, angle, uniform[:, 2] * self.jitter, uniform[:, 3] * self.jitter], 1
        )


def look(
    pictures: Tensor,
    drawn: Tensor,
    window: tuple[int, int, int, int],
    size: tuple[int, int],
) -> Tensor:
    """See each picture through its own moved, scaled and turned window, by one resampling.

    Parameters
    ----------
    pictures : (b, c, H, W) Tensor
    drawn : (b, 4) Tensor
        One row of :meth:`Transforms.draw` for each.
    window : (top, left, height, width)
        The plain window, in pixels of the picture.
    size : (h, w)
        Of the result.
    """
    grid = window_grid(drawn, tuple(pictures.shape[2:]), window, size)
    # What lies outside the picture is seen as its mirror image.
    return functional.grid_sample(
        pictures, grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )


def window_grid(
    drawn: Tensor,
    whole: tuple[int, ...],
    window: tuple[int, int, int, int],
    size: tuple[int, int],
) -> Tensor:
    """Where each pixel of the results comes from: (b, h, w, 2), in grid_sample's coordinates."""
    top, left, height, width = window
    zoom, angle, down, right = drawn.unbind(1)
    cos, sin = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    # Pixels from the window's middle, turned as such: the picture may not be square.
    y = (torch.arange(size[0]) + 0.5) * height / size[0] - height / 2.0
    x = (torch.arange(size[1]) + 0.5) * width / size[1] - width / 2.0
    y, x = y.to(drawn).view(1, -1, 1), x.to(drawn).view(1, 1, -1)
    cos, sin, down, right = (value.view(-1, 1, 1) for value in (cos, sin, down, right))
    rows = top + height * (0.5 + down) + cos * y + sin * x
    columns = left + width * (0.5 + right) + cos * x - sin * y
    return torch.stack([2.0 * columns / whole[1] - 1.0, 2.0 * rows / whole[0] - 1.0], dim=-1)
