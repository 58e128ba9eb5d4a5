"""Arrays inside JSON: base64 of little-endian numbers, for a browser's typed arrays."""

from __future__ import annotations

import base64
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Packed", "PackedColumns", "pack", "pack_columns", "unpack", "unpack_columns"]

Kind = Literal["uint16", "uint32", "float32"]
_LITTLE = {"uint16": "<u2", "uint32": "<u4", "float32": "<f4"}
_STEPS = 2**16 - 1


class Packed(BaseModel):
    """An array as base64 of its little-endian bytes, row by row."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    dtype: Kind
    shape: list[int]
    data: str = Field(description="base64")


class PackedColumns(BaseModel):
    """A matrix in 16 bits a number, column after column; each is off by half a step at most."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    low: Packed = Field(description="float32 (m,): the least of each column")
    step: Packed = Field(description="float32 (m,): a number is low + step * code")
    code: Packed = Field(description="uint16 (m, n)")


def pack(array: NDArray[np.generic], dtype: Kind) -> Packed:
    """Pack `array` as numbers of `dtype`."""
    held = np.ascontiguousarray(array, dtype=_LITTLE[dtype])
    data = base64.b64encode(held.tobytes()).decode("ascii")
    return Packed(dtype=dtype, shape=list(held.shape), data=data)


def unpack(packed: Packed) -> NDArray[np.generic]:
    """Give back the array; the oracle of what a browser decodes."""
    flat = np.frombuffer(base64.b64decode(packed.data), dtype=_LITTLE[packed.dtype])
    return flat.reshape(packed.shape)


def pack_columns(matrix: NDArray[np.floating]) -> PackedColumns:
    """Pack a matrix (n, m), each column over its own range."""
    columns = np.asarray(matrix, dtype=np.float64).T
    none = np.zeros(len(columns))
    low, high = (columns.min(axis=1), columns.max(axis=1)) if columns.size else (none, none)
    # Codes are of the low and the step that travel, which are rounded to 32 bits.
    low = low.astype(np.float32).astype(np.float64)
    step = ((high - low) / _STEPS).astype(np.float32).astype(np.float64)
    code = np.rint((columns - low[:, None]) / np.where(step > 0, step, 1)[:, None])
    return PackedColumns(
        low=pack(low, "float32"),
        step=pack(step, "float32"),
        code=pack(code.clip(0, _STEPS), "uint16"),
    )


def unpack_columns(packed: PackedColumns) -> NDArray[np.float64]:
    """Give back the matrix (n, m); the oracle of what a browser decodes."""
    low, step, code = (
        unpack(one).astype(np.float64) for one in (packed.low, packed.step, packed.code)
    )
    return np.asarray(low + step * code.T, dtype=np.float64)
