"""What is refused, and that the message names what, where and the mend."""

from __future__ import annotations

import numpy as np
import pytest

from clearhead.errors import DataError, InputError
from clearhead.glm import fit_path
from tests.glm.data import deep_features

X, Y = deep_features(40, 5, 3, 0)


def changed(array, place, value):
    array = np.array(array, dtype=np.result_type(array, type(value)))
    array[place] = value
    return array


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"y": changed(Y, 7, np.nan)}, ["training split", "row 7"]),
        ({"y": [None, *map(str, Y[1:])]}, ["training split", "row 0"]),
        ({"y": np.zeros(40, int)}, ["only the class 0", "two classes"]),
        ({"y": Y[:-1]}, ["40 rows", "39 labels"]),
        ({"y": np.eye(3)[Y]}, ["(40, 3)", "argmax"]),
        ({"y": None}, ["y is missing"]),
        ({"X": changed(X, (11, 3), np.nan)}, ["nan", "row 11", "column 3"]),
        ({"X": changed(X, (39, 0), -np.inf)}, ["-inf", "row 39", "column 0"]),
        ({"X": X[:, 0]}, ["two dimensions", "reshape(-1, 1)"]),
        ({"X": X.astype(str)}, ["numbers", "dtype"]),
        ({"X": np.ones_like(X)}, ["constant"]),
        ({"X": X[:0], "y": Y[:0]}, ["empty"]),
        ({"X": changed(X, (0, 2), 1e300)}, ["Column 2", "Rescale"]),
        ({"sample_weight": changed(np.ones(40), 5, -1.0)}, ["sample_weight[5]", "-1"]),
        ({"sample_weight": changed(np.ones(40), 5, np.nan)}, ["sample_weight[5]", "nan"]),
        ({"sample_weight": np.zeros(40)}, ["zero for every row"]),
        ({"sample_weight": np.ones(39)}, ["39", "40"]),
        ({"sample_weight": (Y != 1).astype(float)}, ["class '1'", "weight 0"]),
        ({"penalty_factor": changed(np.ones(5), 2, -1.0)}, ["penalty_factor[2]"]),
        ({"penalty_factor": changed(np.ones(5), 2, np.nan)}, ["penalty_factor[2]", "nan"]),
        ({"penalty_factor": np.ones(4)}, ["4", "5"]),
        ({"penalty_factor": np.full(5, np.inf)}, ["every feature"]),
        ({"lambdas": [0.1, 0.0]}, ["lambdas[1]", "positive"]),
        ({"lambdas": [np.inf, 0.1]}, ["lambdas[0]", "finite"]),
        ({"lambdas": [0.1, 0.2]}, ["decrease", "np.unique"]),
        ({"lambdas": []}, ["empty"]),
        ({"l1_ratio": 1.1}, ["l1_ratio", "1.1"]),
        ({"l1_ratio": "lasso"}, ["l1_ratio", "lasso"]),
        ({"l1_ratio": np.nan}, ["l1_ratio", "nan"]),
        ({"tol": 0.0}, ["tol", "0.0"]),
        ({"n_lambdas": 0}, ["n_lambdas"]),
        ({"lambda_min_ratio": 1.0}, ["lambda_min_ratio"]),
        ({"seed": -1}, ["seed"]),
        ({"family": "poisson"}, ["family", "poisson"]),
        ({"family": "binomial"}, ["two classes", "3"]),
        ({"class_names": ["a", "b"]}, ["2 names", "3 classes"]),
        ({"validation": X}, ["validation", "pair"]),
        ({"validation": (X[:, :4], Y)}, ["validation", "4 features"]),
        ({"validation": (X, changed(Y, 4, 9))}, ["validation", "'9'", "row 4"]),
        ({"test": (X, Y[:5])}, ["test", "5 labels"]),
        ({"test": (changed(X, (2, 1), np.inf), Y)}, ["test", "row 2", "column 1"]),
    ],
)
def test_refused(arguments, words):
    call = {"X": X, "y": Y, "n_lambdas": 3} | arguments
    with pytest.raises(InputError) as caught:
        fit_path(call.pop("X"), call.pop("y"), **call)
    for word in words:
        assert word in str(caught.value)


def test_sparse_matrix_is_refused():
    from scipy.sparse import csr_matrix

    with pytest.raises(InputError, match="toarray"):
        fit_path(csr_matrix(X), Y)


def test_unpenalised_features_that_separate():
    x = np.linspace(-1, 1, 40)[:, None]
    with pytest.raises(InputError, match="separate"):
        fit_path(np.hstack([x, X]), (x[:, 0] > 0), penalty_factor=[0, 1, 1, 1, 1, 1])


class Store:
    """A feature store in memory."""

    class_names = ("cat", "dog", "owl")
    splits = ("train", "validation")

    def __init__(self, labels):
        self._labels = labels

    def rows(self, split):
        return Blocks(X if split == "train" else X[:10])

    def labels(self, split):
        return self._labels[split]


class Blocks:
    """Rows in uneven blocks."""

    def __init__(self, array):
        self._array = array.astype(np.float32)

    @property
    def shape(self):
        return self._array.shape

    def blocks(self):
        yield self._array[:7]
        yield self._array[7:]


def test_class_of_a_store_that_is_absent_from_training_is_named():
    labels = {"train": np.where(Y == 2, 0, Y), "validation": Y[:10]}
    with pytest.raises(DataError, match="owl"):
        fit_path(Store(labels))


def test_a_store_brings_its_labels_and_validation():
    labels = {"train": Y, "validation": Y[:10]}
    path = fit_path(Store(labels), n_lambdas=4)
    assert path.class_names == ("cat", "dog", "owl")
    assert path.n_samples == {"train": 40, "validation": 10}
    X32 = X.astype(np.float32)
    same = fit_path(X32, Y, n_lambdas=4, validation=(X32[:10], Y[:10]))
    np.testing.assert_allclose(path.coef(3), same.coef(3), atol=1e-6)
    np.testing.assert_allclose(path.losses["validation"], same.losses["validation"], atol=1e-6)
