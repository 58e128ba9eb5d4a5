"""Targets that are probabilities: their loss and dual, and what they are equivalent to."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import xlogy

from clearhead.errors import InputError
from clearhead.glm import cross_validate, fit_path, refit
from clearhead.glm.device.families import device_family
from clearhead.glm.families import family_of
from clearhead.glm.point import look, proof
from clearhead.glm.prepare import prepare
from clearhead.glm.problem import gather
from clearhead.glm.rows import as_rows
from tests.glm.data import soft_targets
from tests.glm.oracle import mean_target, objective, row_losses, slow_minimum, standardised

FAMILIES = ("binomial", "multinomial", "multilabel")
families = st.sampled_from(FAMILIES)
seeds = st.integers(0, 10_000)


def scores(family, seed, n=14, k=3):
    """Scores Z (O, n), probabilities (n, K), weights."""
    random = np.random.default_rng(seed)
    _, P = soft_targets(family, n, 4, k, seed)
    Z = 3 * random.standard_normal((1 if family == "binomial" else k, n))
    v = random.random(n)
    return Z, P, v / v.sum()


def entropy(P, family):
    return -(xlogy(P, P) + (xlogy(1 - P, 1 - P) if family == "multilabel" else 0)).sum(axis=1)


@pytest.mark.parametrize("name", FAMILIES)
def test_loss_and_gradient(name):
    family = family_of(name)
    Z, P, v = scores(name, 1)
    target = P.T
    loss, M = family.evaluate(Z, target, v)
    np.testing.assert_allclose(loss, v @ row_losses(Z.T, P, name))
    np.testing.assert_allclose(loss, family.loss(Z, target, v), rtol=1e-12)
    np.testing.assert_allclose(M, mean_target(Z.T, name).T)
    R, D = family.residual(M, target), np.random.default_rng(2).standard_normal(Z.shape)
    slope = (family.loss(Z + 1e-6 * D, target, v) - family.loss(Z - 1e-6 * D, target, v)) / 2e-6
    np.testing.assert_allclose(slope, -((R * D) @ v).sum(), rtol=1e-6)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_loss_is_that_of_hard_targets_where_nothing_is_in_doubt(name):
    family = family_of(name)
    Z, P, v = scores(name, 2)
    if name == "multilabel":
        hard, certain = (P.T > 0.5).astype(np.int8), (P.T > 0.5).astype(float)
    else:
        hard = P.argmax(axis=1)
        certain = np.eye(P.shape[1])[hard].T
    np.testing.assert_allclose(family.loss(Z, certain, v), family.loss(Z, hard, v), rtol=1e-12)
    M = family.mean(Z)
    np.testing.assert_allclose(family.residual(M, certain), family.residual(M, hard), atol=1e-15)
    soft, plain = (family.dual_terms(Z, M, target, v) for target in (certain, hard))
    for t in (1e-6, 0.3, 0.999, 1.0):
        np.testing.assert_allclose(soft.at(t)[:2], plain.at(t)[:2], rtol=1e-7, atol=1e-12)
    np.testing.assert_array_equal(family.hits(Z, certain), family.hits(Z, hard))


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("t", [1e-6, 0.3, 0.999, 1.0])
@pytest.mark.parametrize("doubtful", [True, False])
def test_dual_terms_are_minus_the_conjugate(name, t, doubtful):
    family = family_of(name)
    Z, P, v = scores(name, 3)
    if doubtful:
        Z, P = Z / 3, 0.9 * P + 0.1 / P.shape[1]
    M = family.mean(Z)
    if name == "binomial":
        asked, given_ = P.T, np.concatenate([1 - M, M])
    else:
        asked, given_ = P.T, M
    Q = asked - t * (asked - given_)
    terms = family.dual_terms(Z, M, P.T, v)
    value, slope, bend = terms.at(t)
    expected = v @ (entropy(Q.T, name) - entropy(P, name))
    np.testing.assert_allclose(value, expected, rtol=1e-9, atol=1e-12)
    step = min(1e-6, 0.1 * t)
    if t + step <= 1.0:
        high, low = terms.at(t + step), terms.at(t - step)
        np.testing.assert_allclose(slope, (high[0] - low[0]) / (2 * step), rtol=1e-3, atol=1e-7)
        # It is clipped where a probability vanishes, so it is no more than the true one.
        true = (high[1] - low[1]) / (2 * step)
        assert 1.02 * true <= bend < 0
        if Q.min() > 2e-3:
            np.testing.assert_allclose(bend, true, rtol=2e-2)
    halves = [
        family.dual_terms(Z[:, part], M[:, part], P.T[:, part], v[part])
        for part in (slice(0, 5), slice(5, None))
    ]
    np.testing.assert_allclose(halves[0].joined(halves).at(t), terms.at(t), rtol=1e-12)


@settings(max_examples=30, deadline=None)
@given(
    seed=seeds,
    name=families,
    l1_ratio=st.sampled_from([0.0, 0.5, 0.99, 1.0]),
    grouped=st.booleans(),
    size=st.sampled_from([0.0, 1e-3, 0.3, 3.0]),
)
def test_the_dual_is_a_bound_wherever_it_is_taken(seed, name, l1_ratio, grouped, size):
    random = np.random.default_rng(seed)
    X, P = soft_targets(name, 25, 4, 3, seed)
    weights = random.integers(1, 4, len(X)).astype(float)
    problem = gather(
        X, P, family=name, validation=None, test=None, sample_weight=weights,
        penalty_factor=None, class_names=None,
    )  # fmt: skip
    fit = prepare(problem, l1_ratio, True, 0, grouped=grouped)
    lam = float(fit.lambda_max * 10 ** random.uniform(-2, 0))
    objective_ = fit.at(lam)
    W = size * random.standard_normal(fit.null.W.shape) + fit.null.W
    b = fit.null.b + size * random.standard_normal(len(W))
    fit.rows.move(W, b)
    point = look(objective_, W, b, polished=True)
    S = standardised(X, weights)
    best = slow_minimum(S, P, lam, l1_ratio, family=name, grouped=grouped, weights=weights)
    scale = max(point.value, 1e-3 * fit.null.loss)
    assert (point.value - best) / scale <= proof(objective_, point).gap + 1e-8
    terms, conjugate = fit.rows.dual_terms(), fit.penalty.conjugate(point.V, lam)
    top = fit.penalty.largest_dual_step(point.V, lam)
    duals = [terms.at(t)[0] - conjugate.at(t)[0] for t in top * np.linspace(0.01, 1.0, 30)]
    assert max(duals) <= best + 1e-8 * scale


@settings(max_examples=15, deadline=None)
@given(seed=seeds, name=families, l1_ratio=st.sampled_from([0.0, 0.5, 0.99, 1.0]))
def test_the_path_meets_the_slow_optimum(seed, name, l1_ratio):
    X, P = soft_targets(name, 40, 5, 3, seed)
    path = fit_path(
        X, P, family=name, l1_ratio=l1_ratio, n_lambdas=3, lambda_min_ratio=0.05, tol=1e-7
    )
    assert path.optimal.all(), path.status
    S = standardised(X)
    for i, lam in enumerate(path.lambdas):
        ours = objective(S, P, path.coef(i), path.intercept(i), float(lam), l1_ratio, family=name)
        best = slow_minimum(S, P, float(lam), l1_ratio, family=name)
        assert ours <= best * (1 + 2e-7) + 1e-12
        assert best <= ours * (1 + 1e-5) + 1e-9


@pytest.mark.parametrize("name", ["binomial", "multinomial"])
@pytest.mark.parametrize("device", [None, "cpu"])
def test_a_soft_row_is_a_hard_row_for_each_class_with_its_weight(name, device):
    X, P = soft_targets(name, 50, 6, 3, 7)
    n, k = P.shape
    random = np.random.default_rng(0)
    weights = random.integers(1, 4, n).astype(float)
    options = {"family": name, "l1_ratio": 0.9, "tol": 1e-9, "lambda_min_ratio": 0.02}
    soft = fit_path(X, P, sample_weight=weights, n_lambdas=6, device=device, **options)
    hard = fit_path(
        np.repeat(X, k, axis=0), np.tile(np.arange(k), n),
        sample_weight=(weights[:, None] * P).ravel(), lambdas=soft.lambdas, **options,
    )  # fmt: skip
    assert soft.optimal.all()
    np.testing.assert_allclose(soft.lambda_max, hard.lambda_max, rtol=1e-9)
    own = np.average(entropy(P, name), weights=weights)
    np.testing.assert_allclose(soft.losses["train"], hard.losses["train"] - own, atol=1e-7)
    for i in range(len(soft)):
        np.testing.assert_allclose(soft.coef(i), hard.coef(i), atol=2e-4)
        np.testing.assert_allclose(soft.intercept(i), hard.intercept(i), atol=2e-4)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_device_families_agree_with_numpy(name, scale):
    family, device = family_of(name), device_family(name)
    Z, P, v = scores(name, 0, n=50)
    Z = scale * Z
    z, w = torch.tensor(Z.T), torch.tensor(v)
    t = device.target(P.T, torch.device("cpu"))

    def close(ours, theirs):
        np.testing.assert_allclose(np.asarray(ours), theirs, rtol=1e-11, atol=1e-13)

    (loss, M), (ours, m) = family.evaluate(Z, P.T, v), device.evaluate(z, t, w)
    close(ours, loss)
    close(m, M.T)
    close(device.residual(m, t), family.residual(M, P.T).T)
    np.testing.assert_array_equal(device.hits(z, t), family.hits(Z, P.T))
    plain = family.dual_terms(Z, family.mean(Z), P.T, v)
    parts = [
        device.dual_terms(lambda rows=rows: iter([(z[rows], t[rows], w[rows])]))
        for rows in (slice(0, 20), slice(20, 50))
    ]
    for step in (0.0, 1e-6, 0.3, 0.999, 1.0):
        close(parts[0].joined(parts).at(step), plain.at(step))


@pytest.mark.parametrize("name", FAMILIES)
def test_a_layer_can_give_back_a_linear_network(name):
    X, _ = soft_targets(name, 300, 5, 3, 4)
    random = np.random.default_rng(5)
    k = 1 if name == "binomial" else 3
    Z = X @ random.standard_normal((5, k))
    P = mean_target(Z, name)
    P = np.hstack([1 - P, P]) if name == "binomial" else P
    path = fit_path(
        X, P, family=name, n_lambdas=20, lambda_min_ratio=1e-5, validation=(X, P), tol=1e-5
    )
    # Relative to a divergence that vanishes, so that the certificate is no empty one.
    assert path.optimal.all(), path.status
    assert path.losses["train"][-1] < 1e-3 * path.null_loss
    np.testing.assert_allclose(path.losses["train"], path.losses["validation"], rtol=1e-6)
    assert path.accuracies["validation"][-1].value > 0.98


def test_other_rows_may_have_labels_or_probabilities():
    X, P = soft_targets("multinomial", 80, 5, 3, 0)
    y = P.argmax(axis=1)
    path = fit_path(
        X[:40], P[:40], family="multinomial", n_lambdas=5, class_names=["a", "b", "c"],
        validation=(X[40:], y[40:]), test=(X[40:], P[40:]),
    )  # fmt: skip
    assert path.class_names == ("a", "b", "c")
    assert path.accuracies["validation"] == path.accuracies["test"]
    assert (path.losses["test"] < path.losses["validation"]).all()
    relaxed = refit(path, X[:40], P[:40], points=[3], ridge=1e-6)
    assert relaxed.losses["train"][0] < path.losses["train"][3]
    assert cross_validate(X, P, k=3, n_lambdas=3, family="multinomial").fold_losses.shape == (3, 3)


def test_streamed_features_give_the_same(monkeypatch):
    X, P = soft_targets("multinomial", 200, 8, 3, 1)
    plain = fit_path(X, P, family="multinomial", n_lambdas=5, tol=1e-8)
    monkeypatch.setattr("clearhead.glm.prepare._RESIDENT_BYTES", 1)
    streamed = fit_path(as_rows(X), P, family="multinomial", n_lambdas=5, tol=1e-8)
    np.testing.assert_allclose(streamed.losses["train"], plain.losses["train"], rtol=1e-6)


X, P = soft_targets("multinomial", 60, 5, 3, 0)


def changed(place, value):
    array = P.copy()
    array[place] = value
    return array


@pytest.mark.parametrize(
    ("family", "y", "words"),
    [
        ("multinomial", changed((7, 2), -0.1), ["-0.1 at row 7, column '2'", "softmax"]),
        ("multinomial", changed((7, 2), np.nan), ["nan at row 7, column '2'"]),
        ("multinomial", 2 * np.log(P + 1e-9), ["[0, 1]", "softmax"]),
        ("multinomial", changed(5, 0.5), ["sum to 1", "row 5 sums to 1.5", "multilabel"]),
        ("multinomial", np.c_[P[:, 0], 1 - P[:, 0], 0 * X[:, 0]], ["Class '2'", "probability 0"]),
        ("multinomial", np.full((60, 3), 1 / 3), ["same probabilities"]),
        ("multinomial", P[:-1], ["60 rows", "59 labels"]),
        ("binomial", P, ["two classes", "3 columns", "multinomial"]),
        ("auto", P, ["probabilities", "family='multinomial'"]),
        ("multilabel", 1.1 * P, ["0 and 1, or probabilities"]),
    ],
)
def test_refused(family, y, words):
    with pytest.raises(InputError) as caught:
        fit_path(X, y, family=family, n_lambdas=2)
    for word in words:
        assert word in str(caught.value)


def test_probabilities_are_not_taken_where_training_was_on_labels():
    with pytest.raises(InputError, match="argmax"):
        fit_path(X, P.argmax(axis=1), n_lambdas=2, validation=(X, P))
