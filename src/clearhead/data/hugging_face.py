"""Data sets of the library ``datasets``, in memory or saved to disk; nothing is downloaded."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from clearhead.data.dataset import Problem
from clearhead.data.image_source import Fetched
from clearhead.data.source import Source, Table
from clearhead.data.splits import SPLIT_NAMES, split_order
from clearhead.errors import DataError, MissingDependencyError

__all__ = ["read", "read_saved"]


def read_saved(folder: Path) -> Source:
    """Read a folder that ``save_to_disk`` wrote."""
    datasets = _library()
    try:
        data = datasets.load_from_disk(str(folder))
    except Exception as error:  # another library's reader may raise anything
        raise DataError(
            f"{folder} looks like a folder of datasets.save_to_disk, and cannot be loaded "
            f"({type(error).__name__}: {error}). Save it again."
        ) from error
    return replace(read(data), name=folder.resolve().name)


def read(spec: Any) -> Source:
    """Read a ``Dataset`` or a ``DatasetDict``.

    Raises
    ------
    DataError
        It is a stream, or no split has a name that is known.
    """
    datasets = _library()
    if isinstance(spec, datasets.Dataset):
        name = spec.info.dataset_name or spec.info.builder_name or "dataset"
        return Source(name, [_read_table(datasets, spec, "the Dataset")])
    if not isinstance(spec, datasets.DatasetDict):
        raise DataError(
            f"A {type(spec).__name__} is read as a stream, and splits need all examples. Give a "
            "Dataset: load it without streaming=True."
        )
    return _read_splits(datasets, spec)


def _library() -> Any:
    try:
        return importlib.import_module("datasets")
    except ImportError as error:
        raise MissingDependencyError(
            "These data need the package 'datasets', which is not installed. Install it: "
            "pip install 'clearhead[datasets]'"
        ) from error


def _read_splits(datasets: Any, spec: Mapping[str, Any]) -> Source:
    named = {key: SPLIT_NAMES.get(key.lower()) for key in spec}
    if not any(named.values()):
        raise DataError(
            f"The DatasetDict has the splits {', '.join(spec)}; none is train, validation or "
            "test. Rename them, or give one Dataset."
        )
    tables: list[Table] = []
    problems = []
    for key, split in sorted(named.items(), key=lambda item: split_order(item[1])):
        table = _read_table(datasets, spec[key], f"the split {key}", prefix=f"{key}:", split=split)
        if split is None:
            message = f"{key} is not the name of a split; it was left out."
            problems.append(Problem("data beside the splits", key, message))
        elif any(split == other.split for other in tables):
            raise DataError(f"Two splits of the DatasetDict are the {split} split. Keep one.")
        elif any(_is_empty(table.columns[name]) for name in table.class_names):
            message = f"The split {key} has no labels (all are -1); it was left out."
            problems.append(Problem("split without labels", key, message))
        else:
            tables.append(table)
    first = next(iter(spec.values())).info
    return Source(first.dataset_name or first.builder_name or "dataset", tables, problems)


def _is_empty(labels: Sequence[Any]) -> bool:
    return all(label is None for label in labels)


def _read_table(datasets: Any, data: Any, origin: str, **more: Any) -> Table:
    """Read all columns but the images, which are fetched one by one."""
    features = data.features
    images = [name for name, kind in features.items() if isinstance(kind, datasets.Image)]
    sounds = [name for name, kind in features.items() if type(kind).__name__ in _OTHER_MEDIA]
    plain = data.with_format(None)
    columns = dict(plain.remove_columns([*images, *sounds])[:])
    for name in images:
        undecoded = plain.select_columns([name]).cast_column(name, datasets.Image(decode=False))
        columns[name] = [Fetched(_Fetch(undecoded, name), i) for i in range(len(data))]
    class_names = {}
    for name, kind in features.items():
        inner = getattr(kind, "feature", kind)
        if isinstance(inner, datasets.ClassLabel):
            class_names[name] = tuple(inner.names)
            columns[name] = [_named(label, inner.names) for label in columns[name]]
    return Table(
        origin,
        {name: columns[name] for name in features if name in columns},
        where=[f"row {row} of {origin}" for row in range(1, len(data) + 1)],
        images=frozenset(images),
        class_names=class_names,
        **more,
    )


_OTHER_MEDIA = ("Audio", "Video", "Pdf", "Nifti")


class _Fetch:
    """The undecoded image of a row: its bytes, or the path of its file."""

    def __init__(self, data: Any, column: str) -> None:
        self._data, self._column = data, column

    def __call__(self, i: int) -> Any:
        return self._data[i][self._column]


def _named(label: Any, names: Sequence[str]) -> Any:
    """Name of a class, names of several; None for -1, which stands for no label."""
    if isinstance(label, list):
        return [names[k] for k in label]
    return None if label is None or label < 0 else names[label]
