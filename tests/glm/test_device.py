"""The solver on torch tensors: the same numbers as with NumPy, and certificates that hold."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from clearhead.errors import DataError, InputError
from clearhead.glm import fit_path
from clearhead.glm.curvature_rows import CurvatureRows
from clearhead.glm.device.curvature import DeviceCurvature
from clearhead.glm.device.families import device_family
from clearhead.glm.device.features import DeviceFeatures
from clearhead.glm.device.standardize import device_standardization
from clearhead.glm.device.tensor import DeviceRows
from clearhead.glm.families import family_of
from clearhead.glm.point import look, proof
from clearhead.glm.prepare import prepare
from clearhead.glm.problem import gather
from clearhead.glm.rows import as_rows
from clearhead.glm.standardize import standardization, standardized_columns
from tests.glm.data import deep_features, targets
from tests.glm.oracle import objective, standardised

FAMILIES = ("binomial", "multinomial", "multilabel", "gaussian")
CPU = torch.device("cpu")


def prepared(X, y, family, l1_ratio=0.9, weights=None, factors=None, grouped=False):
    problem = gather(
        X, y, family=family, validation=None, test=None, sample_weight=weights,
        penalty_factor=factors, class_names=None,
    )  # fmt: skip
    return prepare(problem, l1_ratio, True, 0, grouped=grouped)


def agree(path, X, y, family, weights=None, factors=None, grouped=False, tol=1e-6):
    """Each point is proven by the NumPy host's certificate, too, and is as good as its path."""
    assert path.optimal.all(), path.status
    plain = fit_path(
        X, y, family=family, l1_ratio=path.l1_ratio, lambdas=path.lambdas, tol=tol,
        sample_weight=weights, penalty_factor=factors, grouped=grouped,
    )  # fmt: skip
    fit = prepared(X, y, family, path.l1_ratio, weights, factors, grouped)
    np.testing.assert_allclose(path.lambda_max, plain.lambda_max, rtol=1e-9)
    S, f = standardised(X, weights), np.ones(X.shape[1]) if factors is None else factors
    used = np.isfinite(f)
    for i, lam in enumerate(path.lambdas):
        W, b = path.coef(i), path.intercepts[i]
        fit.rows.move(W[:, fit.columns], b - fit.offset)
        point = look(fit.at(lam), W[:, fit.columns], b - fit.offset, polished=True)
        assert -1e-12 <= proof(fit.at(lam), point).gap <= 1.1 * tol
        ours, theirs = (
            objective(
                S[:, used], y, V[:, used], a, lam, path.l1_ratio, weights, f[used],
                family=family, grouped=grouped,
            )
            for V, a in ((W, b), (plain.coef(i), plain.intercepts[i]))
        )  # fmt: skip
        assert abs(ours - theirs) <= tol * max(theirs, 1e-3 * path.null_loss)
    np.testing.assert_allclose(path.losses["train"], plain.losses["train"], rtol=1e-3)
    return plain


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_families_agree_with_numpy(name, scale):
    random = np.random.default_rng(0)
    family, device = family_of(name), device_family(name)
    _, y = targets(name, 50, 4, 3)
    target = y if y.ndim == 1 else y.T
    Z = scale * random.standard_normal((1 if name == "binomial" else 3, 50))
    v = random.random(50)
    z, t, w = torch.tensor(Z.T), device.target(target, CPU), torch.tensor(v)
    kept = z.clone()

    def close(ours, theirs):
        np.testing.assert_allclose(np.asarray(ours), theirs, rtol=1e-12, atol=1e-14)

    loss, M = family.evaluate(Z, target, v)
    ours, m = device.evaluate(z, t, w)
    close(ours, loss)
    close(m, M.T)
    m, M = device.mean(z), family.mean(Z)
    close(m, M.T)
    close(device.residual(m, t), family.residual(M, target).T)
    D = random.standard_normal(Z.shape)
    close(device.curvature(m, torch.tensor(D.T)), family.curvature(M, D.copy()).T)
    for k in range(len(Z)):
        close(device.diagonal(m)[:, k], family.diagonal(M, k))
    hits, right = device.hits(z, t), family.hits(Z, target)
    assert (hits is None) == (right is None)
    if hits is not None:
        np.testing.assert_array_equal(hits, right)
    plain = family.dual_terms(Z, M, target, v)
    parts = [
        device.dual_terms(lambda rows=rows: iter([(z[rows], t[rows], w[rows])]))
        for rows in (slice(0, 20), slice(20, 50))
    ]
    for terms in (parts[0].joined(parts), device.dual_terms(lambda: iter([(z, t, w)]))):
        for step in (0.0, 1e-6, 0.3, 0.999, 1.0):
            close(terms.at(step), plain.at(step))
    assert torch.equal(z, kept)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("l1_ratio", [0.0, 0.99, 1.0])
