"""How a network is watched at work: hooks and modes that always come off."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = [
    "LinearCall",
    "captured_input",
    "device_of",
    "evaluating",
    "is_linear",
    "linear",
    "named_outputs",
    "traced",
    "widened",
]

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


def is_linear(layer: nn.Module) -> bool:
    """Whether the layer is linear in each position: ``nn.Linear``, or a 1×1 convolution."""
    if isinstance(layer, _CONVOLUTIONS):
        ones = {*layer.kernel_size, *layer.stride, layer.groups}
        return ones == {1} and not any(
            isinstance(layer.padding, str) or pad for pad in layer.padding
        )
    return isinstance(layer, nn.Linear)


def linear(layer: nn.Module, features: Tensor) -> Tensor:
    """Apply the layer's own weight and bias to `features` (n, p): its outputs (n, C)."""
    weight, bias = layer.weight, layer.bias
    assert isinstance(weight, Tensor)
    assert bias is None or isinstance(bias, Tensor)
    return functional.linear(features, weight.flatten(1), bias)


@dataclass(frozen=True, eq=False)
class LinearCall:
    """One call of a linear layer: its name, the layer, the call's number, what went in and out.

    `features` and `output` are kept for inputs (n, p) only, so that a trace stays small.
    """

    name: str
    layer: nn.Module
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

    def watch(name: str, layer: nn.Module) -> None:
        def hook(_: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
            value = _first_input(args, kwargs)
            kept = value.ndim == 2 and isinstance(layer, nn.Linear) and isinstance(output, Tensor)
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
            if is_linear(part):
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


@contextlib.contextmanager
def widened(layer: nn.Module, call: int) -> Iterator[list[int]]:
    """Let one call of `layer` return its input beside its output, as further channels.

    What follows a layer that works on each token or pixel (a pick of one position, a mean
    over all) then treats the layer's input as it treats its output: the network returns
    the p features in front of its C outputs. Yields a list that holds one item a call.
    """
    calls: list[int] = []
    channels = 1 if isinstance(layer, _CONVOLUTIONS) else -1

    def hook(_: nn.Module, args: Any, kwargs: Any, output: Any) -> Any:
        calls.append(len(calls))
        if calls[-1] != call:
            return output
        return torch.cat([_first_input(args, kwargs), output], dim=channels)

    handle = layer.register_forward_hook(hook, with_kwargs=True)
    try:
        yield calls
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
