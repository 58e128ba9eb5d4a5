"""A network as one function of named arrays, for the exporters that trace it."""

from __future__ import annotations

import contextlib
import inspect
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from clearhead.backbones import Backbone, Batch

__all__ = ["Program", "input_arrays", "quiet", "traced_program"]

OUTPUTS = ("logits", "features")
_TRACED = 23
"""Examples in the batch that is traced; nothing is computed, so more cost nothing."""


class Program(nn.Module):
    """The network with its features beside its scores, and named inputs.

    Parameters
    ----------
    backbone : Backbone
        A network with a decision layer.
    batch : Batch
        An example of what it is called with; what is no tensor in it is kept as it is.
    """

    def __init__(self, backbone: Backbone, batch: Batch) -> None:
        super().__init__()
        assert backbone.split is not None
        self.network = backbone.module
        split, fixed = backbone.split, dict(batch.kwargs)
        positions = [name for name, _ in _arguments(batch)]

        def forward(**arrays: Tensor) -> dict[str, Tensor]:
            args = tuple(arrays.get(name, value) for name, value in _arguments(batch))
            given = {name: arrays[name] for name in arrays if name not in positions}
            features, logits = split.features(self.network, Batch(args, {**fixed, **given}))
            return {"logits": logits, "features": features}

        # Exporters ask the signature for the names of the inputs.
        forward.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [
                inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD)
                for name in input_arrays(batch)
            ]
        )
        self.forward = forward


def input_arrays(batch: Batch) -> dict[str, Tensor]:
    """The tensors of a batch by name: of positional arguments ``input``, ``input_1``, …"""
    named = [*_arguments(batch), *batch.kwargs.items()]
    return {name: value for name, value in named if isinstance(value, Tensor)}


def _arguments(batch: Batch) -> list[tuple[str, Any]]:
    return [("input" if i == 0 else f"input_{i}", value) for i, value in enumerate(batch.args)]


def traced_program(backbone: Backbone, batch: Batch) -> torch.export.ExportedProgram:
    """Trace `backbone` with torch.export, for batches of any size and texts of any length."""
    batch = _unlike(batch)
    arrays = input_arrays(batch)
    length = 0
    if backbone.modality == "text":
        length = max((value.shape[1] for value in arrays.values() if value.ndim > 1), default=0)
    free = torch.export.Dim.DYNAMIC
    shapes = {
        name: {
            axis: free
            for axis in range(min(value.ndim, 2))
            if axis == 0 or value.shape[axis] == length
        }
        for name, value in arrays.items()
    }
    program = Program(backbone, batch).eval()
    with quiet(), torch.no_grad():
        return torch.export.export(program, (), arrays, dynamic_shapes=shapes, strict=False)


def _unlike(batch: Batch) -> Batch:
    """Repeat examples until their number is no size that a network has inside.

    The tracer takes equal sizes for one: with two examples, a network of two attention heads
    would be written for batches of two.
    """
    rows = torch.arange(_TRACED) % len(batch)

    def repeated(value: Any) -> Any:
        whole = isinstance(value, Tensor) and value.ndim and len(value) == len(batch)
        return value[rows.to(value.device)] if whole else value

    return Batch(
        args=tuple(repeated(value) for value in batch.args),
        kwargs={name: repeated(value) for name, value in batch.kwargs.items()},
    )


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the exporters' notes to developers from the user; errors still come."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "torch.export", "onnxscript")]
    loggers.append(logging.getLogger("torch.onnx._internal.exporter._registration"))
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