def test_paths_agree_with_numpy(family, l1_ratio):
    X, y = targets(family, 150, 12, 3)
    path = fit_path(
        X, y, family=family, l1_ratio=l1_ratio, n_lambdas=8, lambda_min_ratio=0.01, tol=1e-6,
        device="cpu",
    )  # fmt: skip
    plain = agree(path, X, y, family)
    assert path.fingerprint == plain.fingerprint
    if family != "gaussian":
        right, theirs = ([a.value for a in fitted.accuracies["train"]] for fitted in (path, plain))
        np.testing.assert_allclose(right, theirs, atol=1.5 / 150)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("grouped", [False, True])
def test_weights_and_factors(family, grouped):
    X, y = targets(family, 150, 12, 3)
    random = np.random.default_rng(3)
    weights = random.integers(0, 3, 150).astype(float)
    factors = random.random(12)
    factors[[2, 7]], factors[4] = 0.0, np.inf
    path = fit_path(
        X, y, family=family, l1_ratio=0.9, n_lambdas=6, lambda_min_ratio=0.02, tol=1e-6,
        sample_weight=weights, penalty_factor=factors, grouped=grouped, device="cpu",
    )  # fmt: skip
    agree(path, X, y, family, weights, factors, grouped)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_precisions_and_strides(dtype):
    X, y = deep_features(200, 10, 3)
    wide = torch.tensor(X, dtype=dtype).repeat_interleave(2, dim=1).T.contiguous().T
    tensor = wide[:, ::2]
    assert not tensor.is_contiguous()
    kept = tensor.clone()
    path = fit_path(tensor, y, n_lambdas=6, lambda_min_ratio=0.02, tol=1e-6, device="cpu")
    agree(path, tensor.double().numpy(), y, "multinomial")
    assert torch.equal(tensor, kept)
    assert path.fingerprint == fit_path(tensor, y, lambdas=path.lambdas, tol=1e-6).fingerprint


@pytest.mark.parametrize("family", FAMILIES)
def test_features_beyond_float64_curvature(family):
    """So many numbers that second derivatives are taken in float32, in several chunks."""
    X, y = targets(family, 20_000, 60, 3)
    X = 1e-3 * X + 7.0
    path = fit_path(
        torch.tensor(X), y, family=family, n_lambdas=5, lambda_min_ratio=0.02, tol=1e-6,
        device="cpu",
    )  # fmt: skip
    agree(path, X, y, family)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("n", [300, 30_000])
def test_curvature_agrees_with_numpy(family, n):
    X = targets(family, n, 12, 3)[0].astype(np.float32)
    rows = as_rows(X)
    how = standardization(rows, np.ones(n))
    columns, keep = np.delete(np.arange(12), 5), np.arange(0, n, 2)
    A = np.empty((len(columns), len(keep)))
    standardized_columns(rows, how, columns, keep, A)
    random = np.random.default_rng(1)
    v = random.random(len(keep))
    v /= v.sum()
    host = family_of(family)
    outputs = 1 if family == "binomial" else 3
    M = host.mean(random.standard_normal((outputs, len(keep))))
    plain = CurvatureRows(A, v, host, seed=0)
    features = DeviceFeatures(torch.tensor(X), how, columns, keep)
    ours = DeviceCurvature(features, torch.tensor(v), device_family(family), 0)
    plain.at(M)
    ours.at(torch.tensor(M.T).to(ours.dtype))
    near = {"rtol": 2e-4, "atol": 2e-5}
    working = np.array([1, 4, 8])
    for one in (plain, ours):
        one.work_on(working)
    D = random.standard_normal((outputs, 4))
    np.testing.assert_allclose(ours.product(D), plain.product(D), **near)
    pool = [np.array([0, 3]), np.array([], int), np.array([2, 3, 10])][:outputs]
    for a, b in zip(ours.hessian(pool), plain.hessian(pool), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, **near)
    every = np.arange(11)
    U, V = ours.root_block(0, every, 1.0), plain.root_block(0, every, 1.0)
    np.testing.assert_allclose(U @ U.T, V @ V.T, **near)
    # So small a share samples rows.
    U = ours.root_block(0, every, 1e-12)
    if n > 2000:
        assert np.abs(U @ U.T - V @ V.T).max() < 0.3 * np.abs(V @ V.T).max()


