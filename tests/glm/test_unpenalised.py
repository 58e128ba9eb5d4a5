"""The last point, lam = 0: where there is an optimum, and where there is none."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from sklearn.linear_model import LinearRegression, LogisticRegression

from clearhead.glm import Path, fit_path
from tests.glm.data import targets
from tests.glm.oracle import row_losses


def last(X, y, family, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path = fit_path(
            X, y, family=family, n_lambdas=4, lambda_min_ratio=0.05, unpenalised=True, **options
        )
    assert len(path) == 5
    assert path.lambdas[-1] == 0.0
    assert np.isnan(path.gaps[-1])
    return path


def test_least_squares():
    X, y = targets("gaussian", 80, 6, 3, 1)
    y = 1e4 * y + 7e6
    path = last(X, y, "gaussian")
    assert path.status[-1] == "unregularised"
    assert path.kkt[-1] < 1e-3
    theirs = LinearRegression().fit(X, y)
    np.testing.assert_allclose(path.coef(-1, original_scale=True), theirs.coef_, rtol=1e-5)
    np.testing.assert_allclose(path.intercept(-1, original_scale=True), theirs.intercept_)


def test_least_squares_of_fewer_rows_than_features_is_the_shortest():
    X, y = targets("gaussian", 15, 40, 2, 1)
    path = last(X, y, "gaussian")
    assert path.status[-1] == "unregularised"
    S = (X - path.center) / path.scale
    np.testing.assert_allclose(
        path.coef(-1), (np.linalg.pinv(S) @ (y - y.mean(axis=0))).T, atol=1e-5
    )


@pytest.mark.parametrize("family", ["binomial", "multinomial", "multilabel"])
def test_logistic(family):
    X, y = targets(family, 400, 4, 3, 2)
    if family == "multilabel":
        y = y ^ (np.random.default_rng(0).random(y.shape) < 0.2)
    path = last(X, y, family)
    assert path.status[-1] == "unregularised"
    assert path.kkt[-1] < 1e-7
    S = (X - path.center) / path.scale
    ours = row_losses(S @ path.coef(-1).T + path.intercept(-1), y, family).mean()
    np.testing.assert_allclose(path.losses["train"][-1], ours)
    if family == "multilabel":
        peers = [
            LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(S, y[:, k])
            for k in range(3)
        ]
        W = np.vstack([peer.coef_ for peer in peers])
        b = np.concatenate([peer.intercept_ for peer in peers])
    else:
        peer = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(S, y)
        W, b = peer.coef_, peer.intercept_
    theirs = row_losses(S @ W.T + b, y, family).mean()
    assert ours <= theirs * (1 + 1e-8)


def test_collinear_columns_have_an_optimum():
    X, y = targets("binomial", 200, 4, 2, 2)
    X = np.hstack([X, X[:, :2], X[:, :1] + X[:, 1:2]])
    path = last(X, y, "binomial")
    assert path.status[-1] == "unregularised"
    np.testing.assert_allclose(path.coef(-1)[0, :2], path.coef(-1)[0, 4:6], atol=1e-4)


def complete(k):
    random = np.random.default_rng(0)
    y = np.arange(60) % k
    return np.eye(k)[y] + 0.1 * random.standard_normal((60, k)), y


def quasi():
    """Rows of which only some are separated: the others lie where the separator is zero."""
    random = np.random.default_rng(1)
    x = np.repeat([0.0, 1.0], 40)
    y = np.where(x == 1, 1, random.integers(0, 2, 80))
    return np.column_stack([x, random.standard_normal(80)]), y


@pytest.mark.parametrize(
    ("X", "y", "family"),
    [
        (*complete(2), "binomial"),
        (*complete(3), "multinomial"),
        (*quasi(), "binomial"),
        (quasi()[0], np.column_stack([quasi()[1], np.arange(80) % 2]), "multilabel"),
    ],
    ids=["binomial", "multinomial", "quasi", "one label"],
)
def test_separable(X, y, family):
    path = last(X, y, family)
    assert path.status[-1].startswith("separable: stopped at ridge ")
    assert path.losses["train"][-1] <= path.losses["train"][-2]
    assert np.isfinite(path.coef(-1)).all()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), p=st.integers(1, 8), binary=st.booleans())
def test_separability_is_what_a_linear_program_says(seed, p, binary):
    random = np.random.default_rng(seed)
    n = 24
    X = random.integers(0, 2, (n, p)).astype(float) if binary else random.standard_normal((n, p))
    y = (X @ random.standard_normal(p) + random.standard_normal(n) > X.mean()).astype(int)
    y[:2] = 0, 1
    X[:2] = random.standard_normal((2, p))
    # Some direction with no margin below 0 and some above: max sum of margins in [0, 1].
    E = np.hstack([np.ones((n, 1)), X]) * np.where(y == 1, 1, -1)[:, None]
    program = linprog(
        -E.sum(axis=0), A_ub=np.vstack([-E, E]), b_ub=np.repeat([0.0, 1.0], n), bounds=(None, None)
    )
    path = last(X, y, "binomial")
    assert path.status[-1].startswith("separable") == (-program.fun > 1e-6), program.fun


def test_one_row_against_the_others_is_no_separation():
    X, y = complete(2)
    y[0] = 1 - y[0]
    X[0] = X[1:].mean(axis=0)
    path = last(np.vstack([X, X]), np.concatenate([y, 1 - y]), "binomial")
    assert path.status[-1] == "unregularised"


def test_it_is_saved_and_no_failure(tmp_path):
    X, y = targets("binomial", 100, 4, 2, 2)
    path = last(X, y, "binomial", strict=True)
    assert path.optimal.tolist() == [True] * 4 + [False]
    path.save(tmp_path)
    again = Path.load(tmp_path)
    assert again.status == path.status
    assert np.isnan(again.gaps[-1])
