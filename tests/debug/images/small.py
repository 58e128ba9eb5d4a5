"""Pictures of three textures, a network that pools fixed filters, and planted patterns."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch import nn

import clearhead
from clearhead.backbones import Backbone
from clearhead.backbones.images import ImagePreprocessing
from clearhead.data import ImageDataset
from clearhead.debug.inputs import Inputs
from clearhead.features import extract
from clearhead.layer import Sparsest

SIDE = 40
Plant = Callable[[Image.Image], Image.Image]


class Pooled(nn.Module):
    """Rectified random filters of two scales, pooled in a 3 × 3 grid and over all."""

    def __init__(self, n_classes: int = 3) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.fine = nn.Conv2d(3, 12, 3, padding=1)
        self.coarse = nn.Conv2d(3, 8, 7, padding=3, stride=2)
        for conv in (self.fine, self.coarse):
            weight = torch.randn(conv.weight.shape, generator=generator)
            conv.weight.data = weight / weight.flatten(1).norm(dim=1)[:, None, None, None]
            assert conv.bias is not None
            conv.bias.data.zero_()
        self.fc = nn.Linear(12 * 10 + 8 * 10, n_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pooled = []
        for conv in (self.fine, self.coarse):
            y = conv(x).abs()
            pooled += [nn.functional.adaptive_avg_pool2d(y, s).flatten(1) for s in (1, 3)]
        return self.fc(torch.cat(pooled, 1))


def backbone() -> Backbone:
    return Backbone.from_module(
        Pooled().eval(),
        prepare=ImagePreprocessing(
            size=SIDE, crop_fraction=1.0, mean=(127.5,) * 3, std=(60.0,) * 3
        ),
        name="pooled filters",
        modality="image",
        example_batch=torch.randn(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1)),
        batch_size=64,
    )


def picture(label: int, rng: np.random.Generator) -> Image.Image:
    """A blob on a noisy ground: classes differ weakly, by the blob's shape and colour."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    centre = SIDE / 2 + rng.normal(0, 3, 2)
    stretch = (1.0, 1.5, 0.7)[label] * rng.uniform(0.8, 1.25)
    blob = np.exp(-(((y - centre[0]) * stretch) ** 2 + ((x - centre[1]) / stretch) ** 2) / 50)
    ground = rng.uniform(70, 180, 3) + rng.normal(0, 10, (SIDE, SIDE, 3))
    colour = rng.normal(0, 45, 3) + np.eye(3)[label] * 25
    return Image.fromarray(np.clip(ground + blob[..., None] * colour, 0, 255).astype(np.uint8))


def framed(one: Image.Image) -> Image.Image:
    made = np.asarray(one).copy()
    made[:4], made[-4:], made[:, :4], made[:, -4:] = 20, 20, 20, 20
    return Image.fromarray(made)


def blurred(one: Image.Image) -> Image.Image:
    return one.filter(ImageFilter.GaussianBlur(1.5))


def cornered(one: Image.Image) -> Image.Image:
    made = np.asarray(one).copy()
    made[2:12, 2:12] = (250, 30, 200)
    made[5:9, 5:9] = (0, 250, 30)
    return Image.fromarray(made)


def make_inputs(folder, plant: Plant | None, *, share: float = 1.0, n: int = 360) -> Inputs:
    """Data whose class 1 shows `plant` in a share of its pictures, and all that was fitted."""
    rng = np.random.default_rng(3)
    labels = np.arange(n) % 3
    images = []
    for label in labels:
        one = picture(int(label), rng)
        planted = plant is not None and label == 1 and rng.random() < share
        images.append(plant(one) if planted and plant else one)
    split = np.array(["train"] * 4 + ["validation"] + ["test"])[np.arange(n) // 3 % 6]
    data = ImageDataset.from_images(
        images, [f"class {label}" for label in labels], split=split.tolist()
    )
    network = backbone()
    store = extract(network, data, folder)
    path = clearhead.fit_path(
        store.matrix("train"),
        store.labels("train"),
        validation=(store.matrix("validation"), store.labels("validation")),
        class_names=list(store.class_names),
        n_lambdas=20,
        lambda_min_ratio=1e-2,
    )
    layer = path.select(Sparsest())
    return Inputs(network, data, store, layer, layer)
