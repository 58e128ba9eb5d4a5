"""scikit-learn's lbfgs: ridge only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.path.problem import Problem
from benchmarks.path.solvers import scikit_learn

PACKAGES = ("scikit-learn", "numpy")
LADDER = tuple({"tol": 10.0**-e} for e in range(2, 10))
START = 2


def skip(problem: Problem) -> str | None:
    """It has no l1 penalty."""
    return None if problem.l1_ratio == 0 else "it has no l1 penalty"


def prepare(problem: Problem) -> Any:
    """Standardise."""
    return problem.standardised


def fit(problem: Problem, prepared: Any, setting: dict[str, float]) -> Iterator[Any]:
    """Fit the path."""
    yield from scikit_learn.path(problem, prepared, "lbfgs", max_iter=100_000, **setting)
