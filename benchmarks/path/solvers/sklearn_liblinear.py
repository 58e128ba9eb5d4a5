"""scikit-learn's liblinear: two classes, l1, without intercept (it would penalise it)."""

from __future__ import annotations

from functools import partial

from benchmarks.path.problem import Problem
from benchmarks.path.solvers import scikit_learn
from benchmarks.path.solvers.scikit_learn import PACKAGES, prepare

__all__ = ["LADDER", "PACKAGES", "START", "fit", "prepare", "skip"]

LADDER = scikit_learn.ladder(9)
START = 2
fit = partial(scikit_learn.fit, "liblinear", 100_000)


def skip(problem: Problem) -> str | None:
    """It takes few problems."""
    if problem.family != "binomial" or problem.l1_ratio != 1 or problem.intercept:
        return "only two classes, l1 and no intercept (it penalises the intercept)"
    return None
