"""Pictures with some of their regions hidden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter
from torch import Tensor

from clearhead._files import checksum
from clearhead._types import BoolArray, IntArray
from clearhead.backbones import Backbone, Batch
from clearhead.errors import BackboneError
from clearhead.explain.parts import Parts, regions_of

__all__ = ["ImageFill", "RegionSource", "ShownPicture", "picture_in", "with_pictures"]

ImageFill = Literal["grey", "mean", "blur"]
_REFERENCE_SIDE = 224
_BLUR = 0.05  # standard deviation, as a share of the longer side


@dataclass(frozen=True, eq=False)
class ShownPicture:
    """A picture as the network is shown it.

    Parameters
    ----------
    batch : Batch
        Of this one picture.
    pixels : Tensor of shape (3 or 1, H, W)
        Its values, whichever way round the batch holds them.
    parts : Parts
    fill : Tensor of shape (3 or 1, H, W)
        What stands in place of hidden regions.
    """

    batch: Batch
    pixels: Tensor
    parts: Parts
    fill: Tensor

    def hide(self, kept: BoolArray) -> Batch:
        """Make the batch of the pictures that keep these regions: one row a subset."""
        shown = torch.from_numpy(kept[:, self.parts.segments])[:, None]
        pixels = torch.where(shown, self.pixels, self.fill)
        return with_pictures(self.batch, pixels)


@dataclass(frozen=True, eq=False)
class RegionSource:
    """Turns subsets of a picture's regions into batches.

    Parameters
    ----------
    backbone : Backbone
    n_regions : int
    method : {"slic", "grid"}
    fill : {"grey", "mean", "blur"}
        A hidden region is middle grey, its own mean colour, or blurred.
    """

    backbone: Backbone
    n_regions: int
    method: Literal["slic", "grid"]
    fill: ImageFill
    unit = "regions"
    rows_at_once = 1
    """A picture's perturbations are all of one size: nothing is gained by mixing pictures."""

    def describe(self) -> dict[str, Any]:
        """What the perturbed pictures depend on."""
        return {
            "parts": "regions",
            "n_regions": self.n_regions,
            "method": self.method,
            "fill": self.fill,
        }

    def digest(self, picture: Image.Image) -> str:
        """Tell one picture from another."""
        return checksum(f"{picture.size} {picture.mode}".encode() + picture.tobytes())

    def open(self, picture: Image.Image) -> ShownPicture:
        """Prepare the picture once, and cut what the network is shown into regions."""
        batch = self.backbone.prepare([picture.convert("RGB")])
        pixels = picture_in(batch, self.backbone.name)[0]
        parts = regions_of(self._visible(pixels), self.n_regions, self.method)
        return ShownPicture(batch, pixels, parts, self._filling(pixels, parts))

    def items(
        self, asked: Sequence[tuple[ShownPicture, BoolArray]]
    ) -> tuple[list[tuple[ShownPicture, BoolArray]], IntArray, IntArray]:
        """Every subset, which it is, and that all are alike in size."""
        items = [(shown, row) for shown, kept in asked for row in kept]
        return items, np.arange(len(items)), np.zeros(len(items), dtype=np.int64)

    def batch(self, items: Sequence[tuple[ShownPicture, BoolArray]]) -> Batch:
        """Make the network's input of subsets of one picture's regions."""
        return items[0][0].hide(np.stack([row for _, row in items]))

    @cached_property
    def _references(self) -> tuple[Tensor, Tensor, Tensor]:
        """What black, white and middle grey are to the network, per channel (3, 1, 1)."""
        size = (_REFERENCE_SIDE, _REFERENCE_SIDE)
        colours = [Image.new("RGB", size, (value,) * 3) for value in (0, 255, 128)]
        pixels = picture_in(self.backbone.prepare(colours), self.backbone.name)
        black, white, grey = pixels.float().mean(dim=(2, 3))[:, :, None, None]
        return black, white, grey

    def _visible(self, pixels: Tensor) -> Any:
        """The picture that these values stand for, (H, W, 3 or 1) in 0…1."""
        black, white, _ = self._references
        if bool((white == black).any()):  # normalised picture by picture
            black, white = pixels.min(), pixels.max() + 1e-12
        values = (pixels.float() - black) / (white - black)
        return values.clamp(0, 1).permute(1, 2, 0).numpy()

    def _filling(self, pixels: Tensor, parts: Parts) -> Tensor:
        if self.fill == "grey":
            return self._references[2].to(pixels.dtype).expand_as(pixels)
        values = pixels.float().numpy()
        if self.fill == "blur":
            sigma = _BLUR * max(values.shape[1:])
            filled = np.stack([gaussian_filter(channel, sigma) for channel in values])
        else:
            assert parts.segments is not None
            where = parts.segments.ravel()
            counts = np.bincount(where)
            sums = np.stack([np.bincount(where, channel.ravel()) for channel in values])
            filled = (sums / counts)[:, parts.segments]
        return torch.from_numpy(filled).to(pixels.dtype)


def picture_in(batch: Batch, name: str) -> Tensor:
    """Find the pictures (n, channels, H, W) among what a network is called with.

    Raises
    ------
    BackboneError
        There is nothing like a picture of one or three channels.
    """
    tensor: Tensor = _values(batch)[_place(batch, name)]
    if tensor.shape[1] in (1, 3):
        return tensor
    if tensor.shape[3] in (1, 3):
        return tensor.permute(0, 3, 1, 2)
    raise BackboneError(
        f"{name} is called with pictures of shape {tuple(tensor.shape)}; expected are one or three "
        "channels, (n, channels, height, width) or (n, height, width, channels)."
    )


def with_pictures(batch: Batch, pixels: Tensor) -> Batch:
    """Return the batch of one picture with `pixels` (n, channels, H, W) in its place."""
    place = _place(batch, "the network")
    values = _values(batch)
    old = values[place]
    if old.shape[1] not in (1, 3):
        pixels = pixels.permute(0, 2, 3, 1)
    elif old.is_contiguous(memory_format=torch.channels_last):
        pixels = pixels.contiguous(memory_format=torch.channels_last)
    n = len(pixels)

    def filled(key: int | str, value: Any) -> Any:
        if key == place:
            return pixels
        one = isinstance(value, Tensor) and value.ndim and value.shape[0] == 1
        return value.repeat_interleave(n, dim=0) if one else value

    return replace(
        batch,
        args=tuple(filled(i, value) for i, value in enumerate(batch.args)),
        kwargs={key: filled(key, value) for key, value in batch.kwargs.items()},
        truncated=(),
    )


def _values(batch: Batch) -> dict[int | str, Any]:
    values: dict[int | str, Any] = dict(enumerate(batch.args))
    values.update(batch.kwargs)
    return values


def _place(batch: Batch, name: str) -> int | str:
    """Which argument of the network holds the pictures."""
    for place, value in _values(batch).items():
        if isinstance(value, Tensor) and value.ndim == 4:
            return place
    raise BackboneError(
        f"{name} is called with {batch!r}, in which there is no picture (a tensor of four axes)."
    )
