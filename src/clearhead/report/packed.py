"""Arrays inside JSON: base64 of little-endian numbers, for a browser's typed arrays."""

from __future__ import annotations

import base64
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Packed", "pack", "unpack"]

Kind = Literal["uint32", "float32"]
_LITTLE = {"uint32": "<u4", "float32": "<f4"}


class Packed(BaseModel):
    """An array as base64 of its little-endian bytes, row by row."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    dtype: Kind
    shape: list[int]
    data: str = Field(description="base64")


def pack(array: NDArray[np.generic], dtype: Kind) -> Packed:
    """Pack `array` as numbers of `dtype`."""
    held = np.ascontiguousarray(array, dtype=_LITTLE[dtype])
    data = base64.b64encode(held.tobytes()).decode("ascii")
    return Packed(dtype=dtype, shape=list(held.shape), data=data)


def unpack(packed: Packed) -> NDArray[np.generic]:
    """Give back the array; the oracle of what a browser decodes."""
    flat = np.frombuffer(base64.b64decode(packed.data), dtype=_LITTLE[packed.dtype])
    return flat.reshape(packed.shape)
