"""DataFrames of pandas and polars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from PIL import Image

from clearhead.data.labels import is_missing
from clearhead.data.source import Source, Table
from clearhead.errors import DataError

if TYPE_CHECKING:
    import polars

__all__ = ["read_pandas", "read_polars", "table_of"]


def read_pandas(spec: Any) -> Source:
    """Read a pandas DataFrame; its index is passed over."""
    if not isinstance(spec, pd.DataFrame):
        raise DataError(f"A pandas {type(spec).__name__} is no table. Give a DataFrame.")
    names = [str(name) for name in spec.columns]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DataError(
            f"The DataFrame has more than one column named {', '.join(repeated)}. Give every "
            "column its own name."
        )
    columns = {name: spec.iloc[:, i].tolist() for i, name in enumerate(names)}
    return Source("DataFrame", [table_of("the DataFrame", columns)])


def read_polars(spec: polars.DataFrame | polars.LazyFrame) -> Source:
    """Read a polars frame; a lazy one is collected."""
    frame = spec.collect() if hasattr(spec, "collect") else spec
    columns = frame.to_dict(as_series=False)  # type: ignore[union-attr]
    return Source("DataFrame", [table_of("the DataFrame", columns)])


def table_of(origin: str, columns: Mapping[str, Sequence[Any]], **more: Any) -> Table:
    """Make a table of columns in memory; those that hold images are told by their values."""
    n = len(next(iter(columns.values()), ()))
    images = frozenset(name for name, values in columns.items() if _holds_images(values))
    return Table(origin, columns, [f"row {row}" for row in range(1, n + 1)], images=images, **more)


def _holds_images(values: Sequence[Any]) -> bool:
    value = next((value for value in values if not is_missing(value)), None)
    if isinstance(value, dict):
        return {"bytes", "path"} <= set(value)
    if isinstance(value, np.ndarray):
        return value.ndim >= 2
    return isinstance(value, bytes | Image.Image)
