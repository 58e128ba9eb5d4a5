"""The layer as a whole: planted duplicates, planted signal, and oracles that take longer."""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from clearhead.errors import InputError, SchemaVersionError
from clearhead.events import Event
from clearhead.glm import fit_path
from clearhead.layer import (
    Certificate,
    DecisionLayer,
    LayerAnalysis,
    analyze,
    class_similarity,
    find_duplicates,
    shared_features,
)
from clearhead.layer.again import LayerProblem
from clearhead.layer.stability import bootstrap_counts, strata

UNIQUE, TWIN, OTHER, THIRD, COPY = 0, 1, 4, 2, 3
N, HELD, P = 600, 300, 10
"""Feature 0 alone tells class 0, 1 (and its copy 4) class 1, 2 class 2; 3 is -2 x feature 2."""

Split = tuple[np.ndarray, np.ndarray]


def planted(seed: int, n: int) -> Split:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, P))
    X[:, OTHER] = X[:, TWIN]
    X[:, COPY] = -2 * X[:, THIRD] + 7
    score = X[:, [UNIQUE, TWIN, THIRD]] * [3.0, 3.0, 1.0] + rng.gumbel(size=(n, 3))
    return X, score.argmax(axis=1)


@pytest.fixture(scope="module")
def train() -> Split:
    return planted(0, N)


@pytest.fixture(scope="module")
def held() -> Split:
    return planted(1, HELD)


def point(train: Split, lam: float = 0.02, **options: Any) -> DecisionLayer:
    return DecisionLayer.from_path(fit_path(*train, lambdas=[lam], **options), 0)


@pytest.fixture(scope="module")
def layer(train: Split) -> DecisionLayer:
    return point(train)


@pytest.fixture(scope="module")
def dense(train: Split) -> DecisionLayer:
    return point(train, 1e-3, l1_ratio=0.0)


@pytest.fixture(scope="module")
def found(layer: DecisionLayer, dense: DecisionLayer, train: Split, held: Split) -> LayerAnalysis:
    return analyze(layer, dense, train, held, n_resamples=12)


def test_two_equal_columns_are_duplicates_and_stand_in_for_each_other(
    found: LayerAnalysis, train: Split
) -> None:
    pairs = {(t.feature, t.other): t for t in found.duplicates.pairs}
    # l1_ratio < 1 shares weight between equal columns: both are in use.
    assert pairs[TWIN, OTHER].correlation == pytest.approx(1.0)
    assert pairs[TWIN, OTHER].other_used
    assert pairs[THIRD, COPY].correlation == pytest.approx(-1.0)
    assert len(pairs) == 2
    items = {item.feature: item for item in found.substitutes.items}
    twin = items[TWIN]
    assert abs(twin.drop) < 0.004
    assert twin.substitutable
    assert twin.replacements[0].feature == OTHER
    assert twin.replacements[0].correlation == pytest.approx(1.0)
    assert twin.replacements[0].after > 1.5 * twin.replacements[0].before
    assert "4 takes its place" in twin.describe()
    assert items[THIRD].replacements[0].feature == COPY
    assert items[THIRD].replacements[0].correlation == pytest.approx(-1.0)


def test_what_only_one_feature_tells_cannot_be_replaced(found: LayerAnalysis, held: Split) -> None:
    item = found.substitutes.irreplaceable[0]
    assert item.feature == UNIQUE
    assert item.drop > 0.15
    assert item.drop == pytest.approx((item.lost - item.won) / HELD)
    assert item.loss_increase > 0.1
    assert item.gap <= 1e-4
    assert found.stability.of(UNIQUE)[0] == 1.0
    assert f"Feature {UNIQUE}" in " ".join(found.substitutes.describe())


def test_zeroing_a_twin_costs_what_solving_again_wins_back(train: Split, held: Split) -> None:
    """With the lasso's penalty one of two nearly equal columns is in; without it, the other."""
    X, y = train[0].copy(), train[1]
    X[:, OTHER] += 0.02 * np.random.default_rng(5).standard_normal(N)
    layer = point((X, y), l1_ratio=1.0)
    result = analyze(layer, layer, (X, y), held, n_resamples=2)
    item = next(i for i in result.substitutes.items if i.feature == TWIN)
    assert item.accuracy - item.zeroed > 0.1
    assert item.drop < 0.02
    assert item.replacements[0].feature == OTHER


