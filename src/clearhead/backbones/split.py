"""Where the decision layer of a network begins, and the proof.

The candidates are the linear layers that ran while one batch went through the
network, the last first. A candidate is the decision layer when its own
arithmetic on its own input gives the network's output::

    features(x) @ weight.T + bias == module(x)        (within float tolerance)

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
    named_outputs,
    traced,
)
from clearhead.errors import SplitError

__all__ = ["Split", "split_module"]

_LISTED = 8
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
    """

    layer: str
    call: int
    n_calls: int
    output: str
    n_features: int
    n_outputs: int
    error: float
    last: bool = True

    def features(self, module: nn.Module, batch: Batch) -> tuple[Tensor, Any]:
        """Run `module` on `batch`; return the decision layer's input (n, p) and the output."""
        with captured_input(module.get_submodule(self.layer)) as inputs:
            output = module(*batch.args, **batch.kwargs)
        if len(inputs) != self.n_calls or inputs[self.call].ndim != 2:
            raise SplitError(
                f"Layer {self.layer!r} ran {len(inputs)} times on this batch and "
                f"{self.n_calls} times on the batch that proved it to be the decision layer: "
                "the network's way depends on its input. Name another layer with layer=."
            )
        return inputs[self.call], output


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
    n_calls = {call.name: call.number + 1 for call in calls}
    if layer is not None:
        return _named(module, layer, calls, n_calls, outputs)
    candidates = list(reversed(calls))
    for key, output in outputs.items():
        for call in candidates:
            error = _error(call, output)
            if error is not None:
                return _split(call, n_calls, key, error)
    raise SplitError(_refusal(module, candidates, outputs))


def _split(
    call: LinearCall, n_calls: dict[str, int], key: str, error: float, last: bool = True
) -> Split:
    return Split(
        layer=call.name,
        call=call.number,
        n_calls=n_calls[call.name],
        output=key,
        n_features=int(call.layer.weight.shape[1]),
        n_outputs=int(call.layer.weight.shape[0]),
        error=error,
        last=last,
    )


def _named(
    module: nn.Module,
    layer: str,
    calls: list[LinearCall],
    n_calls: dict[str, int],
    outputs: dict[str, Tensor],
) -> Split:
    try:
        wanted = module.get_submodule(layer)
    except AttributeError:
        wanted = None
    if not isinstance(wanted, nn.Linear):
        what = "there is no such layer" if wanted is None else f"it is a {type(wanted).__name__}"
        raise SplitError(
            f"layer={layer!r} is not a linear layer of the network: {what}. Linear layers that "
            f"ran: {_names(calls)}."
        )
    own = [call for call in reversed(calls) if call.layer is wanted]
    if not own:
        raise SplitError(
            f"layer={layer!r} did not run on the batch. Linear layers that ran: {_names(calls)}."
        )
    for key, output in outputs.items():
        for call in own:
            error = _error(call, output)
            if error is not None:
                return _split(call, n_calls, key, error)
    call = own[0]
    if call.features is None or call.output is None:
        raise SplitError(f"layer={layer!r} cannot be the decision layer: {_why_not(call, outputs)}")
    # Named by the user: what follows it is left out, and its own output is the logits.
    error = _difference(call, call.output)
    if error is None:
        raise SplitError(
            f"layer={layer!r} cannot be the decision layer: what it computes is not "
            "input @ weight.T + bias (it may be quantised or wrapped by an adapter; merge it)."
        )
    return _split(call, n_calls, "", error, last=False)


def _error(call: LinearCall, output: Tensor) -> float | None:
    """Largest difference of the layer's arithmetic and `output`; None if they differ."""
    if call.features is None or not output.is_floating_point() or output.ndim not in (1, 2):
        return None
    n, outputs = call.shape[0], int(call.layer.weight.shape[0])
    if output.numel() != n * outputs or output.shape[0] != n:
        return None
    return _difference(call, output.reshape(n, outputs))


def _difference(call: LinearCall, output: Tensor) -> float | None:
    assert call.features is not None
    with torch.no_grad():
        head = functional.linear(call.features, call.layer.weight, call.layer.bias)
    head, output = head.double(), output.double()
    # 32 units in the last place of the dtype that the layer works in, at least 1e-5
    tolerance = max(1e-5, 32 * torch.finfo(call.features.dtype).eps)
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
            f"No decision layer was found in {kind}: no nn.Linear ran on the batch (a 1×1 "
            "convolution as the classifier is not split yet). If the network is an encoder "
            "without a classifier, open it with encoder=True."
        )
    lines = [
        f"  {call.name!r} ({call.layer.weight.shape[1]} → {call.layer.weight.shape[0]}): "
        f"{_why_not(call, outputs)}"
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
            "follows it is then left out. If the network is an encoder without a classifier, "
            "open it with encoder=True.",
        ]
    )


def _why_not(call: LinearCall, outputs: dict[str, Tensor]) -> str:
    if call.features is None or call.output is None:
        return f"its input has the shape {call.shape}, only (examples, features) is split for now"
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
