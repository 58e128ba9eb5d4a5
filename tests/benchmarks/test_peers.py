"""Each peer reaches the objective that clearhead proves optimal, on what it can solve."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from benchmarks.path import solvers
from benchmarks.path.problem import Problem, make_problem

from tests.glm.data import deep_features

# Peers warn as they like; their numbers are what is judged.
pytestmark = [pytest.mark.peer, pytest.mark.filterwarnings("ignore")]

PROBLEMS = {
    "two": {"k": 2, "l1_ratio": 0.9},
    "two, ridge": {"k": 2, "l1_ratio": 0.0},
    "two, lasso, no intercept": {"k": 2, "l1_ratio": 1.0, "intercept": False},
    "four": {"k": 4, "l1_ratio": 0.9},
    "four, ridge": {"k": 4, "l1_ratio": 0.0},
}
CAN_SOLVE = {
    "glmnet": ("two, lasso, no intercept", "four", "four, ridge"),
    "adelie": tuple(PROBLEMS),
    "celer": ("two, lasso, no intercept",),
    "skglm": ("two", "two, lasso, no intercept"),
    "sklearn_saga": ("four",),
    "sklearn_lbfgs": ("two, ridge", "four, ridge"),
    "sklearn_newton": ("two, ridge", "four, ridge"),
    "sklearn_liblinear": ("two, lasso, no intercept",),
    "glm_saga": ("four",),
}
# How far above the optimum a peer ends at its tightest setting, where that is further than 1e-6.
ENDS_AT = {("adelie", "four"): 1e-4, ("glm_saga", "four"): 1e-4}


@cache
def problem(kind: str) -> Problem:
    given = dict(PROBLEMS[kind])
    X, y = deep_features(120, 8, given.pop("k"), 3)
    return make_problem(kind, X, y, points=3, ratio=0.05, **given)


def objectives(name: str, kind: str, setting: dict[str, float]) -> np.ndarray:
    solver, what = solvers.load(name), problem(kind)
    judge = what.evaluator()
    found = solver.fit(what, solver.prepare(what), setting)
    judged = [judge.judge(W, b, lam) for (W, b), lam in zip(found, what.lambdas, strict=True)]
    return np.array([point.objective for point in judged])


@cache
def optima(kind: str) -> np.ndarray:
    return objectives("clearhead", kind, {"tol": 1e-8})


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name, kinds in CAN_SOLVE.items() for kind in kinds]
)
def test_the_objective_is_the_same(name, kind, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    solver = solvers.load(name)
    if reason := solver.skip(problem(kind)):
        pytest.skip(f"{name}: {reason}")
    theirs = objectives(name, kind, solver.LADDER[-1])
    assert (optima(kind) <= theirs * (1 + 2e-8)).all()
    np.testing.assert_allclose(theirs, optima(kind), rtol=ENDS_AT.get((name, kind), 1e-6))
