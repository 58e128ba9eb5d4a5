"""Cross-validation: against folds fitted by hand, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss

from clearhead.errors import DataError, InputError
from clearhead.events import Event
from clearhead.glm import CrossValidation, cross_validate, fit_path
from clearhead.layer import Best, DecisionLayer, FeaturesPerClass, OneStandardError, Sparsest
from tests.glm.data import deep_features

X, Y = deep_features(150, 8, 3, 0)
SPLITS = [(np.flatnonzero(np.arange(150) % 3 != f), np.flatnonzero(np.arange(150) % 3 == f))
          for f in range(3)]  # fmt: skip


@pytest.fixture(scope="module")
def cv() -> CrossValidation:
    return cross_validate(X, Y, k=4, n_lambdas=12, lambda_min_ratio=0.01)


def probabilities(path, i: int, rows: np.ndarray) -> np.ndarray:
    Z = rows @ path.coef(i, original_scale=True).T + path.intercept(i, original_scale=True)
    P = np.exp(Z - Z.max(axis=1, keepdims=True))
    return P / P.sum(axis=1, keepdims=True)


def test_folds_are_those_fitted_by_hand():
    """A fold standardises by its own rows: fitted to them alone, it is the same."""
    cv = cross_validate(X, Y, splits=SPLITS, n_lambdas=8, tol=1e-8)
    for f, (train, held_out) in enumerate(SPLITS):
        path = fit_path(X[train], Y[train], lambdas=cv.lambdas, tol=1e-8)
        for i in range(8):
            P = probabilities(path, i, X[held_out])
            assert cv.fold_losses[f, i] == pytest.approx(log_loss(Y[held_out], P), rel=1e-4)
            right = accuracy_score(Y[held_out], P.argmax(axis=1))
            assert cv.fold_accuracies[f, i] == pytest.approx(right)
    assert (cv.fold_gaps <= 1e-8).all()


def test_mean_and_standard_error():
    cv = cross_validate(X, Y, splits=SPLITS, n_lambdas=5)
    np.testing.assert_allclose(cv.loss, cv.fold_losses.mean(axis=0))
    error = cv.fold_losses.std(axis=0, ddof=1) / np.sqrt(3)
    np.testing.assert_allclose(cv.loss_error, error)
    np.testing.assert_allclose(cv.accuracy, cv.fold_accuracies.mean(axis=0))
    assert cv.k == 3
    assert len(cv) == 5


def test_path_is_that_of_all_rows(cv):
    path = fit_path(X, Y, n_lambdas=12, lambda_min_ratio=0.01)
    assert cv.path.fingerprint == path.fingerprint
    np.testing.assert_array_equal(cv.path.coef(7), path.coef(7))


def test_weights_are_repeated_rows():
    weights = np.random.default_rng(0).integers(0, 3, 150)
    rows = np.repeat(np.arange(150), weights)
    place = {f: np.isin(rows, held_out) for f, (_, held_out) in enumerate(SPLITS)}
    repeated = [(np.flatnonzero(~place[f]), np.flatnonzero(place[f])) for f in range(3)]
    one = cross_validate(X, Y, splits=SPLITS, sample_weight=weights, n_lambdas=6, tol=1e-8)
    two = cross_validate(X[rows], Y[rows], splits=repeated, n_lambdas=6, tol=1e-8)
    np.testing.assert_allclose(one.lambdas, two.lambdas)
    np.testing.assert_allclose(one.loss, two.loss, rtol=1e-4)
    np.testing.assert_allclose(one.loss_error, two.loss_error, rtol=1e-2)


def test_folds_are_stratified_seeded_and_disjoint():
    from clearhead.glm.folds import make_folds
    from clearhead.glm.targets import Classes

    classes = Classes((0, 1, 2), ("a", "b", "c"))
    everyone = np.ones(150, bool)

    def make(seed, **given):
        return make_folds(classes, Y, everyone, k=5, groups=None, seed=seed, **given)

    folds = make(0)
    np.testing.assert_array_equal(sum(f.held_out.astype(int) for f in folds), 1)
    shares = np.array([np.bincount(Y[f.held_out], minlength=3) for f in folds])
    assert (np.ptp(shares, axis=0) <= 1).all()
    np.testing.assert_array_equal(folds[0].held_out, make(0)[0].held_out)
    assert (folds[0].held_out != make(1)[0].held_out).any()


@pytest.mark.parametrize("stratified", [True, False])
def test_groups_stay_together(stratified):
    from clearhead.glm.folds import make_folds
    from clearhead.glm.targets import Classes

    groups = np.array([f"patient {i % 30}" for i in range(150)], dtype=object)
    folds = make_folds(
        Classes((0, 1, 2), ("a", "b", "c")), Y if stratified else None, np.ones(150, bool),
        k=5, groups=groups, seed=0,
    )  # fmt: skip
    for fold in folds:
        assert not set(groups[fold.held_out]) & set(groups[fold.train > 0])
    cross_validate(X, Y, k=5, groups=groups, stratified=stratified, n_lambdas=3)


def test_rows_of_weight_zero_are_no_part_of_it():
    weights = np.ones(150)
    weights[100:] = 0
    cv = cross_validate(X, Y, k=3, sample_weight=weights, n_lambdas=4)
    alone = cross_validate(X[:100], Y[:100], k=3, n_lambdas=4)
    np.testing.assert_allclose(cv.loss, alone.loss, rtol=1e-3)


@pytest.mark.parametrize("family", ["gaussian", "multilabel"])
def test_other_families(family):
    targets = X[:, :2] if family == "gaussian" else X[:, :2] > 0
    cv = cross_validate(X, targets, family=family, k=3, n_lambdas=5)
    assert cv.loss[-1] < cv.loss[0]
    if family == "gaussian":
        assert cv.fold_accuracies is None
        with pytest.raises(InputError, match="no accuracy"):
            _ = cv.accuracy
        chosen, best = OneStandardError().index(cv), cv.loss.argmin()
        assert cv.loss[chosen] <= cv.loss[best] + cv.loss_error[best] + 1e-12
        assert chosen <= best


def test_last_point_without_penalty():
    cv = cross_validate(X, Y, k=3, n_lambdas=4, unpenalised=True)
    assert cv.lambdas[-1] == 0
    assert cv.fold_losses.shape == (3, 5)


def test_one_standard_error(cv):
    for by, score, error in (
        ("loss", -cv.loss, cv.loss_error),
        ("accuracy", cv.accuracy, cv.accuracy_error),
    ):
        best = score.argmax()
        allowed = [i for i in range(12) if score[i] >= score[best] - error[best] - 1e-12]
        fewest = min(cv.path.features_per_class[i] for i in allowed)
        chosen = OneStandardError(by).index(cv)
        assert cv.path.features_per_class[chosen] == fewest
        assert chosen in allowed
    layer = cv.select(OneStandardError())
    assert isinstance(layer, DecisionLayer)
    assert layer.certificate.lam == cv.lambdas[OneStandardError().index(cv)]


def test_the_other_rules_read_held_out_accuracy(cv):
    assert cv.accuracy[Best().index(cv)] == cv.accuracy.max()
    assert cv.accuracy[Sparsest(0.05).index(cv)] >= cv.accuracy.max() - 0.05 - 1e-12
    assert cv.select(FeaturesPerClass(3)).features_per_class <= 3


def test_is_resumed(tmp_path):
    full = cross_validate(X, Y, k=3, n_lambdas=5, checkpoint=tmp_path)
    assert {f.name for f in tmp_path.iterdir()} == {"all", "fold-1", "fold-2", "fold-3"}
    for file in (tmp_path / "fold-3").glob("point-0003*"):
        file.unlink()
    events: list[Event] = []
    again = cross_validate(X, Y, k=3, n_lambdas=5, checkpoint=tmp_path, on_event=events.append)
    np.testing.assert_allclose(again.loss, full.loss, rtol=1e-3)
    np.testing.assert_array_equal(again.fold_losses[:2], full.fold_losses[:2])
    assert sum("taken up" in event.message for event in events) == 4


def test_events_count_all_fits():
    events: list[Event] = []
    cross_validate(X, Y, k=3, n_lambdas=5, on_event=events.append)
    assert {event.step for event in events} == {"cross-validate"}
    assert events[0].kind == "start"
    assert events[-1].kind == "end"
    done = [event.done for event in events if event.kind == "progress"]
    assert done == sorted(done)
    assert done[-1] == events[0].total == 20
    assert any("fold 2/3" in event.message for event in events)


def test_shown(cv):
    frame = cv.to_frame()
    assert list(frame.columns) == [
        "lam", "features_per_class", "loss", "loss_error", "accuracy", "accuracy_error",
        "largest_gap",
    ]  # fmt: skip
    assert "4 folds, 12 points" in repr(cv)
    assert "<table" in cv._repr_html_()
    pytest.importorskip("matplotlib")
    axes = cv.plot()
    assert "4 folds" in axes.get_ylabel()
    assert cv.plot(axes) is axes


def rare() -> np.ndarray:
    y = np.where(np.arange(150) < 3, "rare", np.where(Y == 0, "one", "two"))
    return y.astype(object)


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"k": 1}, InputError, ["k must", "2 or more"]),
        ({"k": 2.5}, InputError, ["whole number", "2.5"]),
        ({"k": 200}, InputError, ["200", "150"]),
        ({"y": rare(), "k": 5}, DataError, ["'rare'", "3 row(s)", "k=5", "stratified=False"]),
        ({"groups": np.zeros(150)}, DataError, ["a single group", "at least 5"]),
        ({"groups": np.arange(150) % 3}, DataError, ["3 groups", "k=5"]),
        ({"groups": np.zeros(149)}, InputError, ["150 in all", "(149,)"]),
        ({"groups": Y, "k": 3}, DataError, ["'0'", "one group only"]),
        ({"splits": [(0, 1)] * 2}, InputError, ["Pair 1", "row indices"]),
        ({"splits": [3, 4]}, InputError, ["pairs", "pair 1 is int"]),
        ({"splits": SPLITS[:1]}, InputError, ["1 pair(s)", "two or more"]),
        ({"splits": [([0, 1], [1, 2])] * 2}, InputError, ["Row 1", "pair 1"]),
        ({"splits": [([0, 1], [150])] * 2}, InputError, ["row 150", "0 to 149"]),
        ({"splits": [([0, 1], [])] * 2}, InputError, ["Pair 1", "empty part"]),
        ({"splits": [(np.flatnonzero(Y), np.flatnonzero(Y == 0))] * 2}, DataError,
         ["'0'", "fold 1 of 2", "held out"]),
        ({"splits": SPLITS, "groups": Y}, InputError, ["groups or splits"]),
        ({"tol": 0.0}, InputError, ["tol"]),
    ],
)  # fmt: skip
def test_bad_input(arguments, kind, words):
    given = {"y": Y, "n_lambdas": 3, **arguments}
    with pytest.raises(kind) as error:
        cross_validate(X, given.pop("y"), **given)
    assert all(word in str(error.value) for word in words), str(error.value)
