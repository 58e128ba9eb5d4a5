"""Bring features to the device that the user names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clearhead._types import IntArray
from clearhead.errors import DataError, InputError
from clearhead.glm.device.tensor import DeviceRows
from clearhead.glm.rows import Rows, SplitRows, as_rows, check_block

if TYPE_CHECKING:
    import torch

__all__ = ["to_device"]


@dataclass(frozen=True)
class _DeviceSplits:
    """A data set whose training rows are brought to a device."""

    splits_of: SplitRows
    device: torch.device

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.splits_of.class_names

    @property
    def splits(self) -> tuple[str, ...]:
        return self.splits_of.splits

    def rows(self, split: str) -> Rows:
        rows = self.splits_of.rows(split)
        return _loaded(rows, self.device) if split == "train" else rows

    def labels(self, split: str) -> IntArray:
        return self.splits_of.labels(split)


def to_device(X: Any, device: str) -> Rows | SplitRows:
    """Training features on a device: there already, or copied block by block.

    Parameters
    ----------
    X : as in fit_path
    device : str
        ``"cpu"``, ``"cuda"``, ``"cuda:1"`` and so on, as torch calls them.

    Raises
    ------
    InputError
        If torch has no such device, or it has no float64.
    """
    import torch

    place = _device(device)
    if isinstance(X, torch.Tensor):
        return DeviceRows.of(X.detach().to(place))
    if isinstance(X, SplitRows):
        return _DeviceSplits(X, place)
    return _loaded(as_rows(X, "X"), place)


def _device(name: str) -> torch.device:
    """Look a device up; its name is complete, as in ``cuda:0``."""
    import torch

    there = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    found: torch.device | None
    try:
        found = torch.device(name)
    except (RuntimeError, TypeError):
        found = None
    if str(found) == "cuda" and len(there) > 1:
        found = torch.device("cuda", torch.cuda.current_device())
    if found is None or str(found) not in there:
        raise InputError(
            f"device must be one that torch has here ({', '.join(there)}) and that calculates in "
            f"float64; got {name!r}. Leave it out to calculate with NumPy."
        )
    return found


def _loaded(rows: Rows, device: torch.device) -> DeviceRows:
    import torch

    if isinstance(rows, DeviceRows):
        return DeviceRows(rows.tensor.to(device))
    start, tensor = 0, torch.empty(0, rows.shape[1], device=device)
    for block in rows.blocks():
        check_block(block, start, "X", rows.shape)
        if start + len(block) > rows.shape[0]:
            raise DataError(f"X yielded more rows than the {rows.shape[0]} that its shape says.")
        part = torch.tensor(block, device=device)
        if start == 0:
            tensor = torch.empty(rows.shape, dtype=part.dtype, device=device)
        tensor[start : start + len(part)] = part
        start += len(part)
    if start != rows.shape[0]:
        raise DataError(f"X yielded {start} rows; its shape says {rows.shape[0]}.")
    return DeviceRows(tensor)