def test_noise_features_are_unstable_and_signal_is_not(train: Split, held: Split) -> None:
    weak = point(train, 0.012)
    noise = [j for j in weak.used if j > OTHER]
    assert noise, "the planted layer must use noise, or there is nothing to measure"
    result = analyze(weak, weak, train, held, n_resamples=20, n_tried=0)
    stability = result.stability
    signal = [stability.of(j).max() for j in (UNIQUE, TWIN)]
    assert min(signal) == 1.0
    chosen = weak.weight != 0
    of_noise = [stability.of(j)[chosen[:, j]].mean() for j in noise]
    assert np.mean(of_noise) < 0.85
    assert 0.2 < stability.jaccard_layer <= 1.0
    assert result.substitutes.items == ()
    assert "No feature was left out" in result.substitutes.describe()[0]


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("lam", [0.02, 0.005])
def test_solving_without_is_a_fresh_fit_without_the_column(
    train: Split, lam: float, grouped: bool
) -> None:
    X, y = train
    layer = point(train, lam, grouped=grouped, tol=1e-8)
    problem = LayerProblem(layer, X, y, grouped=grouped, tol=1e-8)
    for feature in (UNIQUE, THIRD):
        solved = problem.without([feature])
        rest = np.delete(np.arange(P), feature)
        fresh = point((X[:, rest], y), lam, grouped=grouped, tol=1e-8)
        assert solved.certificate.status == "optimal"
        assert (solved.weight[:, feature] == 0).all()
        np.testing.assert_allclose(solved.weight[:, rest], fresh.weight, atol=2e-4)
        # Softmax leaves a shift of all intercepts free.
        np.testing.assert_allclose(
            solved.bias - solved.bias.mean(), fresh.bias - fresh.bias.mean(), atol=2e-4
        )


def test_a_resample_is_a_fresh_fit_to_repeated_rows(train: Split) -> None:
    X, y = train
    rng = np.random.default_rng(3)
    counts = bootstrap_counts(strata(y, multilabel=False), rng)
    assert (np.bincount(y, counts) == np.bincount(y)).all()
    assert counts.max() > 1
    problem = LayerProblem(point(train, tol=1e-8), X, y, tol=1e-8)
    solved, repeated = problem.resampled(counts), np.repeat(np.arange(N), counts)
    fresh = point((X[repeated], y[repeated]), tol=1e-8)
    np.testing.assert_allclose(solved.center, fresh.center, atol=1e-12)
    np.testing.assert_allclose(solved.weight, fresh.weight, atol=2e-4)


def test_stability_by_hand(layer: DecisionLayer, train: Split, held: Split) -> None:
    X, y = train
    result = analyze(layer, layer, train, held, n_resamples=3, n_tried=0, seed=7).stability
    problem, rng = LayerProblem(layer, X, y), np.random.default_rng(7)
    layers = [problem.resampled(bootstrap_counts(y, rng)) for _ in range(3)]
    for i, feature in enumerate(result.features):
        for c in range(3):
            share = np.mean([found.weight[c, feature] != 0 for found in layers])
            assert result.frequency[c, i] == pytest.approx(share)
    sets = [set(found.used.tolist()) for found in layers]
    expected = np.mean([len(a & b) / len(a | b) for a, b in combinations(sets, 2)])
    assert result.jaccard_layer == pytest.approx(expected)
    assert result.accuracies == tuple((f.predict(held[0]) == held[1]).mean() for f in layers)
    for new in result.newcomers:
        assert layer.weight[new.class_index, new.feature] == 0
        assert new.frequency >= 0.5


def test_the_same_seed_gives_the_same_and_events_tell_progress(
    layer: DecisionLayer, dense: DecisionLayer, train: Split, held: Split
) -> None:
    events: list[Event] = []
    options: dict[str, Any] = {"n_resamples": 3, "n_tried": 2}
    first = analyze(layer, dense, train, held, **options, on_event=events.append)
    second = analyze(layer, dense, train, held, **options)
    assert first.to_dict() == second.to_dict()
    assert first.to_dict() != analyze(layer, dense, train, held, **options, seed=1).to_dict()
    assert [(e.done, e.total) for e in events if e.unit == "features"] == [(0, 2), (1, 2), (2, 2)]
    assert [e.done for e in events if e.unit == "resamples"] == [0, 1, 2, 3]
    assert events[-1].kind == "end"
    assert first.substitutes.n_tried == 2
    assert "Of 2 of" in first.substitutes.describe()[0]


