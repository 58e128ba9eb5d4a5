"""adelie: coordinate descent in C++, the path in one call.

Its multinomial loss carries 1/K, so its lam is lam / K. Its public path solver always groups the
coefficients of a feature over the classes; an ungrouped penalty is asked for by groups of size one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.path.problem import Problem
from benchmarks.path.solvers import missing

PACKAGES = ("adelie", "numpy")
LADDER = tuple({"tol": 10.0**-e} for e in range(5, 13))
START = 2


def skip(problem: Problem) -> str | None:
    """It needs the package."""
    return missing("adelie")


def prepare(problem: Problem) -> Any:
    """Copy the features in Fortran's order."""
    import adelie  # noqa: F401 - its import is not timed

    return np.asfortranarray(problem.standardised)


class _Ungrouped(np.ndarray):
    """Groups that stay groups of size one when they are widened over the classes."""

    def __mul__(self, other: Any) -> Any:
        return np.arange(len(self) * int(other))


def fit(problem: Problem, prepared: Any, setting: dict[str, float]) -> Iterator[Any]:
    """Fit the path."""
    import adelie

    K = problem.n_classes
    common: dict[str, Any] = {
        "alpha": problem.l1_ratio, "intercept": problem.intercept, "early_exit": False,
        "adev_tol": 1.0, "n_threads": int(os.environ["OMP_NUM_THREADS"]), "progress_bar": False,
        "tol": setting["tol"], "irls_tol": setting["tol"],
    }  # fmt: skip
    if problem.family == "binomial":
        glm = adelie.glm.binomial(problem.y.astype(np.float64))
        state = adelie.grpnet(prepared, glm, lmda_path=problem.lambdas, **common)
        rows = 1
    else:
        glm = adelie.glm.multinomial(np.eye(K)[problem.y])
        groups = np.arange(problem.p).view(_Ungrouped)
        penalty = np.ones(problem.p * K)
        state = adelie.grpnet(
            prepared, glm, lmda_path=problem.lambdas / K, groups=groups, penalty=penalty, **common
        )
        rows = K
    for beta, b in zip(state.betas, state.intercepts, strict=True):
        yield beta.toarray().reshape(problem.p, rows).T, np.atleast_1d(b)
