"""Each check finds a fault that was planted, says how large it is, and is quiet without it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from clearhead.debug import SplitView, bin_metadata, find, measure_slices, share_mended_by_one
from clearhead.debug.layer.given_up import find_given_up
from clearhead.debug.layer.hubs import find_hubs
from clearhead.debug.layer.leaning import find_leaning
from clearhead.debug.mistakes.errors import find_blame
from clearhead.debug.slices.weak import find_slices
from clearhead.layer import Certificate, DecisionLayer

CERTIFICATE = Certificate("multinomial", 0.01, 0.99, 1e-5, 1e-3, "optimal")


def make_layer(weight: np.ndarray, names: tuple[str, ...]) -> DecisionLayer:
    p = weight.shape[1]
    return DecisionLayer(
        weight=weight,
        bias=np.zeros(weight.shape[0]),
        center=np.zeros(p),
        scale=np.ones(p),
        dead=np.zeros(p, dtype=bool),
        class_names=names,
        certificate=CERTIFICATE,
    )


def make_view(
    layer: DecisionLayer, X: np.ndarray, y: np.ndarray, metadata: pd.DataFrame | None = None
) -> SplitView:
    ids = np.array([f"e{i}" for i in range(len(y))], dtype=object)
    frame = pd.DataFrame(index=range(len(y))) if metadata is None else metadata
    dense = make_layer(BALANCED_OF[X.shape[1]], layer.class_names)
    return SplitView.of(layer, dense, X, y, ids=ids, metadata=frame)


def draw(seed: int, n: int = 400, k: int = 3, p: int = 9) -> tuple[np.ndarray, np.ndarray]:
    """Classes that are each carried by three features of their own."""
    rng = np.random.default_rng(seed)
    y = rng.integers(k, size=n)
    X = rng.normal(size=(n, p))
    for c in range(k):
        X[y == c, 3 * c : 3 * c + 3] += 2.0
    return X, y


BALANCED = np.kron(np.eye(3), np.ones(3))
NAMES = ("cat", "dog", "owl")
BALANCED_OF = {
    6: BALANCED[:, :6],
    9: BALANCED,
    10: np.hstack([BALANCED, np.zeros((3, 1))]),
}


def test_clean_layer_gives_no_confirmed_finding() -> None:
    layer = make_layer(BALANCED, NAMES)
    cell = pd.DataFrame({"cell": np.tile(["mono", "poly"], 200)})
    views = [make_view(layer, *draw(seed), cell) for seed in (1, 2)]
    assert [f for f in find(*views).findings if f.confirmed] == []


def test_leaning_class_is_found_with_its_loss() -> None:
    weight = BALANCED.copy()
    weight[0, :3] = [3.0, 0.1, 0.1]
    layer = make_layer(weight, NAMES)
    X, y = draw(2)
    test = make_view(layer, X, y)
    findings = list(find_leaning(make_view(layer, *draw(1)), test))
    assert [f.classes for f in findings] == [(0,)]
    finding = findings[0]
    assert finding.features == (0,)
    off = X.copy()
    off[:, 0] = 0.0  # switching off = the mean of a standardised feature
    recall = (layer.predict(X)[y == 0] == 0).mean()
    assert finding.effect.value == pytest.approx(recall - (layer.predict(off)[y == 0] == 0).mean())
    assert finding.effect.low > 0
    assert finding.p_value < 0.001
    assert "cat leans" in finding.title


def test_hub_is_found_with_the_share_of_changed_predictions() -> None:
    weight = np.hstack([BALANCED, np.array([[4.0], [-4.0], [4.0]])])
    layer = make_layer(weight, NAMES)

    def view(seed: int) -> SplitView:
        X, y = draw(seed, p=10)
        return make_view(layer, X, y)

    test = view(2)
    findings = list(find_hubs(view(1), test))
    assert [f.features for f in findings] == [(9,)]
    X, _ = draw(2, p=10)
    off = X.copy()
    off[:, 9] = 0.0
    assert findings[0].effect.value == pytest.approx(
        (layer.predict(X) != layer.predict(off)).mean()
    )
    assert "decides 3 of 3 classes" in findings[0].title


def test_blamed_feature_is_found_and_switching_it_off_gains_that_accuracy() -> None:
    # Feature 9 is noise that the layer believes in.
    weight = np.hstack([BALANCED, np.array([[4.0], [0.0], [-4.0]])])
    layer = make_layer(weight, NAMES)
    X, y = draw(2, p=10)
    test = make_view(layer, X, y)
    findings = list(find_blame(make_view(layer, *draw(1, p=10)), test))
    assert findings[0].features == (9,)
    before = (layer.predict(X) == y).mean()
    after = (layer.without([9]).predict(X) == y).mean()
    assert findings[0].effect.value == pytest.approx(after - before)
    assert findings[0].p_value < 1e-6
    mended = share_mended_by_one(test)
    assert mended is not None
    assert mended.value > 0.5


def test_share_mended_by_one_is_the_slow_definition() -> None:
    rng = np.random.default_rng(3)
    layer = make_layer(rng.normal(size=(3, 9)), NAMES)
    X, y = draw(4)
    view = make_view(layer, X, y)
    wrong = np.flatnonzero(layer.predict(X) != y)
    mendable = 0
    for row in wrong:
        for j in range(9):
            x = X[row : row + 1].copy()
            x[0, j] = 0.0
            if layer.predict(x)[0] == y[row]:
                mendable += 1
                break
    share = share_mended_by_one(view)
    assert share is not None
    assert share.value == pytest.approx(mendable / len(wrong))


def test_slice_is_found_with_its_gap() -> None:
    layer = make_layer(BALANCED, NAMES)

    def view(seed: int) -> SplitView:
        X, y = draw(seed, n=600)
        poly = np.random.default_rng(seed).random(600) < 0.4
        X[poly] += np.random.default_rng(seed + 50).normal(scale=3, size=(poly.sum(), 9))
        return make_view(layer, X, y, pd.DataFrame({"cell": np.where(poly, "poly", "mono")}))

    test = view(2)
    findings = list(find_slices(view(1), test))
    assert findings
    assert all("cell is poly" in f.title for f in findings)
    overall = next(f for f in findings if not f.classes)
    poly = (test.metadata["cell"] == "poly").to_numpy()
    assert overall.effect.value == pytest.approx(test.right[~poly].mean() - test.right[poly].mean())
    rows = {s.value: s for s in measure_slices(test)}
    assert rows["poly"].accuracy.value == pytest.approx(test.right[poly].mean())
    assert rows["poly"].accuracy.n == poly.sum()


def test_evidence_shares_are_the_slow_definition() -> None:
    rng = np.random.default_rng(5)
    layer = make_layer(rng.normal(size=(3, 6)), NAMES)
    X, y = rng.normal(size=(50, 6)), rng.integers(3, size=50)
    shares = make_view(layer, X, y).evidence_shares()
    for c in range(3):
        total = np.zeros(6)
        for x in X[y == c]:
            scores = layer.weight @ x
            rival = max((k for k in range(3) if k != c), key=lambda k: scores[k])
            total += np.maximum((layer.weight[c] - layer.weight[rival]) * x, 0)
        assert shares[c] == pytest.approx(total / total.sum())


def test_numeric_metadata_become_quartiles_of_the_training_split() -> None:
    frame = pd.DataFrame({"words": np.arange(100.0), "kind": ["a", "b"] * 50})
    train = np.arange(100) < 80
    binned = bin_metadata(frame, train)
    counts = binned["words"][train].value_counts()
    assert list(counts) == [20, 20, 20, 20]
    assert binned["kind"].tolist() == frame["kind"].tolist()
    assert frame["words"].dtype == float


def test_class_that_sparsity_gave_up_is_found_with_what_it_lost() -> None:
    weight = BALANCED.copy()
    weight[2] = 0.0
    layer = replace(make_layer(weight, NAMES), bias=np.array([0.0, 0.0, -3.0]))
    X, y = draw(2)
    test = make_view(layer, X, y)
    findings = list(find_given_up(make_view(layer, *draw(1)), test))
    assert [f.classes for f in findings] == [(2,)]
    dense = make_layer(BALANCED, NAMES)
    lost = (dense.predict(X)[y == 2] == 2).mean() - (layer.predict(X)[y == 2] == 2).mean()
    assert findings[0].effect.value == pytest.approx(lost)
    assert findings[0].effect.low > 0.5


def test_layer_without_features_is_debugged_without_complaint() -> None:
    layer = make_layer(np.zeros((3, 9)), NAMES)
    findings = find(make_view(layer, *draw(1)), make_view(layer, *draw(2))).findings
    assert {f.kind for f in findings} == {"given_up"}
