"""EfficientNet-Lite0 on Fashion-MNIST: up to 70,000 pictures, 10 classes.

The pictures have 28 × 28 pixels; they are enlarged to 96 × 96, not to the network's usual 224 ×
224, which would multiply the time of extraction by five and add nothing to them.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from PIL import Image

from benchmarks.path.datasets.features import NoDataError, Source, lite0
from clearhead.backbones import Backbone
from clearhead.data import Dataset, Shown
from clearhead.data.pixels import thumbnail

SIZE = 96
FEW = 12_000
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
CLASSES = (
    "t-shirt", "trouser", "pullover", "dress", "coat",
    "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Pictures(Dataset):
    """Grey pictures in memory, (n, 28, 28) uint8."""

    pixels: np.ndarray

    modality: ClassVar = "image"

    def load(self, i: int) -> Image.Image:
        """Return picture `i` in RGB."""
        return Image.fromarray(self.pixels[i]).convert("RGB")

    def show(self, i: int) -> Shown:
        """Return picture `i` as a JPEG."""
        return thumbnail(self.load(i))

    def take(self, rows: np.ndarray) -> Self:
        """Return the pictures at positions `rows`."""
        return self._take_common(rows, pixels=self.pixels[rows])

    def _contents(self) -> Iterator[bytes]:
        return (picture.tobytes() for picture in self.pixels)


def _read(path: Path, header: int) -> np.ndarray:
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8)[header:]


def open_all(data: Path | None = None) -> Dataset:
    """Open the 60,000 training and 10,000 test pictures, shuffled."""
    folder = data / "fashion-mnist" if data and (data / "fashion-mnist").is_dir() else DEBIAN
    if not folder.is_dir():
        raise NoDataError("needs the Debian package dataset-fashion-mnist, or its files in --data")
    parts = ("train", "t10k")
    pixels = np.concatenate([_read(folder / f"{p}-images-idx3-ubyte.gz", 16) for p in parts])
    labels = np.concatenate([_read(folder / f"{p}-labels-idx1-ubyte.gz", 8) for p in parts])
    order = np.random.default_rng(0).permutation(len(labels))
    return Pictures(
        name="fashion-mnist",
        ids=np.array([str(i) for i in order], dtype=object),
        labels=labels[order].astype(np.int64),
        class_names=CLASSES,
        split=np.array(["train"] * len(labels), dtype=object),
        metadata=pd.DataFrame(index=pd.RangeIndex(len(labels))),
        problems=(),
        notes=(),
        pixels=pixels.reshape(-1, 28, 28)[order],
    )


def open_few(data: Path | None = None) -> Dataset:
    """Open the first 12,000 pictures of :func:`open_all`."""
    return open_all(data).take(np.arange(FEW))


def small_lite0() -> Backbone:
    """Open the network for pictures of 96 × 96 pixels, not cropped."""
    backbone = lite0()
    preprocessing = replace(backbone.preprocessing, size=SIZE, crop_fraction=1.0)
    return replace(
        backbone, name="efficientnet-lite0 at 96 px", preprocessing=preprocessing, batch_size=32
    )


SOURCE = Source("fashion_mnist", open_all, small_lite0)
FEW_SOURCE = Source("fashion_mnist_12000", open_few, small_lite0)
