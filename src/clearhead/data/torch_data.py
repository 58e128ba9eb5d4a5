"""Data sets and loaders of torch, with images or texts and their labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset, default_collate

from clearhead.data.arrays import images_of, labels_of
from clearhead.data.frame import table_of
from clearhead.data.image_source import Fetched, ImageSource, as_source
from clearhead.data.source import Source
from clearhead.errors import DataError

__all__ = ["read"]

_EXAMPLE_KEYS = ("text", "sentence", "image", "img", "pixel_values", "x")
_LABEL_KEYS = ("label", "labels", "target", "y")


def read(spec: Dataset[Any] | DataLoader[Any]) -> Source:
    """Read a data set of pairs (x, y), or of dicts with such keys; or a loader of one.

    Texts and labels are read once. Images are read again when they are needed, except
    those of a stream, which are kept.

    Raises
    ------
    DataError
        Items are no pairs, or an image is another one each time it is read.
    """
    notes = []
    if isinstance(spec, DataLoader):
        if spec.collate_fn is not default_collate:
            raise DataError(
                "The DataLoader has a collate_fn of its own, so its batches are not examples. "
                "Give its data set: open_dataset(loader.dataset)."
            )
        notes.append("Of the DataLoader, the data set was read: every example once, in order.")
        spec = spec.dataset
    name = type(spec).__name__
    if isinstance(spec, TensorDataset) and len(spec.tensors) == 2 and spec.tensors[0].ndim > 2:
        examples: Sequence[Any] = images_of(_channels_last(spec.tensors[0]))
        kind, labels = "image", spec.tensors[1]
    else:
        kind, examples, labels = _read_items(spec)
    values, _ = labels_of(_stacked(labels))
    names = getattr(spec, "classes", None)
    known: dict[str, tuple[str, ...]] = {}
    if isinstance(names, list | tuple) and not any(isinstance(v, list) for v in values):
        known = {"label": tuple(map(str, names))}
        values = [_named(value, known["label"], i) for i, value in enumerate(values)]
    table = table_of(
        f"the {name}",
        {kind: examples, "label": values},
        roles={kind: kind, "label": "label"},
        class_names=known,
    )
    return Source(name, [table], notes=notes, no_columns=f"a {name}")


def _channels_last(images: torch.Tensor) -> np.ndarray[Any, Any]:
    array = images.detach().cpu().numpy()
    return array.transpose(0, 2, 3, 1) if array.ndim == 4 and array.shape[1] in (1, 3, 4) else array


def _read_items(spec: Any) -> tuple[str, list[Any], list[Any]]:
    """Kind of the examples, the examples, and their labels."""
    stream = isinstance(spec, IterableDataset)
    if not stream and not hasattr(spec, "__len__"):
        raise DataError(f"The {type(spec).__name__} has no length, so it cannot be split. Add one.")
    examples: list[Any] = []
    labels: list[Any] = []
    kind = ""
    for i, item in enumerate(spec if stream else map(spec.__getitem__, range(len(spec)))):
        x, y = _pair(item, i)
        kind = kind or ("text" if isinstance(x, str) else "image")
        if kind == "image":
            source = _image(x, i)
            examples.append(source if stream else Fetched(_Fetch(spec), i))
        else:
            examples.append(x)
        labels.append(y)
    if not examples:
        raise DataError(f"The {type(spec).__name__} is empty. Give at least one example.")
    if kind == "image" and not stream and examples[0].content() != examples[0].content():
        raise DataError(
            f"The {type(spec).__name__} gives another image each time it is read. Turn random "
            "augmentation off: features must be of the images themselves."
        )
    return kind, examples, labels


class _Fetch:
    """The image of item i, read again."""

    def __init__(self, data: Any) -> None:
        self._data = data

    def __call__(self, i: int) -> Any:
        return _pair(self._data[i], i)[0]


def _pair(item: Any, i: int) -> tuple[Any, Any]:
    """Example and label of an item."""
    if isinstance(item, Mapping):
        x = next((key for key in _EXAMPLE_KEYS if key in item), None)
        y = next((key for key in _LABEL_KEYS if key in item), None)
        if x is None or y is None:
            tokens = " Token ids are no texts: give the texts." if "input_ids" in item else ""
            raise DataError(
                f"Item {i} is a dict with the keys {', '.join(map(str, item))}; it needs one of "
                f"{', '.join(_EXAMPLE_KEYS)} and one of {', '.join(_LABEL_KEYS)}.{tokens}"
            )
        return item[x], item[y]
    if not isinstance(item, tuple | list) or len(item) != 2:
        count = f" of {len(item)}" if isinstance(item, tuple | list) else ""
        raise DataError(
            f"Item {i} is a {type(item).__name__}{count}; it must be a pair (x, y) of an image or "
            "a text and its label, or a dict."
        )
    return item[0], item[1]


def _image(x: Any, i: int) -> ImageSource:
    try:
        return as_source(x, Path())
    except DataError as error:
        raise DataError(f"Item {i}: {str(error).rstrip('.')}.") from error


def _stacked(labels: list[Any]) -> Any:
    """Labels as an array where they are tensors or arrays, (n,) or (n, K)."""
    if all(isinstance(label, torch.Tensor | np.ndarray) for label in labels):
        return np.stack([np.asarray(label) for label in labels])
    return labels


def _named(label: Any, names: Sequence[str], i: int) -> str:
    """Name of the class of item i."""
    if isinstance(label, str):
        return label
    if not 0 <= label < len(names):
        raise DataError(
            f"The label {label} of item {i} is outside the classes: there are {len(names)}."
        )
    return names[int(label)]
