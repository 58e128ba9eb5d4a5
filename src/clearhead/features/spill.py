"""What is finished of one shard: kept on disk in small pieces until the shard is whole.

A piece ("spill") covers whole batches that follow one another in the plan, in the
format of a shard. When every batch of the shard is there, the pieces become the
shard, its rows in the order of the dataset, and are deleted. So the final files do
not depend on when pieces were written, nor on how often the process was killed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from clearhead.errors import CorruptFileError
from clearhead.features.plan import Plan
from clearhead.features.problems import ProblemLog
from clearhead.features.shard import (
    Columns,
    Rows,
    Shard,
    read_shard,
    remove_shard,
    sidecar_of,
    write_shard,
)

__all__ = ["Finished", "ShardInProgress"]


@dataclass(frozen=True, eq=False)
class Finished:
    """One computed batch: positions start … stop − 1 of the plan, and the rows kept of them."""

    start: int
    stop: int
    rows: Rows
    problems: ProblemLog


@dataclass
class ShardInProgress:
    """A shard of the plan that is not whole yet.

    Parameters
    ----------
    path : Path
        Where the shard will be.
    folder : Path
        Where its pieces are.
    """

    path: Path
    folder: Path
    plan: Plan
    start: int
    stop: int
    columns: Columns
    fingerprints: dict[str, str]
    spills: list[Shard] = field(default_factory=list)
    pending: list[Finished] = field(default_factory=list)
    whole: bool = False

    def recover(self) -> None:
        """Take over the pieces of an earlier process; damaged ones are deleted."""
        wanted = f"{self.path.stem}-*"
        for sidecar in sorted(self.folder.glob(f"{wanted}.json")):
            try:
                spill = read_shard(sidecar.with_suffix(".arrow"), self.fingerprints)
            except CorruptFileError:
                remove_shard(sidecar.with_suffix(".arrow"))
                continue
            self.spills.append(spill)
        known = {spill.path for spill in self.spills}
        for path in self.folder.glob(f"{wanted}.arrow"):
            if path not in known:
                path.unlink()

    def missing(self) -> list[tuple[int, int]]:
        """Batches of the plan that no piece covers."""
        done = {first for spill in self.spills for first in range(spill.start, spill.stop)}
        return [batch for batch in self.plan.batches(self.start, self.stop) if batch[0] not in done]

    @property
    def done(self) -> int:
        """Positions that are finished."""
        finished = [(one.start, one.stop) for one in self.spills]
        finished += [(one.start, one.stop) for one in self.pending]
        return sum(stop - start for start, stop in finished)

    def add(self, batch: Finished) -> None:
        """Take one computed batch."""
        if self.pending and self.pending[-1].stop != batch.start:
            self.flush()
        self.pending.append(batch)

    def flush(self) -> None:
        """Write what is in memory as one piece; on a failure it stays in memory."""
        if not self.pending:
            return
        start, stop = self.pending[0].start, self.pending[-1].stop
        path = self.folder / f"{self.path.stem}-{start:012d}-{stop:012d}.arrow"
        self.folder.mkdir(parents=True, exist_ok=True)
        rows = Rows.sorted([one.rows for one in self.pending])
        problems = ProblemLog.total(one.problems for one in self.pending)
        write_shard(
            path,
            self.columns.batch(rows),
            start=start,
            stop=stop,
            problems=problems,
            fingerprints=self.fingerprints,
        )
        self.spills.append(Shard(path, start, stop, len(rows), problems))
        self.pending = []

    def finish(self) -> None:
        """Write the shard, rows in the order of the dataset, and delete its pieces."""
        parts = [Rows.of(spill.batch()) for spill in self.spills]
        parts += [one.rows for one in self.pending]
        problems = [one.problems for one in self.spills] + [one.problems for one in self.pending]
        write_shard(
            self.path,
            self.columns.batch(Rows.sorted(parts)),
            start=self.start,
            stop=self.stop,
            problems=ProblemLog.total(problems),
            fingerprints=self.fingerprints,
        )
        self.pending = []
        self.whole = True
        self.discard()

    def discard(self) -> None:
        """Delete the pieces."""
        for path in self.folder.glob(f"{self.path.stem}-*.json"):
            remove_shard(path.with_suffix(".arrow"))
        for path in self.folder.glob(f"{self.path.stem}-*.arrow"):
            path.unlink()
        self.spills = []


def is_whole(path: Path) -> bool:
    """Whether a shard has been finished: its sidecar is written last."""
    return sidecar_of(path).exists()
