"""Keep only some of the examples: equal classes, a limited number."""

from __future__ import annotations

from dataclasses import replace

from clearhead.data.dataset import Dataset
from clearhead.data.splits import balance_rows, limit_rows
from clearhead.errors import DataError

__all__ = ["draw"]


def draw(dataset: Dataset, *, balance_held_out: bool, limit: int | None, seed: int) -> Dataset:
    """Draw validation and test down to equal classes, then all down to `limit` examples.

    What was done is added to the notes.

    Raises
    ------
    DataError
        Several labels cannot be balanced, or a class is missing.
    """
    if balance_held_out:
        if dataset.multilabel:
            raise DataError(
                f"balance_held_out: {dataset.name} has several labels "
                f"({', '.join(dataset.class_names)}), which cannot all be balanced at once. "
                "Choose one with label (--label)."
            )
        rows, note = balance_rows(
            dataset.labels, dataset.split, list(dataset.ids), dataset.class_names, seed=seed
        )
        dataset = replace(dataset.take(rows), notes=(*dataset.notes, note))
    if limit is None or limit >= len(dataset):
        return dataset
    rows = limit_rows(dataset.labels, dataset.split, list(dataset.ids), limit, seed=seed)
    note = f"Limited to {limit:,} of {len(dataset):,} examples, stratified (seed {seed})."
    return replace(dataset.take(rows), notes=(*dataset.notes, note))
