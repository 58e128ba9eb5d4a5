"""Features that were computed elsewhere, put into a feature store."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from clearhead._files import remove_temporaries
from clearhead._types import IntArray
from clearhead.data import Dataset
from clearhead.errors import CorruptFileError, DataError, StorageError
from clearhead.events import Event, EventCallback, emit
from clearhead.features.lock import locked
from clearhead.features.manifest import Manifest, compare, describe, remove_store
from clearhead.features.plan import Plan, rows_per_shard
from clearhead.features.precomputed import PrecomputedFeatures
from clearhead.features.problems import ProblemLog
from clearhead.features.progress import STEP
from clearhead.features.shard import Columns, Rows, write_shard
from clearhead.features.store import FeatureStore

__all__ = ["keep_features"]


def keep_features(
    found: PrecomputedFeatures,
    dataset: Dataset,
    out: Path | str,
    *,
    on_event: EventCallback | None = None,
    force: bool = False,
    shard_rows: int | None = None,
) -> FeatureStore:
    """Write features that are there into a store, beside the labels of `dataset`.

    Parameters
    ----------
    found : PrecomputedFeatures
    dataset : Dataset
        As many examples as there are rows, in the same order; or with the same ids.
    out : Path or str
        Folder of the store. A finished store of the same features and data is reused.
    on_event : callable, optional
    force : bool
        Replace a store of something else.
    shard_rows : int, optional
        Rows a file.

    Raises
    ------
    DataError
        Rows and examples do not belong together.
    FingerprintMismatchError
        `out` holds other features.
    """
    folder = Path(out)
    rows = _rows_of(found, dataset)
    wanted = describe(folder, found, dataset)
    with locked(folder):
        remove_temporaries(folder)
        store = _kept(folder, wanted, force=force)
        if store is not None:
            message = f"{store.n:,} examples are there already"
            emit(on_event, Event(STEP, "skip", message, store.n, store.n, "examples"))
            return store
        remove_store(folder)
        n = len(dataset)
        step = rows_per_shard(found.n_features, 1, shard_rows)
        plan = Plan(n, batch_size=step, shard_rows=step, threads=1)
        columns = Columns(dataset.ids, dataset.labels, dataset.split, dataset.metadata)
        for path, (start, stop) in zip(wanted.shard_paths(plan), plan.shards, strict=True):
            taken = rows[start:stop]
            outputs = None if found.outputs is None else found.outputs[taken]
            part = Rows(np.arange(start, stop), found.features[taken], outputs)
            write_shard(
                path,
                columns.batch(part),
                start=start,
                stop=stop,
                problems=ProblemLog(),
                fingerprints=wanted.fingerprints,
            )
        # Last, so that a killed process leaves no store rather than a part of one.
        wanted.write(found, plan)
        emit(on_event, Event(STEP, "end", f"{n:,} examples from {found.name}", n, n, "examples"))
        return FeatureStore.open(folder, verify=False)


def _kept(folder: Path, wanted: Manifest, *, force: bool) -> FeatureStore | None:
    if not Manifest.exists(folder):
        return None
    try:
        compare(Manifest.read(folder), wanted)
        return FeatureStore.open(folder)
    except CorruptFileError:
        return None  # all of it is at hand: it is simply written again
    except StorageError:
        if not force:
            raise
        return None


def _rows_of(found: PrecomputedFeatures, dataset: Dataset) -> IntArray:
    """Row of the features of each example."""
    n = len(dataset)
    if found.ids is not None:
        where = {str(one): row for row, one in enumerate(found.ids)}
        rows = [where.get(str(one), -1) for one in dataset.ids]
        if min(rows, default=-1) >= 0:
            return np.asarray(rows, dtype=np.int64)
        if len(found) != n:
            lost = str(dataset.ids[rows.index(-1)])
            raise DataError(
                f"{found.name} has no row for the example {lost!r} of {dataset.name}. Give the "
                "ids of the features as the data have them, or as many rows in the same order."
            )
    if len(found) != n:
        raise DataError(
            f"{found.name} has {len(found):,} rows and {dataset.name} {n:,} examples. Give one row "
            "for each example in the same order, or ids in both (empty texts are left out)."
        )
    return np.arange(n, dtype=np.int64)
