"""Where a network computes, and in which precision."""

from __future__ import annotations

from typing import Literal

import torch

from clearhead.errors import BackboneError

__all__ = ["Precision", "chosen_device"]

Precision = Literal["float32", "bfloat16"]


def chosen_device(wanted: torch.device | str = "auto") -> torch.device:
    """The device that was asked for; ``"auto"`` is the first of CUDA, MPS and the CPU.

    Raises
    ------
    BackboneError
        There is no such device.
    """
    there = ["cpu"]
    if torch.backends.mps.is_available():
        there.insert(0, "mps")
    if torch.cuda.is_available():
        there.insert(0, "cuda")
    if wanted == "auto":
        return torch.device(there[0])
    try:
        device = torch.device(wanted)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise BackboneError(
            f"device={str(wanted)!r} cannot be used ({str(error).splitlines()[0]}). There is "
            f"{', '.join(there)}; leave device= (--device) out to take {there[0]}."
        ) from error
    return device
