"""The relaxed refit: against scikit-learn, scipy and what a support says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import logsumexp
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge

from clearhead.errors import DataError, InputError
from clearhead.events import Event
from clearhead.glm import Path, fit_path, refit
from clearhead.layer import Best, DecisionLayer, Sparsest
from tests.glm.data import deep_features


def problem(k: int):
    X, y = deep_features(300, 12, k, k)
    return X, y, (X - X.mean(axis=0)) / X.std(axis=0)


def test_binomial_is_logistic_regression_on_the_support():
    X, y, Z = problem(2)
    path = fit_path(X, y, n_lambdas=6)
    relaxed = refit(path, X, y)
    for i in (2, 5):
        used = np.flatnonzero(path.coef(i)[0])
        np.testing.assert_array_equal(used, np.flatnonzero(relaxed.coef(i)[0]))
        peer = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(Z[:, used], y)
        np.testing.assert_allclose(relaxed.coef(i)[0, used], peer.coef_[0], atol=1e-5)
        np.testing.assert_allclose(relaxed.intercept(i), peer.intercept_, atol=1e-5)
        assert relaxed.status[i] == "unregularised on its support"
        assert np.isnan(relaxed.gaps[i])
        assert relaxed.kkt[i] < 1e-8


def oracle(Z, y, mask, ridge):
    """Multinomial loss and ridge over a mask, by a general-purpose minimiser."""
    k = len(mask)

    def value(flat):
        W = np.zeros(mask.shape)
        W[mask] = flat[k:]
        S = Z @ W.T + flat[:k]
        return (logsumexp(S, axis=1) - S[np.arange(len(y)), y]).mean() + ridge / 2 * (W**2).sum()

    return minimize(value, np.zeros(k + mask.sum()), method="BFGS", options={"gtol": 1e-7}).fun


@pytest.mark.parametrize("ridge", [0.0, 0.05])
def test_each_class_keeps_its_own_support(ridge):
    X, y, Z = problem(3)
    path = fit_path(X, y, n_lambdas=5, lambda_min_ratio=0.02)
    relaxed = refit(path, X, y, ridge=ridge)
    for i in range(5):
        mask = path.coef(i) != 0
        np.testing.assert_array_equal(relaxed.coef(i) != 0, mask)
        value = relaxed.losses["train"][i] + ridge / 2 * (relaxed.coef(i) ** 2).sum()
        assert value <= oracle(Z, y, mask, ridge) + 1e-9
        if ridge:
            assert 0 <= relaxed.gaps[i] <= 1e-7
            assert relaxed.status[i] == "optimal on its support with ridge 0.05"


def test_gap_of_a_ridge_refit_bounds_what_is_left(monkeypatch):
    """Stopped after one Newton step, the gap still covers the distance to the optimum."""
    X, y, Z = problem(3)
    path = fit_path(X, y, n_lambdas=4)
    monkeypatch.setattr("clearhead.glm.support._MAX_STEPS", 1)
    rough = refit(path, X, y, ridge=0.01, points=[3])
    monkeypatch.undo()
    mask = path.coef(3) != 0
    value = rough.losses["train"][0] + 0.005 * (rough.coef(0) ** 2).sum()
    above = (value - oracle(Z, y, mask, 0.01)) / value
    assert above > 1e-6
    assert rough.gaps[0] >= above
    assert rough.status[0].startswith("gap ")


@pytest.mark.parametrize("outputs", [1, 2])
def test_gaussian_is_least_squares(outputs):
    X, _, Z = problem(2)
    Y = X[:, :outputs] * 3 + 100 + np.random.default_rng(0).normal(size=(300, outputs))
    path = fit_path(X, Y, family="gaussian", n_lambdas=4)
    for ridge in (0.0, 0.3):
        relaxed = refit(path, X, Y, ridge=ridge)
        for k in range(outputs):
            used = np.flatnonzero(path.coef(3)[k])
            peer = Ridge(alpha=300 * ridge) if ridge else LinearRegression()
            peer.fit(Z[:, used], Y[:, k])
            np.testing.assert_allclose(relaxed.coef(3)[k, used], peer.coef_, atol=1e-6)
            np.testing.assert_allclose(relaxed.intercept(3)[k], peer.intercept_, atol=1e-6)
        assert relaxed.accuracies == {}


def test_separable_rows_are_said_to_be_so():
    X, y = deep_features(30, 20, 2, 0)
    path = fit_path(X, y, n_lambdas=8)
    relaxed = refit(path, X, y)
    assert relaxed.status[0] == "unregularised on its support"
    assert relaxed.status[-1].startswith("separable on its support: stopped at ridge")
    assert np.isfinite(relaxed.coef(7)).all()
    assert relaxed.accuracies["train"][-1].value == 1.0


def test_a_single_class_that_separates_is_found_among_others():
    random = np.random.default_rng(0)
    X = random.normal(size=(200, 3))
    y = random.integers(0, 2, 200)
    y[X[:, 0] > 1.0] = 2
    path = fit_path(X, y, n_lambdas=6)
    assert refit(path, X, y).status[-1].startswith("separable")


def test_copies_of_a_feature_share_its_weight():
    X, y, _ = problem(2)
    X = np.column_stack([X, X[:, :1]])
    path = fit_path(X, y, n_lambdas=4, l1_ratio=0.5)
    relaxed = refit(path, X, y)
    assert relaxed.status[3] == "unregularised on its support"
    assert relaxed.coef(3)[0, 0] == pytest.approx(relaxed.coef(3)[0, -1], abs=1e-4)


def test_weights_are_repeated_rows():
    X, y, _ = problem(3)
    weights = np.random.default_rng(0).integers(0, 3, len(y))
    rows = np.repeat(np.arange(len(y)), weights)
    path = fit_path(X, y, n_lambdas=4, sample_weight=weights)
    one = refit(path, X, y, sample_weight=weights, ridge=0.01)
    two = refit(path, X[rows], y[rows], ridge=0.01)
    np.testing.assert_allclose(one.coef(3), two.coef(3), atol=1e-8)
    np.testing.assert_allclose(one.losses["train"], two.losses["train"], rtol=1e-9)


def test_units_of_features_do_not_matter_without_a_ridge():
    X, y, _ = problem(3)
    path = fit_path(X, y, n_lambdas=4, standardize=False, lambda_min_ratio=0.05)
    units = np.logspace(-4, 4, X.shape[1])
    relaxed = refit(path, X, y)
    same = refit(path, X * units, y)
    np.testing.assert_allclose(same.losses["train"], relaxed.losses["train"], rtol=1e-6)


def test_rules_storage_and_layers_work_on_it(tmp_path):
    X, y = deep_features(200, 10, 3, 0)
    path = fit_path(X[:150], y[:150], n_lambdas=6, validation=(X[150:], y[150:]))
    relaxed = refit(path, X[:150], y[:150], validation=(X[150:], y[150:]))
    assert isinstance(relaxed.select(Best()), DecisionLayer)
    assert isinstance(relaxed.select(Sparsest()), DecisionLayer)
    relaxed.save(tmp_path)
    again = Path.load(tmp_path)
    np.testing.assert_array_equal(again.coef(4), relaxed.coef(4))
    assert again.status == relaxed.status
    assert again.fingerprint == relaxed.fingerprint != path.fingerprint
    assert again.accuracies == relaxed.accuracies


def test_points_and_events():
    X, y, _ = problem(2)
    path = fit_path(X, y, n_lambdas=6)
    events: list[Event] = []
    relaxed = refit(path, X, y, points=[5, 2, -1], on_event=events.append)
    np.testing.assert_array_equal(relaxed.lambdas, path.lambdas[[2, 5]])
    np.testing.assert_array_equal(relaxed.coef(1), refit(path, X, y).coef(5))
    assert [e.kind for e in events] == ["start", "progress", "progress", "end"]


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"ridge": -1.0}, InputError, ["ridge", "-1"]),
        ({"ridge": np.inf}, InputError, ["ridge", "finite"]),
        ({"ridge": "much"}, InputError, ["ridge", "much"]),
        ({"points": []}, InputError, ["points", "one or more"]),
        ({"points": [0.5]}, InputError, ["points", "whole numbers"]),
        ({"points": [9]}, InputError, ["0 to 3", "names 9"]),
        ({"X": np.ones((300, 3))}, DataError, ["12 features", "has 3"]),
        ({"y": np.arange(300) % 2 + 5}, DataError, ["0, 1", "5, 6"]),
    ],
)
def test_bad_input(arguments, kind, words):
    X, y, _ = problem(2)
    path = fit_path(X, y, n_lambdas=4)
    given = {"X": X, "y": y, **arguments}
    with pytest.raises(kind) as error:
        refit(path, given.pop("X"), given.pop("y"), **given)
    assert all(word in str(error.value) for word in words), str(error.value)