def test_gram_of_fewer_rows_than_features():
    X, _ = deep_features(2000, 700, 2)
    how = standardization(as_rows(X), np.ones(2000))
    features = DeviceFeatures(torch.tensor(X), how, np.arange(700), np.arange(2000))
    v = torch.full((2000,), 1 / 2000, dtype=torch.float64)
    curvature = DeviceCurvature(features, v, device_family("gaussian"), 0)
    curvature.at(torch.zeros(2000, 1))
    assert curvature.root_block(0, np.arange(700), 1e-12).shape == (701, 512)


@pytest.mark.parametrize("n", [1, 37, 5000])
@pytest.mark.parametrize("standardize", [True, False])
def test_standardisation_is_that_of_the_host(n, standardize):
    random = np.random.default_rng(n)
    X = random.standard_normal((n, 9)) * 10.0 ** np.arange(-4, 5) + 1e3
    X[:, 4] = 0.1
    weights = random.integers(0, 3, n).astype(float)
    weights[-1] = 1.0
    X[weights == 0, 4] = 9.0
    for values in (X, X.astype(np.float32)):
        plain = standardization(as_rows(values), weights, standardize=standardize)
        ours = device_standardization(
            DeviceRows.of(torch.tensor(values)), weights, standardize=standardize
        )
        np.testing.assert_allclose(ours.center, plain.center, rtol=1e-13)
        np.testing.assert_allclose(ours.scale, plain.scale, rtol=1e-9)
        np.testing.assert_array_equal(ours.dead, plain.dead)
        assert ours.digest == plain.digest


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("n", [150, 12_000])
def test_sums_agree_with_numpy(family, n):
    """Every operation of the reductions, in one chunk of rows and in several."""
    X, y = targets(family, n, 30, 60)
    weights = np.arange(n) % 3.0
    # Each class has a row that counts.
    weights[:60] = 1.0
    plain = prepared(X, y, family, weights=weights).rows
    ours = prepared(DeviceRows.of(torch.tensor(X)), y, family, weights=weights).rows
    assert (ours.n_outputs, ours.n_features) == (plain.n_outputs, plain.n_features)
    random = np.random.default_rng(0)
    W, dW = random.standard_normal((2, ours.n_outputs, 30)) * (random.random(30) < 0.5)
    b, db = random.standard_normal((2, ours.n_outputs))
    few, near = np.array([3, 17]), {"rtol": 1e-9, "atol": 1e-12}
    D, pool = random.standard_normal((ours.n_outputs, 3)), [few] * ours.n_outputs
    rough = near if n == 150 else {"rtol": 1e-3, "atol": 2e-5}

    def answers(rows):
        rows.move(W, b)
        rows.trial(dW, b)
        start = [rows.loss(), rows.trial(1e-3 * dW, db), rows.loss(), *rows.correlation()]
        rows.accept()
        exact = [rows.loss(), *rows.correlation(few), *rows.correlation(np.zeros(0, int))]
        exact += [rows.unpenalised_hessian(few), rows.unpenalised_hessian(few[:0])]
        exact += [rows.dual_terms().at(0.7), rows.root_mean_squares(), rows.n_right() or 0]
        terms = rows.dual_terms()
        rows.work_on(few)
        curved = [rows.hessian_product(D, True), *rows.hessian(pool, True)]
        rows.move(0.5 * W, b)
        curved += [rows.hessian_product(D, False), *rows.hessian(pool, False)]
        return [*start, *exact, terms.at(0.7)], curved

    for theirs, found, how in zip(answers(plain), answers(ours), (near, rough), strict=True):
        for a, c in zip(theirs, found, strict=True):
            np.testing.assert_allclose(c, a, **how)


