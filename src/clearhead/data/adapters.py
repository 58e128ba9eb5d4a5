"""Which adapter reads what data are given as."""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from clearhead.data.image_folder import has_image_folders
from clearhead.data.packaged import PACKAGED
from clearhead.data.source import Source
from clearhead.data.table import TABLE_SUFFIXES, is_table, table_files
from clearhead.errors import DataError

__all__ = ["read_source"]

_PATHS = (
    "A path may be a folder with one sub-folder of images per class (or train/, validation/ and "
    "test/ above them), a CSV or TSV file (or JSON lines, or parquet) with a text or image and a "
    "label column, a folder of such files (train.tsv, validation.tsv, test.tsv), or a folder that "
    "datasets.save_to_disk wrote"
)
_OBJECTS = (
    "a DataFrame, a pair (X, y), a Hugging Face, torch or scikit-learn data set, or a dict of "
    "these by split"
)


def _is_name(spec: Any) -> bool:
    return isinstance(spec, str) and spec.lower().replace("_", "-") in PACKAGED


def _is_saved(spec: Any) -> bool:
    """Whether a folder was written by ``datasets.save_to_disk``."""
    if not isinstance(spec, Path) or not spec.is_dir():
        return False
    return any((spec / name).is_file() for name in ("dataset_dict.json", "state.json"))


def _is_image_folder(spec: Any) -> bool:
    return isinstance(spec, Path) and spec.is_dir() and has_image_folders(spec)


def _is_table_folder(spec: Any) -> bool:
    return isinstance(spec, Path) and spec.is_dir() and bool(table_files(spec))


def _is_table_file(spec: Any) -> bool:
    return isinstance(spec, Path) and spec.is_file() and is_table(spec)


def _comes_from(package: str) -> Callable[[Any], bool]:
    """Whether an object's class, or one it is made from, is of `package`."""
    return lambda spec: any(
        kind.__module__.partition(".")[0] == package for kind in type(spec).__mro__
    )


def _is_hugging_face(spec: Any) -> bool:
    # Not by the name of the package alone: people's own modules are called datasets, too.
    library = sys.modules.get("datasets")
    names = ("Dataset", "DatasetDict", "IterableDataset", "IterableDatasetDict")
    kinds = tuple(filter(None, (getattr(library, name, None) for name in names)))
    return isinstance(spec, kinds)


def _is_torch_data(spec: Any) -> bool:
    # Whoever passes such an object has imported torch; whoever does not should not wait for it.
    data = sys.modules.get("torch.utils.data")
    return data is not None and isinstance(spec, data.Dataset | data.DataLoader)


# Which adapter takes a spec: the first that says so. Its module is imported then, not before.
_ADAPTERS: tuple[tuple[Callable[[Any], bool], str, str], ...] = (
    (_is_name, "packaged", "read"),
    (_is_saved, "hugging_face", "read_saved"),
    (_is_image_folder, "image_folder", "read"),
    (_is_table_folder, "table", "read_folder"),
    (_is_table_file, "table", "read_file"),
    (_is_hugging_face, "hugging_face", "read"),
    (_is_torch_data, "torch_data", "read"),
    (_comes_from("sklearn"), "bunch", "read"),
    (_comes_from("pandas"), "frame", "read_pandas"),
    (_comes_from("polars"), "frame", "read_polars"),
    (lambda spec: isinstance(spec, Mapping), "by_split", "read"),
    (lambda spec: isinstance(spec, tuple | list), "arrays", "read"),
)


def read_source(spec: Any) -> Source:
    """Read data by the first adapter that takes `spec`.

    Raises
    ------
    DataError
        No adapter does, or what the adapter found is wrong.
    """
    given = spec
    if isinstance(spec, str | Path) and not _is_name(spec):
        spec = Path(spec).expanduser()
    for takes, module, function in _ADAPTERS:
        if takes(spec):
            read = getattr(importlib.import_module(f"clearhead.data.{module}"), function)
            source: Source = read(spec)
            return source
    raise _unknown(given, spec)


def _unknown(given: Any, spec: Any) -> DataError:
    if not isinstance(spec, Path):
        return DataError(
            f"Data of type {type(given).__name__} cannot be opened. Give a name, a path, "
            f"{_OBJECTS}."
        )
    if spec.is_dir():
        return DataError(
            f"The folder {spec} holds neither tables nor class folders with images. {_PATHS}."
        )
    if spec.is_file():
        return DataError(
            f"{spec} is not named like a table ({', '.join(TABLE_SUFFIXES)}). {_PATHS}."
        )
    near = difflib.get_close_matches(str(given).lower(), PACKAGED, n=1, cutoff=0.5)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    return DataError(
        f"'{given}' is neither a name nor an existing path.{hint} "
        f"Names: {', '.join(sorted(PACKAGED))}. {_PATHS}."
    )
