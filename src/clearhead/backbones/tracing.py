"""How a network is watched at work: hooks and modes that always come off."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["LinearCall", "captured_input", "device_of", "evaluating", "named_outputs", "traced"]


@dataclass(frozen=True, eq=False)
class LinearCall:
    """One call of a linear layer: its name, the layer, the call's number, what went in and out.

    `features` and `output` are kept for 2-D inputs only, so that a trace stays small.
    """

    name: str
    layer: nn.Linear
    number: int
    shape: tuple[int, ...]
    features: Tensor | None
    output: Tensor | None


@contextlib.contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Put `module` in evaluation mode; put every part back as it was on leaving."""
    training = [part for part in module.modules() if part.training]
    for part in training:
        part.training = False
    try:
        yield
    finally:
        for part in training:
            part.training = True


@contextlib.contextmanager
def traced(module: nn.Module) -> Iterator[list[LinearCall]]:
    """Record every call of a linear layer, in the order of execution."""
    calls: list[LinearCall] = []
    counts: dict[str, int] = {}
    handles = []

    def watch(name: str, layer: nn.Linear) -> None:
        def hook(_: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
            value = _first_input(args, kwargs)
            kept = value.ndim == 2 and isinstance(output, Tensor)
            number = counts.get(name, 0)
            counts[name] = number + 1
            calls.append(
                LinearCall(
                    name,
                    layer,
                    number,
                    tuple(value.shape),
                    value.detach().clone() if kept else None,
                    output.detach().clone() if kept else None,
                )
            )

        handles.append(layer.register_forward_hook(hook, with_kwargs=True))

    try:
        for name, part in module.named_modules():
            if isinstance(part, nn.Linear):
                watch(name, part)
        yield calls
    finally:
        for handle in handles:
            handle.remove()


@contextlib.contextmanager
def captured_input(layer: nn.Module) -> Iterator[list[Tensor]]:
    """Collect what goes into `layer`, one tensor a call."""
    inputs: list[Tensor] = []

    def hook(_: nn.Module, args: Any, kwargs: Any) -> None:
        # a copy, since what follows may write into it
        inputs.append(_first_input(args, kwargs).clone())

    handle = layer.register_forward_pre_hook(hook, with_kwargs=True)
    try:
        yield inputs
    finally:
        handle.remove()


def named_outputs(output: Any) -> dict[str, Tensor]:
    """The tensors a network returned, the likeliest logits first.

    A tensor is named ``""``, the items of a tuple by their positions, those of a
    dict or a ``ModelOutput`` by their keys.
    """
    if isinstance(output, Tensor):
        return {"": output}
    if isinstance(output, Mapping) or hasattr(output, "items"):
        found = {str(key): value for key, value in output.items()}
    elif isinstance(output, (tuple, list)):
        found = {str(position): value for position, value in enumerate(output)}
    else:
        return {}
    tensors = {key: value for key, value in found.items() if isinstance(value, Tensor)}
    if "logits" in tensors:
        return {"logits": tensors.pop("logits"), **tensors}
    return tensors


def device_of(module: nn.Module) -> torch.device:
    """The device of the first parameter; the CPU for a module without parameters."""
    for parameter in module.parameters():
        return parameter.device
    return torch.device("cpu")


def _first_input(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Tensor:
    value = args[0] if args else next(iter(kwargs.values()))
    if not isinstance(value, Tensor):
        raise TypeError(f"a linear layer was called with {type(value).__name__}, not a tensor")
    return value
