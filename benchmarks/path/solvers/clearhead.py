"""clearhead: ``fit_path``, at its default tolerance.

It always fits an intercept. The problem without one is given to it as the rows and their mirror
images, ``(x, y)`` and ``(-x, 1 - y)``: by symmetry its intercept is then zero, and the objective is
that of the problem. It does twice the work for this.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.path.problem import Problem
from clearhead.events import Event
from clearhead.glm import fit_path

PACKAGES = ("clearhead", "torch", "numpy")
LADDER = ({"tol": 1e-4},)
CURVE = ({"tol": 1e-2}, {"tol": 1e-3}, {"tol": 1e-6})


def skip(problem: Problem) -> str | None:
    """It solves every problem."""
    return None


def prepare(problem: Problem) -> Any:
    """Import what a first fit imports; reading, standardising and checking are timed."""
    X = np.random.default_rng(0).standard_normal((60, 4))
    fit_path(X, np.arange(60) % 3, n_lambdas=2, lambda_min_ratio=0.5, on_event=_quiet)
    return None


def fit(problem: Problem, prepared: Any, setting: dict[str, float]) -> Iterator[Any]:
    """Fit the path."""
    X, y = problem.X, problem.y
    if not problem.intercept:
        S = problem.standardised
        X, y = np.concatenate([S, -S]), np.concatenate([y, 1 - y])
    path = fit_path(
        X,
        y,
        family=problem.family,
        l1_ratio=problem.l1_ratio,
        lambdas=problem.lambdas,
        on_event=_quiet,
        **setting,
    )
    for i in range(len(path)):
        yield path.coef(i), path.intercept(i)


def _quiet(event: Event) -> None:
    """Take events, so that a missed tolerance is not a warning on the terminal."""
