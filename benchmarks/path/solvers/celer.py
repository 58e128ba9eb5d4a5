"""celer: ``celer_path`` with prox-Newton; two classes, l1, without intercept."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.path.problem import Problem
from benchmarks.path.solvers import missing

PACKAGES = ("celer", "numpy")
LADDER = tuple({"tol": tol} for tol in (1e-2, 1e-3, 1e-4, 3e-5, 1e-5, 1e-6, 1e-7, 1e-8))
START = 2


def skip(problem: Problem) -> str | None:
    """It takes few problems."""
    if problem.family != "binomial" or problem.l1_ratio != 1 or problem.intercept:
        return "only two classes, l1 and no intercept"
    return missing("celer")


def prepare(problem: Problem) -> Any:
    """Copy the features in Fortran's order."""
    import celer  # noqa: F401 - its import is not timed

    return np.asfortranarray(problem.standardised)


def fit(problem: Problem, prepared: Any, setting: dict[str, float]) -> Iterator[Any]:
    """Fit the path; its loss is a sum, so its strength is n lam."""
    from celer import celer_path

    sign = np.where(problem.y == 1, 1.0, -1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        coefficients = celer_path(
            prepared,
            sign,
            "logreg",
            alphas=problem.n * problem.lambdas,
            use_PN=True,
            max_iter=1000,
            tol=setting["tol"],
        )[1]
    for w in coefficients.T:
        yield w[None], np.zeros(1)
