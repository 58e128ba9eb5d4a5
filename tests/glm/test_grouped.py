"""Whole features: the model's minimiser, and the path against slow and other solvers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import ElasticNet, MultiTaskElasticNet

from clearhead.glm import Path, fit_path
from clearhead.glm.grouped_model import GroupedModel
from tests.glm.data import targets
from tests.glm.oracle import objective, slow_minimum, standardised


def a_model(outputs, m, seed, share, start):
    """A random model with correlated columns, and its Hessian."""
    random = np.random.default_rng(seed)
    E = random.standard_normal((3 * m, m)) + random.standard_normal((3 * m, 1))
    E = np.hstack([np.ones((3 * m, 1)), E])
    blocks = [(E.T * random.random(3 * m)) @ E / len(E) for _ in range(outputs)]
    size = outputs * (m + 1)
    H = np.zeros((size, size))
    for k, block in enumerate(blocks):
        part = slice(k * (m + 1), (k + 1) * (m + 1))
        H[part, part] = block
    H += 0.3 * np.outer(*[random.standard_normal(size)] * 2) / size
    g = (H @ random.standard_normal(size)).reshape(outputs, m + 1)
    w = np.zeros_like(g)
    if start:
        w[:, 1:] = random.standard_normal((outputs, m)) * (random.random(m) < 0.5)
    l1 = np.append(0.0, np.full(m, share * np.linalg.norm(g[:, 1:], axis=0).max()))

    def product(D):
        return (H @ D.ravel()).reshape(D.shape)

    def precondition(face):
        diagonal = np.diagonal(H).reshape(w.shape)
        return lambda R: np.where(face, R / diagonal, 0.0)

    return GroupedModel(w, g, l1, product, precondition), H


def value(model, u):
    d = u - model.w
    quadratic = np.vdot(model.gradient, d) + 0.5 * np.vdot(d, model.product(d))
    return quadratic + model.l1 @ np.linalg.norm(u, axis=0)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    outputs=st.sampled_from([1, 2, 5]),
    m=st.sampled_from([3, 12]),
    share=st.sampled_from([0.6, 0.1, 0.003]),
    start=st.booleans(),
)
def test_model_is_minimised(seed, outputs, m, share, start):
    model, H = a_model(outputs, m, seed, share, start)
    step = model.minimise(rtol=1e-8, max_cg=500, max_rounds=60)
    u = model.w + step.d
    # The optimality condition, plainly.
    slope = model.gradient + model.product(step.d)
    scale = np.abs(model.gradient).max() * (1 + np.linalg.cond(H) * 1e-10)
    for j, l1 in enumerate(model.l1):
        size = np.linalg.norm(u[:, j])
        if size > 0:
            np.testing.assert_allclose(slope[:, j], -l1 * u[:, j] / size, atol=1e-5 * scale)
        else:
            assert np.linalg.norm(slope[:, j]) <= l1 + 1e-5 * scale
    assert value(model, u) <= value(model, model.w) + 1e-12


@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_model_is_never_raised(rounds):
    for seed in range(20):
        model, _ = a_model(3, 12, seed, 0.1, True)
        step = model.minimise(rtol=1e-8, max_cg=3, max_rounds=rounds)
        assert value(model, model.w + step.d) <= value(model, model.w)


@pytest.mark.parametrize("family", ["multinomial", "multilabel", "gaussian"])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 0.99, 1.0])
def test_the_path_meets_the_slow_optimum(family, l1_ratio):
    X, y = targets(family, 60, 8, 3, 4)
    factors = np.array([1.0, 0.0, 2.0, 1.0, np.inf, 1.0, 0.5, 1.0])
    weights = np.random.default_rng(1).integers(1, 4, 60).astype(float)
    path = fit_path(
        X, y, family=family, grouped=True, l1_ratio=l1_ratio, penalty_factor=factors,
        sample_weight=weights, n_lambdas=5, lambda_min_ratio=0.02, tol=1e-7,
    )  # fmt: skip
    assert path.optimal.all(), path.status
    S = standardised(X, weights)
    kept = np.isfinite(factors)
    for i, lam in enumerate(path.lambdas):
        W = path.coef(i)
        assert ((W != 0).any(axis=0) == (W != 0).all(axis=0)).all()
        ours = objective(
            S[:, kept], y, W[:, kept], path.intercept(i), float(lam), l1_ratio, weights,
            factors[kept], family=family, grouped=True,
        )  # fmt: skip
        best = slow_minimum(
            S, y, float(lam), l1_ratio, family=family, grouped=True, weights=weights,
            factors=factors,
        )  # fmt: skip
        assert ours <= best * (1 + 2e-7)
        assert best <= ours * (1 + 1e-6)
    if l1_ratio > 0:
        assert (path.coef(0)[:, factors > 0] == 0).all()


def test_one_output_is_the_elastic_net():
    X, y = targets("gaussian", 80, 6, 1, 2)
    one = fit_path(X, y, family="gaussian", n_lambdas=6, tol=1e-10)
    two = fit_path(X, y, family="gaussian", grouped=True, n_lambdas=6, tol=1e-10)
    np.testing.assert_allclose(one.coef(5), two.coef(5), atol=1e-5)


def test_grouped_is_saved(tmp_path):
    X, y = targets("multinomial", 60, 5, 3, 2)
    path = fit_path(X, y, grouped=True, n_lambdas=3)
    assert path.grouped
    path.save(tmp_path)
    assert Path.load(tmp_path).grouped


@pytest.mark.peer
@pytest.mark.parametrize("l1_ratio", [0.3, 1.0])
@pytest.mark.parametrize("grouped", [False, True])
def test_scikit_learn(grouped, l1_ratio):
    X, y = targets("gaussian", 150, 10, 4, 9)
    S = standardised(X)
    peer = MultiTaskElasticNet if grouped else ElasticNet
    # The lasso's gap is linear in what is left of the gradient.
    path = fit_path(
        X, y, family="gaussian", grouped=grouped, l1_ratio=l1_ratio, n_lambdas=4,
        tol=1e-8 if l1_ratio == 1.0 else 1e-10,
    )  # fmt: skip
    for i, lam in enumerate(path.lambdas):
        theirs = peer(alpha=lam, l1_ratio=l1_ratio, tol=1e-12, max_iter=100_000).fit(S, y)
        np.testing.assert_allclose(path.coef(i), theirs.coef_, atol=1e-4)
        np.testing.assert_allclose(path.intercept(i), theirs.intercept_, atol=1e-6)
