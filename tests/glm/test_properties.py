"""What holds for every family, plain and grouped, with weights and with any penalty factors.

Paths are compared by their objectives, written out plainly: with r = 1 minimisers need not be
unique, and where they are, points within `tol` of the optimum may differ by its square root.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clearhead.glm import Path, fit_path
from clearhead.glm.rows import ArrayRows
from tests.glm.data import targets
from tests.glm.oracle import mean_target, objective, slow_minimum, standardised

FEW = settings(max_examples=25, deadline=None)
TOL = 1e-8


@dataclass(frozen=True)
class Case:
    """A small problem of any kind; rows 0 to 2 hold every class, and both values of a label."""

    family: str
    grouped: bool
    factored: bool
    weighted: bool
    l1_ratio: float
    seed: int

    def data(self) -> tuple[Any, Any]:
        return targets(self.family, 40, 5, 3, self.seed)

    @property
    def factors(self):
        return np.array([1.0, 0.0, np.inf, 3.0, 0.5]) if self.factored else np.ones(5)

    @property
    def weights(self):
        random = np.random.default_rng(self.seed)
        weights = random.integers(0, 4, 40).astype(float)
        weights[:3] = 1.0
        return weights if self.weighted else np.ones(40)

    def fit(self, X: Any = None, y: Any = None, **given: Any) -> Path:
        """Fit it, or what was made of it."""
        own = self.data()
        options = {
            "family": self.family, "grouped": self.grouped, "l1_ratio": self.l1_ratio,
            "penalty_factor": self.factors, "sample_weight": self.weights, "n_lambdas": 4,
            "lambda_min_ratio": 0.05, "tol": TOL,
        }  # fmt: skip
        path = fit_path(own[0] if X is None else X, own[1] if y is None else y, **options | given)
        assert path.optimal.all(), path.status
        return path

    def value(self, W, b, lam: float) -> float:
        """Objective of coefficients on the standardised scale."""
        X, y = self.data()
        kept = np.isfinite(self.factors)
        return objective(
            standardised(X, self.weights)[:, kept], y, W[:, kept], b, float(lam), self.l1_ratio,
            self.weights, self.factors[kept], family=self.family, grouped=self.grouped,
        )  # fmt: skip

    def values(self, path: Path) -> np.ndarray:
        return np.array([self.value(point.coef, point.intercept, point.lam) for point in path])


cases = st.builds(
    Case,
    family=st.sampled_from(["binomial", "multinomial", "multilabel", "gaussian"]),
    grouped=st.booleans(),
    factored=st.booleans(),
    weighted=st.booleans(),
    l1_ratio=st.sampled_from([0.0, 0.5, 0.99, 1.0]),
    seed=st.integers(0, 10_000),
)


def same(one: np.ndarray, two: np.ndarray, path: Path) -> None:
    """Both are within the tolerance of the same optima."""
    np.testing.assert_allclose(one, two, rtol=3 * TOL, atol=3 * TOL * 1e-3 * path.null_loss)


@FEW
@given(case=cases, tol=st.sampled_from([0.2, 1e-3, TOL]))
def test_the_gap_bounds_what_is_left(case, tol):
    path = case.fit(tol=tol, n_lambdas=3)
    assert (path.gaps >= -1e-9).all()
    assert (path.gaps <= tol).all()
    X, y = case.data()
    for point, ours in zip(path, case.values(path), strict=True):
        best = slow_minimum(
            standardised(X, case.weights), y, point.lam, case.l1_ratio, family=case.family,
            grouped=case.grouped, weights=case.weights, factors=case.factors,
        )  # fmt: skip
        assert ours - best <= (point.gap + 1e-8) * max(ours, 1e-3 * path.null_loss)


@FEW
@given(case=cases, tol=st.sampled_from([1e-2, TOL]))
def test_the_optimality_condition_holds_as_far_as_the_gap_says(case, tol):
    """A proximal gradient step of length 1 / L lowers P by L/2 times its square, or more."""
    path = case.fit(tol=tol)
    X, y = case.data()
    w = case.weights / case.weights.sum()
    f = np.append(0.0, case.factors[np.isfinite(case.factors)])
    S = standardised(X, case.weights)[:, np.isfinite(case.factors)]
    E = np.hstack([np.ones((40, 1)), S])
    target = np.eye(3)[y] if case.family == "multinomial" else np.reshape(y, (40, -1))
    steepest = np.linalg.eigvalsh((E.T * w) @ E)[-1]
    for point, value in zip(path, case.values(path), strict=True):
        D = np.hstack([point.intercept[:, None], point.coef[:, np.isfinite(case.factors)]])
        gradient = ((mean_target(E @ D.T, case.family) - target) * w[:, None]).T @ E
        l1, l2 = point.lam * case.l1_ratio * f, point.lam * (1 - case.l1_ratio) * f
        raw = D - gradient / steepest
        size = np.sqrt((raw**2).sum(axis=0)) if case.grouped else np.abs(raw)
        shrunk = np.maximum(1 - l1 / steepest / np.maximum(size, 1e-300), 0.0)
        moved = raw * shrunk / (1 + l2 / steepest)
        excess = (point.gap + 1e-9) * max(value, 1e-3 * path.null_loss)
        assert 0.5 * steepest * ((moved - D) ** 2).sum() <= excess
        # And the KKT violation that is told is that of the gradient.
        size = np.sqrt((D**2).sum(axis=0)) if case.grouped else np.abs(D)
        pull = np.sqrt((gradient**2).sum(axis=0)) if case.grouped else np.abs(gradient)
        inside = gradient * np.maximum(1 - l1 / np.maximum(pull, 1e-300), 0.0)
        away = gradient + l2 * D + l1 * D / np.where(size > 0, size, 1.0)
        kkt = np.abs(np.where(size > 0, away, inside)).max() / point.lam
        np.testing.assert_allclose(point.kkt, kkt, rtol=1e-5, atol=1e-9 / point.lam)


@FEW
@given(case=cases, above=st.sampled_from([1.0, 1.001, 30.0]))
def test_nothing_penalised_is_used_from_lambda_max_on(case, above):
    case = replace(case, l1_ratio=max(case.l1_ratio, 0.5))
    lambda_max = case.fit(n_lambdas=1).lambda_max
    path = case.fit(lambdas=[above * lambda_max, 0.97 * lambda_max])
    penalised = (case.factors > 0) & np.isfinite(case.factors)
    assert (path.coef(0)[:, penalised] == 0).all()
    assert (path.coef(1)[:, penalised] != 0).any()
    if case.factored:
        assert (path.coef(0)[:, 1] != 0).all()
        assert (path.coef(1)[:, 2] == 0).all()


@FEW
@given(case=cases)
def test_order_of_rows_and_classes_does_not_matter(case):
    X, y = case.data()
    random = np.random.default_rng(case.seed)
    rows = random.permutation(40)
    one = case.fit()
    new = random.permutation(len(one.classes))
    if case.family == "binomial":
        flipped, sign = 1 - y, -1.0
        place = np.zeros(1, int)
    elif case.family == "multinomial":
        flipped, sign, place = new[y], 1.0, new
    else:
        flipped, sign, place = y[:, np.argsort(new)], 1.0, new
    two = case.fit(X[rows], flipped[rows], sample_weight=case.weights[rows], lambdas=one.lambdas)
    np.testing.assert_allclose(two.lambda_max, one.lambda_max, rtol=1e-9)
    back = [
        case.value(sign * point.coef[place], sign * point.intercept[place], point.lam)
        for point in two
    ]
    same(case.values(one), np.array(back), one)


class Cut(ArrayRows):
    """An array in blocks of any sizes, some of them empty."""

    def __init__(self, array: np.ndarray, cuts: list[int]) -> None:
        super().__init__(array)
        self._cuts = sorted(cuts)

    def blocks(self):
        yield from np.split(self._array, self._cuts)


@FEW
@given(
    case=cases,
    cuts=st.lists(st.integers(0, 40), max_size=6),
    streamed=st.booleans(),
    read=st.integers(1, 50),
)
# Twenty rows have half the curvature of all: steps were twice too long, to and fro.
@example(case=Case("gaussian", False, False, True, 0.99, 2091), cuts=[], streamed=True, read=1)
def test_blocks_of_rows_do_not_matter(case, cuts, streamed, read):
    X, y = case.data()
    one = case.fit(validation=(X, y))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("clearhead.glm.feature_rows._READ_ROWS", read)
        if streamed:
            patch.setattr("clearhead.glm.prepare._RESIDENT_BYTES", 0)
            patch.setattr("clearhead.glm.prepare._LEAST_SAMPLE", 20 * 4 * 5)
        two = case.fit(Cut(X, cuts), lambdas=one.lambdas, validation=(Cut(X, cuts), y))
    same(case.values(one), case.values(two), one)
    np.testing.assert_allclose(two.losses["validation"], plain_losses(case, two), rtol=1e-9)


def plain_losses(case: Case, path: Path) -> np.ndarray:
    """Unweighted mean losses of the points on the case's own rows, plainly."""
    X, y = case.data()
    S = (X - path.center) / path.scale
    return np.array(
        [
            objective(S, y, point.coef, point.intercept, 0.0, 1.0, family=case.family)
            for point in path
        ]
    )


@FEW
@given(case=cases)
def test_weights_are_repeated_rows(case):
    case = replace(case, weighted=True)
    X, y = case.data()
    rows = np.repeat(np.arange(40), case.weights.astype(int))
    one = case.fit()
    two = case.fit(X[rows], y[rows], sample_weight=None, lambdas=one.lambdas)
    np.testing.assert_allclose(two.lambda_max, one.lambda_max, rtol=1e-9)
    np.testing.assert_allclose(two.center, one.center, atol=1e-12)
    np.testing.assert_allclose(two.scale, one.scale)
    same(case.values(one), case.values(two), one)


@FEW
@given(case=cases, n=st.integers(2, 12), ratio=st.sampled_from([0.5, 0.01]))
def test_a_point_is_the_same_on_a_path_and_alone(case, n, ratio):
    warm = case.fit(n_lambdas=n, lambda_min_ratio=ratio)
    for i in {n // 2, n - 1}:
        cold = case.fit(lambdas=[warm.lambdas[i]])
        same(case.values(warm)[[i]], case.values(cold), warm)
