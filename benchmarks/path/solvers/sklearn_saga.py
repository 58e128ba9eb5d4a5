"""scikit-learn's saga: every problem, one lam after the other."""

from __future__ import annotations

from functools import partial

from benchmarks.path.problem import Problem
from benchmarks.path.solvers import scikit_learn
from benchmarks.path.solvers.scikit_learn import PACKAGES, prepare

__all__ = ["LADDER", "PACKAGES", "START", "fit", "prepare", "skip"]

LADDER = scikit_learn.ladder(7)
START = 1
fit = partial(scikit_learn.fit, "saga", 100_000)


def skip(problem: Problem) -> str | None:
    """It solves every problem."""
    return None
