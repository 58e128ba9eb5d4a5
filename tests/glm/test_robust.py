"""Data that break solvers."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from clearhead.errors import DataError, NotConvergedError
from clearhead.glm import ConvergenceWarning, fit_path
from clearhead.glm.curvature import Curvature
from clearhead.glm.rows import ArrayRows
from clearhead.glm.solver import NewtonSolver
from clearhead.glm.standardize import standardization
from tests.glm.data import deep_features, targets
from tests.glm.oracle import brute_force, objective, slow_minimum, standardised


def check(X, y, **options):
    """Fit, and compare the last point with brute force."""
    path = fit_path(X, y, n_lambdas=12, tol=1e-7, **options)
    assert path.optimal.all(), path.status
    S = standardised(np.asarray(X, np.float64))
    k, lam, r = len(path.classes), float(path.lambdas[-1]), path.l1_ratio
    W, b = path.coef(-1), path.intercept(-1)
    assert np.isfinite(W).all()
    ours = objective(S, y, W, b, lam, r)
    # A poor peer may stop early on hard data, so only being worse than it is wrong.
    assert ours <= brute_force(S, y, k, lam, r) * (1 + 2e-7) + 1e-9
    return path


@pytest.mark.parametrize("l1_ratio", [0.0, 0.99, 1.0])
@pytest.mark.parametrize("k", [2, 3, 4])
def test_duplicate_and_collinear_columns(k, l1_ratio):
    X, y = deep_features(60, 6, k, 1)
    X = np.hstack([X, X[:, :3], X[:, :1] + X[:, 1:2], -2 * X[:, 2:3]])
    check(X, y, l1_ratio=l1_ratio)


@pytest.mark.parametrize("scale", [1e-8, 1e8])
@pytest.mark.parametrize("k", [2, 3])
def test_scales(k, scale):
    X, y = deep_features(60, 6, k, 2)
    plain = check(X, y)
    mixed = X * np.array([1, scale, 1, 1 / scale, 1, scale])
    path = check(mixed, y)
    np.testing.assert_allclose(path.coef(-1), plain.coef(-1), atol=1e-3)


def test_large_offset_keeps_its_digits():
    X, y = deep_features(60, 6, 2, 2)
    path = fit_path(X + 1e8, y, n_lambdas=5, tol=1e-8)
    plain = fit_path(X, y, n_lambdas=5, tol=1e-8)
    assert not path.dead.any()
    np.testing.assert_allclose(path.scale, plain.scale, rtol=1e-6)
    np.testing.assert_allclose(path.coef(4), plain.coef(4), atol=1e-4)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e8 + 0.1, -1e-30])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_constant_columns_are_dead(value, dtype):
    X, y = deep_features(60, 6, 3, 2)
    X = X.astype(dtype)
    X[:, 2] = value
    path = fit_path(X, y, n_lambdas=5)
    assert path.dead.tolist() == [False, False, True, False, False, False]
    assert (path.coef(4)[:, 2] == 0).all()
    assert path.scale[2] == 1.0


def test_a_column_of_float32_rounding_is_dead_and_a_small_signal_is_not():
    X, y = deep_features(60, 6, 2, 2)
    X = X.astype(np.float32)
    X[:, 1] = np.float32(1) + np.float32(1.2e-7) * (np.arange(60) % 2)
    X[:, 2] = np.float32(1) + np.float32(1e-4) * X[:, 3]
    path = fit_path(X, y, n_lambdas=3)
    assert path.dead.tolist() == [False, True, False, False, False, False]


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.99, 1.0])
def test_separable(k, l1_ratio):
    y = np.arange(30) % k
    X = np.eye(k)[y] + 0.01 * np.random.default_rng(0).standard_normal((30, k))
    path = check(X, y, l1_ratio=l1_ratio)
    assert path.accuracies["train"][-1].value == 1.0


@pytest.mark.parametrize("k", [2, 4])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.99])
def test_fewer_rows_than_features(k, l1_ratio):
    X, y = deep_features(25, 80, k, 3)
    check(X, y, l1_ratio=l1_ratio)


def test_a_class_of_two_examples():
    X, y = deep_features(200, 6, 2, 4)
    y[[3, 77]] = 2
    check(X, y)


def many_classes(n, p, k):
    """Each class has a few features of its own; n / k rows a class."""
    random = np.random.default_rng(0)
    y = np.arange(n) % k
    centres = random.standard_normal((k, p)) * (random.random((k, p)) < 0.1)
    X = np.maximum(centres[y] + 0.5 * random.standard_normal((n, p)), -0.3)
    return X.astype(np.float32), y


@pytest.mark.parametrize(
    ("n", "p", "k", "ratio", "points"), [(5000, 24, 1000, 0.5, 2), (9000, 64, 102, 0.03, 6)]
)
def test_many_classes_of_few_rows(n, p, k, ratio, points):
    X, y = many_classes(n, p, k)
    path = fit_path(X, y, n_lambdas=points, lambda_min_ratio=ratio)
    assert path.optimal.all(), path.status
    assert path.n_nonzero[-1].sum() > path.n_nonzero[0].sum() == 0
    ours = objective(
        standardised(X), y, path.coef(-1), path.intercept(-1), float(path.lambdas[-1]), 0.99
    )
    assert ours < path.null_loss


HARD = {
    "collinear": lambda X: np.hstack([X, X[:, :2], X[:, :1] - 2 * X[:, 1:2]]),
    "scales": lambda X: X * np.array([1, 1e-8, 1e8, 1, 1e8, 1e-8]),
    "offsets": lambda X: X + np.array([0, 1e6, -1e6, 0, 1e3, 1]),
    "wide": lambda X: np.hstack([X, np.random.default_rng(0).standard_normal((40, 60))]),
    "float16": lambda X: X.astype(np.float16),
}


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("family", ["multinomial", "multilabel", "gaussian"])
@pytest.mark.parametrize("hard", list(HARD))
def test_hard_features_in_every_family(hard, family, grouped):
    X, y = targets(family, 40, 6, 3, 4)
    X = HARD[hard](X)
    path = fit_path(
        X, y, family=family, grouped=grouped, n_lambdas=4, lambda_min_ratio=0.05, tol=1e-6
    )
    assert path.optimal.all(), path.status
    S, lam = standardised(X), float(path.lambdas[-1])
    ours = objective(
        S, y, path.coef(-1), path.intercept(-1), lam, 0.99, family=family, grouped=grouped
    )
    best = slow_minimum(S, y, lam, 0.99, family=family, grouped=grouped, steps=2000)
    assert ours <= best * (1 + 2e-6)


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("family", ["multinomial", "multilabel"])
def test_separable_rows_in_every_family(family, grouped):
    y = np.arange(30) % 3
    X = np.eye(3)[y] + 0.01 * np.random.default_rng(0).standard_normal((30, 3))
    path = fit_path(
        X, np.eye(3)[y] if family == "multilabel" else y, family=family, grouped=grouped,
        n_lambdas=6, tol=1e-7,
    )  # fmt: skip
    assert path.optimal.all(), path.status
    assert path.accuracies["train"][-1].value == 1.0


def test_rows_of_weight_zero_count_for_nothing():
    X, y = deep_features(60, 6, 3, 5)
    weights = (np.arange(60) < 40).astype(float)
    X[40:] = 1e6
    one = fit_path(X, y, sample_weight=weights, n_lambdas=4, tol=1e-9)
    two = fit_path(X[:40], y[:40], n_lambdas=4, tol=1e-9)
    np.testing.assert_allclose(one.center, two.center)
    np.testing.assert_allclose(one.coef(3), two.coef(3), atol=1e-5)
    assert one.n_samples["train"] == 40


@pytest.mark.parametrize(
    "convert",
    [
        lambda X: X.astype(np.float16),
        lambda X: torch.tensor(X, dtype=torch.float16),
        lambda X: torch.tensor(X).to(torch.bfloat16),
        lambda X: torch.tensor(X, requires_grad=True),
        np.asfortranarray,
        lambda X: np.repeat(X, 2, axis=1)[:, ::2],
        lambda X: np.repeat(X, 2, axis=0)[::2][::-1][::-1],
        lambda X: torch.tensor(X.T.copy()).T,
        lambda X: X.tolist(),
    ],
    ids=["f16", "t16", "bf16", "grad", "fortran", "columns", "rows", "transposed", "list"],
)
def test_kinds_of_array(convert):
    X, y = deep_features(50, 6, 3, 6)
    X = np.round(X * 8) / 8  # exact in every type
    one = fit_path(X, y, n_lambdas=4, tol=1e-8)
    two = fit_path(convert(X), y, n_lambdas=4, tol=1e-8)
    np.testing.assert_allclose(one.coef(3), two.coef(3), atol=1e-5)


@pytest.mark.parametrize("family", ["binomial", "multinomial", "multilabel", "gaussian"])
@pytest.mark.parametrize("sample", [40, 10_000])
def test_streamed_features_give_the_same_path(monkeypatch, family, sample):
    X, y = deep_features(300, 30, 2 if family == "binomial" else 3, 6)
    if family == "multilabel":
        y = np.eye(3)[y]
    elif family == "gaussian":
        y = X[:, :2] + np.eye(2)[y % 2]
    weights = np.random.default_rng(0).integers(0, 3, 300)
    factors = np.r_[0.0, np.inf, np.ones(28)]
    options = {"family": family, "sample_weight": weights, "penalty_factor": factors}
    held = fit_path(X, y, n_lambdas=6, tol=1e-7, **options)
    monkeypatch.setattr("clearhead.glm.prepare._RESIDENT_BYTES", 0)
    monkeypatch.setattr("clearhead.glm.prepare._LEAST_SAMPLE", sample * 4 * 29)
    monkeypatch.setattr("clearhead.glm.feature_rows._READ_ROWS", 64)
    streamed = fit_path(X, y, n_lambdas=6, tol=1e-7, **options)
    assert streamed.optimal.all()
    np.testing.assert_allclose(held.losses["train"], streamed.losses["train"], rtol=1e-4)


@pytest.mark.parametrize(
    ("family", "grouped", "l1_ratio", "sample", "seed"),
    [
        ("multinomial", True, 0.5, 5, 2),
        ("multinomial", False, 0.5, 5, 1),
        ("gaussian", True, 1, 3, 76),
    ],
)
def test_a_sample_unlike_the_rows_gives_way_to_them(
    monkeypatch, family, grouped, l1_ratio, sample, seed
):
    """Steps by products with the Hessian of a sample gain next to nothing here."""
    X, y = targets(family, 60, 30, 4, seed)
    options = {"family": family, "grouped": grouped, "l1_ratio": l1_ratio, "lambda_min_ratio": 0.05}
    held = fit_path(X, y, n_lambdas=4, tol=1e-8, **options)
    monkeypatch.setattr("clearhead.glm.prepare._RESIDENT_BYTES", 0)
    monkeypatch.setattr("clearhead.glm.prepare._LEAST_SAMPLE", sample * 4 * 30)
    streamed = fit_path(X, y, n_lambdas=4, tol=1e-8, **options)
    assert streamed.optimal.all(), streamed.status
    np.testing.assert_allclose(held.losses["train"], streamed.losses["train"], rtol=1e-4)


def by_products(monkeypatch):
    """Let no Hessian be formed."""
    monkeypatch.setattr("clearhead.glm.follow.Curvature", partial(Curvature, most=0))


@pytest.mark.parametrize("k", [2, 3])
def test_formed_and_multiplied_hessians_lead_to_the_same_optimum(monkeypatch, k):
    X, y = deep_features(300, 30, k, 6)
    formed = fit_path(X, y, n_lambdas=6, tol=1e-9)
    by_products(monkeypatch)
    multiplied = fit_path(X, y, n_lambdas=6, tol=1e-9)
    assert multiplied.optimal.all()
    np.testing.assert_allclose(formed.losses["train"], multiplied.losses["train"], rtol=1e-5)


def test_sampled_preconditioner_rows_reach_the_same_optimum(monkeypatch):
    X, y = deep_features(1500, 30, 3, 6)
    by_products(monkeypatch)
    one = fit_path(X, y, n_lambdas=6, tol=1e-7)
    monkeypatch.setattr("clearhead.glm.curvature_rows._GRAM_FLOPS", 1.0)
    two = fit_path(X, y, n_lambdas=6, tol=1e-7)
    assert two.optimal.all()
    np.testing.assert_allclose(one.losses["train"], two.losses["train"], rtol=1e-5)


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["b", "a", "b", "a"] * 10, ("a", "b")),
        (np.array([True, False] * 20), (False, True)),
        (np.array([5.0, -1.0] * 20), (-1.0, 5.0)),
        (np.array(["x", "y"] * 20, dtype=object), ("x", "y")),
        (torch.tensor([3, 7] * 20), (3, 7)),
    ],
)
def test_labels_are_kept_as_given(labels, classes):
    X, _ = deep_features(40, 4, 2, 1)
    path = fit_path(X, labels, n_lambdas=2)
    assert path.classes == classes
    assert path.class_names == tuple(str(c) for c in classes)


def test_a_budget_spent_is_said_once(monkeypatch):
    monkeypatch.setattr(
        "clearhead.glm.follow.NewtonSolver", partial(NewtonSolver, max_iterations=1)
    )
    X, y = deep_features(60, 6, 3, 2)
    with pytest.warns(ConvergenceWarning, match="points miss tol") as seen:
        path = fit_path(X, y, n_lambdas=4, tol=1e-9)
    assert len(seen) == 1
    assert path.status[-1].startswith("not converged: gap")
    assert path.status[-1].endswith("after 1 iterations")
    assert path.optimal.tolist() == (path.gaps <= 1e-9).tolist()
    assert not path.optimal[-1]
    with pytest.raises(NotConvergedError, match="not converged"):
        fit_path(X, y, n_lambdas=4, tol=1e-9, strict=True)
    events = []
    fit_path(X, y, n_lambdas=4, tol=1e-9, on_event=events.append)
    assert [e.kind for e in events].count("warning") == 1


@pytest.mark.parametrize("l1_ratio", [0.0, 0.99, 1.0])
@pytest.mark.parametrize("k", [2, 4])
def test_a_gap_near_the_end_of_float64_is_reached(k, l1_ratio):
    X, y = deep_features(60, 6, k, 2)
    path = fit_path(X, y, n_lambdas=6, tol=1e-8 if l1_ratio == 1 else 1e-11, l1_ratio=l1_ratio)
    assert path.optimal.all()


class Split(ArrayRows):
    """An array in blocks of random sizes."""

    def __init__(self, array, seed):
        super().__init__(array)
        self._seed = seed

    def blocks(self):
        cuts = np.sort(np.random.default_rng(self._seed).integers(0, self.shape[0], 5))
        yield from np.split(self._array, cuts)


@pytest.mark.parametrize("seed", range(4))
def test_standardisation_does_not_depend_on_blocks(seed):
    X, _ = deep_features(3000, 5, 2, 0)
    X = X.astype(np.float32) + np.array([0, 1e3, -1e4, 0, 5], np.float32)
    weights = np.random.default_rng(1).random(3000)
    weights[:10] = 0
    how = standardization(Split(X, seed), weights)
    whole = standardization(ArrayRows(X), weights)
    center = np.average(X.astype(float), axis=0, weights=weights)
    scale = np.sqrt(np.average((X.astype(float) - center) ** 2, axis=0, weights=weights))
    np.testing.assert_allclose(how.center, center, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(how.scale, scale, rtol=1e-11)
    assert how.digest == whole.digest


def test_products_have_a_budget(monkeypatch):
    monkeypatch.setattr("clearhead.glm.follow.NewtonSolver", partial(NewtonSolver, max_products=1))
    X, y = deep_features(60, 6, 3, 2)
    with pytest.warns(ConvergenceWarning, match="points miss tol"):
        path = fit_path(X, y, n_lambdas=4, tol=1e-9)
    assert path.status[-1].endswith("after 1 iterations")


def test_flat_directions_of_the_lasso_do_not_stall():
    X, y = deep_features(22, 6, 3, 433)
    X = np.hstack([X, X[:, :2], X[:, :1] + X[:, 1:2], -X[:, :1]])
    path = fit_path(X, y, l1_ratio=1.0, n_lambdas=5, tol=1e-3)
    assert path.optimal.all(), path.status


def test_features_too_large_for_float32_end(monkeypatch):
    monkeypatch.setattr("clearhead.glm.curvature_rows._SMALL", 0)
    X, y = deep_features(60, 6, 3, 2)
    with np.errstate(all="ignore"):
        path = fit_path(X * 1e25, y, standardize=False, n_lambdas=3, on_event=lambda event: None)
    assert not path.optimal.all()
    assert np.isfinite(path.gaps).all()


def test_a_split_without_rows_has_no_loss():
    X, y = deep_features(60, 6, 2, 2)
    path = fit_path(X, y, n_lambdas=3, validation=(X[:0], y[:0]))
    assert np.isnan(path.losses["validation"]).all()
    assert path.accuracies["validation"][0].n == 0


class Short(ArrayRows):
    """Rows that lose their last block."""

    def blocks(self):
        yield from (block[:-5] for block in super().blocks())


def test_rows_that_are_missing_are_missed():
    X, y = deep_features(60, 6, 2, 2)
    with pytest.raises(DataError, match="yielded 55 rows"):
        fit_path(X, y, n_lambdas=3, validation=(Short(X), y))


@pytest.mark.parametrize("family", ["multinomial", "multilabel"])
def test_coarse_grids_of_many_features_that_are_nearly_one(family):
    """Thousands of features could enter at once, and only a few have a reason to stay."""
    random = np.random.default_rng(0)
    X = np.abs(random.normal(size=(50, 1024))) ** 0.5 + random.normal(size=(50, 1))
    y = np.arange(50) % 10
    path = fit_path(X, y if family == "multinomial" else np.eye(10)[y], family=family, n_lambdas=4)
    assert path.optimal.all(), path.status
    assert path.features_per_class.max() < 50
