"""Labelled examples in tables: CSV, TSV, JSON lines, parquet; a file, or a folder of them."""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from clearhead._types import SplitName
from clearhead.data.dataset import Problem
from clearhead.data.source import Source, Table
from clearhead.data.splits import SPLIT_NAMES, split_order
from clearhead.errors import DataError

__all__ = ["TABLE_SUFFIXES", "is_table", "read_file", "read_folder", "table_files"]

_READERS = {
    ".csv": "delimited",
    ".tsv": "delimited",
    ".tab": "delimited",
    ".jsonl": "json_lines",
    ".ndjson": "json_lines",
    ".parquet": "parquet",
}

TABLE_SUFFIXES = tuple(_READERS)

# How large parquet data sets are cut into files.
_PIECE = re.compile(r"(.+)-\d{5}-of-\d{5}")


def is_table(file: Path) -> bool:
    """Whether a file is named like a table."""
    return file.suffix.lower() in TABLE_SUFFIXES


def table_files(folder: Path) -> list[Path]:
    """The tables that lie directly in `folder`, sorted."""
    return sorted(
        file
        for file in folder.iterdir()
        if is_table(file) and not file.name.startswith(".") and file.is_file()
    )


def read_file(path: Path) -> Source:
    """Read one file; a column ``split``, if there is one, is honoured."""
    return Source(path.stem, [_read(path)])


def read_folder(folder: Path) -> Source:
    """Read a folder of tables.

    Files named for splits (``train.tsv``, ``val.tsv``, ``dev.tsv``, …) are
    those splits, and files with other names beside them are left out and
    counted. If none is named so, all files are one table, with the file's name
    as metadata ``file``.
    """
    name = folder.resolve().name
    files = table_files(folder)
    named = {file: _split_of(file) for file in files}
    if not any(named.values()):
        if len(files) == 1:
            return Source(name, [_read(files[0])])
        return Source(name, [_with_file(_read(file), file) for file in files])
    tables, problems = [], []
    seen: dict[SplitName, Path] = {}
    for file, split in sorted(named.items(), key=lambda item: split_order(item[1])):
        if split is None:
            message = f"The file {file.name} is not named for a split; it was left out."
            problems.append(Problem("file beside the splits", file.name, message))
            continue
        before = seen.setdefault(split, file)
        if before is not file and _whole_name(before) != _whole_name(file):
            raise DataError(
                f"{before.name} and {file.name} in {folder} are both the {split} split. "
                "Keep one of them."
            )
        tables.append(replace(_read(file), split=split, prefix=f"{file.stem}:"))
    return Source(name, tables, problems)


def _whole_name(file: Path) -> Sequence[str]:
    """Name and suffix of the table that a file is, or is a piece of."""
    piece = _PIECE.fullmatch(file.stem)
    return (piece[1], "piece") if piece else (file.name, "")


def _split_of(file: Path) -> SplitName | None:
    return SPLIT_NAMES.get(_whole_name(file)[0].removesuffix(file.suffix).lower())


def _with_file(table: Table, file: Path) -> Table:
    columns = {**table.columns, "file": [file.name] * len(table)}
    return replace(table, columns=columns, prefix=f"{file.stem}:")


def _read(path: Path) -> Table:
    reader = importlib.import_module(f"clearhead.data.{_READERS[path.suffix.lower()]}")
    table: Table = reader.read_table(path)
    return table
