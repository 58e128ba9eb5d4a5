"""One factor for all outputs gives what scikit-learn's Ridge gives for each."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from clearhead.errors import InputError
from clearhead.explain.ridge import weighted_ridge


def data(n=60, m=5, u=4, seed=0):
    random = np.random.default_rng(seed)
    X = (random.random((n, m)) < 0.6).astype(float)
    Y = X @ random.normal(size=(m, u)) + 0.3 * random.normal(size=(n, u)) + 5
    return X, Y, random.random(n) + 0.05


@pytest.mark.parametrize("ridge", [1e-6, 1.0, 30.0])
@pytest.mark.parametrize("n", [4, 60])
def test_same_as_scikit_learn(ridge, n):
    X, Y, w = data(n)
    fit = weighted_ridge(X, Y, w, ridge)
    for j in range(Y.shape[1]):
        model = Ridge(alpha=ridge).fit(X, Y[:, j], sample_weight=w)
        np.testing.assert_allclose(fit.coef[:, j], model.coef_, rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(fit.intercept[j], model.intercept_, rtol=1e-6)
        np.testing.assert_allclose(fit.r2[j], model.score(X, Y[:, j], w), atol=1e-6)


def test_standard_errors_are_those_of_least_squares():
    """Without weights and ridge: s² (X'X)⁻¹ with n − m − 1 degrees of freedom."""
    X, Y, _ = data()
    fit = weighted_ridge(X, Y, np.ones(len(X)), 0.0)
    design = np.column_stack([np.ones(len(X)), X])
    coef, rss, _, _ = np.linalg.lstsq(design, Y)
    variance = rss / (len(X) - design.shape[1])
    expected = np.sqrt(np.diag(np.linalg.inv(design.T @ design))[1:, None] * variance)
    np.testing.assert_allclose(fit.coef, coef[1:], rtol=1e-9)
    np.testing.assert_allclose(fit.std_error, expected, rtol=1e-9)


@pytest.mark.parametrize("ridge", [1e-9, 2.0])
def test_standard_errors_are_the_spread_over_new_noise(ridge):
    """With weights and ridge: against the spread of the coefficients over 4,000 draws of noise."""
    X, _, w = data(n=40)
    random = np.random.default_rng(1)
    Y = (X @ np.arange(5.0))[:, None] + random.normal(size=(40, 4000))
    fit = weighted_ridge(X, Y, w, ridge)
    mean_square = np.sqrt((fit.std_error**2).mean(axis=1))
    if ridge < 1:  # a strong ridge leaves some of the signal among the residuals
        np.testing.assert_allclose(mean_square, fit.coef.std(axis=1), rtol=0.05)
    else:
        assert (mean_square >= 0.95 * fit.coef.std(axis=1)).all()


def test_what_cannot_be_known():
    X, Y, w = data(n=4, m=5)
    assert np.isinf(weighted_ridge(X, Y, w, 1e-9).std_error).all()
    with pytest.raises(InputError, match="linearly dependent"):
        weighted_ridge(X, Y, w, 0.0)


def test_constant_outputs_and_no_inputs():
    X, Y, w = data()
    Y[:, 0] = 7.0
    Y[:, 1] = 0.0
    fit = weighted_ridge(X, Y, w, 1e-3)
    np.testing.assert_array_equal(fit.r2[:2], 0.0)
    np.testing.assert_allclose(fit.coef[:, :2], 0.0, atol=1e-12)
    np.testing.assert_allclose(fit.intercept[:2], [7.0, 0.0], atol=1e-12)
    fit = weighted_ridge(X[:, :0], Y, w, 0.0)
    assert fit.coef.shape == (0, 4)
    np.testing.assert_allclose(fit.intercept, w @ Y / w.sum())
