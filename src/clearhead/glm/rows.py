"""Rows of features, wherever they come from.

``Rows`` is anything with a shape and an iterator of row blocks; a feature store hands
one out for each split (``SplitRows``). Arrays and tensors in memory are wrapped here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

import numpy as np

from clearhead._types import FloatArray, IntArray
from clearhead.errors import DataError, InputError
from clearhead.glm.device.tensor import DeviceRows, lies_on_device

__all__ = [
    "ArrayRows",
    "Rows",
    "SplitRows",
    "as_rows",
    "check_block",
    "column_names",
    "refuse_text",
    "to_array",
]

_BLOCK = 4096


@runtime_checkable
class Rows(Protocol):
    """Features of n samples, read block by block."""

    @property
    def shape(self) -> tuple[int, int]:
        """(n, p)."""

    def blocks(self) -> Iterator[FloatArray]:
        """Blocks (m, p), floating point, in row order; the same at every call."""


@runtime_checkable
class SplitRows(Protocol):
    """Features and labels of the splits of one data set, such as a feature store."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the K classes that labels index."""

    @property
    def splits(self) -> tuple[str, ...]:
        """Splits that are present, among ``train``, ``validation``, ``test``."""

    def rows(self, split: str) -> Rows:
        """Features of a split."""

    def labels(self, split: str) -> IntArray:
        """Labels of a split: indices into `class_names`, or (n, K) of 0 and 1."""


class ArrayRows:
    """Rows of an array in memory.

    Parameters
    ----------
    array : (n, p) array of floats or integers
        Any strides; float16 and float32 stay as they are until a block is read.
    """

    def __init__(self, array: FloatArray) -> None:
        self._array = array

    @property
    def shape(self) -> tuple[int, int]:
        """(n, p)."""
        return (int(self._array.shape[0]), int(self._array.shape[1]))

    def blocks(self) -> Iterator[FloatArray]:
        """Blocks of 4,096 rows, float64 if the array is, float32 if it is smaller."""
        dtype = np.float64 if self._array.dtype.itemsize > 4 else np.float32
        if self._array.dtype.kind != "f":
            dtype = np.float64
        for start in range(0, len(self._array), _BLOCK):
            yield np.ascontiguousarray(self._array[start : start + _BLOCK], dtype)


def as_rows(X: Any, name: str = "X") -> Rows:
    """Wrap an array, tensor or frame as rows; leave what already is.

    A tensor on a device stays there.

    Parameters
    ----------
    X : array-like (n, p), torch tensor, pandas or polars frame, or Rows
    name : str
        How errors call it.

    Raises
    ------
    InputError
        If it is not a numeric table of two dimensions.
    """
    if isinstance(X, Rows):
        return X
    if lies_on_device(X):
        return DeviceRows.of(X, name)
    refuse_text(X, name)
    array = to_array(X, name)
    if array.ndim != 2:
        hint = " Use X.reshape(-1, 1) for one feature." if array.ndim == 1 else ""
        raise InputError(
            f"{name} must have two dimensions (samples, features); it has shape "
            f"{array.shape}.{hint}"
        )
    if array.dtype.kind not in "fiub":
        raise InputError(
            f"{name} must hold numbers; its dtype is {array.dtype}. Convert it to float32 first."
        )
    return ArrayRows(array)


def to_array(values: Any, name: str) -> np.ndarray[Any, Any]:
    """NumPy array of an array-like, a frame, or a tensor on any device, bfloat16 included."""
    if column_names(values) is not None:
        return _frame_array(values)
    if _package(values) == "torch" and hasattr(values, "detach"):
        tensor = values.detach().cpu()
        if str(tensor.dtype) == "torch.bfloat16":
            tensor = tensor.float()
        return np.asarray(tensor.numpy())
    if hasattr(values, "toarray"):
        raise InputError(
            f"{name} is a sparse matrix ({type(values).__name__}); deep features are dense. "
            f"Pass {name}.toarray()."
        )
    try:
        array = np.asarray(values)
    except (ValueError, TypeError) as error:
        raise InputError(f"{name} cannot be read as an array: {error}") from error
    return array


def _package(values: Any) -> str:
    return type(values).__module__.partition(".")[0]


def column_names(values: Any) -> tuple[str, ...] | None:
    """Names of the columns of a pandas or polars frame; None for anything else."""
    if _package(values) in ("pandas", "polars") and hasattr(values, "columns"):
        return tuple(str(name) for name in values.columns)
    return None


def refuse_text(values: Any, name: str) -> None:
    """Refuse a frame with columns that are not numbers, naming the first of them.

    Raises
    ------
    InputError
    """
    for column, dtype in zip(column_names(values) or (), _column_types(values), strict=True):
        if not _is_number(dtype):
            raise InputError(
                f"Column {column!r} of {name} does not hold numbers; its dtype is {dtype}. Leave "
                "it out, or make numbers of it."
            )


def _column_types(values: Any) -> list[Any]:
    return list(values.dtypes) if column_names(values) is not None else []


def _is_number(dtype: Any) -> bool:
    """Whether a column of a pandas or polars frame holds numbers or booleans."""
    if hasattr(dtype, "is_numeric"):
        return bool(dtype.is_numeric()) or str(dtype) == "Boolean"
    return dtype.kind in "fiub"


def _frame_array(frame: Any) -> np.ndarray[Any, Any]:
    """Values (n, p) of a frame; of numbers floats, in which what is missing is NaN."""
    types = _column_types(frame)
    if not all(_is_number(dtype) for dtype in types):
        return np.asarray(frame)
    small = all(str(dtype).lower() in ("float16", "float32") for dtype in types)
    array = np.empty(frame.shape, np.float32 if small else np.float64)
    for j in range(frame.shape[1]):
        if _package(frame) == "pandas":
            array[:, j] = frame.iloc[:, j].to_numpy(array.dtype, na_value=np.nan)
        else:
            array[:, j] = frame[:, j].to_numpy()
    return array


def check_block(block: FloatArray, first_row: int, name: str, shape: tuple[int, int]) -> None:
    """Refuse a block that is not finite, naming the first bad row and column."""
    if block.ndim != 2 or block.shape[1] != shape[1]:
        raise DataError(
            f"{name} yielded a block of shape {block.shape} at row {first_row}; its rows have "
            f"{shape[1]} features."
        )
    finite = np.isfinite(block)
    if finite.all():
        return
    row, column = (int(i) for i in np.argwhere(~finite)[0])
    bad = int((~finite).any(axis=1).sum())
    raise DataError(
        f"{name} holds {block[row, column]} at row {first_row + row}, column {column} "
        f"({bad} bad row(s) in rows {first_row} to {first_row + len(block) - 1}). "
        "Drop those rows, or recompute their features."
    )
