"""Features on a device, standardised chunk by chunk: there is no second copy of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from clearhead._types import IntArray
from clearhead.glm.standardize import Standardization

__all__ = ["Columns", "DeviceFeatures"]

_NUMBERS = {"cpu": 2**20}
_MANY = 2**26
"""Numbers of a chunk with its scores: half a gigabyte in float64; less on the CPU, for its
cache."""


@dataclass(frozen=True)
class Columns:
    """Some features, chosen once a pass.

    Parameters
    ----------
    index : (m,) int64 or None
        Columns of the tensor; None for all of them.
    center, scale : (m,) float64
    """

    index: Tensor | None
    center: Tensor
    scale: Tensor

    def __len__(self) -> int:
        """Return their number m."""
        return len(self.center)


class DeviceFeatures:
    """Standardised features of the rows that take part.

    Parameters
    ----------
    tensor : (n, p) torch tensor of floats
    how : Standardization
    columns : (p',) int
        Features that take part.
    keep : (n',) int
        Rows that take part, ascending.
    """

    def __init__(
        self, tensor: Tensor, how: Standardization, columns: IntArray, keep: IntArray
    ) -> None:
        self._tensor, self._how, self._columns = tensor, how, columns
        self.n_rows, self.n_features = len(keep), len(columns)
        self._keep = None if len(keep) == len(tensor) else self.index(keep)
        self._every = self._choose(columns)

    @property
    def device(self) -> torch.device:
        """Where they are."""
        return self._tensor.device

    def index(self, indices: IntArray) -> Tensor:
        """Indices on the device."""
        return torch.tensor(indices, dtype=torch.int64, device=self.device)

    def _choose(self, columns: IntArray) -> Columns:
        def on_device(values: object) -> Tensor:
            return torch.tensor(values, dtype=torch.float64, device=self.device)

        every = np.array_equal(columns, np.arange(self._tensor.shape[1]))
        return Columns(
            None if every else self.index(columns),
            on_device(self._how.center[columns]),
            on_device(self._how.scale[columns]),
        )

    def choose(self, features: IntArray | None) -> Columns:
        """Choose some features (m,), or all that take part."""
        return self._every if features is None else self._choose(self._columns[features])

    def chunks(self, width: int) -> Iterator[slice]:
        """Ranges of rows, of which `width` numbers each can be at hand at once."""
        step = max(256, _NUMBERS.get(self.device.type, _MANY) // max(width, 1))
        for start in range(0, self.n_rows, step):
            yield slice(start, min(start + step, self.n_rows))

    def block(self, rows: slice | Tensor, columns: Columns, dtype: torch.dtype) -> Tensor:
        """Standardised features (m, len(columns)), a new tensor.

        The centre is taken away before anything is rounded, so that features far from zero
        keep their digits in any precision.
        """
        part = self._tensor[rows if self._keep is None else self._keep[rows]]
        view = self._keep is None and columns.index is None and isinstance(rows, slice)
        if columns.index is not None:
            part = part.index_select(1, columns.index)
        wide = torch.promote_types(self._tensor.dtype, dtype)
        values = part.to(wide, copy=view)
        values -= columns.center.to(wide)
        values /= columns.scale.to(wide)
        return values.to(dtype)
