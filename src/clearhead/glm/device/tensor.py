"""Rows of features in a torch tensor, which stays where it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from clearhead._types import FloatArray
from clearhead.errors import InputError

if TYPE_CHECKING:
    import torch

__all__ = ["DeviceRows", "lies_on_device"]

_BLOCK = 4096
_WITHOUT_FLOAT64 = ("mps",)


def lies_on_device(values: Any) -> bool:
    """Whether these are a tensor on a device on which a path can be fitted, other than the CPU."""
    if type(values).__module__.partition(".")[0] != "torch" or not hasattr(values, "detach"):
        return False
    return str(values.device.type) not in ("cpu", "meta", *_WITHOUT_FLOAT64)


@dataclass(frozen=True)
class DeviceRows:
    """Rows of a tensor; whoever knows only rows reads copies in NumPy.

    Parameters
    ----------
    tensor : (n, p) torch tensor of floats
        On any device, with any strides.
    """

    tensor: torch.Tensor

    @classmethod
    def of(cls, tensor: torch.Tensor, name: str = "X") -> DeviceRows:
        """Wrap a tensor; integers become float64.

        Raises
        ------
        InputError
            If it is not a table of real numbers.
        """
        tensor = tensor.detach()
        if tensor.ndim != 2:
            hint = " Use X.reshape(-1, 1) for one feature." if tensor.ndim == 1 else ""
            raise InputError(
                f"{name} must have two dimensions (samples, features); it has shape "
                f"{tuple(tensor.shape)}.{hint}"
            )
        if tensor.is_complex():
            raise InputError(
                f"{name} must hold real numbers; its dtype is {tensor.dtype}. Pass its real part, "
                "or real and imaginary parts side by side."
            )
        return cls(tensor if tensor.is_floating_point() else tensor.double())

    @property
    def shape(self) -> tuple[int, int]:
        """(n, p)."""
        return (int(self.tensor.shape[0]), int(self.tensor.shape[1]))

    def blocks(self) -> Iterator[FloatArray]:
        """Blocks of 4,096 rows in NumPy, float64 if the tensor is, float32 if it is smaller."""
        large = self.tensor.element_size() > 4
        for start in range(0, len(self.tensor), _BLOCK):
            part = self.tensor[start : start + _BLOCK]
            block = part.double() if large else part.float()
            yield np.ascontiguousarray(block.cpu().numpy())
