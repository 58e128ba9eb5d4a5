"""Run a network over a dataset and keep its deep features."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from clearhead._files import remove_temporaries
from clearhead.backbones import Backbone
from clearhead.data import Dataset
from clearhead.errors import (
    CorruptFileError,
    DataError,
    InputError,
    StorageError,
)
from clearhead.events import Event, EventCallback, emit
from clearhead.features.batch_size import find_batch_size
from clearhead.features.lock import locked
from clearhead.features.manifest import PARTIAL, Manifest, compare, describe, remove_store
from clearhead.features.plan import Plan, make_plan, rows_per_shard
from clearhead.features.progress import STEP
from clearhead.features.session import Session
from clearhead.features.shard import remove_shard
from clearhead.features.spill import is_whole
from clearhead.features.store import FeatureStore, check_shards

__all__ = ["extract"]


def extract(
    backbone: Backbone,
    dataset: Dataset,
    out: Path | str,
    *,
    batch_size: int | Literal["auto"] | None = None,
    on_event: EventCallback | None = None,
    strict: bool = False,
    repair: bool = False,
    force: bool = False,
    flush_seconds: float = 10.0,
    shard_rows: int | None = None,
) -> FeatureStore:
    """Compute the deep features of a dataset, or go on with what an earlier call began.

    Parameters
    ----------
    backbone : Backbone
        The network.
    dataset : Dataset
        The examples; its modality must be the network's.
    out : Path or str
        Folder of the store. A finished store of the same network and data is reused.
    batch_size : int or "auto", optional
        Examples a batch. ``"auto"`` tries which is fastest and fits in memory; by default
        the backbone's own on a CPU, and tried on a GPU. A store that was begun keeps the
        batches it was begun with.
    on_event : callable, optional
        Called with progress (rate and time left) and with what was counted.
    strict : bool
        Unreadable, truncated and empty examples are errors.
    repair : bool
        Compute damaged shards again, and only these.
    force : bool
        Replace a store of another network or of other data.
    flush_seconds : float
        Finished batches are written at least this often: what a kill can cost.
    shard_rows : int, optional
        Rows a file, rounded down to whole batches; by default at most 65,536 rows and
        256 MiB.

    Returns
    -------
    FeatureStore

    Raises
    ------
    FingerprintMismatchError
        `out` holds features of another network or of other data.
    CorruptFileError
        Files of the store are damaged and `repair` is False.
    DataError
        `strict` and an example has a problem, or no example could be read.
    BackboneError
        The network gives NaN or infinity; names example and feature.
    StorageFullError
        No space was left; what had been written is kept.
    """
    folder = Path(out)
    if backbone.modality != dataset.modality:
        raise InputError(
            f"{backbone.name} takes {backbone.modality}s, but {dataset.name} holds "
            f"{dataset.modality}s. Choose a network for {dataset.modality}s."
        )
    if batch_size not in (None, "auto") and not (isinstance(batch_size, int) and batch_size >= 1):
        raise InputError(f"batch_size={batch_size!r}: it must be 'auto' or at least 1.")
    if len(dataset) == 0:
        raise DataError(f"{dataset.name} has no examples.")
    with locked(folder):
        remove_temporaries(folder)
        remove_temporaries(folder / PARTIAL)
        manifest = _opened(backbone, dataset, folder, repair=repair, force=force)
        if manifest is None:
            emit(on_event, Event(STEP, "info", "planning the batches"))
            wanted = describe(folder, backbone, dataset)
            plan = _planned(backbone, dataset, batch_size, shard_rows, on_event)
            manifest = wanted.write(backbone, plan)
        _say_other_device(manifest, backbone, on_event)
        with _threads(manifest.plan(with_order=False).threads):
            Session(backbone, dataset, manifest, on_event, strict, flush_seconds).run()
        store = FeatureStore.open(folder, verify=False)
    _report(store, dataset, on_event, strict)
    return store


def _opened(
    backbone: Backbone, dataset: Dataset, folder: Path, *, repair: bool, force: bool
) -> Manifest | None:
    """The manifest to go on with; None to start afresh. Removes what must be computed again."""
    if not Manifest.exists(folder):
        remove_store(folder)  # a store whose writing ended before its manifest
        return None
    wanted = describe(folder, backbone, dataset)
    try:
        manifest = Manifest.read(folder)
        compare(manifest, wanted)
        manifest.plan()
        manifest.head()
    except CorruptFileError:
        if not (repair or force):
            raise
        remove_store(folder)  # without a sound manifest no shard can be trusted
        return None
    except StorageError:
        if not force:
            raise
        remove_store(folder)
        return None
    _, bad = check_shards(manifest, verify=True)
    paths = manifest.shard_paths(manifest.plan(with_order=False))
    damaged = {number: what for number, what in bad.items() if is_whole(paths[number])}
    if damaged and not (repair or force):
        raise CorruptFileError(
            f"{len(damaged)} of {len(paths)} shards in {folder} are damaged: "
            f"{', '.join(damaged.values())}. Run the same extraction again with repair=True "
            "(--repair): only these are computed again."
        )
    for number in bad:
        remove_shard(paths[number])
    return manifest


def _planned(
    backbone: Backbone,
    dataset: Dataset,
    batch_size: int | Literal["auto"] | None,
    shard_rows: int | None,
    on_event: EventCallback | None,
) -> Plan:
    n, lengths = len(dataset), None
    if backbone.modality == "text":
        lengths = np.fromiter((_length(backbone, dataset, row) for row in range(n)), np.int64, n)
    if batch_size is None:
        # A CPU is as fast at any size above a few; what is timed differs from call to call.
        batch_size = backbone.batch_size if backbone.device.type == "cpu" else "auto"
    if batch_size == "auto":
        size, rate = find_batch_size(backbone, dataset, lengths)
        message = f"batches of {size}: {rate:,.0f} of the longest examples/s on {backbone.device}"
        emit(on_event, Event(STEP, "info", message))
    else:
        size = batch_size
    return make_plan(
        len(dataset),
        batch_size=size,
        shard_rows=rows_per_shard(backbone.n_features, size, shard_rows),
        threads=torch.get_num_threads(),
        device=backbone.device.type,
        lengths=lengths,
    )


def _say_other_device(
    manifest: Manifest, backbone: Backbone, on_event: EventCallback | None
) -> None:
    planned = manifest.plan(with_order=False).device
    if planned != backbone.device.type:
        message = (
            f"was begun on {planned} and goes on with {backbone.device.type}: the last digits of "
            "features differ between them"
        )
        emit(on_event, Event(STEP, "warning", message))


def _length(backbone: Backbone, dataset: Dataset, row: int) -> int:
    try:
        return backbone.length(dataset.load(row))
    except DataError:  # counted when its turn comes
        return 0


@contextlib.contextmanager
def _threads(wanted: int) -> Iterator[None]:
    """Compute with as many threads as planned: the sums' last digits depend on it."""
    before = torch.get_num_threads()
    torch.set_num_threads(wanted)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _report(
    store: FeatureStore, dataset: Dataset, on_event: EventCallback | None, strict: bool
) -> None:
    problems = store.problems
    _require_enough(store, dataset)
    if strict and problems:
        raise DataError(
            f"{problems[0].message}. Mend or remove them, or leave strict=True (--strict) out: "
            "they are then counted and reported."
        )
    for problem in problems:
        emit(
            on_event,
            Event(STEP, "warning", problem.message, problem.count, len(dataset), "examples",
                  {"kind": problem.kind, "first": problem.first}),
        )  # fmt: skip


def _require_enough(store: FeatureStore, dataset: Dataset) -> None:
    """Refuse a split or a class in training of which nothing could be read."""
    first = store.problems[0].message if store.problems else ""
    mend = "Mend these files, or remove them from the data, and extract again."
    if store.n == 0:
        raise DataError(f"No example of {store.name} could be read: {first}. {mend}")
    lost = [split for split in dataset.splits if split not in store.splits]
    if lost:
        raise DataError(
            f"No example of the {' and '.join(lost)} split of {store.name} could be read: "
            f"{first}. {mend}"
        )
    labels = store.labels("train")
    trained = set((labels.any(axis=0).nonzero()[0] if store.multilabel else labels).tolist())
    gone = [name for code, name in enumerate(store.class_names) if code not in trained]
    if gone:
        raise DataError(
            f"No training example of the {'label' if store.multilabel else 'class'} "
            f"{', '.join(map(repr, gone))} of {store.name} could "
            f"be read: {first}. {mend}"
        )
