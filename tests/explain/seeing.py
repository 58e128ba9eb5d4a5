"""Networks of pictures whose favourite pictures are known."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn

from clearhead.backbones import Backbone, Batch

# Cycles over a picture's width that feature 3 of `Seeing` responds to.
CYCLES = 4
# Features of `Seeing`.
RED, GREEN, BRIGHT, STRIPES, SHY, NEVER = range(6)


class Seeing(nn.Module):
    """Red, green, brightness, vertical stripes, brightness behind a dead ReLU, and a constant.

    SHY is 0 for every picture that is not brighter than grey.
    """

    def __init__(self, size=(32, 32), channels=3):
        super().__init__()
        _height, width = size
        colours = torch.tensor([[1.0, -0.5, -0.5], [-0.5, 1.0, -0.5], [1 / 3] * 3])
        if channels == 1:
            colours = torch.ones(3, 1)
        self.colours = nn.Parameter(colours)
        angle = 2 * math.pi * CYCLES * torch.arange(width) / width
        self.wave = nn.Parameter(torch.stack([angle.cos(), angle.sin()]))
        self.drop = nn.Dropout(0.5)
        self.relu = nn.ReLU()
        self.head = nn.Linear(6, 2)

    def forward(self, pixel_values):
        shown = torch.einsum("kc,bcij->bkij", self.colours, self.drop(pixel_values))
        mean = shown.mean((2, 3))
        rows = shown[:, 2] - shown[:, 2].mean((1, 2), keepdim=True)
        stripes = torch.einsum("bij,wj->biw", rows, self.wave).square().sum(2).mean(1)
        shy = self.relu(mean[:, 2] - 0.05)
        never = self.relu(mean[:, 2] - 1000.0)
        return self.head(torch.stack([*mean.unbind(1), stripes, shy, never], 1))


def shown_as(channels, size, *, keyword=False, affine=True):
    """A `prepare` that normalises to [-1, 1] and takes the middle of the size."""

    def prepare(pictures):
        rows = []
        for picture in pictures:
            wide, high = picture.size
            short = picture.convert("L" if channels == 1 else "RGB")
            if (high, wide) != size:
                short = short.resize((size[1], size[0]))
            pixels = torch.from_numpy(np.array(short)).float() / 127.5 - 1
            rows.append(pixels[None] if channels == 1 else pixels.permute(2, 0, 1))
        pixels = torch.stack(rows)
        if not affine:
            pixels = pixels.sign() * pixels.abs().sqrt()
        return Batch(kwargs={"pixel_values": pixels}) if keyword else pixels

    return prepare


def seeing(size=(32, 32), channels=3, *, keyword=False, affine=True) -> Backbone:
    torch.manual_seed(0)
    example = torch.rand(2, channels, *size)
    return Backbone.from_module(
        Seeing(size, channels),
        prepare=shown_as(channels, size, keyword=keyword, affine=affine),
        name="planted sights",
        modality="image",
        example_batch=Batch(kwargs={"pixel_values": example}) if keyword else example,
        batch_size=8,
        description={"kind": "planted", "affine": affine},
    )
