"""Labelled texts in CSV and TSV files."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from clearhead._files import storable
from clearhead.data.dataset import Problem
from clearhead.data.delimited import Rows, read_delimited
from clearhead.data.labels import listed
from clearhead.data.splits import SPLIT_NAMES, split_order
from clearhead.data.text import TextDataset
from clearhead.errors import DataError

__all__ = ["TABLE_SUFFIXES", "open_table", "open_table_folder", "table_files"]

TABLE_SUFFIXES = (".csv", ".tsv", ".tab")

# Not 007 nor 1_000, which Python also takes for numbers: they are codes.
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")

# How programs write a value that is missing; "none" and "na" are not here: they can be classes.
_MISSING = {"", "nan", "<na>", "null"}

_TEXT_NAMES = (
    "text", "sentence", "comment_text", "comment", "review", "review_text", "content", "tweet",
    "body", "document", "utterance", "question", "message", "post", "title",
)  # fmt: skip
_LABEL_NAMES = (
    "label", "labels", "class", "target", "category", "intent", "sentiment", "toxic", "toxicity",
    "topic", "emotion", "stars", "rating", "is_toxic", "spam", "y",
)  # fmt: skip


@dataclass(frozen=True)
class _Part:
    """The columns of one file that have a meaning, and where they stand."""

    texts: list[str]
    labels: list[str | None]
    where: list[str]
    ids: list[str]
    splits: list[str] | None
    metadata: dict[str, list[str]]


def table_files(folder: Path) -> list[Path]:
    """The CSV and TSV files that lie directly in `folder`, sorted."""
    return sorted(
        file
        for file in folder.iterdir()
        if file.suffix.lower() in TABLE_SUFFIXES
        and not file.name.startswith(".")
        and file.is_file()
    )


def open_table(
    path: Path,
    *,
    text_column: str | None = None,
    label_column: str | None = None,
    seed: int = 0,
    strict: bool = False,
) -> TextDataset:
    """Open one CSV or TSV file; a column ``split``, if there is one, is honoured."""
    part = _read_part(path, text_column, label_column, prefix=None)
    return _join([part], path.stem, seed, strict)


def open_table_folder(
    folder: Path,
    *,
    text_column: str | None = None,
    label_column: str | None = None,
    seed: int = 0,
    strict: bool = False,
) -> TextDataset:
    """Open a folder of CSV and TSV files.

    Files named for splits (``train.tsv``, ``val.tsv``, ``dev.tsv``, …) are
    those splits, and files with other names beside them are left out and
    counted. If none is named so, all files are one table, with the file's name
    as metadata ``file``.
    """
    files = table_files(folder)
    named = {file: SPLIT_NAMES.get(file.stem.lower()) for file in files}
    if not any(named.values()):
        parts = [_read_part(f, text_column, label_column, prefix=_prefix(f, files)) for f in files]
        if len(files) > 1:
            for file, part in zip(files, parts, strict=True):
                part.metadata["file"] = [file.name] * len(part.texts)
        return _join(parts, folder.resolve().name, seed, strict)
    parts, problems = [], []
    seen: dict[str, Path] = {}
    for file, split in sorted(named.items(), key=lambda item: split_order(item[1])):
        if split is None:
            message = f"The file {file.name} is not named for a split; it was left out."
            problems.append(Problem("file beside the splits", file.name, message))
            continue
        if split in seen:
            raise DataError(
                f"{seen[split].name} and {file.name} in {folder} are both the {split} split. "
                "Keep one of them."
            )
        seen[split] = file
        part = _read_part(file, text_column, label_column, prefix=file.stem)
        parts.append(_with_split(part, split))
    return _join(parts, folder.resolve().name, seed, strict, problems)


def _prefix(file: Path, files: Sequence[Path]) -> str | None:
    return file.stem if len(files) > 1 else None


def _with_split(part: _Part, split: str) -> _Part:
    """The file's name says the split; a column of that name would only repeat it."""
    count = len(part.texts)
    return _Part(part.texts, part.labels, part.where, part.ids, [split] * count, part.metadata)


def _read_part(
    path: Path, text_column: str | None, label_column: str | None, *, prefix: str | None
) -> _Part:
    table = read_delimited(path)
    _check_header(path, table)
    text, label = _find_columns(path, table.header, text_column, label_column)
    if not table.rows:
        raise DataError(f"{path} has a header and no rows. Add at least one row.")
    columns = dict(zip(table.header, map(list, zip(*table.rows, strict=True)), strict=True))
    where = [f"{path.name} line {line}" for line in table.lines]
    texts = columns.pop(text)
    labels = [None if v.strip().lower() in _MISSING else v for v in columns.pop(label)]
    if not any(value.strip() for value in texts):
        others = ", ".join(columns)
        mend = (
            f"Name another with text_column (--text-column); there are: {others}."
            if others
            else "Fill it in."
        )
        raise DataError(
            f"The text column '{text}' of {path} is empty in all {len(texts):,} rows. {mend}"
        )
    # A column without a name is the row number that pandas writes.
    columns.pop("", None)
    split = columns.pop(_named(columns, "split") or "", None)
    ids = columns.pop(_named(columns, "id") or "", None)
    if ids is None:
        ids = [str(row) for row in range(1, len(texts) + 1)]
    empty = [place for identity, place in zip(ids, where, strict=True) if not identity.strip()]
    if empty:
        raise DataError(f"{len(empty):,} ids are empty: {listed(empty)}. Give each row one.")
    ids = [identity if prefix is None else f"{prefix}:{identity}" for identity in ids]
    metadata = {storable(name): values for name, values in columns.items()}
    return _Part(texts, labels, where, ids, split, metadata)