def test_many_classes_go_by_products():
    X, y = deep_features(400, 60, 40)
    path = fit_path(X, y, l1_ratio=0.5, n_lambdas=4, lambda_min_ratio=0.05, device="cpu")
    agree(path, X, y, "multinomial", tol=1e-4)


class _Splits:
    """A data set of two splits in memory."""

    class_names = ("a", "b", "c")
    splits = ("train", "validation")

    def __init__(self, X, y):
        self._X, self._y = X, y

    def rows(self, split):
        return as_rows(self._X)

    def labels(self, split):
        return self._y


def test_a_data_set_is_brought_to_the_device():
    X, y = deep_features(200, 6, 3)
    path = fit_path(_Splits(X, y), n_lambdas=4, device="cpu")
    assert path.class_names == ("a", "b", "c")
    np.testing.assert_allclose(path.losses["validation"], path.losses["train"], rtol=1e-9)
    assert path.fingerprint == fit_path(X, y, n_lambdas=4, lambdas=path.lambdas).fingerprint


def test_unpenalised_point():
    X, y = deep_features(300, 6, 3)
    path = fit_path(X, y, n_lambdas=3, unpenalised=True, device="cpu")
    plain = fit_path(X, y, n_lambdas=3, unpenalised=True)
    assert path.status[-1] == plain.status[-1] == "unregularised"
    np.testing.assert_allclose(path.losses["train"][-1], plain.losses["train"][-1], rtol=1e-8)


def test_splits_and_integers():
    X, y = deep_features(200, 6, 3)
    X = np.round(20 * X).astype(np.int64)
    tensor = torch.tensor(X)
    path = fit_path(tensor, torch.tensor(y), validation=(tensor, y), n_lambdas=4, device="cpu")
    np.testing.assert_allclose(path.losses["validation"], path.losses["train"], rtol=1e-9)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_bad_numbers_are_named(value):
    X, y = deep_features(60, 5, 2)
    X[41, 3] = value
    with pytest.raises(DataError, match="row 41, column 3"):
        fit_path(torch.tensor(X), y, device="cpu")
    with pytest.raises(DataError, match="row 41, column 3"):
        fit_path(X, y, device="cpu")


def test_bad_tensors():
    X, y = deep_features(60, 5, 2)
    with pytest.raises(InputError, match="two dimensions"):
        fit_path(torch.tensor(X[:, 0]), y, device="cpu")
    with pytest.raises(InputError, match="real numbers"):
        fit_path(torch.tensor(X + 1j), y, device="cpu")
    with pytest.raises(DataError, match="too large"):
        fit_path(torch.tensor(np.where(X > 1, 1e150, X)), y, device="cpu")


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "mps", "meta", 3])
def test_a_device_that_is_not_there(device):
    X, y = deep_features(60, 5, 2)
    with pytest.raises(InputError, match=r"device must be one that torch has here \(cpu"):
        fit_path(X, y, device=device)


def test_torch_is_imported_only_for_a_device():
    code = (
        "import sys, numpy as np; from clearhead.glm import fit_path; "
        "X = np.random.default_rng(0).normal(size=(40, 3)); fit_path(X, X[:, 0] > 0, n_lambdas=2); "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_products_leave_the_users_precision():
    before = torch.get_float32_matmul_precision()
    X, y = deep_features(9000, 40, 3)
    fit_path(X, y, n_lambdas=3, device="cpu")
    assert torch.get_float32_matmul_precision() == before


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device")
@pytest.mark.parametrize("family", FAMILIES)
def test_a_tensor_on_cuda_stays_there(family):
    X, y = targets(family, 9000, 60, 3)
    X = X.astype(np.float32)
    torch.cuda.reset_peak_memory_stats()
    path = fit_path(
        torch.tensor(X, device="cuda"), y, family=family, n_lambdas=8, lambda_min_ratio=0.01,
        tol=1e-6,
    )  # fmt: skip
    assert torch.cuda.max_memory_allocated() > X.nbytes + 8 * y.size
    agree(path, X.astype(np.float64), y, family)
