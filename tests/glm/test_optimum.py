"""The path is optimal: against brute force, its own certificate, and what must not matter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearhead.glm import Path, fit_path
from clearhead.glm.families import Multinomial
from clearhead.glm.point import look, proof
from clearhead.glm.prepare import prepare
from clearhead.glm.problem import gather
from tests.glm.data import deep_features
from tests.glm.oracle import brute_force, objective, standardised

seeds = st.integers(0, 10_000)
ratios = st.sampled_from([0.0, 0.3, 0.9, 0.99, 1.0])


def objectives(path: Path, S, y, weights=None, factors=None):
    return np.array(
        [
            objective(
                S, y, path.coef(i), path.intercept(i), float(path.lambdas[i]), path.l1_ratio,
                weights, factors,
            )
            for i in range(len(path))
        ]
    )  # fmt: skip


@settings(max_examples=15, deadline=None)
@given(seed=seeds, k=st.sampled_from([2, 3, 5]), l1_ratio=ratios, weighted=st.booleans())
def test_matches_brute_force_and_gap_is_a_bound(seed, k, l1_ratio, weighted):
    random = np.random.default_rng(seed)
    n, p = int(random.integers(20, 60)), int(random.integers(3, 9))
    X, y = deep_features(n, p, k, seed)
    weights = random.integers(1, 4, n).astype(float) if weighted else None
    # A loose tolerance leaves a gap to test; a tight one an optimum.
    for tol in (0.3, 1e-8):
        path = fit_path(
            X, y, l1_ratio=l1_ratio, n_lambdas=4, lambda_min_ratio=0.01, sample_weight=weights,
            tol=tol,
        )  # fmt: skip
        S = standardised(X, weights)
        ours = objectives(path, S, y, weights)
        for i, lam in enumerate(path.lambdas):
            best = brute_force(S, y, k, float(lam), l1_ratio, weights)
            scale = max(ours[i], 1e-3 * path.null_loss)
            assert (ours[i] - best) / scale <= path.gaps[i] + 1e-9
            assert path.gaps[i] >= -1e-10
            assert path.gaps[i] <= tol
            if tol < 1e-6:
                assert ours[i] <= best + 2e-8 * scale


@settings(max_examples=15, deadline=None)
@given(seed=seeds, k=st.sampled_from([2, 4]), l1_ratio=st.sampled_from([0.5, 0.99, 1.0]))
def test_all_zero_at_lambda_max_and_above_only(seed, k, l1_ratio):
    X, y = deep_features(50, 6, k, seed)
    path = fit_path(X, y, l1_ratio=l1_ratio, n_lambdas=2, lambda_min_ratio=0.99, tol=1e-9)
    assert (path.coef(0) == 0).all()
    assert (path.coef(1) != 0).any()
    above = fit_path(X, y, l1_ratio=l1_ratio, lambdas=[2 * path.lambda_max], tol=1e-9)
    assert (above.coef(0) == 0).all()
    shares = np.bincount(y) / len(y)
    logs = np.log(shares)
    expected = [logs[1] - logs[0]] if k == 2 else logs - logs.mean()
    np.testing.assert_allclose(above.intercept(0), expected, atol=1e-9)


@settings(max_examples=10, deadline=None)
@given(seed=seeds, k=st.sampled_from([2, 3]))
def test_order_of_rows_does_not_matter(seed, k):
    X, y = deep_features(60, 7, k, seed)
    order = np.random.default_rng(seed).permutation(60)
    one = fit_path(X, y, n_lambdas=6, tol=1e-10)
    two = fit_path(X[order], y[order], n_lambdas=6, tol=1e-10)
    np.testing.assert_allclose(one.lambdas, two.lambdas, rtol=1e-10)
    for i in range(6):
        np.testing.assert_allclose(one.coef(i), two.coef(i), atol=1e-4)


def test_order_of_classes_permutes_the_rows():
    X, y = deep_features(120, 8, 4, 3)
    new = np.array([2, 0, 3, 1])
    one = fit_path(X, y, n_lambdas=8, lambda_min_ratio=0.03, tol=1e-10)
    two = fit_path(X, new[y], n_lambdas=8, lambda_min_ratio=0.03, tol=1e-10)
    for i in range(8):
        np.testing.assert_allclose(one.coef(i), two.coef(i)[new], atol=1e-4)


def test_swapped_binomial_classes_change_the_sign():
    X, y = deep_features(120, 8, 2, 3)
    one = fit_path(X, y, n_lambdas=8, tol=1e-10)
    two = fit_path(X, 1 - y, n_lambdas=8, tol=1e-10)
    np.testing.assert_allclose(one.coef(7), -two.coef(7), atol=1e-5)
    np.testing.assert_allclose(one.intercept(7), -two.intercept(7), atol=1e-5)


@pytest.mark.parametrize("k", [2, 3])
def test_weights_are_repeated_rows(k):
    X, y = deep_features(70, 6, k, 5)
    weights = np.random.default_rng(0).integers(0, 4, 70)
    weights[:k] = 2
    repeated = np.repeat(np.arange(70), weights)
    one = fit_path(X, y, sample_weight=weights, n_lambdas=6, tol=1e-10)
    two = fit_path(X[repeated], y[repeated], n_lambdas=6, tol=1e-10)
    np.testing.assert_allclose(one.center, two.center)
    np.testing.assert_allclose(one.scale, two.scale)
    np.testing.assert_allclose(one.lambdas, two.lambdas, rtol=1e-9)
    np.testing.assert_allclose(one.coef(5), two.coef(5), atol=1e-4)
    np.testing.assert_allclose(one.losses["train"], two.losses["train"], rtol=1e-6)
    three = fit_path(X, y, sample_weight=weights * 1e-9, n_lambdas=6, tol=1e-10)
    np.testing.assert_allclose(one.coef(5), three.coef(5), atol=1e-4)


@pytest.mark.parametrize(("k", "l1_ratio"), [(2, 0.99), (4, 0.99), (4, 0.0)])
def test_warm_and_cold_starts_agree(k, l1_ratio):
    X, y = deep_features(150, 20, k, 8)
    S = standardised(X)
    warm = fit_path(X, y, l1_ratio=l1_ratio, n_lambdas=25, tol=1e-9)
    cold = fit_path(X, y, l1_ratio=l1_ratio, lambdas=[warm.lambdas[-1]], tol=1e-9)
    assert cold.status == ["optimal"]
    np.testing.assert_allclose(objectives(warm, S, y)[-1], objectives(cold, S, y)[0], rtol=3e-9)


def test_two_classes_multinomial_is_a_rescaled_binomial():
    X, y = deep_features(100, 6, 2, 1)
    r, lam = 0.6, 0.02
    multi = fit_path(X, y, family="multinomial", l1_ratio=r, lambdas=[lam], tol=1e-12)
    bi = fit_path(
        X, y, l1_ratio=2 * r / (1 + r), lambdas=[lam * (1 + r) / 2], tol=1e-12
    )  # SOLVER: W = +-w/2
    assert multi.coef(0).shape == (2, 6)
    np.testing.assert_allclose(multi.coef(0)[1], bi.coef(0)[0] / 2, atol=1e-5)
    np.testing.assert_allclose(multi.coef(0)[0], -bi.coef(0)[0] / 2, atol=1e-5)


@pytest.mark.parametrize("k", [2, 3])
def test_penalty_factors_zero_inf_and_between(k):
    X, y = deep_features(150, 6, k, 2)
    factors = np.array([1.0, 0.0, np.inf, 3.0, 0.5, 1.0])
    path = fit_path(X, y, penalty_factor=factors, n_lambdas=5, lambda_min_ratio=0.02, tol=1e-9)
    S = standardised(X)
    kept = np.isfinite(factors)
    for i, lam in enumerate(path.lambdas):
        W = path.coef(i)
        assert (W[:, 2] == 0).all()
        ours = objective(
            S[:, kept], y, W[:, kept], path.intercept(i), float(lam), 0.99, None, factors[kept]
        )
        best = brute_force(S[:, kept], y, k, float(lam), 0.99, None, factors[kept])
        assert abs(ours - best) <= 3e-8 * best
    assert (path.coef(0)[:, 1] != 0).all()
    assert (path.coef(0)[:, [0, 3, 4, 5]] == 0).all()
    assert path.banned.tolist() == [False, False, True, False, False, False]


def test_original_scale_gives_the_same_scores():
    X, y = deep_features(80, 6, 3, 2)
    X = X * 7.0 + 100.0
    path = fit_path(X, y, n_lambdas=5)
    standard = (X - path.center) / path.scale @ path.coef(4).T + path.intercept(4)
    original = X @ path.coef(4, original_scale=True).T + path.intercept(4, original_scale=True)
    np.testing.assert_allclose(standard, original, atol=1e-9)


def test_without_standardising_the_raw_problem_is_solved():
    X, y = deep_features(80, 6, 3, 2)
    path = fit_path(X, y, n_lambdas=5, standardize=False, tol=1e-8)
    assert (path.scale == 1).all()
    assert (path.center == 0).all()
    ours = objectives(path, X, y)[-1]
    assert abs(ours - brute_force(X, y, 3, float(path.lambdas[-1]), 0.99)) <= 2e-8 * ours


def test_gap_and_kkt_follow_from_what_is_stored():
    X, y = deep_features(90, 7, 3, 4)
    path = fit_path(X, y, n_lambdas=6, tol=1e-3)
    S = standardised(X)
    for i, lam in enumerate(path.lambdas):
        W, b, r = path.coef(i), path.intercept(i), path.l1_ratio
        Z = S @ W.T + b
        P = np.exp(Z - Z.max(axis=1, keepdims=True))
        P /= P.sum(axis=1, keepdims=True)
        Y = np.eye(3)[y]
        V = (Y - P).T @ S / len(y)
        assert np.abs((Y - P).mean(axis=0)).max() < 1e-10
        slope = -V + lam * (1 - r) * W
        kkt = np.where(
            W != 0, np.abs(slope + lam * r * np.sign(W)), np.maximum(np.abs(V) - lam * r, 0)
        )
        np.testing.assert_allclose(path.kkt[i], kkt.max() / lam, rtol=1e-6, atol=1e-9)
        primal = objective(S, y, W, b, float(lam), r)
        dual = -np.inf
        for t in np.linspace(0.9, 1.0, 4001):
            Q = Y - t * (Y - P)
            entropy = -(np.where(Q > 0, Q * np.log(np.maximum(Q, 1e-300)), 0)).sum() / len(y)
            over = np.maximum(np.abs(t * V) - lam * r, 0)
            dual = max(dual, entropy - (over**2).sum() / (2 * lam * (1 - r)))
        gap = (primal - dual) / max(primal, 1e-3 * path.null_loss)
        # Any t gives a bound; the one taken is nearly the best.
        assert gap - 2e-7 <= path.gaps[i] <= 1.05 * gap + 2e-7


@pytest.mark.parametrize("k", [3, 5])
def test_gap_bounds_points_that_are_far_from_optimal(k):
    X, y = deep_features(40, 6, k, 7)
    weights = 10.0 ** np.random.default_rng(7).uniform(-8, 2, 40)
    problem = gather(
        X, y, family="auto", validation=None, test=None, sample_weight=weights,
        penalty_factor=None, class_names=None,
    )  # fmt: skip
    fit, S = prepare(problem, 0.9, True, 0), standardised(X, weights)
    random = np.random.default_rng(1)
    for lam in fit.lambda_max * np.array([0.3, 0.03]):
        best = brute_force(S, y, k, float(lam), 0.9, weights)
        for size in (1e-4, 0.1, 1.0, 10.0):
            W, b = size * random.standard_normal((k, 6)), size * random.standard_normal(k)
            fit.rows.move(W, b)
            point = look(fit.at(float(lam)), W, b, polished=True)
            value = objective(S, y, point.W, point.b, float(lam), 0.9, weights)
            scale = max(value, 1e-3 * fit.null.loss)
            assert (value - best) / scale <= proof(fit.at(float(lam)), point).gap + 1e-9


def test_dual_of_rows_that_are_certainly_wrong_is_finite():
    random = np.random.default_rng(0)
    Z, y = random.standard_normal((5, 200)), random.integers(0, 5, 200)
    Z[y, np.arange(200)] -= 60.0
    family = Multinomial()
    terms = family.dual_terms(Z, family.mean(Z), y, np.full(200, 1 / 200))
    assert (terms.other > 1.0).any()  # by rounding
    assert np.isfinite(terms.at(1.0)).all()


@pytest.mark.parametrize("unit", [1e-14, 1e14])
def test_lambda_max_follows_the_units(unit):
    X, y = deep_features(60, 6, 3, 0)
    factors = fit_path(X, y, n_lambdas=3, penalty_factor=np.full(6, unit))
    plain = fit_path(X, y, n_lambdas=3)
    np.testing.assert_allclose(factors.lambda_max * unit, plain.lambda_max, rtol=1e-9)
    np.testing.assert_allclose(factors.coef(2), plain.coef(2), atol=1e-3)
    raw = fit_path(X * unit, y, n_lambdas=1, standardize=False, l1_ratio=1.0)
    same = fit_path(X, y, n_lambdas=1, standardize=False, l1_ratio=1.0)
    np.testing.assert_allclose(raw.lambda_max / unit, same.lambda_max, rtol=1e-9)


@pytest.mark.parametrize("seed", [3, 31])
def test_a_free_feature_that_almost_separates(seed):
    """Newton steps overshoot by millions, and rare classes look like rounding."""
    X, y = deep_features(30, 3, 4, seed)
    weights = 10.0 ** np.random.default_rng(seed).uniform(-8, 4, 30)
    path = fit_path(X, y, sample_weight=weights, penalty_factor=[0, 1, 1], n_lambdas=1)
    assert path.optimal.all()
    assert path.gaps[0] > -1e-9
