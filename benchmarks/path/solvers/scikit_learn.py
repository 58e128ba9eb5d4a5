"""What the solvers of scikit-learn's LogisticRegression share: C = 1 / (n lam), warm starts."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from sklearn.linear_model import LogisticRegression

from benchmarks.path.problem import Problem


def path(problem: Problem, S: Any, solver: str, **settings: Any) -> Iterator[Any]:
    """Fit one lam after the other, each from the one before."""
    model = LogisticRegression(
        l1_ratio=problem.l1_ratio,
        fit_intercept=problem.intercept,
        solver=solver,
        warm_start=True,
        random_state=0,
        **settings,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what was reached is judged, whatever it says
        for lam in problem.lambdas:
            model.set_params(C=1 / (problem.n * lam)).fit(S, problem.y)
            yield model.coef_, model.intercept_ if problem.intercept else model.coef_[:, 0] * 0
