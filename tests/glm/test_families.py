"""Each family against what is written out plainly: loss, derivatives, dual, optimum."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import xlogy

from clearhead.glm import fit_path
from clearhead.glm.families import family_of
from clearhead.glm.penalty import penalty_of
from clearhead.glm.point import look, proof
from clearhead.glm.prepare import prepare
from clearhead.glm.problem import gather
from tests.glm.data import targets
from tests.glm.oracle import mean_target, objective, row_losses, slow_minimum, standardised

FAMILIES = ("binomial", "multinomial", "multilabel", "gaussian")
families = st.sampled_from(FAMILIES)
seeds = st.integers(0, 10_000)


def scores(family, seed, n=12, k=3):
    """Scores Z (O, n), target as the family wants it, the same as fit_path does, weights."""
    random = np.random.default_rng(seed)
    _, y = targets(family, n, 4, k, seed)
    Z = 3 * random.standard_normal((1 if family == "binomial" else k, n))
    v = random.random(n)
    return Z, (y if y.ndim == 1 else y.T), y, v / v.sum()


def prepared(X, y, family, *, l1_ratio, grouped=False, weights=None, factors=None):
    problem = gather(
        X, y, family=family, validation=None, test=None, sample_weight=weights,
        penalty_factor=factors, class_names=None,
    )  # fmt: skip
    return prepare(problem, l1_ratio, True, 0, grouped=grouped)


@pytest.mark.parametrize("name", FAMILIES)
def test_loss_and_derivatives(name):
    family = family_of(name)
    Z, target, y, v = scores(name, 1)
    np.testing.assert_allclose(family.loss(Z, target, v), v @ row_losses(Z.T, y, name))
    M = family.mean(Z)
    np.testing.assert_allclose(M, mean_target(Z.T, name).T)
    loss, again = family.evaluate(Z, target, v)
    np.testing.assert_allclose(loss, family.loss(Z, target, v), rtol=1e-14)
    np.testing.assert_allclose(again, M, rtol=1e-14)
    R = family.residual(M, target)
    random, step = np.random.default_rng(2), 1e-6
    D = random.standard_normal(Z.shape)
    slope = (family.loss(Z + step * D, target, v) - family.loss(Z - step * D, target, v)) / 2e-6
    np.testing.assert_allclose(slope, -((R * D) @ v).sum(), rtol=1e-6)
    after = family.residual(family.mean(Z + step * D), target)
    before = family.residual(family.mean(Z - step * D), target)
    bend = family.curvature(M, D.copy())
    np.testing.assert_allclose(bend, (before - after) / (2 * step), atol=1e-8)
    for k in range(len(Z)):
        unit = np.zeros_like(Z)
        unit[k] = 1.0
        bent = family.curvature(M, unit)
        np.testing.assert_allclose(family.diagonal(M, k), bent[k])
        if not family.coupled:
            assert (np.delete(bent, k, axis=0) == 0).all()


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("t", [1e-6, 0.3, 0.999, 1.0])
def test_dual_terms_are_minus_the_conjugate(name, t):
    family = family_of(name)
    Z, target, y, v = scores(name, 3)
    M = family.mean(Z)
    R = family.residual(M, target)
    if name == "gaussian":
        U = -t * R
        rows = -(U * target + 0.5 * U * U)
    elif name == "multinomial":
        Q = np.eye(len(Z))[y].T - t * R
        rows = -xlogy(Q, Q)
    else:
        Q = np.reshape(target, Z.shape) - t * R
        rows = -(xlogy(Q, Q) + xlogy(1 - Q, 1 - Q))
    terms = family.dual_terms(Z, M, target, v)
    value, slope, bend = terms.at(t)
    np.testing.assert_allclose(value, (rows @ v).sum(), rtol=1e-10)
    step = min(1e-6, 0.1 * t)
    if t + step <= 1.0:
        high, low = terms.at(t + step), terms.at(t - step)
        np.testing.assert_allclose(slope, (high[0] - low[0]) / (2 * step), rtol=1e-3, atol=1e-7)
        np.testing.assert_allclose(bend, (high[1] - low[1]) / (2 * step), rtol=2e-2)


@pytest.mark.parametrize("name", FAMILIES)
def test_null_intercept_is_the_best_constant(name):
    family = family_of(name)
    Z, target, _, v = scores(name, 4)
    b = family.null_intercept(target, v, 3)
    constant = np.repeat(b[:, None], Z.shape[1], axis=1)
    R = family.residual(family.mean(constant), target)
    np.testing.assert_allclose(R @ v, 0.0, atol=1e-14)


@settings(max_examples=60, deadline=None)
@given(
    seed=seeds,
    name=families,
    l1_ratio=st.sampled_from([0.0, 0.5, 0.99, 1.0]),
    grouped=st.booleans(),
    weighted=st.booleans(),
    factored=st.booleans(),
    size=st.sampled_from([0.0, 1e-3, 0.3, 3.0]),
)
def test_the_dual_is_a_bound_wherever_it_is_taken(
    seed, name, l1_ratio, grouped, weighted, factored, size
):
    random = np.random.default_rng(seed)
    n, p, k = 25, 4, 3
    X, y = targets(name, n, p, k, seed)
    weights = random.integers(1, 4, n).astype(float) if weighted else None
    factors = np.array([0.0, np.inf, 2.0, 1.0]) if factored else None
    fit = prepared(X, y, name, l1_ratio=l1_ratio, grouped=grouped, weights=weights, factors=factors)
    lam = float(fit.lambda_max * 10 ** random.uniform(-2, 0))
    objective_ = fit.at(lam)
    W = size * random.standard_normal(fit.null.W.shape) + fit.null.W
    b = fit.null.b + size * random.standard_normal(len(W))
    fit.rows.move(W, b)
    point = look(objective_, W, b, polished=True)
    S = standardised(X, weights)
    best = slow_minimum(
        S, y, lam, l1_ratio, family=name, grouped=grouped, weights=weights, factors=factors
    )
    scale = max(point.value, 1e-3 * fit.null.loss)
    certificate = proof(objective_, point)
    assert (point.value - best) / scale <= certificate.gap + 1e-8
    # Not the best t alone: every feasible one.
    terms, conjugate = fit.rows.dual_terms(), fit.penalty.conjugate(point.V, lam)
    top = fit.penalty.largest_dual_step(point.V, lam)
    duals = [terms.at(t)[0] - conjugate.at(t)[0] for t in top * np.linspace(0.01, 1.0, 30)]
    assert max(duals) <= best + 1e-8 * scale
    # And the one that is taken is nearly the best of them.
    smallest = (point.value - max(duals)) / scale
    assert certificate.gap <= 1.05 * smallest + 1e-8


@settings(max_examples=25, deadline=None)
@given(seed=seeds, name=families, l1_ratio=st.sampled_from([0.0, 0.5, 0.99, 1.0]))
def test_the_path_meets_the_slow_optimum(seed, name, l1_ratio):
    X, y = targets(name, 40, 5, 3, seed)
    path = fit_path(
        X, y, family=name, l1_ratio=l1_ratio, n_lambdas=3, lambda_min_ratio=0.05, tol=1e-7
    )
    assert path.optimal.all(), path.status
    S = standardised(X)
    for i, lam in enumerate(path.lambdas):
        ours = objective(S, y, path.coef(i), path.intercept(i), float(lam), l1_ratio, family=name)
        best = slow_minimum(S, y, float(lam), l1_ratio, family=name)
        assert ours <= best * (1 + 2e-7) + 1e-12
        assert best <= ours * (1 + 1e-5) + 1e-9
    assert (path.coef(0) == 0).all() or l1_ratio < 0.5


@pytest.mark.parametrize("name", ["multilabel", "gaussian"])
def test_weights_are_repeated_rows(name):
    X, y = targets(name, 60, 5, 3, 5)
    weights = np.random.default_rng(0).integers(0, 4, 60)
    weights[:2] = 1
    rows = np.repeat(np.arange(60), weights)
    one = fit_path(X, y, family=name, sample_weight=weights, n_lambdas=5, tol=1e-9)
    two = fit_path(X[rows], y[rows], family=name, n_lambdas=5, tol=1e-9)
    np.testing.assert_allclose(one.lambdas, two.lambdas, rtol=1e-9)
    np.testing.assert_allclose(one.coef(4), two.coef(4), atol=1e-4)
    np.testing.assert_allclose(one.losses["train"], two.losses["train"], rtol=1e-6)


@pytest.mark.parametrize("name", ["multilabel", "gaussian"])
def test_order_of_outputs_permutes_the_rows(name):
    X, y = targets(name, 80, 5, 4, 6)
    new = [2, 0, 3, 1]
    one = fit_path(X, y, family=name, n_lambdas=5, tol=1e-9)
    two = fit_path(X, y[:, new], family=name, n_lambdas=5, tol=1e-9)
    np.testing.assert_allclose(one.coef(4)[new], two.coef(4), atol=1e-5)


def test_labels_are_binomial_problems_of_one_lam():
    X, Y = targets("multilabel", 120, 6, 3, 7)
    path = fit_path(X, Y, family="multilabel", n_lambdas=4, tol=1e-10)
    for k in range(3):
        one = fit_path(X, Y[:, k], lambdas=path.lambdas, tol=1e-10)
        for i in range(4):
            np.testing.assert_allclose(path.coef(i)[k], one.coef(i)[0], atol=1e-5)
    Z = (X - path.center) / path.scale @ path.coef(3).T + path.intercept(3)
    share = ((Z > 0) == Y).all(axis=1).mean()
    assert path.accuracies["train"][3].value == pytest.approx(share)


@pytest.mark.parametrize("shift", [0.0, 1e6, -1e9])
@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_numbers_of_any_size_and_offset(scale, shift):
    X, y = targets("gaussian", 80, 6, 1, 8)
    y = y[:, 0] / y.std()
    plain = fit_path(X, y, family="gaussian", n_lambdas=6, l1_ratio=1.0, tol=1e-7)
    moved = fit_path(X, scale * (y + shift), family="gaussian", n_lambdas=6, l1_ratio=1.0, tol=1e-7)
    assert moved.optimal.all(), moved.status
    # An offset takes digits from the numbers themselves.
    digits = 1e-5 + 1e-14 * abs(shift)
    np.testing.assert_allclose(moved.lambdas, scale * plain.lambdas, rtol=1e-6 + digits)
    np.testing.assert_allclose(moved.coef(5) / scale, plain.coef(5), atol=1e-3)
    np.testing.assert_allclose(
        moved.intercept(5) / scale, plain.intercept(5) + shift, rtol=1e-6, atol=1e-5
    )


def test_penalties_by_name():
    assert penalty_of(True, 0.5, np.ones(2)).grouped
    assert not penalty_of(False, 0.5, np.ones(2)).grouped
