"""Results of one solver on one problem, as JSON that can be taken up again."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

TARGET = 1e-4
"""Largest gap of any point of a path that counts as solved."""


@dataclass
class Run:
    """One path at one setting.

    Parameters
    ----------
    setting : dict
    seconds : float or None
        Time of the whole path; None where it did not finish.
    elapsed : float
        Time until the last point that was finished.
    limit : float
        The limit under which it ran.
    peak : float or None
        Peak memory in bytes beyond problem and prepared copies.
    objectives, bounds, gaps : lists of float
        Of the points that were finished, by the suite's own evaluator.
    n_nonzero : list of int
    error : str or None
        The last line that it wrote, where it failed.
    again : list of float
        Seconds of further runs of the same setting.
    """

    setting: dict[str, float]
    seconds: float | None
    elapsed: float
    limit: float
    peak: float | None
    objectives: list[float]
    bounds: list[float]
    gaps: list[float]
    n_nonzero: list[int]
    error: str | None = None
    again: list[float] = field(default_factory=list)

    @property
    def finished(self) -> bool:
        """Whether it gave every point."""
        return self.seconds is not None and self.error is None

    @property
    def median_seconds(self) -> float:
        """Seconds, the median of all runs of this setting."""
        return float(np.median([self.seconds or self.elapsed, *self.again]))

    @property
    def largest_gap(self) -> float:
        """Largest gap of its points; infinite if it has none."""
        return max(self.gaps, default=float("inf"))

    @property
    def solved(self) -> bool:
        """Whether every point meets the target."""
        return self.finished and self.largest_gap <= TARGET


@dataclass
class Result:
    """All runs of one solver on one problem.

    Parameters
    ----------
    problem, solver : str
    digest : str
        Of the problem and of the solver's version.
    about : dict
        Shape of the problem, for tables.
    skipped : str or None
        Why the solver was not run.
    runs : list of Run
        In the order in which they ran.
    curve : list of Run
        Settings that are only run for the figures.
    done : bool
        Nothing is left to run.
    machine : dict
    """

    problem: str
    solver: str
    digest: str
    about: dict[str, Any]
    skipped: str | None = None
    runs: list[Run] = field(default_factory=list)
    curve: list[Run] = field(default_factory=list)
    done: bool = False
    machine: dict[str, Any] = field(default_factory=dict)

    @property
    def winner(self) -> Run | None:
        """The fastest run that solved the problem."""
        solved = [run for run in self.runs if run.solved]
        return min(solved, key=lambda run: run.median_seconds, default=None)

    @property
    def best(self) -> Run | None:
        """The winner, or the run that came nearest: most points, then the smallest gap."""
        if self.winner or not self.runs:
            return self.winner
        return max(self.runs, key=lambda run: (len(run.gaps), -run.largest_gap))

    def save(self, folder: Path) -> None:
        """Write the file of this result whole."""
        path = path_of(folder, self.problem, self.solver)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(_rounded(asdict(self)), indent=1) + "\n")
        os.replace(temporary, path)  # noqa: PTH105

    @classmethod
    def load(cls, path: Path) -> Result:
        """Read a result."""
        value = json.loads(path.read_text())
        value["runs"] = [Run(**run) for run in value["runs"]]
        value["curve"] = [Run(**run) for run in value["curve"]]
        return cls(**value)


def path_of(folder: Path, problem: str, solver: str) -> Path:
    """Return where a result is kept."""
    return folder / problem / f"{solver}.json"


def load_all(folder: Path) -> dict[str, dict[str, Result]]:
    """Return all results of a folder, by problem and solver."""
    found: dict[str, dict[str, Result]] = {}
    for path in sorted(p for p in folder.glob("*/*.json") if p.parent.name != "scale"):
        result = Result.load(path)
        found.setdefault(result.problem, {})[result.solver] = result
    return found


@cache
def own_source() -> str:
    """Digest of clearhead's solver: its results are not taken for those of another version."""
    import clearhead.glm

    folder = Path(clearhead.glm.__file__).parent
    hashed = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        hashed.update(path.read_bytes())
    return hashed.hexdigest()[:16]


def _rounded(value: Any) -> Any:
    """Twelve digits are plenty, and infinity is not JSON."""
    if isinstance(value, float):
        return float(f"{value:.12g}") if np.isfinite(value) else 1e300 * np.sign(value)
    if isinstance(value, list):
        return [_rounded(v) for v in value]
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    return value
