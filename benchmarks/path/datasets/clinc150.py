"""MiniLM on CLINC150: 15,000 sentences, 150 intents."""

from __future__ import annotations

from pathlib import Path

from benchmarks.path.datasets.features import Source, folder_of, minilm
from clearhead.data import Dataset, open_dataset


def open_data(data: Path | None = None) -> Dataset:
    """Open the folder of train.tsv, val.tsv, test.tsv (columns text and label)."""
    return open_dataset(folder_of(data, "clinc150", "github.com/clinc/oos-eval, CC BY 3.0"))


SOURCE = Source("clinc150", open_data, minilm, split="train")
