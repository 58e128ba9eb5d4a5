"""Open labelled data by a name or a path."""

from __future__ import annotations

import difflib
from dataclasses import replace
from pathlib import Path

from clearhead.data.dataset import Dataset
from clearhead.data.image_folder import has_image_folders, open_image_folder
from clearhead.data.labels import check_strict
from clearhead.data.packaged import PACKAGED
from clearhead.data.splits import limit_rows
from clearhead.data.table import TABLE_SUFFIXES, open_table, open_table_folder, table_files
from clearhead.errors import DataError

__all__ = ["open_dataset"]

_PATHS = (
    "A path may be a folder with one sub-folder of images per class (or train/, validation/ and "
    "test/ above them), a CSV or TSV file with a text and a label column, or a folder of such "
    "files (train.tsv, validation.tsv, test.tsv)"
)


def open_dataset(
    spec: str | Path,
    *,
    text_column: str | None = None,
    label_column: str | None = None,
    seed: int = 0,
    strict: bool = False,
    limit: int | None = None,
) -> Dataset:
    """Open labelled examples by a name or a path.

    Parameters
    ----------
    spec : str or Path
        ``"rotten-tomatoes"``, ``"imdb"`` or ``"elpv"``, which come with the
        ``demo`` extra; or a folder with one sub-folder of images per class (or
        ``train/``, ``validation/``, ``test/`` above them); or a CSV or TSV file;
        or a folder of such files. A name wins over a folder of the same name:
        write ``./imdb`` for the folder.
    text_column, label_column : str or None
        The columns of a table; found among the usual names where None.
    seed : int
        For the splits that are made: validation and test are drawn from train,
        15% each, stratified, where the data lack them.
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
    dataset = _open(spec, text_column, label_column, seed, strict)
    check_strict(strict, dataset.problems)
    if limit is None or limit >= len(dataset):
        return dataset
    rows = limit_rows(dataset.labels, dataset.split, list(dataset.ids), limit, seed=seed)
    note = f"Limited to {limit:,} of {len(dataset):,} examples, stratified (seed {seed})."
    return replace(dataset.take(rows), notes=(*dataset.notes, note))


def _open(
    spec: str | Path, text_column: str | None, label_column: str | None, seed: int, strict: bool
) -> Dataset:
    columns = {"text_column": text_column, "label_column": label_column}
    if isinstance(spec, str) and (name := spec.lower().replace("_", "-")) in PACKAGED:
        _refuse_columns(columns, f"'{name}'")
        return PACKAGED[name](seed)
    path = Path(spec).expanduser()
    if path.is_dir():
        images = has_image_folders(path)
        files = table_files(path)
        if not files and not images:
            raise DataError(
                f"The folder {path} holds neither tables nor class folders with images. {_PATHS}."
            )
        if not images:
            return open_table_folder(
                path,
                text_column=text_column,
                label_column=label_column,
                seed=seed,
                strict=strict,
            )
        _refuse_columns(columns, f"the folder of images {path}")
        return open_image_folder(path, seed=seed, strict=strict)
    if path.is_file():
        if path.suffix.lower() not in TABLE_SUFFIXES:
            raise DataError(
                f"{path} is not named like a table ({', '.join(TABLE_SUFFIXES)}). {_PATHS}."
            )
        return open_table(
            path, text_column=text_column, label_column=label_column, seed=seed, strict=strict
        )
    near = difflib.get_close_matches(str(spec).lower(), PACKAGED, n=1, cutoff=0.5)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise DataError(
        f"'{spec}' is neither a name nor an existing path.{hint} "
        f"Names: {', '.join(sorted(PACKAGED))}. {_PATHS}."
    )


def _refuse_columns(columns: dict[str, str | None], what: str) -> None:
    for name, value in columns.items():
        if value is not None:
            raise DataError(f"{name}={value!r} is for tables, and {what} is none. Leave it out.")
