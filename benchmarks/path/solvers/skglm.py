"""skglm: prox-Newton with working sets, one lam after the other; two classes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.path.problem import Problem
from benchmarks.path.solvers import missing

PACKAGES = ("skglm", "numba", "numpy")
LADDER = tuple({"tol": tol} for tol in (1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 1e-5, 1e-6))
START = 3


def skip(problem: Problem) -> str | None:
    """It has no multinomial loss."""
    if problem.family != "binomial":
        return "it has no multinomial loss"
    return missing("skglm")


def prepare(problem: Problem) -> Any:
    """Copy the features in Fortran's order, and compile on a few rows."""
    S = np.asfortranarray(problem.standardised)
    few = np.asfortranarray(S[:: max(1, problem.n // 50)])
    labels = np.where(problem.y[:: max(1, problem.n // 50)] == 1, 1.0, -1.0)
    list(_path(few, labels, problem.lambdas[:3] / 2, problem, 1e-2))
    return S


def fit(problem: Problem, prepared: Any, setting: dict[str, float]) -> Iterator[Any]:
    """Fit the path."""
    sign = np.where(problem.y == 1, 1.0, -1.0)
    yield from _path(prepared, sign, problem.lambdas, problem, setting["tol"])


def _path(
    S: np.ndarray, sign: np.ndarray, lambdas: np.ndarray, problem: Problem, tol: float
) -> Iterator[Any]:
    from skglm.datafits import Logistic
    from skglm.penalties import L1_plus_L2
    from skglm.solvers import ProxNewton

    solver = ProxNewton(tol=0.0, max_iter=200, fit_intercept=problem.intercept)
    w = np.zeros(S.shape[1] + problem.intercept)
    scores = np.zeros(len(S))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for lam in lambdas:
            solver.tol = tol * lam  # its criterion is the KKT violation
            penalty = L1_plus_L2(lam, problem.l1_ratio)
            w = solver.solve(S, sign, Logistic(), penalty, w, scores)[0]
            b = w[-1:] if problem.intercept else np.zeros(1)
            yield w[None, : S.shape[1]].copy(), b.copy()
