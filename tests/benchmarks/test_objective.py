"""The judge of every solver agrees with a brute-force optimum, and never claims too much."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.path.objective import Evaluator
from benchmarks.path.problem import make_problem, standardise
from benchmarks.path.solvers import clearhead, glm_saga

from tests.glm.data import deep_features
from tests.glm.oracle import brute_force, objective


def _judge(k, l1_ratio, n=80, p=6, intercept=True):
    X, y = deep_features(n, p, k, 3)
    S = standardise(X)
    family = "binomial" if k == 2 else "multinomial"
    return S, y, Evaluator(S, y, family, l1_ratio, intercept=intercept)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 0.99, 1.0])
@pytest.mark.parametrize("k", [2, 3])
def test_bound_and_objective_enclose_the_optimum(k, l1_ratio):
    S, y, judge = _judge(k, l1_ratio)
    random = np.random.default_rng(0)
    for lam in judge.lambda_max() * np.array([0.5, 0.05]):
        optimum = brute_force(S, y, k, lam, l1_ratio)
        for size in (0.0, 0.1, 1.0):
            W = size * random.standard_normal((judge.n_outputs, S.shape[1]))
            found = judge.judge(W, np.zeros(judge.n_outputs), lam)
            assert found.bound <= optimum + 1e-9
            assert found.objective >= optimum - 1e-9
            assert found.gap >= 0


@pytest.mark.parametrize("l1_ratio", [0.5, 0.99, 1.0])
@pytest.mark.parametrize("k", [2, 4])
def test_a_solved_path_has_no_gap(k, l1_ratio):
    X, y = deep_features(120, 6, k, 5)
    problem = make_problem("small", X, y, l1_ratio=l1_ratio, points=4, ratio=0.05)
    judge, S = problem.evaluator(), problem.standardised
    points = clearhead.fit(problem, None, {"tol": 1e-8})
    for (W, b), lam in zip(points, problem.lambdas, strict=True):
        found = judge.judge(W, b, lam)
        assert found.objective == pytest.approx(objective(S, y, W, b, lam, l1_ratio), rel=1e-9)
        assert found.objective == pytest.approx(brute_force(S, y, k, lam, l1_ratio), rel=1e-6)
        assert found.gap <= 1e-6


@pytest.mark.parametrize("k", [2, 3])
def test_grid_begins_where_all_coefficients_become_zero(k):
    _, _, judge = _judge(k, 0.99)
    zero, b = np.zeros((judge.n_outputs, 6)), np.zeros(judge.n_outputs)
    assert judge.judge(zero, b, judge.lambda_max() * 1.001).gap < 1e-9
    assert judge.judge(zero, b, judge.lambda_max() * 0.9).gap > 1e-4


def test_without_intercept_it_is_the_problem_of_mirrored_rows():
    S, y, judge = _judge(2, 1.0, intercept=False)
    lam = 0.1 * judge.lambda_max()
    optimum = brute_force(np.vstack([S, -S]), np.concatenate([y, 1 - y]), 2, lam, 1.0)
    problem = make_problem("small", S, y, l1_ratio=1.0, points=3, ratio=0.1, intercept=False)
    W, b = list(clearhead.fit(problem, None, {"tol": 1e-8}))[-1]
    found = judge.judge(W, b, lam)
    assert problem.lambdas[-1] == pytest.approx(lam, rel=1e-5)
    assert found.objective == pytest.approx(optimum, rel=1e-5)
    assert found.gap <= 1e-4


@pytest.mark.parametrize("l1_ratio", [0.0, 0.99, 1.0])
def test_a_softmax_of_two_classes_is_the_binomial_problem(l1_ratio):
    X, y = deep_features(60, 5, 2, 1)
    problem = make_problem("two", X, y, l1_ratio=l1_ratio, points=3)
    w, b = np.random.default_rng(0).standard_normal((1, 5)), np.array([0.3])
    lambdas, ratio = glm_saga.translate(problem)
    S = problem.standardised
    for ours, theirs in zip(problem.lambdas, lambdas, strict=True):
        W, both = np.vstack([-w, w]) / 2, np.array([-0.15, 0.15])
        softmax = objective(S, y, W, both, theirs, ratio)
        assert softmax == pytest.approx(objective(S, y, w, b, ours, l1_ratio))


def test_what_is_not_finite_is_not_solved():
    _, _, judge = _judge(2, 0.99)
    assert judge.judge(np.full((1, 6), np.nan), np.zeros(1), 0.1).gap == np.inf
