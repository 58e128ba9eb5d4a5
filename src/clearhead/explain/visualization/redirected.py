"""Gradients through rectifiers that are dead at the start.

A feature behind a ReLU that is 0 everywhere on the first picture has no gradient, so nothing
could be optimised. Where a rectifier lets no gradient at all through for a picture, the part
of it that asks for more activation is let through instead; elsewhere nothing changes (after
lucid's redirected ReLU gradients, Olah et al., Distill 2017).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

__all__ = ["RedirectedRectifiers"]

# Those in place (relu_) are left alone: their result may be taken from their argument.
_RELU: set[Callable[..., Any]] = {functional.relu, torch.relu, Tensor.relu}


class _Redirected(torch.autograd.Function):
    """Clamp to [0, high]; where that stops a picture's whole gradient, redirect it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, high: float) -> Tensor:
        ctx.save_for_backward(x)
        ctx.high = high
        return x.clamp(0.0, high)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        (x,), (grad,) = ctx.saved_tensors, grads
        plain = grad * ((x > 0.0) & (x < ctx.high))
        axes = tuple(range(1, x.ndim))
        dead = plain.abs().sum(axes, keepdim=True) == 0 if axes else plain == 0
        if not bool(dead.any()):
            return plain, None
        # A negative gradient asks for a larger value: the loss is minimised.
        wanted = ((x <= 0.0) & (grad < 0.0)) | ((x >= ctx.high) & (grad > 0.0))
        return torch.where(dead, grad * wanted, plain), None


class RedirectedRectifiers(TorchFunctionMode):
    """Inside this context, ReLU and ReLU6 redirect gradients that they would stop entirely."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type[Any]],
        args: tuple[Any, ...] = (),
        kwargs: Any = None,
    ) -> Any:
        kwargs = kwargs or {}
        high = _upper(func, args, kwargs)
        if high is None:
            return func(*args, **kwargs)
        x = args[0] if args else kwargs["input"]
        redirect = cast(Callable[[Tensor, float], Tensor], _Redirected.apply)
        return redirect(x, high)


def _upper(func: Callable[..., Any], args: tuple[Any, ...], kwargs: Any) -> float | None:
    """Where the rectifier ends; None if `func` is no rectifier."""
    if func in _RELU:
        return float("inf")
    if func is functional.relu6:
        return 6.0
    if func is functional.hardtanh:  # what nn.ReLU6 calls
        low = args[1] if len(args) > 1 else kwargs.get("min_val", -1.0)
        high = args[2] if len(args) > 2 else kwargs.get("max_val", 1.0)
        return float(high) if low == 0.0 else None
    return None
