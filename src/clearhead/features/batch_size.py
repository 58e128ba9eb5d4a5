"""How many examples to compute at once: as many as make it faster, as far as memory goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from clearhead._types import IntArray
from clearhead.backbones import Backbone, Batch
from clearhead.data import Dataset
from clearhead.errors import BackboneError, DataError

__all__ = ["computed", "find_batch_size"]

_LARGEST = 1024
_GAIN = 1.05  # twice the examples must be computed at least so much faster to be worth it
_MOST_BYTES = 256 << 20
_MOST_SECONDS = 5.0


def find_batch_size(
    backbone: Backbone, dataset: Dataset, lengths: IntArray | None = None
) -> tuple[int, float]:
    """Find the batch size at which the network computes the most examples a second.

    The size grows by doubling, on the longest examples of the data, until two doublings in
    a row gain less than 5%, memory is out, a batch takes 5 seconds or 256 MiB.

    Parameters
    ----------
    lengths : (n,) int array, optional
        How much work each example is; all are alike where None.

    Returns
    -------
    size : int
        The smallest size within 5% of the best.
    rate : float
        Examples a second at that size.

    Raises
    ------
    BackboneError
        There is not enough memory for a single example.
    """
    examples = _longest(dataset, lengths)
    found: list[tuple[int, float]] = []
    held: list[Any] = []
    size, poor = 1, 0
    while size <= _LARGEST and poor < 2:
        held += [one for one, _ in zip(examples, range(size - len(held)), strict=False)]
        if len(held) < size and size > 1:
            break  # the data have no more
        batch = backbone.prepare(held)
        try:
            seconds = _seconds(lambda batch=batch: backbone.features(batch))  # type: ignore[misc]
        except Exception as error:
            if not _is_out_of_memory(error):
                raise
            _let_go()
            break
        best = max((rate for _, rate in found), default=0.0)
        found.append((size, size / seconds))
        poor = 0 if size / seconds > _GAIN * best else poor + 1
        if seconds > _MOST_SECONDS or 2 * _bytes(batch) > _MOST_BYTES:
            break
        size *= 2
    if not found:
        raise BackboneError(
            f"{backbone.name}: there is not enough memory on {backbone.device} for one example. "
            "Use device='cpu' (--device cpu) or precision='bfloat16' (--precision bfloat16)."
        )
    best = max(rate for _, rate in found)
    return next(one for one in found if one[1] * _GAIN >= best)


def computed(
    backbone: Backbone, batch: Batch, on_halved: Callable[[int], None]
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Features and outputs of a batch; where memory runs out, of its halves, one by one."""
    try:
        return backbone.features_and_outputs(batch)
    except Exception as error:
        if not _is_out_of_memory(error) or len(batch) < 2:
            raise
    _let_go()
    on_halved(len(batch))
    middle = len(batch) // 2
    parts = [
        computed(backbone, part, on_halved)
        for part in (batch.rows(0, middle), batch.rows(middle, len(batch)))
    ]
    outputs = [part for _, part in parts if part is not None]
    return torch.cat([part for part, _ in parts]), torch.cat(outputs) if outputs else None


def _longest(dataset: Dataset, lengths: IntArray | None) -> Iterator[Any]:
    """Examples that can be read, the longest first: memory must be enough for them."""
    rows: Sequence[int] = range(len(dataset))
    if lengths is not None:
        rows = np.argsort(-lengths, kind="stable").tolist()
    for row in rows:
        try:
            yield dataset.load(row)
        except DataError:  # counted when its turn comes
            continue


def _seconds(compute: Callable[[], Any]) -> float:
    """The faster of two passes, after one to warm up."""
    compute()
    taken = []
    for _ in range(2):
        begun = time.perf_counter()
        compute()  # its result is on the CPU, so the device has finished
        taken.append(time.perf_counter() - begun)
    return max(min(taken), 1e-9)


def _is_out_of_memory(error: Exception) -> bool:
    said = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError)
        and ("out of memory" in said or "can't allocate memory" in said)
    )


def _let_go() -> None:
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _bytes(batch: Batch) -> int:
    values = (*batch.args, *batch.kwargs.values())
    return sum(value.nbytes for value in values if isinstance(value, torch.Tensor))