def _check_header(path: Path, table: Rows) -> None:
    repeated = sorted({name for name in table.header if name and table.header.count(name) > 1})
    if repeated:
        raise DataError(
            f"{path} has more than one column named {listed(repeated)}. Give every column its "
            "own name."
        )


def _find_columns(
    path: Path, header: list[str], text_column: str | None, label_column: str | None
) -> tuple[str, str]:
    """Names of the text and the label column."""
    text = _asked_for(path, header, text_column, "text")
    label = _asked_for(path, header, label_column, "label")
    if text is None:
        text = _usual(header, _TEXT_NAMES, taken=label)
    if label is None:
        label = _usual(header, _LABEL_NAMES, taken=text)
    if len(header) == 2 and (text is None) != (label is None):
        # Of two columns, the one that is not the text is the label.
        other = next(name for name in header if name not in (text, label))
        text, label = (text or other), (label or other)
    if text is None or label is None:
        _refuse(path, header, text, label)
    if text == label:
        raise DataError(
            f"Column '{text}' of {path} cannot be both the text and the label. Name two columns; "
            f"there are: {', '.join(header)}."
        )
    return str(text), str(label)


def _asked_for(path: Path, header: list[str], name: str | None, role: str) -> str | None:
    if name is None or name in header:
        return name
    folded = {known.lower(): known for known in header}
    near = difflib.get_close_matches(name.lower(), folded, n=1)
    hint = f" Did you mean '{folded[near[0]]}'?" if near else ""
    raise DataError(
        f"{path} has no column '{name}' ({role}_column).{hint} Its columns: {', '.join(header)}."
    )


def _simple(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def _named(header: Any, wanted: str) -> str | None:
    return next((name for name in header if _simple(name) == wanted), None)


def _usual(header: list[str], names: Sequence[str], taken: str | None) -> str | None:
    free = [name for name in header if name != taken]
    return next((found for name in names if (found := _named(free, name)) is not None), None)


def _refuse(path: Path, header: list[str], text: str | None, label: str | None) -> None:
    lacking = [role for role, found in (("text", text), ("label", label)) if found is None]
    shown = ", ".join(repr(name if len(name) <= 40 else f"{name[:40]}…") for name in header)
    how = " and ".join(f"{role}_column (--{role}-column)" for role in lacking)
    message = (
        f"{path}: no column is named like a {' or a '.join(lacking)}. Its columns: {shown}. "
        f"Name them with {how}."
    )
    if any(_looks_like_data(name) for name in header):
        header_line = "text,label" if path.suffix.lower() == ".csv" else "text\tlabel"
        message += (
            " The first line looks like data: if the file has no header, put one in front, such "
            f"as {header_line!r}."
        )
    raise DataError(message)


def _looks_like_data(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return len(name) > 40 or name.count(" ") >= 3
    return True


def _join(
    parts: list[_Part], name: str, seed: int, strict: bool, problems: Sequence[Problem] = ()
) -> TextDataset:
    n = sum(len(part.texts) for part in parts)
    with_split = [part.splits for part in parts if part.splits is not None]
    if with_split and len(with_split) < len(parts):
        raise DataError("Some of the files have a column 'split' and some have none.")
    names = dict.fromkeys(column for part in parts for column in part.metadata)
    metadata = {
        column: _typed([v for p in parts for v in p.metadata.get(column, [""] * len(p.texts))])
        for column in names
    }
    return TextDataset.from_texts(
        [text for part in parts for text in part.texts],
        [label for part in parts for label in part.labels],
        name=name,
        ids=[identity for part in parts for identity in part.ids],
        split=[s for splits in with_split for s in splits] if with_split else None,
        metadata=pd.DataFrame(metadata, index=pd.RangeIndex(n)),
        seed=seed,
        strict=strict,
        where=[place for part in parts for place in part.where],
        problems=problems,
    )


def _typed(values: list[str]) -> pd.Series[Any]:
    """Numbers where every value that is there is one, otherwise strings; None where empty."""
    filled = [value for value in values if value.strip()]
    if filled and all(_NUMBER.fullmatch(value.strip()) for value in filled):
        whole = len(filled) == len(values) and all(len(v) < 16 and "." not in v for v in values)
        if whole:
            return pd.Series([int(value) for value in values], dtype="int64")
        return pd.Series([float(v) if v.strip() else float("nan") for v in values])
    return pd.Series([value if value.strip() else None for value in values], dtype=object)
