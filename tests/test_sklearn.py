"""The estimators: scikit-learn's own checks, and what its users do with one."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import ElasticNet, LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from clearhead.errors import InputError, NotConvergedError
from clearhead.glm import fit_path
from clearhead.sklearn import (
    SparseLinearPath,
    SparseLinearPathCV,
    SparseLogisticPath,
    SparseLogisticPathCV,
)
from tests.glm.data import deep_features

X, Y = deep_features(120, 6, 3, 0)
TWO = np.where(Y == 0, "no", "yes")
NUMBERS = X[:, 0] * 2 + np.random.default_rng(0).normal(size=120)


# Fewer points than the default, for time: what is checked does not depend on it.
@parametrize_with_checks(
    [
        SparseLogisticPath(n_lambdas=20),
        SparseLogisticPathCV(n_lambdas=10, cv=3),
        SparseLinearPath(n_lambdas=20),
        SparseLinearPathCV(n_lambdas=10, cv=3),
    ]
)
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("target", [Y, TWO], ids=["three", "two"])
def test_scores_are_those_of_the_coefficients(target):
    model = SparseLogisticPath(n_lambdas=10).fit(X, target)
    path = fit_path(X, target, n_lambdas=10)
    np.testing.assert_array_equal(model.lambdas_, path.lambdas)
    np.testing.assert_array_equal(model.gaps_, path.gaps)
    scores = X @ model.coef_.T + model.intercept_
    assert model.coef_.shape == ((1, 6) if target is TWO else (3, 6))
    np.testing.assert_allclose(model.decision_function(X), np.squeeze(scores))
    P = model.predict_proba(X)
    np.testing.assert_allclose(P.sum(axis=1), 1.0)
    np.testing.assert_array_equal(model.predict(X), model.classes_[P.argmax(axis=1)])
    assert model.score(X, target) == path.accuracies["train"][-1].value


def test_one_strength():
    model = SparseLogisticPath(lam=0.05).fit(X, Y)
    assert model.lambdas_.tolist() == [0.05]
    assert model.lambda_ == 0.05
    path = fit_path(X, Y, lambdas=[0.05])
    np.testing.assert_allclose(model.coef_, path.coef(0, original_scale=True))


def test_same_optimum_as_scikit_learn():
    Z = StandardScaler().fit_transform(X)
    ours = SparseLogisticPath(lam=0.02, l1_ratio=0.5, tol=1e-9).fit(Z, TWO)
    peer = LogisticRegression(
        l1_ratio=0.5, C=1 / (120 * 0.02), solver="saga", tol=1e-9, max_iter=20000
    ).fit(Z, TWO)
    np.testing.assert_allclose(ours.coef_, peer.coef_, atol=1e-4)
    ours = SparseLinearPath(lam=0.1, l1_ratio=0.5, standardize=False, tol=1e-9).fit(X, NUMBERS)
    peer = ElasticNet(alpha=0.1, l1_ratio=0.5, tol=1e-9).fit(X, NUMBERS)
    np.testing.assert_allclose(ours.coef_, peer.coef_, atol=1e-5)
    assert ours.intercept_ == pytest.approx(peer.intercept_, abs=1e-5)


def test_the_device_is_fit_paths():
    plain, there = (
        SparseLogisticPath(lam=0.05, tol=1e-9, device=d).fit(X, Y) for d in (None, "cpu")
    )
    np.testing.assert_allclose(there.coef_, plain.coef_, atol=1e-4)
    cv = SparseLinearPathCV(n_lambdas=5, cv=3, device="cpu").fit(X, NUMBERS)
    assert (cv.gaps_ <= 1e-4).all()
    for model in (SparseLogisticPath, SparseLogisticPathCV, SparseLinearPath, SparseLinearPathCV):
        with pytest.raises(InputError, match="device must be one that torch has here"):
            model(device="nowhere").fit(X, Y)


def test_several_labels_a_row():
    labels = (X[:, :2] > 0).astype(int)
    model = SparseLogisticPath(n_lambdas=10).fit(X, labels)
    assert model.coef_.shape == (2, 6)
    assert model.predict(X).shape == model.predict_proba(X).shape == (120, 2)
    assert model.score(X, labels) > 0.8
    found = SparseLogisticPathCV(n_lambdas=6, cv=3).fit(X, labels)
    assert found.score(X, labels) > 0.8


def test_several_outputs():
    model = SparseLinearPath(n_lambdas=10).fit(X, np.column_stack([NUMBERS, X[:, 1]]))
    assert model.coef_.shape == (2, 6)
    assert model.predict(X).shape == (120, 2)
    assert SparseLinearPath(n_lambdas=10).fit(X, NUMBERS).predict(X).shape == (120,)


def test_pipelines_search_and_pickle():
    pipe = make_pipeline(StandardScaler(), SparseLogisticPath(lam=0.1))
    grid = {"sparselogisticpath__lam": [0.3, 0.1, 0.01]}
    search = GridSearchCV(pipe, grid, cv=3).fit(X, Y)
    assert search.best_params_["sparselogisticpath__lam"] < 0.3
    again = pickle.loads(pickle.dumps(search.best_estimator_))
    np.testing.assert_array_equal(again.predict(X), search.predict(X))
    rest = OneVsRestClassifier(SparseLogisticPath(lam=0.01)).fit(X, Y)
    assert len(rest.estimators_) == 3
    assert rest.score(X, Y) > 0.5
    assert clone(SparseLogisticPath(lam=0.2)).lam == 0.2


@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_frames(kind):
    names = [f"feature {j}" for j in range(6)]
    if kind == "pandas":
        frame = pd.DataFrame(X, columns=names)
    else:
        frame = pytest.importorskip("polars").DataFrame(dict(zip(names, X.T, strict=True)))
    model = SparseLogisticPath(lam=0.05).fit(frame, Y)
    assert model.feature_names_in_.tolist() == names
    assert model.n_features_in_ == 6
    np.testing.assert_array_equal(model.predict(frame), SparseLogisticPath(lam=0.05)
                                  .fit(X, Y).predict(X))  # fmt: skip
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[names[::-1]])


def test_weights():
    weights = np.random.default_rng(0).integers(0, 3, 120)
    rows = np.repeat(np.arange(120), weights)
    one = SparseLogisticPath(lam=0.03, tol=1e-10).fit(X, Y, sample_weight=weights)
    two = SparseLogisticPath(lam=0.03, tol=1e-10).fit(X[rows], Y[rows])
    np.testing.assert_allclose(one.coef_, two.coef_, atol=1e-6)
    balanced = SparseLogisticPath(lam=0.03, class_weight="balanced").fit(X, TWO)
    share = {"no": 120 / (2 * (TWO == "no").sum()), "yes": 120 / (2 * (TWO == "yes").sum())}
    same = SparseLogisticPath(lam=0.03).fit(X, TWO, [share[v] for v in TWO])
    np.testing.assert_allclose(balanced.coef_, same.coef_, atol=1e-6)
    only = SparseLogisticPath(lam=0.05).fit(X, Y, sample_weight=(Y != 2).astype(float))
    assert only.classes_.tolist() == [0, 1]


def test_cross_validated_strength():
    best = SparseLogisticPathCV(n_lambdas=15).fit(X, Y)
    cv = best.cross_validation_
    assert best.lambda_ == cv.lambdas[cv.loss.argmin()]
    sparse = SparseLogisticPathCV(n_lambdas=15, select="one-standard-error").fit(X, Y)
    assert np.count_nonzero(sparse.coef_) <= np.count_nonzero(best.coef_)
    by = SparseLogisticPathCV(n_lambdas=15, by="accuracy").fit(X, Y)
    assert by.lambda_ == cv.lambdas[cv.accuracy.argmax()]
    numbers = SparseLinearPathCV(n_lambdas=15).fit(X, NUMBERS)
    assert numbers.score(X, NUMBERS) > 0.5


def test_groups_reach_the_splitter():
    groups = np.arange(120) % 10
    model = SparseLogisticPathCV(n_lambdas=5, cv=GroupKFold(5)).fit(X, Y, groups=groups)
    splits = list(GroupKFold(5).split(X, Y, groups))
    same = SparseLogisticPathCV(n_lambdas=5, cv=splits).fit(X, Y)
    np.testing.assert_array_equal(model.cross_validation_.loss, same.cross_validation_.loss)


@pytest.mark.parametrize(
    ("estimator", "words"),
    [
        (SparseLogisticPath(lam=0.0), ["lam", "positive"]),
        (SparseLogisticPath(lam="strong"), ["lam", "strong"]),
        (SparseLogisticPath(lam=1.0, lambdas=[1.0, 0.5]), ["either lam"]),
        (SparseLogisticPath(l1_ratio=2.0), ["l1_ratio", "2.0"]),
        (SparseLogisticPath(standardize="yes"), ["standardize", "yes"]),
        (SparseLogisticPathCV(select="worst"), ["select", "worst", "best"]),
        (SparseLogisticPathCV(by="auc"), ["by", "auc"]),
    ],
)
def test_bad_settings(estimator, words):
    with pytest.raises(InputError) as error:
        estimator.fit(X, Y)
    assert all(word in str(error.value) for word in words), str(error.value)


def test_class_weight_is_for_classes():
    with pytest.raises(InputError, match="several labels"):
        SparseLogisticPath(class_weight="balanced").fit(X, (X[:, :2] > 0).astype(int))


def test_strict_raises():
    model = SparseLogisticPath(lam=1e-10, l1_ratio=1.0, tol=1e-13, strict=True)
    with pytest.raises(NotConvergedError):
        model.fit(X[:12], Y[:12])
