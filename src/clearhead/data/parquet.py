"""A parquet file, with texts, paths of images, or images as Hugging Face writes them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from clearhead.data.source import Table
from clearhead.errors import DataError

__all__ = ["read_table"]


def read_table(path: Path) -> Table:
    """Read a parquet file.

    Raises
    ------
    DataError
        It is damaged, or no parquet file.
    """
    try:
        # A file, not a path: a folder named split=… above it would become a column.
        with path.open("rb") as file:
            table = pq.read_table(file)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    except pa.ArrowException as error:
        raise DataError(f"{path} is not a sound parquet file ({error}). Write it again.") from error
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    names = _class_names(table.schema)
    for column, classes in names.items():
        columns[column] = [_named(label, classes) for label in columns[column]]
    images = {field.name for field in table.schema if _holds_images(field.type)}
    where = [f"{path.name} row {row}" for row in range(1, table.num_rows + 1)]
    return Table(
        str(path),
        columns,
        where,
        folder=path.parent,
        images=frozenset(images),
        class_names=names,
    )


def _class_names(schema: pa.Schema) -> dict[str, tuple[str, ...]]:
    """Names of classes that Hugging Face notes in the file, by column."""
    try:
        noted = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return {
            column: tuple(map(str, kind["names"]))
            for column, kind in noted.items()
            if kind.get("_type") == "ClassLabel" and column in schema.names
        }
    except (KeyError, TypeError, AttributeError, ValueError):  # not written by Hugging Face
        return {}


def _named(label: Any, names: Sequence[str]) -> Any:
    """Name of a class; what is no number of one stays as it is, None for -1."""
    if not isinstance(label, int) or label >= len(names):
        return label
    return names[label] if label >= 0 else None


def _holds_images(kind: pa.DataType) -> bool:
    """Bytes, or a struct of bytes and path."""
    if pa.types.is_struct(kind):
        return {"bytes", "path"} <= {kind.field(i).name for i in range(kind.num_fields)}
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
