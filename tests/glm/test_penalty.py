"""The elastic net, by coefficient and by feature, against its definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearhead.glm.penalty import penalty_of

FACTORS = np.array([1.0, 0.0, 0.5, 3.0])
cases = given(
    seed=st.integers(0, 10_000),
    grouped=st.booleans(),
    l1_ratio=st.sampled_from([0.0, 0.4, 0.99, 1.0]),
)


def drawn(seed, grouped, l1_ratio):
    random = np.random.default_rng(seed)
    W = random.standard_normal((3, 4)) * (random.random((3, 4)) < 0.7)
    W[:, 2] = 0.0
    return penalty_of(grouped, l1_ratio, FACTORS), W, random


def plainly(penalty, W, lam):
    """The penalty, term by term."""
    total = 0.0
    for j, factor in enumerate(FACTORS):
        size = np.sqrt((W[:, j] ** 2).sum()) if penalty.grouped else np.abs(W[:, j]).sum()
        squares = (W[:, j] ** 2).sum()
        total += factor * (penalty.l1_ratio * size + (1 - penalty.l1_ratio) / 2 * squares)
    return lam * total


@settings(max_examples=40, deadline=None)
@cases
def test_value_and_change(seed, grouped, l1_ratio):
    penalty, W, random = drawn(seed, grouped, l1_ratio)
    moved = W + random.standard_normal(W.shape)
    np.testing.assert_allclose(penalty.value(W, 0.3), plainly(penalty, W, 0.3))
    change = plainly(penalty, moved, 0.3) - plainly(penalty, W, 0.3)
    np.testing.assert_allclose(penalty.change(W, moved, 0.3), change, atol=1e-12)


@settings(max_examples=40, deadline=None)
@cases
def test_prox_is_the_minimiser(seed, grouped, l1_ratio):
    penalty, W, random = drawn(seed, grouped, l1_ratio)
    raw, t, lam = random.standard_normal(W.shape), 0.8, 0.5
    found = penalty.prox(raw, t, lam)

    def value(X):
        return ((X - raw) ** 2).sum() / (2 * t) + plainly(penalty, X, lam)

    for _ in range(20):
        other = found + 10.0 ** random.uniform(-4, 0) * random.standard_normal(W.shape)
        assert value(found) <= value(other) + 1e-12
    # It leaves no subgradient: that of the quadratic is what the penalty's must cancel.
    left = penalty.subgradient(found, (found - raw) / t, lam)
    np.testing.assert_allclose(left, 0.0, atol=1e-12)


@settings(max_examples=40, deadline=None)
@cases
def test_conjugate_is_the_supremum(seed, grouped, l1_ratio):
    penalty, W, random = drawn(seed, grouped, l1_ratio)
    if l1_ratio == 1.0:
        return
    lam, V = 0.5, random.standard_normal(W.shape)
    V[:, FACTORS == 0] = 0.0
    for t in (0.2, 0.7, 1.0):
        value, slope, bend = penalty.conjugate(V, lam).at(t)
        size = penalty.size(t * V)
        l2 = np.where(FACTORS > 0, penalty.l2(lam), 1.0)
        best = t * V * np.maximum(1 - penalty.l1(lam) / np.where(size > 0, size, 1.0), 0.0) / l2
        attained = t * np.vdot(V, best) - plainly(penalty, best, lam)
        np.testing.assert_allclose(attained, value, atol=1e-12)
        for _ in range(20):
            other = best + 10.0 ** random.uniform(-4, 1) * random.standard_normal(W.shape)
            assert t * np.vdot(V, other) - plainly(penalty, other, lam) <= value + 1e-12
        high, low = (penalty.conjugate(V, lam).at(t + d) for d in (1e-6, -1e-6))
        if t < 1.0:
            np.testing.assert_allclose(slope, (high[0] - low[0]) / 2e-6, rtol=1e-5, atol=1e-7)
            assert bend >= 0.0


@pytest.mark.parametrize("grouped", [False, True])
def test_lambda_max_is_where_coefficients_enter(grouped):
    penalty, W, random = drawn(0, grouped, 0.7)
    G = random.standard_normal(W.shape)
    G[:, FACTORS == 0] = 0.0
    top = penalty.lambda_max(G)
    none = np.zeros_like(W)
    assert penalty.violation(none, G, 1.0001 * top) == 0.0
    assert penalty.violation(none, G, 0.999 * top) > 0.0
    penalised = FACTORS > 0
    assert not penalty.enters(-G, 1.0001 * top, 0.0)[:, penalised].any()
    enters = penalty.enters(-G, 0.999 * top, 0.0)
    assert enters[:, penalised].any()
    assert enters.shape == W.shape
    if grouped:
        assert (enters.all(axis=0) == enters.any(axis=0)).all()
    # A margin lets more in.
    assert penalty.enters(-G, top, 0.9).sum() >= penalty.enters(-G, top, 0.0).sum()


@pytest.mark.parametrize("grouped", [False, True])
def test_without_l2_the_dual_step_ends_where_it_is_infeasible(grouped):
    penalty, W, random = drawn(1, grouped, 1.0)
    V = random.standard_normal(W.shape)
    V[:, FACTORS == 0] = 0.0
    lam = 0.3 * penalty.lambda_max(V)
    top = penalty.largest_dual_step(V, lam)
    assert 0.0 < top < 1.0
    np.testing.assert_allclose(top, 0.3)
    assert penalty_of(grouped, 0.9, FACTORS).largest_dual_step(V, lam) == 1.0


def test_one_output_makes_no_difference():
    random = np.random.default_rng(0)
    w, G = random.standard_normal((1, 4)), random.standard_normal((1, 4))
    w[0, 2] = 0.0
    one, two = penalty_of(False, 0.6, FACTORS), penalty_of(True, 0.6, FACTORS)
    np.testing.assert_allclose(one.value(w, 0.2), two.value(w, 0.2))
    np.testing.assert_allclose(one.subgradient(w, G, 0.2), two.subgradient(w, G, 0.2))
    np.testing.assert_allclose(one.prox(w, 0.5, 0.2), two.prox(w, 0.5, 0.2))
