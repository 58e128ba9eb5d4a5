"""Open labelled data by a name, a path, or from another library's object."""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from clearhead.data.build import build
from clearhead.data.dataset import Dataset
from clearhead.data.image_folder import has_image_folders
from clearhead.data.labels import check_strict
from clearhead.data.options import Options
from clearhead.data.packaged import PACKAGED
from clearhead.data.source import Source
from clearhead.data.splits import HELD_OUT, balance_rows, limit_rows
from clearhead.data.table import TABLE_SUFFIXES, is_table, table_files
from clearhead.errors import DataError

__all__ = ["open_dataset"]

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


def open_dataset(
    spec: Any,
    *,
    text_column: str | None = None,
    image_column: str | None = None,
    label_column: str | Sequence[str] | None = None,
    label_separator: str | None = None,
    label: str | None = None,
    split_column: str | None = None,
    group_column: str | None = None,
    id_column: str | None = None,
    class_names: Sequence[str] | None = None,
    validation: float = HELD_OUT,
    test: float = HELD_OUT,
    balance: bool = False,
    seed: int = 0,
    strict: bool = False,
    limit: int | None = None,
) -> Dataset:
    """Open labelled examples by a name or a path, or from another library's object.

    Parameters
    ----------
    spec : str, Path, DataFrame, (X, y), or a data set of another library
        ``"rotten-tomatoes"``, ``"imdb"`` or ``"elpv"``, which come with the
        ``demo`` extra; or a folder with one sub-folder of images per class (or
        ``train/``, ``validation/``, ``test/`` above them); or a CSV, TSV, JSON lines or
        parquet file; or a folder of such files. A name wins over a folder of the same name:
        write ``./imdb`` for the folder. Or an object: a pandas or polars DataFrame; a pair of
        texts or images and labels; a ``datasets.Dataset`` or ``DatasetDict``, or the folder
        it was saved to; a torch ``Dataset`` or ``DataLoader``; a scikit-learn bunch; a dict
        of these by split.
    text_column, image_column : str or None
        The column of the texts, or of images or their paths (relative to the file); found
        among the usual names where None.
    label_column : str, sequence of str or None
        The column of the classes, or of lists of labels; or several columns of 0 and 1, one
        a label (also with commas between). Found among the usual names where None.
    label_separator : str or None
        What stands between the labels of one example (``"|"``), where it may have several.
    label : str or None
        One of several labels, which becomes two classes: without and with it.
    split_column, id_column : str or None
        Columns of splits and ids; ``split`` and ``id`` are found by that name.
    group_column : str or None
        Examples that agree in it stay on one side of the splits that are made.
    class_names : sequence of str or None
        The order of the classes (sorted where None), or their names where labels are 0, 1, ….
    validation, test : float
        Shares of train that these splits take where the data lack them; stratified.
    balance : bool
        Draw the classes of validation and test down to equal size.
    seed : int
        For the splits that are made.
    strict : bool
        What is otherwise counted in ``problems`` (an empty text, a file among
        the images that is none) is an error.
    limit : int or None
        Keep only so many examples, drawn evenly from every class and split.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        Says what is wrong with the data, where, and the mend.
    MissingDependencyError
        The package that brings the data is not installed.
    """
    if limit is not None and limit < 1:
        raise DataError(f"limit must be at least 1, got {limit}.")
    options = Options(
        text_column=text_column,
        image_column=image_column,
        label_column=label_column,
        label_separator=label_separator,
        label=label,
        split_column=split_column,
        group_column=group_column,
        id_column=id_column,
        class_names=class_names,
        validation=validation,
        test=test,
        balance=balance,
        seed=seed,
        strict=strict,
    )
    dataset = build(_read(spec), options)
    check_strict(strict, dataset.problems)
    if balance:
        dataset = _balanced(dataset, seed)
    if limit is None or limit >= len(dataset):
        return dataset
    rows = limit_rows(dataset.labels, dataset.split, list(dataset.ids), limit, seed=seed)
    note = f"Limited to {limit:,} of {len(dataset):,} examples, stratified (seed {seed})."
    return replace(dataset.take(rows), notes=(*dataset.notes, note))


def _balanced(dataset: Dataset, seed: int) -> Dataset:
    if dataset.multilabel:
        raise DataError(
            f"balance: {dataset.name} has several labels ({', '.join(dataset.class_names)}), "
            "which cannot all be balanced at once. Choose one with label (--label)."
        )
    rows, note = balance_rows(
        dataset.labels, dataset.split, list(dataset.ids), dataset.class_names, seed=seed
    )
    return replace(dataset.take(rows), notes=(*dataset.notes, note))


def _is_name(spec: Any) -> bool:
    return isinstance(spec, str) and spec.lower().replace("_", "-") in PACKAGED


def _is_saved(spec: Any) -> bool:
    """Whether a folder was written by ``datasets.save_to_disk``."""
    if not isinstance(spec, Path) or not spec.is_dir():
        return False
    names = ("dataset_dict.json", "state.json")
    return any((spec / name).is_file() for name in names)


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
    (_comes_from("datasets"), "hugging_face", "read"),
    (_comes_from("sklearn"), "bunch", "read"),
    (_is_torch_data, "torch_data", "read"),
    (_comes_from("pandas"), "frame", "read_pandas"),
    (_comes_from("polars"), "frame", "read_polars"),
    (lambda spec: isinstance(spec, Mapping), "by_split", "read"),
    (lambda spec: isinstance(spec, tuple | list), "arrays", "read"),
)


def _read(spec: Any) -> Source:
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
