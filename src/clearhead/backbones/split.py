"""Where the decision layer of a network begins, and the proof.

The candidates are the linear layers that ran while one batch went through the
network, the last first. A candidate is the decision layer when its own
arithmetic on its own input gives the network's output::

    features(x) @ weight.T + bias == module(x)        (within float tolerance)

A layer that works on every token or pixel, of which the network then picks one or
takes the mean, is a candidate too: its input is carried through whatever follows
the layer, beside its output, and what arrives are the features.

Names play no part in it, nor does the order in which layers were declared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from clearhead.backbones.batch import Batch, as_batch
from clearhead.backbones.tracing import (
    LinearCall,
    captured_input,
    device_of,
    evaluating,
    is_linear,
    linear,
    named_outputs,
    traced,
    widened,
)
from clearhead.errors import SplitError

__all__ = ["Split", "split_module"]

_LISTED = 8
_ENCODER = (
    "If the network is an encoder without a classifier, open it with encoder=True "
    "(Backbone.from_module) or with pooling= (open_backbone)."
)
_SHAPES_AFTER = {
    "softmax": lambda z: functional.softmax(z, dim=-1),
    "log-softmax": lambda z: functional.log_softmax(z, dim=-1),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "ReLU": torch.relu,
}


@dataclass(frozen=True)
class Split:
    """A proven place to cut a network.

    Parameters
    ----------
    layer : str
        Dotted name of the decision layer.
    call, n_calls : int
        Which of the layer's calls in one pass decides (from 0), and of how many.
    output : str
        Which of the network's outputs are the logits: ``""`` for a plain tensor, a
        position or a key else.
    n_features, n_outputs : int
        Sizes of the layer's input and output.
    error : float
        Largest difference of ``head(features(x))`` and the network's output on the batch.
    last : bool
        Whether the layer's output is the network's. It is False only for a layer that
        was named and is followed by something else, such as a softmax.
    positions : bool
        Whether the layer works on many positions (tokens, pixels) of an example, of which
        the network then picks one or takes the mean.
    """

    layer: str
    call: int
    n_calls: int
    output: str
    n_features: int
    n_outputs: int
    error: float
    last: bool = True
    positions: bool = False

    def features(self, module: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """Run `module` on `batch`; return the features (n, p) and the logits (n, C)."""
        layer = module.get_submodule(self.layer)
        if self.positions:
            return self._carried(module, layer, batch)
        with captured_input(layer) as inputs:
            output = module(*batch.args, **batch.kwargs)
        if len(inputs) != self.n_calls or inputs[self.call].ndim != 2:
            raise self._another_way(len(inputs))
        features = inputs[self.call]
        if not self.last:
            return features, linear(layer, features)
        return features, named_outputs(output)[self.output].reshape(features.shape[0], -1)

    def _carried(self, module: nn.Module, layer: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        with widened(layer, self.call) as calls:
            output = named_outputs(module(*batch.args, **batch.kwargs))[self.output]
        if len(calls) != self.n_calls or output.numel() % (self.n_features + self.n_outputs):
            raise self._another_way(len(calls))
        both = output.reshape(-1, self.n_features + self.n_outputs)
        return both[:, : self.n_features], both[:, self.n_features :]

    def _another_way(self, n_calls: int) -> SplitError:
        return SplitError(
            f"Layer {self.layer!r} ran {n_calls} times on this batch and {self.n_calls} times on "
            "the batch that proved it to be the decision layer: the network's way depends on its "
            "input. Name another layer with layer=."
        )


def split_module(module: nn.Module, batch: Any, layer: str | None = None) -> Split:
    """Find the decision layer of `module` by tracing one batch, and prove it.

    Parameters
    ----------
    module : nn.Module
        Any network; it runs in evaluation mode and is left as it was.
    batch : Batch, Tensor, tuple or mapping
        Arguments of one call, at least one example.
    layer : str, optional
        Dotted name of the decision layer, for a network whose last linear layer is
        followed by something else: the layer's own output is then taken as the logits.

    Returns
    -------
    Split

    Raises
    ------
    SplitError
        No layer's output is the network's: lists the layers considered and why not.

    Examples
    --------
    >>> net = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    >>> split_module(net, torch.zeros(2, 4)).layer
    '2'
    """
    batch = as_batch(batch).to(device_of(module))
    with torch.no_grad(), evaluating(module), traced(module) as calls:
        outputs = named_outputs(module(*batch.args, **batch.kwargs))
    trace = _Trace(module, batch, calls, outputs)
    if layer is not None:
        return _named(trace, layer)
    found = trace.proven(calls)
    if found is None or ("logits" in outputs and found.output != "logits"):
        raise SplitError(_refusal(module, list(reversed(calls)), outputs))
    return found


@dataclass(frozen=True, eq=False)
class _Trace:
    """One batch's way through a network."""

    module: nn.Module
    batch: Batch
    calls: list[LinearCall]
    outputs: dict[str, Tensor]

    def proven(self, calls: list[LinearCall]) -> Split | None:
        """The last of `calls` that is proven to give one of the network's outputs."""
        for key, output in self.outputs.items():
            for call in reversed(calls):
                error = _error(call, output)
                if error is not None:
                    return self.split(call, key, error)
        for key, output in self.outputs.items():
            for call in reversed(calls):
                error = self._carried_error(call, key, output)
                if error is not None:
                    return self.split(call, key, error, positions=True)
        return None

    def split(
        self,
        call: LinearCall,
        key: str,
        error: float,
        *,
        last: bool = True,
        positions: bool = False,
    ) -> Split:
        n_outputs, n_features = _sizes(call)
        return Split(
            layer=call.name,
            call=call.number,
            n_calls=sum(other.name == call.name for other in self.calls),
            output=key,
            n_features=n_features,
            n_outputs=n_outputs,
            error=error,
            last=last,
            positions=positions,
        )

    def _carried_error(self, call: LinearCall, key: str, output: Tensor) -> float | None:
        """Like :func:`_error`, with the layer's input carried through what follows it."""
        if call.features is not None or not _fits(call, output, len(self.batch)):
            return None
        split = self.split(call, key, 0.0, positions=True)
        with torch.no_grad(), evaluating(self.module):
            try:
                features, logits = split.features(self.module, self.batch)
            except (RuntimeError, ValueError, IndexError, TypeError):
                return None  # what follows counts on the number of classes
            if features.shape[0] != output.shape[0]:
                return None
            wanted = output.reshape(logits.shape)
            if not torch.allclose(logits.double(), wanted.double(), rtol=1e-4, atol=1e-5):
                return None
            return _difference(call.layer, features, wanted)


