"""From an adapter's tables to a data set: columns get their meaning, parts are joined."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import pandas as pd

from clearhead._files import storable
from clearhead.data.dataset import Dataset, Problem
from clearhead.data.image import ImageDataset
from clearhead.data.image_source import ImageFile, ImageSource, as_source
from clearhead.data.labels import is_missing, listed
from clearhead.data.multilabel import from_columns, from_lists, is_list, pick_label
from clearhead.data.options import Options
from clearhead.data.pixels import is_animated
from clearhead.data.roles import Roles, find_roles
from clearhead.data.source import Source, Table
from clearhead.data.text import TextDataset
from clearhead.errors import DataError

__all__ = ["build"]

# Not 007 nor 1_000, which Python also takes for numbers: they are codes.
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")

# How programs write a value that is missing; "none" and "na" are not here: they can be classes.
_MISSING = {"", "nan", "<na>", "null"}

_LOOKED_FOR = 50


@dataclass(frozen=True)
class _Part:
    """The columns of one table that have a meaning; label columns as they are."""

    roles: Roles
    examples: list[Any]
    labels: dict[str, list[Any]]
    where: list[str]
    ids: list[str]
    splits: list[str] | None
    groups: list[Any] | None
    metadata: dict[str, list[Any]]
    written: bool


def build(source: Source, options: Options) -> Dataset:
    """Make the data set that the tables of `source` hold.

    Raises
    ------
    DataError
        Says what is wrong with the data, where, and the mend.
    """
    for option, column in options.named_columns().items():
        if source.no_columns:
            raise DataError(
                f"{option}='{column}' is for tables, and {source.no_columns} is none. Leave it out."
            )
    parts = [_read_part(table, options) for table in source.tables]
    if len({part.roles.is_image for part in parts}) > 1:
        raise DataError(
            f"Some of the tables of {source.name} hold texts and some images. Name the column "
            "with text_column (--text-column) or image_column (--image-column)."
        )
    labels, class_names, notes = _read_labels(source, parts, options)
    problems = list(source.problems)
    examples = [example for part in parts for example in part.examples]
    with_split = [part.splits for part in parts if part.splits is not None]
    if with_split and len(with_split) < len(parts):
        raise DataError("Some of the files have a column 'split' and some have none.")
    metadata, dropped = _join_metadata(parts)
    if dropped:
        notes.append(f"Columns that hold no plain values are no metadata: {listed(dropped)}.")
    common: dict[str, Any] = {
        "name": source.name,
        "ids": [identity for part in parts for identity in part.ids],
        "split": (
            [name for splits in with_split for name in splits]
            if with_split and not options.whole
            else None
        ),
        "metadata": metadata,
        "class_names": class_names,
        "seed": options.seed,
        "strict": options.strict,
        "where": [place for part in parts for place in part.where],
        "groups": _join_groups(parts),
        "validation": options.validation,
        "test": options.test,
        "whole": options.whole,
    }
    if parts[0].roles.is_image:
        problems += _animated(examples, common["ids"])
        images = ImageDataset.from_images(examples, labels, problems=problems, **common)
        return replace(images, notes=(*source.notes, *notes, *images.notes))
    texts = TextDataset.from_texts(examples, labels, problems=problems, **common)
    return replace(texts, notes=(*source.notes, *notes, *texts.notes))


def _read_part(table: Table, options: Options) -> _Part:
    if not len(table):
        raise DataError(f"{table.origin} has no rows. Add at least one.")
    roles = find_roles(table, options)
    columns = {name: list(values) for name, values in table.columns.items()}
    examples = columns[roles.example]
    if roles.is_image:
        examples = _as_sources(table, roles.example, examples)
    else:
        _require_some_text(table, roles, examples)
    labels = {name: columns[name] for name in roles.labels}
    if table.written:
        labels = {
            name: [None if v.strip().lower() in _MISSING else v for v in values]
            for name, values in labels.items()
        }
    splits = None if roles.split is None else [str(name) for name in columns[roles.split]]
    return _Part(
        roles=roles,
        examples=examples,
        labels=labels,
        where=list(table.where),
        ids=_read_ids(table, roles, columns, examples),
        # A table's own split says it all; a column of that name would only repeat it.
        splits=[table.split] * len(table) if table.split is not None else splits,
        groups=None if roles.group is None else columns[roles.group],
        metadata={storable(str(n)): v for n, v in columns.items() if n not in roles.taken()},
        written=table.written,
    )


def _require_some_text(table: Table, roles: Roles, texts: Sequence[Any]) -> None:
    if any(not isinstance(text, str) or text.strip() for text in texts if text is not None):
        return
    others = [name for name in table.columns if name != roles.example and name not in roles.labels]
    mend = (
        f"Name another with text_column (--text-column); there are: {', '.join(others)}."
        if others
        else "Fill it in."
    )
    raise DataError(
        f"The text column '{roles.example}' of {table.origin} is empty in all {len(texts):,} "
        f"rows. {mend}"
    )


def _as_sources(table: Table, column: str, values: Sequence[Any]) -> list[ImageSource]:
    sources = []
    for value, place in zip(values, table.where, strict=True):
        try:
            sources.append(as_source(value, table.folder))
        except DataError as error:
            raise DataError(f"The image column '{column}' at {place}: {error}") from error
    first = [source.path for source in sources[:_LOOKED_FOR] if isinstance(source, ImageFile)]
    if first and len(first) == len(sources[:_LOOKED_FOR]) and not any(p.exists() for p in first):
        raise DataError(
            f"The images of column '{column}' of {table.origin} are not there: {first[0]} and the "
            f"{len(first) - 1} after it do not exist. Paths are relative to the file that names "
            "them."
        )
    return sources


def _read_ids(
    table: Table, roles: Roles, columns: dict[str, list[Any]], examples: Sequence[Any]
) -> list[str]:
    if roles.ids is not None:
        ids = columns[roles.ids]
        empty = [
            place for identity, place in zip(ids, table.where, strict=True) if is_missing(identity)
        ]
        if empty:
            raise DataError(f"{len(empty):,} ids are empty: {listed(empty)}. Give each row one.")
    else:
        ids = [str(row) for row in range(1, len(table) + 1)]
        paths = columns[roles.example]
        if roles.is_image and all(isinstance(path, str | PurePath) for path in paths):
            names = [Path(path).as_posix() for path in paths]
            ids = names if len(set(names)) == len(names) else ids
    return [f"{table.prefix}{identity}" for identity in ids]


def _read_labels(
    source: Source, parts: Sequence[_Part], options: Options
) -> tuple[Any, Sequence[str] | None, list[str]]:
    """Labels of all parts: names of classes, or a matrix; with the names, if known, and notes."""
    columns = parts[0].roles.labels
    if any(part.roles.labels != columns for part in parts):
        raise DataError(
            f"The tables of {source.name} have different label columns: "
            f"{' and '.join(sorted({', '.join(part.roles.labels) for part in parts}))}. Name one "
            "with label_column (--label-column)."
        )
    where = [place for part in parts for place in part.where]
    joined = {name: [v for part in parts for v in part.labels[name]] for name in columns}
    values = joined[columns[0]]
    names: Sequence[str] | None = options.class_names
    known = next((t.class_names[c] for t in source.tables for c in columns[:1]
                  if c in t.class_names), None)  # fmt: skip
    if len(columns) > 1 or columns == (options.label,):
        matrix, names = from_columns(joined, where), tuple(names or columns)
    elif options.label_separator is not None:
        lists = [_separated(value, options.label_separator) for value in values]
        matrix, names = from_lists(lists, where, names)
    elif any(is_list(value) for value in values):
        matrix, names = from_lists(values, where, names or known)
    else:
        if options.label is not None:
            raise DataError(
                f"label='{options.label}' picks one of several labels, and {source.name} has one "
                "label an example. Name several columns with label_column (--label-column), or "
                "leave label (--label) out."
            )
        return values, *_known_classes(values, names, known)
    if options.label is None:
        return matrix, names, []
    chosen, classes = pick_label(matrix, [str(name) for name in names], options.label, source.name)
    return [classes[k] for k in chosen.tolist()], classes, []


def _known_classes(
    values: Sequence[Any], asked: Sequence[str] | None, known: Sequence[str] | None
) -> tuple[Sequence[str] | None, list[str]]:
    """The classes in order: as asked for, or as the source knows them, but for unused ones."""
    if asked is not None or known is None:
        return asked, []
    used = {str(value) for value in values}
    unused = [name for name in known if name not in used]
    if not unused:
        return known, []
    note = f"{len(unused)} of {len(known)} classes have no example and were left out: "
    return [name for name in known if name in used], [f"{note}{listed(unused)}."]


def _separated(value: Any, separator: str) -> list[str]:
    if is_missing(value):
        return []
    return [label for label in map(str.strip, str(value).split(separator)) if label]


def _join_groups(parts: Sequence[_Part]) -> list[Any] | None:
    groups = [part.groups for part in parts if part.groups is not None]
    return [group for part in groups for group in part] if groups else None


def _animated(images: Sequence[ImageSource], ids: Sequence[str]) -> list[Problem]:
    return [
        Problem("animated image", name, f"{name} is animated; its first frame is used.")
        for image, name in zip(images, ids, strict=True)
        if isinstance(image, ImageFile) and is_animated(image.path)
    ]


def _join_metadata(parts: Sequence[_Part]) -> tuple[pd.DataFrame, list[str]]:
    """Metadata of all parts, and the columns that are none."""
    names = dict.fromkeys(column for part in parts for column in part.metadata)
    written = all(part.written for part in parts)
    gap = "" if written else None
    metadata: dict[str, pd.Series[Any]] = {}
    dropped = []
    for name in names:
        values = [v for p in parts for v in p.metadata.get(name, [gap] * len(p.where))]
        if written:
            metadata[name] = _typed(values)
        elif all(map(_is_plain, values)):
            metadata[name] = _plain(values)
        else:
            dropped.append(name)
    n = sum(len(part.where) for part in parts)
    return pd.DataFrame(metadata, index=pd.RangeIndex(n)), dropped


def _is_plain(value: Any) -> bool:
    kinds = (str, bool, int, float, np.generic, datetime.date, datetime.timedelta)
    return isinstance(value, kinds) or is_missing(value)


def _plain(values: list[Any]) -> pd.Series[Any]:
    """Numbers where every value that is there is one, otherwise as they are; None where empty."""
    gaps = [is_missing(value) and not isinstance(value, str) for value in values]
    there = [value for value, gap in zip(values, gaps, strict=True) if not gap]
    if there and all(isinstance(value, bool | int | float | np.number) for value in there):
        if any(gaps):
            filled = zip(values, gaps, strict=True)
            return pd.Series([float("nan") if gap else float(value) for value, gap in filled])
        return pd.Series(values)
    plain = [None if gap else value for value, gap in zip(values, gaps, strict=True)]
    return pd.Series(plain, dtype=object)


def _typed(values: list[str]) -> pd.Series[Any]:
    """Numbers where every value that is there is one, otherwise strings; None where empty."""
    filled = [value for value in values if value.strip()]
    if filled and all(_NUMBER.fullmatch(value.strip()) for value in filled):
        whole = len(filled) == len(values) and all(len(v) < 16 and "." not in v for v in values)
        if whole:
            return pd.Series([int(value) for value in values], dtype="int64")
        return pd.Series([float(v) if v.strip() else float("nan") for v in values])
    return pd.Series([value if value.strip() else None for value in values], dtype=object)
