"""One process's share of an extraction: read, compute, keep."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from clearhead._prefetch import prefetched
from clearhead._types import FloatArray, IntArray
from clearhead.backbones import Backbone, Batch
from clearhead.data import Dataset, UnreadableExample
from clearhead.errors import BackboneError, DataError
from clearhead.events import Event, EventCallback, emit
from clearhead.features.batch_size import computed
from clearhead.features.manifest import PARTIAL, Manifest
from clearhead.features.plan import Plan
from clearhead.features.problems import ProblemLog
from clearhead.features.progress import STEP, Progress
from clearhead.features.shard import Columns, Rows
from clearhead.features.spill import Finished, ShardInProgress, is_whole

__all__ = ["Session"]


@dataclass(frozen=True, eq=False)
class _Job:
    shard: ShardInProgress
    start: int
    stop: int
    rows: IntArray


@dataclass(frozen=True, eq=False)
class _Prepared:
    job: _Job
    row_ids: IntArray
    batch: Batch | None
    problems: ProblemLog


@dataclass(frozen=True, eq=False)
class Session:
    """One process's share of an extraction."""

    backbone: Backbone
    dataset: Dataset
    manifest: Manifest
    on_event: EventCallback | None
    strict: bool
    flush_seconds: float

    @cached_property
    def plan(self) -> Plan:
        """The batches, as the manifest has them."""
        return self.manifest.plan()

    def run(self) -> None:
        """Compute what is missing, shard by shard."""
        partial = self.manifest.folder / PARTIAL
        columns = Columns(
            self.dataset.ids, self.dataset.labels, self.dataset.split, self.dataset.metadata
        )
        shards = [
            ShardInProgress(
                path, partial, self.plan, *where, columns, self.manifest.fingerprints,
            )
            for path, where in zip(
                self.manifest.shard_paths(self.plan), self.plan.shards, strict=True
            )
        ]  # fmt: skip
        todo = []
        for shard in shards:
            if is_whole(shard.path):
                shard.discard()  # killed between writing the shard and deleting its pieces
            else:
                shard.recover()
                todo.append(shard)
        if not todo:
            self._remove(partial)
            message = f"{self.plan.n:,} examples are there already"
            emit(self.on_event, Event(STEP, "skip", message, self.plan.n, self.plan.n, "examples"))
            return
        self._compute(todo)
        self._remove(partial)

    def _compute(self, todo: list[ShardInProgress]) -> None:
        n = self.plan.n
        progress = Progress(
            n, n - sum(shard.stop - shard.start - shard.done for shard in todo), self.on_event
        )
        progress.start(self.backbone.name)
        for shard in todo:
            if not shard.missing():  # killed between the last piece and the shard
                shard.finish()
        current: ShardInProgress | None = None
        flushed = time.monotonic()
        try:
            with contextlib.closing(prefetched(self._prepare, _jobs(todo))) as batches:
                for prepared in batches:
                    current = prepared.job.shard
                    current.add(self._finished(prepared))
                    progress.advance(prepared.job.stop - prepared.job.start)
                    if current.done == current.stop - current.start:
                        current.finish()
                        flushed = time.monotonic()
                    elif time.monotonic() - flushed > self.flush_seconds:
                        current.flush()
                        flushed = time.monotonic()
        except BaseException:
            # Ctrl-C or an error: keep what is finished; a failure here must not hide the first
            if current is not None:
                with contextlib.suppress(Exception):
                    current.flush()
            raise
        progress.end()

    def _prepare(self, job: _Job) -> _Prepared:
        """Read and prepare one batch (in the thread that works ahead)."""
        kept: list[int] = []
        examples: list[Any] = []
        problems = ProblemLog()
        for row in job.rows.tolist():
            try:
                example = self.dataset.load(row)
            except DataError as error:
                # the message alone repeats the name of the example, which is said anyway
                why = error.reason if isinstance(error, UnreadableExample) else str(error)
                self._strictly("could not be read", row, why)
                problems.skip(row, str(self.dataset.ids[row]), why)
                continue
            if isinstance(example, str) and not example.strip():
                self._strictly("is an empty text", row)
                problems.count("empty", row, str(self.dataset.ids[row]))
            kept.append(row)
            examples.append(example)
        batch = self.backbone.prepare(examples) if examples else None
        for position in batch.truncated if batch is not None else ():
            row = kept[position]
            self._strictly(f"is longer than {self.backbone.name} takes", row)
            problems.count("truncated", row, str(self.dataset.ids[row]))
        return _Prepared(job, np.asarray(kept, dtype=np.int64), batch, problems)

    def _strictly(self, what: str, row: int, why: str = "") -> None:
        if self.strict:
            raise DataError(
                f"Example {self.dataset.ids[row]!r} (row {row}) of {self.dataset.name} {what}"
                f"{': ' + why if why else ''}. Mend or remove it, or leave strict=True "
                "(--strict) out: it is then counted and reported."
            )

    def _finished(self, prepared: _Prepared) -> Finished:
        rows = self._computed(prepared)
        self._check(rows.features, rows.row_ids)
        return Finished(prepared.job.start, prepared.job.stop, rows, prepared.problems)

    def _computed(self, prepared: _Prepared) -> Rows:
        p, n_outputs = self.manifest.p, self.manifest.n_outputs
        if prepared.batch is None:
            empty = np.empty((0, n_outputs), dtype=np.float32) if n_outputs else None
            return Rows(prepared.row_ids, np.empty((0, p), dtype=np.float32), empty)
        features, outputs = computed(self.backbone, prepared.batch, self._say_halved)
        # a store that an earlier version began keeps none
        kept = outputs.numpy() if outputs is not None and n_outputs else None
        return Rows(prepared.row_ids, features.numpy(), kept)

    def _say_halved(self, rows: int) -> None:
        message = (
            f"not enough memory on {self.backbone.device} for {rows} examples at once: computed in "
            "halves. A smaller batch_size= (--batch-size) is faster"
        )
        emit(self.on_event, Event(STEP, "warning", message))

    def _check(self, features: FloatArray, row_ids: IntArray) -> None:
        if features.shape != (len(row_ids), self.manifest.p):
            raise BackboneError(
                f"{self.backbone.name} gave features of shape {features.shape} for "
                f"{len(row_ids)} examples; expected were {(len(row_ids), self.manifest.p)}."
            )
        finite = np.isfinite(features)
        if not finite.all():
            row, column = (int(i) for i in np.argwhere(~finite)[0])
            example = self.dataset.ids[int(row_ids[row])]
            raise BackboneError(
                f"{self.backbone.name} gives {features[row, column]} in feature {column} of "
                f"example {str(example)!r} (row {int(row_ids[row])}). Features must be finite: "
                "look at that example, or run the network in a wider precision."
            )

    def _remove(self, partial: Path) -> None:
        with contextlib.suppress(OSError):
            partial.rmdir()


def _jobs(shards: list[ShardInProgress]) -> Iterator[_Job]:
    """The batches that are missing; a shard's are listed when its turn comes."""
    for shard in shards:
        if not shard.whole:
            for start, stop in shard.missing():
                yield _Job(shard, start, stop, shard.plan.rows(start, stop))
