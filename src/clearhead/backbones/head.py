"""The network with another decision layer."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from clearhead.backbones.batch import Batch
from clearhead.backbones.split import Split
from clearhead.backbones.tracing import device_of, evaluating, named_outputs
from clearhead.errors import SplitError

__all__ = ["encoder_features", "with_head"]


def encoder_features(module: nn.Module, batch: Batch) -> Tensor:
    """Run a network without a classifier: its first (n, p) output is the features."""
    with evaluating(module):
        outputs = named_outputs(module(*batch.args, **batch.kwargs))
    for value in outputs.values():
        if value.is_floating_point() and value.ndim == 2:
            return value
    shapes = {key: tuple(value.shape) for key, value in outputs.items()}
    raise SplitError(
        f"{type(module).__name__} is opened as an encoder, but none of its outputs has the shape "
        f"(examples, features): {shapes}. Wrap it in a module that pools them."
    )


class _FeaturesThenHead(nn.Module):
    """A network of which only the features count, and a linear layer on them."""

    def __init__(self, network: nn.Module, split: Split | None, linear: nn.Linear) -> None:
        super().__init__()
        self.network = network
        self.linear = linear
        self._split = split

    def forward(self, *args: Any, **kwargs: Any) -> Tensor:
        """Compute the logits (n, C)."""
        batch = Batch(args, kwargs)
        if self._split is None:
            features = encoder_features(self.network, batch)
        else:
            features = self._split.features(self.network, batch)[0]
        logits: Tensor = self.linear(features.to(self.linear.weight.dtype))
        return logits


def with_head(
    module: nn.Module, split: Split | None, linear: nn.Linear, example: Batch
) -> nn.Module:
    """Copy `module` with `linear` as its decision layer, proven on `example`."""
    network = copy.deepcopy(module).eval()
    linear = copy.deepcopy(linear).to(device_of(module)).requires_grad_(False).eval()
    if split is not None and split.last and split.n_calls == 1:
        dtype = network.get_submodule(split.layer).weight.dtype
        assert isinstance(dtype, torch.dtype)
        direct = _replaced(copy.deepcopy(network), split.layer, copy.deepcopy(linear).to(dtype))
        if _proven(direct, _FeaturesThenHead(network, split, linear), split, example):
            return direct
    return _FeaturesThenHead(network, split, linear).eval()


def _replaced(network: nn.Module, name: str, linear: nn.Linear) -> nn.Module:
    old = network.get_submodule(name)
    new = linear if isinstance(old, nn.Linear) else _convolution(old, linear)
    if old is network:
        return new
    for part in list(network.modules()):
        for child_name, child in list(part.named_children()):
            if child is old:
                setattr(part, child_name, new)
    return network


def _convolution(old: nn.Module, linear: nn.Linear) -> nn.Module:
    """`linear` as a 1×1 convolution of the kind of `old`."""
    assert isinstance(old, (nn.Conv1d, nn.Conv2d, nn.Conv3d))
    n_outputs, n_features = linear.weight.shape
    kind = next(kind for kind in (nn.Conv1d, nn.Conv2d, nn.Conv3d) if isinstance(old, kind))
    new = kind(n_features, n_outputs, 1, bias=linear.bias is not None).to(linear.weight)
    with torch.no_grad():
        new.weight.copy_(linear.weight.view(new.weight.shape))
        if new.bias is not None:
            new.bias.copy_(linear.bias)
    return new.requires_grad_(False).eval()


def _proven(direct: nn.Module, obvious: nn.Module, split: Split, example: Batch) -> bool:
    batch = example.to(device_of(obvious))
    with torch.no_grad():
        try:
            outputs = named_outputs(direct(*batch.args, **batch.kwargs))
        except (RuntimeError, ValueError, IndexError, TypeError):
            return False  # something in the network counts on the old number of classes
        wanted: Tensor = obvious(*batch.args, **batch.kwargs)
        got = outputs.get(split.output)
        if got is not None and got.ndim > 2:
            got = got.flatten(1)  # a convolution keeps its last axes, of size 1
        if got is None or got.shape != wanted.shape:
            return False
        return torch.allclose(got.double(), wanted.double(), rtol=1e-4, atol=1e-5)
