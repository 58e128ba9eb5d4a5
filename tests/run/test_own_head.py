"""A network whose classes are the data's: its own accuracy, and how far we agree with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import clearhead
from clearhead.backbones import Backbone
from clearhead.data import ImageDataset

NAMES = ("blue", "green", "red")
CHANNEL = {"red": 0, "green": 1, "blue": 2}


def write_pictures(folder: Path, n: int = 240) -> tuple[list[Path], np.ndarray]:
    rng = np.random.default_rng(0)
    paths, labels = [], []
    for i in range(n):
        label = i % 3
        pixels = rng.integers(0, 160, (12, 12, 3))
        pixels[..., CHANNEL[NAMES[label]]] += 18
        path = folder / f"{i}.png"
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path)
        paths.append(path)
        labels.append(label)
    return paths, np.array(labels)


def tensor_of(images: list[Image.Image]) -> torch.Tensor:
    pixels = np.stack([np.asarray(image.convert("RGB"), np.float32) / 255 for image in images])
    return torch.from_numpy(pixels).permute(0, 3, 1, 2)


def trained_network(paths: list[Path], order: list[int]) -> nn.Module:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 16, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 3)
    )
    x = tensor_of([Image.open(p) for p in paths])
    y = torch.tensor([order.index(i % 3) for i in range(len(paths))])
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(x), y).backward()
        optimizer.step()
    return network.eval()


@pytest.mark.parametrize("named", [True, False])
def test_agreement_is_that_of_the_network_itself(tmp_path: Path, named: bool) -> None:
    (tmp_path / "pictures").mkdir()
    paths, labels = write_pictures(tmp_path / "pictures")
    # With names, the head's classes stand in another order than the data's.
    order = [2, 0, 1] if named else [0, 1, 2]
    network = trained_network(paths, order)
    dataset = ImageDataset.from_files(paths, [NAMES[i] for i in labels], name="colours")
    backbone = Backbone.from_module(
        network,
        prepare=lambda images: tensor_of(list(images)),
        name="tiny",
        modality="image",
        example_batch=torch.rand(2, 3, 12, 12),
        class_names=tuple(NAMES[i] for i in order) if named else None,
    )
    run = clearhead.new_run(tmp_path / "run", backbone, dataset)
    run.all(n_lambdas=30, effort="quick")
    data = run.report_data()
    assert data.model.layer == "4"
    assert data.model.same_classes

    rows = run.store.split == "test"
    with torch.inference_mode():
        own = network(tensor_of([dataset.load(i) for i in np.flatnonzero(rows)]))
    own_classes = np.array(order)[own.argmax(dim=1).numpy()]
    card = next(layer for layer in data.layers if layer.name == "network")
    assert card.accuracy["test"].value == pytest.approx((own_classes == labels[rows]).mean())
    assert card.accuracy["test"].value > 0.6
    sparse = run.layer().predict(run.store.matrix("test"))
    agreement = next(a for a in data.agreement if (a.layer, a.split) == ("sparse", "test"))
    assert agreement.agreement.value == pytest.approx((sparse == own_classes).mean())
    assert ("by name" in data.agreement_note) == named
    assert ("assumed" in data.agreement_note) != named

    attached = run.layer().attach(backbone)
    with torch.inference_mode():
        logits = attached(tensor_of([dataset.load(i) for i in np.flatnonzero(rows)])).numpy()
    np.testing.assert_allclose(logits, run.layer().logits(run.store.matrix("test")), atol=1e-4)