def made_by_hand(weight: Any, family: str = "multinomial") -> DecisionLayer:
    weight = np.asarray(weight, dtype=float)
    K, p = weight.shape
    return DecisionLayer(
        weight=weight,
        bias=np.zeros(K),
        center=np.zeros(p),
        scale=np.ones(p),
        dead=np.zeros(p, dtype=bool),
        class_names=tuple("abcd"[:K]),
        certificate=Certificate(family, 0.1, 0.99, 1e-5, 1e-4, "optimal"),
    )


def test_sharing_and_similarity_of_a_layer_made_by_hand() -> None:
    layer = made_by_hand([[1, 2, 0, 0], [1, -2, 0, 3], [0, 0, 0, 4]])
    sharing = shared_features(layer)
    assert sharing.features.tolist() == [0, 1, 3]
    assert sharing.n_classes_using.tolist() == [2, 2, 2]
    assert sharing.shared.tolist() == [[2, 2, 0], [2, 3, 1], [0, 1, 1]]
    assert sharing.opposed.tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]
    assert not sharing.mirrored
    assert sharing.most_shared(1) == [0]
    assert "Feature 1 is used by 2 classes: for a; against b." in sharing.describe()
    row = sharing.to_frame().set_index("feature").loc[1]
    assert (row["for"], row["against"]) == ("a", "b")
    similarity = class_similarity(layer)
    cosine = (1 - 4) / np.sqrt(5 * 14)
    assert similarity.cosine[0, 1] == pytest.approx(cosine)
    assert similarity.cosine[0, 0] == pytest.approx(1.0)
    assert similarity.nearest(2) == (1, pytest.approx(3 / np.sqrt(14)))
    assert similarity.to_frame().iloc[0].tolist()[:2] == ["b", "c"]
    assert "b and c (+0.80)" in similarity.describe()[0]


def test_a_class_without_weights_is_like_none() -> None:
    similarity = class_similarity(made_by_hand([[1, 0], [0, 0], [2, 0]]))
    assert similarity.cosine.tolist() == [[1, 0, 1], [0, 0, 0], [1, 0, 1]]
    assert shared_features(made_by_hand(np.zeros((3, 2)))).describe()[0].startswith("0 of 0")


def test_correlations_are_numpys_and_constants_have_none() -> None:
    X = np.random.default_rng(0).standard_normal((9000, 5)) @ np.diag([1, 2, 3, 4, 0.0])
    X[:, 1] += X[:, 0]
    layer = made_by_hand([[1, 0, 1, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 0]])
    result = find_duplicates(layer, X, threshold=0.4)
    nearest = {twin.feature: twin for twin in result.nearest}
    assert nearest[0].other == 1
    assert nearest[0].correlation == pytest.approx(np.corrcoef(X[:, 0], X[:, 1])[0, 1])
    assert [(t.feature, t.other) for t in result.pairs] == [(0, 1)]
    strict = find_duplicates(layer, X, threshold=0.99)
    assert strict.pairs == ()
    assert "No feature in use has a duplicate" in strict.describe()[0]
    with pytest.raises(InputError, match=r"threshold.*\(0, 1\]"):
        find_duplicates(layer, X, threshold=0)


def test_the_references_table(
    found: LayerAnalysis, layer: DecisionLayer, dense: DecisionLayer, held: Split
) -> None:
    table = found.table((1, 5)).set_index(["k", "layer"])
    for (k, name), row in table.iterrows():
        cut = {"sparse": layer, "dense": dense}[name]
        X, y = held
        assert row["all"] == (cut.predict(X) == y).mean()
        assert row["top"] == (cut.keep_top(k).predict(X) == y).mean()
        assert row["rest"] == (cut.drop_top(k).predict(X) == y).mean()
    assert len(found.table()) == 4
    with pytest.raises(InputError, match="not at 4"):
        found.table((4,))


def test_json_gives_the_same_analysis(found: LayerAnalysis, layer: DecisionLayer) -> None:
    again = LayerAnalysis.from_dict(json.loads(json.dumps(found.to_dict(), allow_nan=False)))
    assert again.to_dict() == found.to_dict()
    assert again.describe() == found.describe()
    assert again.to_frame().equals(found.to_frame())
    assert again.fingerprints["sparse"] == layer.fingerprint != layer.without([0]).fingerprint
    with pytest.raises(SchemaVersionError, match="Upgrade"):
        LayerAnalysis.from_dict({**found.to_dict(), "schema_version": 99})


def test_every_part_is_drawn_and_shown(found: LayerAnalysis) -> None:
    parts = [found, found.sparse, found.sharing, found.similarity, found.duplicates]
    for part in [*parts, found.substitutes, found.stability]:
        assert part.plot().has_data()
        html = part._repr_html_()
        assert "<table" in html
        assert html.startswith("<p>")
        assert len(part.to_frame())
    assert set(found.to_frame()["feature"]) == set(found.sharing.features)


