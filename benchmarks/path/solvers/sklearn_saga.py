"""scikit-learn's saga: every problem, one lam after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.path.problem import Problem
from benchmarks.path.solvers import scikit_learn

PACKAGES = ("scikit-learn", "numpy")
LADDER = tuple({"tol": 10.0**-e} for e in range(2, 8))
START = 1


def skip(problem: Problem) -> str | None:
    """It solves every problem."""
    return None


def prepare(problem: Problem) -> Any:
    """Standardise."""
    return problem.standardised


def fit(problem: Problem, prepared: Any, setting: dict[str, float]) -> Iterator[Any]:
    """Fit the path."""
    yield from scikit_learn.path(problem, prepared, "saga", max_iter=100_000, **setting)
