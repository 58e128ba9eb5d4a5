"""Two models side by side: the matching against every permutation, the rest by hand."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from clearhead.debug import Effect, Finding
from clearhead.debug.comparison.compare import Compared, compare
from clearhead.debug.comparison.matching import correlate, match
from clearhead.errors import InputError
from clearhead.layer import Certificate, DecisionLayer

CERTIFICATE = Certificate("multinomial", 0.01, 0.99, 1e-5, 1e-3, "optimal")
NAMES = ("cat", "dog", "owl")
HOSTILE = "<script>alert(1)</script>"


def make_layer(weight: np.ndarray, names: tuple[str, ...] = NAMES) -> DecisionLayer:
    p = weight.shape[1]
    return DecisionLayer(
        weight=weight.astype(float),
        bias=np.zeros(len(weight)),
        center=np.zeros(p),
        scale=np.ones(p),
        dead=np.zeros(p, dtype=bool),
        class_names=names,
        certificate=CERTIFICATE,
    )


def model(name: str, X: np.ndarray, y: np.ndarray, weight: np.ndarray, **given: Any) -> Compared:
    n = len(y)
    values: dict[str, Any] = {
        "layer": make_layer(weight),
        "ids": np.array([f"e{i}" for i in range(n)], dtype=object),
        "split": np.where(np.arange(n) % 2, "test", "train").astype(object),
        "network": {"weights": name},
        "metadata": pd.DataFrame({"half": np.where(np.arange(n) < n // 2, "first", "second")}),
    }
    values |= given
    return Compared(
        name=name, labels=y, features=lambda rows, columns: X[rows][:, columns], **values
    )


def data(seed: int = 0, n: int = 400, p: int = 6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(3, size=n)
    X = rng.normal(size=(n, p))
    X[np.arange(n), y] += 2.0
    return X.astype(np.float32), y


WEIGHT = np.eye(3, 6)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(1, 5), st.booleans())
def test_the_matching_is_the_best_of_all_permutations(
    seed: int, u: int, v: int, signed: bool
) -> None:
    r = np.random.default_rng(seed).uniform(-1, 1, (u, v))
    found = match(r, signed=signed)
    assert len(found.rows) == len(set(found.rows)) == len(set(found.columns)) == min(u, v)
    score = r if signed else np.abs(r)
    turned = score if u <= v else score.T
    best = max(
        sum(turned[i, j] for i, j in enumerate(columns))
        for columns in itertools.permutations(range(turned.shape[1]), turned.shape[0])
    )
    assert score[found.rows, found.columns].sum() == pytest.approx(best)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(3, 40), st.integers(1, 9))
def test_blocks_add_up_to_the_correlation_of_numpy(seed: int, n: int, block: int) -> None:
    rng = np.random.default_rng(seed)
    X, Y = rng.normal(size=(n, 3)) * 1e3 + 1e4, rng.normal(size=(n, 2))
    Y[:, 0] += X[:, 1]
    expected = np.corrcoef(X.T, Y.T)[:3, 3:]
    np.testing.assert_allclose(correlate(X, Y, block_rows=block), expected, atol=1e-9)


def test_a_constant_feature_correlates_with_nothing() -> None:
    X = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    X[:, 1] = 0.1
    r = correlate(X, X)
    assert r[0, 0] == pytest.approx(1.0)
    assert r[0, 1] == r[1, 0] == r[1, 1] == 0.0
    with pytest.raises(InputError, match="same examples as rows"):
        correlate(X, X[:-1])


def test_permuted_and_mirrored_features_are_found_again() -> None:
    X, y = data()
    rng = np.random.default_rng(1)
    order = rng.permutation(6)
    mirrored = -X[:, order] + 0.1 * rng.normal(size=X.shape)
    weight = np.zeros((3, 6))
    weight[:, np.argsort(order)] = -WEIGHT
    a = model("a", X, y, WEIGHT, names={0: HOSTILE})
    b = model("b", mirrored, y, weight)
    found = compare(a, b)
    assert not found.same_network
    assert {(m.feature_a, m.feature_b) for m in found.matches} == {
        (j, int(np.argsort(order)[j])) for j in range(3)
    }
    assert all(m.correlation < -0.95 and not m.identical for m in found.matches)
    assert found.only == ()
    assert found.matches[0].weights_a == (("cat", 1.0),)
    signed = compare(a, b, signed=True)
    assert signed.matches == ()
    assert len(signed.only_in("a")) == len(signed.only_in("b")) == 3


def test_features_of_one_network_are_recognised_whatever_correlates_more() -> None:
    X, y = data()
    X[:, 3] = X[:, 0]  # twins: the assignment alone could cross them
    X[:, 4] = 0.0
    weight_a, weight_b = np.zeros((3, 6)), np.zeros((3, 6))
    weight_a[0, [0, 3, 4]] = 1.0
    weight_b[0, [3, 0, 4]] = 1.0
    weight_a[1, 1] = weight_b[2, 5] = 0.5
    network = {"weights": "same"}
    found = compare(
        model("a", X, y, weight_a, network=network), model("b", X, y, weight_b, network=network)
    )
    assert {(m.feature_a, m.feature_b) for m in found.matches} == {(0, 0), (3, 3), (4, 4)}
    assert all(m.identical and m.correlation == 1.0 for m in found.matches)
    assert [(o.model, o.feature, o.weights) for o in found.only] == [
        ("a", 1, (("dog", 0.5),)),
        ("b", 5, (("owl", 0.5),)),
    ]
    assert abs(found.only[0].correlation) < 0.5


def test_accuracies_are_paired_on_the_common_test_examples() -> None:
    X, y = data(n=401)
    worse = WEIGHT.copy()
    worse[2] = 0.0
    a, b = model("a", X, y, WEIGHT), model("b", X, y, worse, network={"weights": "a"})
    drop = np.arange(len(y)) != 7  # a test example that only one has
    b = replace(b, ids=np.where(drop, b.ids, "other"))
    found = compare(a, b)
    rows = np.flatnonzero((np.arange(len(y)) % 2 == 1) & drop)
    before = (X[rows][:, :6] @ WEIGHT.T).argmax(axis=1)
    after = (X[rows][:, :6] @ worse.T).argmax(axis=1)
    right = before == y[rows], after == y[rows]
    assert found.n_test == len(rows) == 199
    overall = found.accuracies[0]
    assert overall.a.value == right[0].mean()
    assert overall.difference == pytest.approx(right[1].mean() - right[0].mean())
    assert overall.low <= overall.difference <= overall.high
    b_only, a_only = int((right[1] & ~right[0]).sum()), int((right[0] & ~right[1]).sum())
    expected = stats.binomtest(b_only, b_only + a_only, 0.5).pvalue
    assert overall.p_value == pytest.approx(expected)
    assert overall.sure
    named = {row.name: row for row in found.accuracies}
    assert set(named) == {"overall", *NAMES, "half = first", "half = second"}
    assert named["owl"].b.value < 0.5 < named["owl"].a.value
    assert named["half = first"].a.n + named["half = second"].a.n == 199
    assert [one.id for one in found.changed] == [f"e{i}" for i in rows[before != after]]
    outcomes = [one.outcome for one in found.changed]
    assert outcomes.count("mended") == b_only
    assert outcomes.count("broken") == a_only


def test_a_model_beside_itself_differs_in_nothing() -> None:
    X, y = data()
    one = model("one", X, y, WEIGHT, findings=[finding("hub", (1,), (0,), "feature 1")])
    found = compare(one, one)
    assert found.same_network
    assert all(m.identical for m in found.matches)
    assert found.changed == found.only == ()
    assert {row.difference for row in found.accuracies} == {0.0}
    assert not any(row.sure for row in found.accuracies)
    assert [one.status for one in found.findings] == ["stayed"]


def test_classes_in_another_order_are_put_in_order() -> None:
    X, y = data()
    order = [2, 0, 1]
    place = np.argsort(order)
    b = model("b", X, place[y], WEIGHT[order])
    b = replace(
        b,
        layer=make_layer(WEIGHT[order], tuple(NAMES[c] for c in order)),
        findings=[finding("slice", (), (int(place[1]),), "x = 1")],
    )
    a = model("a", X, y, WEIGHT, findings=[finding("slice", (), (1,), "x = 1")])
    found = compare(a, b)
    assert found.changed == ()
    assert found.notes == ()
    assert [one.status for one in found.findings] == ["stayed"]


def finding(
    kind: Any, features: tuple[int, ...], classes: tuple[int, ...], where: str, sure: bool = True
) -> Finding:
    effect = Effect("accuracy", 0.1, 0.05, 0.15, 100)
    title = f"{HOSTILE} {kind} {where}"
    return Finding(
        kind=kind,
        title=title,
        suspicion="s",
        where=where,
        evidence="e",
        effect=effect,
        p_value=0.01,
        mend="m",
        features=features,
        classes=classes,
        confirmed=sure,
    )


def test_findings_of_another_network_are_followed_by_their_features_not_by_their_numbers() -> None:
    X, y = data()
    swapped = X[:, [1, 0, 2, 3, 4, 5]]
    before = [
        finding("hub", (0,), (), "feature 0"),
        finding("slice", (), (), "cell type = poly crystalline"),
        finding("slice", (), (), "year = 2004"),
    ]
    after = [
        finding("hub", (0,), (), "feature 0"),
        finding("slice", (), (), "cell type = poly-crystalline", sure=False),
        finding("leaning", (), (), "year = 2004"),
    ]
    a = model("a", X, y, WEIGHT, findings=before)
    b = model("b", swapped, y, WEIGHT[:, [1, 0, 2, 3, 4, 5]], findings=after)
    found = compare(a, b)
    said = {(one.status, one.title) for one in found.findings}
    assert said == {
        ("went", before[0].title),  # the other network's feature 0 is our feature 1
        ("came", after[0].title),
        ("stayed", after[1].title),
        ("went", before[2].title),
        ("came", after[2].title),
    }
    after[0] = finding("hub", (1,), (), "feature 1")
    moved = compare(a, replace(b, findings=after))
    assert ("stayed", after[0].title) in {(one.status, one.title) for one in moved.findings}
    unseen = compare(a, replace(b, findings=None))
    assert unseen.findings == ()
    assert "there are none of b" in unseen.notes[0]


def test_what_is_shown_is_whole_and_harmless() -> None:
    X, y = data()
    a = model("a", X, y, WEIGHT, names={0: HOSTILE}, findings=[finding("hub", (0,), (), "x")])
    weight = WEIGHT.copy()
    weight[0] = 0.0
    weight[1, 5] = 1.0
    found = compare(a, model(HOSTILE, X, y, weight, findings=[]))
    value = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert value["only"][0]["feature"] == 0
    assert value["changed"][0]["outcome"] in ("mended", "broken", "other mistake")
    assert len(found.to_frame()) == len(found.accuracies)
    for table in ("matches", "only", "predictions", "findings"):
        assert len(found.to_frame(table)) > 0  # type: ignore[arg-type]
    with pytest.raises(InputError, match="table: expected"):
        found.to_frame("weights")  # type: ignore[arg-type]
    assert "only in a (a): 1" in str(found)
    assert "went:" in str(found)
    assert "<script>" not in found._repr_html_()
    pytest.importorskip("matplotlib").use("agg")
    assert HOSTILE in found.plot().get_xlabel()


def test_what_cannot_be_compared_is_refused() -> None:
    X, y = data()
    a = model("a", X, y, WEIGHT)
    other = make_layer(WEIGHT, ("cat", "dog", "cow"))
    with pytest.raises(InputError, match=r"only a has 'owl'; only b has 'cow'"):
        compare(a, replace(model("b", X, y, WEIGHT), layer=other))
    far = model("b", X, y, WEIGHT, ids=np.array([f"f{i}" for i in range(len(y))], dtype=object))
    with pytest.raises(InputError, match="no example in common"):
        compare(a, far)
    shuffled = np.random.default_rng(0).permutation(y)
    with pytest.raises(InputError, match="equal ids name different examples"):
        compare(a, model("b", X, shuffled, WEIGHT))
    mended = y.copy()
    mended[:3] = (mended[:3] + 1) % 3
    assert "3 of 400" in compare(a, model("b", X, mended, WEIGHT)).notes[0]
    tested = np.full(len(y), "test", dtype=object)
    with pytest.raises(InputError, match="of test in neither"):
        compare(a, model("b", X, y, WEIGHT, split=tested))
    with pytest.raises(InputError, match="min_correlation"):
        compare(a, a, min_correlation=1.5)


def test_a_layer_without_features_has_nothing_to_match() -> None:
    X, y = data()
    found = compare(model("a", X, y, WEIGHT), model("b", X, y, np.zeros((3, 6))))
    assert found.matches == ()
    assert [one.nearest for one in found.only] == [None] * 3
    assert "nothing to compare" in str(found)
