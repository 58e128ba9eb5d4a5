"""EfficientNet-Lite0 on photos of clothing: 3,068 photos, 10 classes."""

from __future__ import annotations

from pathlib import Path

from benchmarks.path.datasets.features import Source, folder_of, lite0
from clearhead.data import Dataset, open_dataset


def open_data(data: Path | None = None) -> Dataset:
    """Open the folder of train/, validation/ and test/, one sub-folder a class."""
    return open_dataset(folder_of(data, "clothing", "the clothing dataset (small), CC0"))


SOURCE = Source("clothing", open_data, lite0, split="train")
