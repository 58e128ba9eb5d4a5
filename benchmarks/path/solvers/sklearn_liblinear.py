"""scikit-learn's liblinear: two classes, l1, without intercept (it would penalise it)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.path.problem import Problem
from benchmarks.path.solvers import scikit_learn

PACKAGES = ("scikit-learn", "numpy")
LADDER = tuple({"tol": 10.0**-e} for e in range(2, 10))
START = 2


def skip(problem: Problem) -> str | None:
    """It takes few problems."""
    if problem.family != "binomial" or problem.l1_ratio != 1 or problem.intercept:
        return "only two classes, l1 and no intercept (it penalises the intercept)"
    return None


def prepare(problem: Problem) -> Any:
    """Standardise."""
    return problem.standardised


def fit(problem: Problem, prepared: Any, setting: dict[str, float]) -> Iterator[Any]:
    """Fit the path."""
    yield from scikit_learn.path(problem, prepared, "liblinear", max_iter=100_000, **setting)
