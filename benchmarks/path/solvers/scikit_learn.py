"""What the solvers of scikit-learn's LogisticRegression share: C = 1 / (n lam), warm starts."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from sklearn.linear_model import LogisticRegression

from benchmarks.path.problem import Problem

PACKAGES = ("scikit-learn", "numpy")


def ladder(tightest: int) -> tuple[dict[str, float], ...]:
    """Tolerances from 1e-2 down to 10 to the minus `tightest`."""
    return tuple({"tol": 10.0**-e} for e in range(2, tightest + 1))


def ridge_only(problem: Problem) -> str | None:
    """Skip what has an l1 penalty."""
    return None if problem.l1_ratio == 0 else "it has no l1 penalty"


def prepare(problem: Problem) -> Any:
    """Standardise."""
    return problem.standardised


def fit(
    solver: str, max_iter: int, problem: Problem, prepared: Any, setting: dict[str, float]
) -> Iterator[Any]:
    """Fit one lam after the other, each from the one before."""
    model = LogisticRegression(
        l1_ratio=problem.l1_ratio,
        fit_intercept=problem.intercept,
        solver=solver,
        max_iter=max_iter,
        warm_start=True,
        random_state=0,
        **setting,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what was reached is judged, whatever it says
        for lam in problem.lambdas:
            model.set_params(C=1 / (problem.n * lam)).fit(prepared, problem.y)
            yield model.coef_, model.intercept_ if problem.intercept else model.coef_[:, 0] * 0
