"""What a network is called with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from clearhead.errors import BackboneError

__all__ = ["Batch", "as_batch"]


@dataclass(frozen=True, eq=False)
class Batch:
    """The arguments of one call of a network: ``module(*args, **kwargs)``.

    Parameters
    ----------
    args : tuple
        Positional arguments; tensors have one row an example.
    kwargs : mapping of str
        Keyword arguments, likewise.
    truncated : tuple of int
        Positions in the batch of examples that were cut to what the network takes.
    """

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    truncated: tuple[int, ...] = ()

    @property
    def n_truncated(self) -> int:
        """How many examples were cut."""
        return len(self.truncated)

    def __len__(self) -> int:
        for value in (*self.args, *self.kwargs.values()):
            if isinstance(value, torch.Tensor) and value.ndim:
                return int(value.shape[0])
        return 0

    def rows(self, start: int, stop: int) -> Batch:
        """Return the examples `start` … `stop` − 1; what is not one row an example stays."""
        n = len(self)

        def cut(value: Any) -> Any:
            whole = isinstance(value, torch.Tensor) and value.ndim and value.shape[0] == n
            return value[start:stop] if whole else value

        return replace(
            self,
            args=tuple(cut(value) for value in self.args),
            kwargs={name: cut(value) for name, value in self.kwargs.items()},
            truncated=tuple(i - start for i in self.truncated if start <= i < stop),
        )

    def to(self, device: torch.device) -> Batch:
        """Return the batch with its tensors on `device`."""
        return replace(
            self,
            args=tuple(_moved(value, device) for value in self.args),
            kwargs={name: _moved(value, device) for name, value in self.kwargs.items()},
        )

    def __repr__(self) -> str:
        parts = [_shown(value) for value in self.args]
        parts += [f"{name}={_shown(value)}" for name, value in self.kwargs.items()]
        return f"Batch({', '.join(parts)})"


def as_batch(value: Any) -> Batch:
    """Make a :class:`Batch` of a tensor, a tuple of arguments or a mapping of keywords."""
    if isinstance(value, Batch):
        return value
    if isinstance(value, torch.Tensor):
        return Batch(args=(value,))
    # transformers' BatchEncoding is a UserDict, not a Mapping
    if isinstance(value, Mapping) or (hasattr(value, "keys") and hasattr(value, "__getitem__")):
        return Batch(kwargs={str(name): value[name] for name in value.keys()})  # noqa: SIM118
    if isinstance(value, (tuple, list)):
        return Batch(args=tuple(value))
    raise BackboneError(
        "A batch is a tensor, a tuple of positional arguments or a mapping of keyword "
        f"arguments for the network; got {type(value).__name__}."
    )


def _moved(value: Any, device: torch.device) -> Any:
    return value.to(device) if isinstance(value, torch.Tensor) else value


def _shown(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}"
    return type(value).__name__