def _sizes(call: LinearCall) -> tuple[int, int]:
    """How many outputs and features the layer has."""
    weight = call.layer.weight
    assert isinstance(weight, Tensor)
    return int(weight.shape[0]), int(weight.shape[1])


def _fits(call: LinearCall, output: Tensor, n: int) -> bool:
    """Whether `output` can be the layer's, for `n` examples."""
    numbers = n * _sizes(call)[0]
    return (
        output.is_floating_point()
        and output.ndim > 0
        and output.shape[0] == n
        and output.numel() == numbers
    )


def _named(trace: _Trace, layer: str) -> Split:
    module, calls, outputs = trace.module, trace.calls, trace.outputs
    try:
        wanted = module.get_submodule(layer)
    except AttributeError:
        wanted = None
    if wanted is None or not is_linear(wanted):
        what = "there is no such layer" if wanted is None else f"it is a {type(wanted).__name__}"
        raise SplitError(
            f"layer={layer!r} is not a linear layer of the network: {what}. Linear layers that "
            f"ran: {_names(calls)}."
        )
    own = [call for call in calls if call.layer is wanted]
    if not own:
        raise SplitError(
            f"layer={layer!r} did not run on the batch. Linear layers that ran: {_names(calls)}."
        )
    found = trace.proven(own)
    if found is not None:
        return found
    call = own[-1]
    if call.features is None or call.output is None:
        raise SplitError(f"layer={layer!r} cannot be the decision layer: {_why_not(call, outputs)}")
    # Named by the user: what follows it is left out, and its own output is the logits.
    error = _difference(call.layer, call.features, call.output)
    if error is None:
        raise SplitError(
            f"layer={layer!r} cannot be the decision layer: what it computes is not "
            "input @ weight.T + bias (it may be quantised or wrapped by an adapter; merge it)."
        )
    return trace.split(call, "", error, last=False)


def _error(call: LinearCall, output: Tensor) -> float | None:
    """Largest difference of the layer's arithmetic and `output`; None if they differ."""
    if call.features is None or not _fits(call, output, call.shape[0]):
        return None
    return _difference(call.layer, call.features, output.reshape(call.shape[0], -1))


def _difference(layer: nn.Module, features: Tensor, output: Tensor) -> float | None:
    with torch.no_grad():
        head = linear(layer, features)
    head, output = head.double(), output.double()
    # 32 units in the last place of the dtype that the layer works in, at least 1e-5
    tolerance = max(1e-5, 32 * torch.finfo(features.dtype).eps)
    scale = max(1.0, float(head.abs().max()) if head.numel() else 0.0)
    error = float((head - output).abs().max()) if head.numel() else float("nan")
    return error if error <= tolerance * scale else None


def _refusal(module: nn.Module, candidates: list[LinearCall], outputs: dict[str, Tensor]) -> str:
    kind = type(module).__name__
    returned = ", ".join(
        f"{key or 'output'} {tuple(value.shape)}" for key, value in outputs.items()
    )
    if not candidates:
        return (
            f"No decision layer was found in {kind}: no nn.Linear and no 1×1 convolution ran on "
            f"the batch. {_ENCODER}"
        )
    lines = [
        f"  {call.name!r} ({_sizes(call)[1]} → {_sizes(call)[0]}): {_why_not(call, outputs)}"
        for call in candidates[:_LISTED]
    ]
    if len(candidates) > _LISTED:
        lines.append(f"  … and {len(candidates) - _LISTED} earlier calls of linear layers")
    return "\n".join(
        [
            f"No decision layer could be proven in {kind}, which returned "
            f"{returned or 'no tensor'}. Linear layers considered, the last executed first:",
            *lines,
            f"Name the one whose output are the logits, e.g. layer={candidates[0].name!r}: what "
            f"follows it is then left out. {_ENCODER}",
        ]
    )


def _why_not(call: LinearCall, outputs: dict[str, Tensor]) -> str:
    if call.features is None or call.output is None:
        return (
            f"it works on each position of an input of shape {call.shape}, and what follows is "
            "neither a pick of one position nor a mean"
        )
    for output in outputs.values():
        if output.shape == call.output.shape and output.is_floating_point():
            for name, after in _SHAPES_AFTER.items():
                if torch.allclose(after(call.output).double(), output.double(), atol=1e-5):
                    return f"the network's output is the {name} of this layer's"
            far = float((output.double() - call.output.double()).abs().max())
            return f"its output differs from the network's by up to {far:.3g}"
    return f"its output has the shape {tuple(call.output.shape)}"


def _names(calls: list[LinearCall]) -> str:
    names = list(dict.fromkeys(repr(call.name) for call in reversed(calls)))
    shown = ", ".join(names[:_LISTED])
    return shown + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "") or "none"
