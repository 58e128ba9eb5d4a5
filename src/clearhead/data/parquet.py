"""A parquet file, with texts, paths of images, or images as Hugging Face writes them."""

from __future__ import annotations

from pathlib import Path

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
    images = {field.name for field in table.schema if _holds_images(field.type)}
    where = [f"{path.name} row {row}" for row in range(1, table.num_rows + 1)]
    return Table(
        str(path), columns, where, folder=path.parent, images=frozenset(images)
    )


def _holds_images(kind: pa.DataType) -> bool:
    """Bytes, or a struct of bytes and path."""
    if pa.types.is_struct(kind):
        return {"bytes", "path"} <= {kind.field(i).name for i in range(kind.num_fields)}
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