def test_two_classes_are_one_vector(train: Split, held: Split) -> None:
    (X, y), (A, b) = train, held
    pair = (X[y < 2], y[y < 2]), (A[b < 2], b[b < 2])
    layer = point(pair[0], 0.03, class_names=["bad", "good"])
    result = analyze(layer, layer, *pair, n_resamples=4)
    assert result.sharing.mirrored
    said = " ".join(result.describe())
    assert "One weight vector tells bad and good apart" in said
    assert "as much against the other" in said
    assert result.similarity.cosine[0, 1] == pytest.approx(-1.0)
    assert (result.stability.frequency[0] == result.stability.frequency[1]).all()
    assert f"Of {len(layer.used)} choices" in said
    # The oracle, through the mirrored rows.
    factors = np.ones(P)
    factors[UNIQUE] = np.inf
    solved = LayerProblem(layer, *pair[0]).without([UNIQUE])
    fresh = point(pair[0], 0.03, penalty_factor=factors)
    np.testing.assert_allclose(solved.weight, fresh.weight, atol=3e-3)


def test_independent_labels_are_analyzed_too() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 5))
    y = (X[:, :3] + 0.5 * rng.standard_normal((400, 3)) > 0.5).astype(np.int64)
    layer = point((X[:300], y[:300]), 0.02, family="multilabel")
    result = analyze(layer, layer, (X[:300], y[:300]), (X[300:], y[300:]), n_resamples=3)
    assert result.stability.of(1)[1] == 1.0
    assert {item.feature for item in result.substitutes.irreplaceable} >= {0, 1, 2}
    assert not result.sharing.mirrored
    assert len(set(strata(y, multilabel=True))) == len(np.unique(y, axis=0))


def test_a_layer_fitted_to_probabilities_with_weights_and_bans(held: Split) -> None:
    X, y = planted(0, N)
    soft = np.full((N, 3), 0.05)
    soft[np.arange(N), y] = 0.9
    factors, weight = np.ones(P), np.where(y == 0, 2.0, 1.0)
    factors[TWIN] = np.inf
    given: dict[str, Any] = {"penalty_factor": factors, "sample_weight": weight}
    layer = point((X, soft), family="multinomial", **given)
    result = analyze(layer, layer, (X, soft), held, n_resamples=2, n_tried=2, **given)
    assert TWIN not in result.sharing.features
    assert result.stability.of(OTHER).max() == 1.0
    assert TWIN not in {new.feature for new in result.stability.newcomers}
    with pytest.raises(InputError, match="not the optimum on these rows"):
        analyze(layer, layer, (X, soft), held, n_resamples=2)


def test_what_cannot_be_analyzed_is_said(
    layer: DecisionLayer, dense: DecisionLayer, train: Split, held: Split
) -> None:
    with pytest.raises(InputError, match=r"'edited'.*as it was selected"):
        analyze(layer.without([0]), dense, train, held)
    other = planted(2, N)
    with pytest.raises(InputError, match=r"not the optimum on these rows \(its gap is"):
        analyze(layer, dense, other, held)
    with pytest.raises(InputError, match="10 features that the layer was fitted on, got 9"):
        analyze(layer, dense, (train[0][:, 1:], train[1]), held)
    with pytest.raises(InputError, match="n_resamples"):
        analyze(layer, dense, train, held, n_resamples=1, n_tried=0)
    with pytest.raises(InputError, match="n_tried"):
        analyze(layer, dense, train, held, n_tried=-1)
    with pytest.raises(InputError, match="ks"):
        analyze(layer, dense, train, held, ks=(0, 1))
    with pytest.raises(InputError, match="Analyze a sparse layer"):
        analyze(dense, dense, train, held)


def test_features_taken_as_they_are(train: Split, held: Split) -> None:
    """A layer without standardisation: the bound that keeps a feature out knows its size."""
    X, y = train[0] * 5.0, train[1]
    layer = point((X, y), 0.1, standardize=False, tol=1e-8)
    solved = LayerProblem(layer, X, y, tol=1e-8).without([UNIQUE])
    rest = np.delete(np.arange(P), UNIQUE)
    fresh = point((X[:, rest], y), 0.1, standardize=False, tol=1e-8)
    assert (solved.weight[:, UNIQUE] == 0).all()
    np.testing.assert_allclose(solved.weight[:, rest], fresh.weight, atol=2e-4)
