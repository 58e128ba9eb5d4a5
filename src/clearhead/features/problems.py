"""What went wrong with single examples without stopping the extraction: counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from clearhead._files import storable

__all__ = ["CountedProblem", "ProblemLog", "Skipped"]

_FIRST = 5
_SAID = {
    "unreadable": "could not be read and were left out",
    "truncated": "are longer than the network takes and were cut",
    "empty": "are empty texts; the network saw nothing but its own marks",
}


@dataclass(frozen=True)
class Skipped:
    """An example that has no features, and why."""

    row_id: int
    id: str
    reason: str


@dataclass(frozen=True)
class CountedProblem:
    """How many examples share a problem, and the first of them.

    Parameters
    ----------
    kind : {"unreadable", "truncated", "empty"}
    count : int
    first : tuple of str
        The first cases: ids, for unreadable ones with the reason.
    message : str
        For a person, one line.
    """

    kind: str
    count: int
    first: tuple[str, ...]
    message: str


@dataclass
class ProblemLog:
    """The problems of a range of rows; logs of parts add up to the log of the whole."""

    skipped: list[Skipped] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    first: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def skip(self, row_id: int, identifier: str, reason: str) -> None:
        """Note an example that could not be read."""
        self.skipped.append(Skipped(row_id, storable(identifier), storable(reason)))

    def count(self, kind: str, row_id: int, identifier: str) -> None:
        """Count one example; the first by row number are kept by name."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        self.first[kind] = sorted([*self.first.get(kind, []), (row_id, storable(identifier))])[
            :_FIRST
        ]

    def add(self, other: ProblemLog) -> None:
        """Add the log of other rows."""
        self.skipped = sorted([*self.skipped, *other.skipped], key=lambda one: one.row_id)
        for kind, count in other.counts.items():
            self.counts[kind] = self.counts.get(kind, 0) + count
            self.first[kind] = sorted([*self.first.get(kind, []), *other.first[kind]])[:_FIRST]

    @classmethod
    def total(cls, logs: Iterable[ProblemLog]) -> ProblemLog:
        """Sum of many logs."""
        whole = cls()
        for log in logs:
            whole.add(log)
        return whole

    def summary(self, n: int) -> tuple[CountedProblem, ...]:
        """One line a kind, out of `n` examples."""
        found = []
        if self.skipped:
            cases = tuple(f"{one.id} ({one.reason})" for one in self.skipped[:_FIRST])
            found.append(_counted("unreadable", len(self.skipped), cases, n))
        for kind in sorted(self.counts):
            cases = tuple(identifier for _, identifier in self.first[kind])
            found.append(_counted(kind, self.counts[kind], cases, n))
        return tuple(found)

    def to_json(self) -> dict[str, Any]:
        """The log as JSON, the same for the same rows however they were added up."""
        self.add(ProblemLog())  # sorts
        return {
            "skipped": [
                {"row_id": one.row_id, "id": one.id, "reason": one.reason} for one in self.skipped
            ],
            **{
                kind: {"count": self.counts[kind], "first": [list(x) for x in self.first[kind]]}
                for kind in sorted(self.counts)
            },
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ProblemLog:
        """Read what :meth:`to_json` wrote."""
        kinds = [kind for kind in value if kind != "skipped"]
        return cls(
            skipped=[Skipped(**one) for one in value["skipped"]],
            counts={kind: int(value[kind]["count"]) for kind in kinds},
            first={kind: [(int(r), str(i)) for r, i in value[kind]["first"]] for kind in kinds},
        )


def _counted(kind: str, count: int, cases: tuple[str, ...], n: int) -> CountedProblem:
    more = ", …" if count > len(cases) else ""
    message = f"{count:,} of {n:,} examples {_SAID[kind]}: {', '.join(cases)}{more}"
    return CountedProblem(kind, count, cases, message)
