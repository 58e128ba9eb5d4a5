"""The index of examples, against sorting everything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import percentileofscore

from clearhead.errors import CorruptFileError, InputError, SchemaVersionError, StepMissingError
from clearhead.events import Event
from clearhead.explain import (
    ClassContributions,
    ExampleIndex,
    FeatureExamples,
    build_index,
    index_examples,
)
from clearhead.features import PrecomputedFeatures, keep_features
from clearhead.glm.rows import ArrayRows
from clearhead.layer import Certificate, DecisionLayer

P, K = 5, 6
ARRAYS = [
    "rows",
    "highest",
    "highest_at",
    "lowest",
    "lowest_at",
    "ranks",
    "table",
    "bars",
    "band_edges",
    "band_values",
    "band_at",
]


class Blocks:
    """Rows in blocks of any sizes."""

    def __init__(self, X: np.ndarray, sizes: list[int]) -> None:
        self.X, self.sizes, self.shape = X, sizes, X.shape

    def blocks(self) -> Iterator[np.ndarray]:
        at, i = 0, 0
        while at < len(self.X):
            size = self.sizes[i % len(self.sizes)]
            yield self.X[at : at + size]
            at, i = at + size, i + 1


def layer_of(p: int = P, dead: tuple[int, ...] = ()) -> DecisionLayer:
    weight = np.zeros((3, p))
    weight[0, :2], weight[1, -1], weight[2] = [1.0, -2.0], 0.5, np.linspace(-1, 1, p)
    weight[:, list(dead)] = 0
    flags = np.zeros(p, dtype=bool)
    flags[list(dead)] = True
    return DecisionLayer(
        weight=weight,
        bias=np.zeros(3),
        center=np.linspace(-0.5, 0.5, p),
        scale=np.where(flags, 0.0, np.linspace(0.5, 2, p)),
        dead=flags,
        class_names=("a", "b", "c"),
        certificate=Certificate("multinomial", 0.1, 0.99, 1e-5, 1e-4, "optimal"),
    )


def features(n: int, seed: int = 0, p: int = P) -> np.ndarray:
    """Normal, a ReLU of it, one of few values, one ascending, one constant."""
    X = np.random.default_rng(seed).normal(size=(n, p)).astype(np.float32)
    X[:, 1] = np.maximum(X[:, 1], 0)
    X[:, 2] = np.round(X[:, 2])
    X[:, 3] = np.arange(n)
    return X


def ids_of(n: int) -> np.ndarray:
    return np.array([f"ex-{i}" for i in range(n)], dtype=object)


def test_both_ends_are_those_of_a_stable_sort() -> None:
    X, layer = features(20_000), layer_of()
    index = build_index(ArrayRows(X), ids_of(len(X)), layer, k=K)
    z = layer.standardize(X)
    for j in range(P):
        found = index.examples(j)
        for pairs, key in ((found.highest, -X[:, j]), (found.lowest, X[:, j])):
            rows = np.argsort(key, kind="stable")[:K]
            assert pairs == tuple((f"ex-{i}", z[i, j]) for i in rows)
        assert index.examples(j, 2).highest == found.highest[:2]
        assert FeatureExamples.from_dict(json.loads(json.dumps(found.to_dict()))) == found
        assert found.edges[0] == found.lowest[0][1]
        assert found.edges[-1] == found.highest[0][1]


@settings(deadline=None, max_examples=40)
@given(
    sizes=st.lists(st.integers(1, 700), min_size=1, max_size=5),
    n=st.integers(1, 3000),
    seed=st.integers(0, 5),
    part=st.sampled_from([0.3, 0.9, 1.0]),
)
def test_the_size_of_blocks_and_rows_that_do_not_count_change_nothing(
    sizes: list[int], n: int, seed: int, part: float
) -> None:
    X, layer = features(n, seed), layer_of()
    keep = np.random.default_rng(seed).random(n) < part
    keep[seed % n] = True
    index = build_index(Blocks(X, sizes), ids_of(n), layer, keep=keep, k=K)
    other = build_index(Blocks(X, [n]), ids_of(n), layer, keep=keep, k=K)
    direct = build_index(ArrayRows(X[keep]), ids_of(n)[keep], layer, k=K)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(index, name), getattr(other, name), err_msg=name)
    np.testing.assert_array_equal(index.highest, direct.highest)
    kept = np.flatnonzero(keep)
    k = min(K, len(kept))
    for j in range(P):
        highest = kept[np.argsort(-X[kept, j], kind="stable")[:k]]
        lowest = kept[np.argsort(X[kept, j], kind="stable")[:k]]
        np.testing.assert_array_equal(index.rows[index.highest_at[j]], highest)
        np.testing.assert_array_equal(index.rows[index.lowest_at[j]], lowest)


def test_values_that_rise_all_the_time_are_found_too() -> None:
    X = np.arange(40_000 * 8, dtype=np.float32).reshape(-1, 8)
    index = build_index(ArrayRows(X), ids_of(len(X)), layer_of(8), k=3)
    assert [i for i, _ in index.examples(7).highest] == ["ex-39999", "ex-39998", "ex-39997"]
    assert [i for i, _ in index.examples(0).lowest] == ["ex-0", "ex-1", "ex-2"]


@pytest.mark.parametrize("n", [1, 2, 300])
def test_percentiles_bars_and_bands_of_few_examples_are_exact(n: int) -> None:
    X, layer = features(n), layer_of()
    index, z = build_index(ArrayRows(X), ids_of(n), layer, k=K), layer.standardize(X)
    for j in range(P):
        for a in (*z[:20, j], -9.0, 0.1, 1e6):
            assert index.percentile(j, a) == pytest.approx(percentileofscore(z[:, j], a, "weak"))
        found = index.examples(j)
        if np.ptp(z[:, j]) > 0:
            counts = np.histogram(X[:, j].astype(np.float64), bins=24)[0]
            assert list(found.counts) == list(counts)
        assert sum(found.counts) == n
        by_id = dict(zip(ids_of(n), z[:, j], strict=True))
        for b, band in enumerate(found.bands):
            low = -np.inf if b == 0 else band.low
            inside = (z[:, j] > low) & (z[:, j] <= band.high)
            assert len(band.examples) == min(4, inside.sum())
            assert list(band.examples) == sorted(band.examples, key=lambda pair: -pair[1])
            for key, activation in band.examples:
                assert by_id[key] == activation
                assert low < activation <= band.high
    assert found.bands[3].label == "37.5–50%"


def test_percentiles_of_many_come_from_a_sample_except_at_the_ends() -> None:
    X, layer = features(60_000), layer_of()
    z = layer.standardize(X)
    index = build_index(ArrayRows(X), ids_of(len(X)), layer, k=K)
    assert index.n_sampled == 8192
    for j in range(P):
        for q in (0.02, 0.3, 0.5, 0.9, 0.99):
            a = float(np.quantile(z[:, j], q))
            true = percentileofscore(z[:, j], a, "weak")
            # five standard errors, and the step of the table
            allowed = 500 * np.sqrt(q * (1 - q) / 8192) + 0.1
            assert abs(index.percentile(j, a) - true) < allowed
        for i in np.argsort(z[:, j])[[0, 3, -4, -1]]:
            true = percentileofscore(z[:, j], z[i, j], "weak")
            if j not in (1, 2):  # ties reach further than k
                assert index.percentile(j, z[i, j]) == pytest.approx(true)
        edges = [band.low for band in index.examples(j).bands[1:]]
        assert np.abs(edges - np.quantile(z[:, j], np.arange(1, 8) / 8)).max() < 0.05 * np.ptp(
            z[:, j]
        )


def test_contributions_are_the_strongest_of_all_features_and_examples() -> None:
    X, layer = features(5000), layer_of()
    index, z = build_index(ArrayRows(X), ids_of(len(X)), layer, k=K), layer.standardize(X)
    for c in range(3):
        every = z * layer.weight[c]
        found = index.contributions(c)
        assert [one.value for one in found.contributions] == pytest.approx(
            np.sort(every[:, layer.weight[c] != 0], axis=None)[::-1][:K]
        )
        for one in found.contributions:
            row = int(one.id.removeprefix("ex-"))
            assert one.value == every[row, one.feature]
            assert one.activation * one.weight == one.value
        assert ClassContributions.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    each = index.contributions(2, per_feature=1)
    assert len({one.feature for one in each.contributions}) == len(each.contributions)
    assert each.plot().get_title() == "c"


def test_a_feature_that_is_constant_on_the_training_split_has_the_first_examples() -> None:
    X = features(100)
    X[:, 4] = 3.0
    X[50:, 4] = 9.0  # and not beyond it
    index = build_index(ArrayRows(X), ids_of(100), layer_of(dead=(4,)), k=2)
    found = index.examples(4)
    assert found.highest == found.lowest == (("ex-0", 0.0), ("ex-1", 0.0))
    assert found.edges[0] == -0.5
    assert sum(found.counts) == 100
    assert index.percentile(4, -0.1) == 0
    assert index.percentile(4, 0.0) == 100
    assert [one.feature for one in index.contributions(1).contributions] == []


def test_the_test_split_of_a_store_is_left_out(tmp_path: Path) -> None:
    X = features(400)
    split = np.random.default_rng(0).choice(["train", "validation", "test"], 400)
    data = PrecomputedFeatures(
        X, labels=["x", "y"] * 200, split=split.tolist(), ids=ids_of(400).tolist()
    )
    store = keep_features(data, data.dataset(), tmp_path / "store", shard_rows=64)
    events: list[Event] = []
    index = index_examples(store, layer_of(), k=K, on_event=events.append)
    seen = split != "test"
    direct = build_index(ArrayRows(X[seen]), ids_of(400)[seen], layer_of(), k=K)
    for j in range(P):
        assert index.examples(j).highest == direct.examples(j).highest
        assert index.examples(j).lowest == direct.examples(j).lowest
        assert index.examples(j).counts == direct.examples(j).counts
    assert index.n == seen.sum()
    assert events[0].kind == "start"
    assert events[-1].done == 400
    with pytest.raises(InputError, match="not one of train"):
        index_examples(store, layer_of(), splits=("dev",))


def test_what_is_saved_is_what_was_there_and_damage_is_seen(tmp_path: Path) -> None:
    X = features(3000)
    ids = np.array([f"é\n{i}" for i in range(3000)], dtype=object)
    index = build_index(ArrayRows(X), ids, layer_of(), k=K)
    index.save(tmp_path / "index")
    again = ExampleIndex.load(tmp_path / "index")
    for j in range(P):
        assert again.examples(j) == index.examples(j)
        assert again.percentile(j, 0.3) == index.percentile(j, 0.3)
    assert again.contributions(2) == index.contributions(2)
    assert repr(again) == "ExampleIndex(5 features of 3,000 examples, 6 at each end, 8 bands)"
    arrays, meta = tmp_path / "index" / "index.safetensors", tmp_path / "index" / "index.json"
    data = bytearray(arrays.read_bytes())
    data[-3] ^= 1
    arrays.write_bytes(data)
    with pytest.raises(CorruptFileError, match=r"index\.safetensors is damaged"):
        ExampleIndex.load(tmp_path / "index")
    meta.write_text(json.dumps({**json.loads(meta.read_text()), "schema_version": 99}))
    with pytest.raises(SchemaVersionError, match="99"):
        ExampleIndex.load(tmp_path / "index")
    for text in ("{}", "[]", "{"):
        meta.write_text(text)
        with pytest.raises(CorruptFileError, match=r"index\.json"):
            ExampleIndex.load(tmp_path / "index")
    with pytest.raises(StepMissingError):
        ExampleIndex.load(tmp_path / "nothing")


def test_wrong_questions_are_told_what_is_there() -> None:
    X, layer = features(50), layer_of()
    index = build_index(ArrayRows(X), ids_of(50), layer, k=K)
    for ask, message in (
        (lambda: index.examples(P), "features count from 0 to 4"),
        (lambda: index.examples(-1), "features count from 0 to 4"),
        (lambda: index.examples(0, K + 1), "holds 6 examples"),
        (lambda: index.contributions(3), "classes count from 0 to 2"),
        (lambda: index.percentile(0, np.nan), "nan"),
        (lambda: build_index(ArrayRows(X[:, :3]), ids_of(50), layer), "expected 5 columns"),
        (lambda: build_index(ArrayRows(X[:0]), ids_of(0), layer), "no example"),
        (lambda: build_index(ArrayRows(X), ids_of(50), layer, n_bands=0), "n_bands"),
    ):
        with pytest.raises(InputError, match=message):
            ask()
    for bad in (np.nan, np.inf, -np.inf):
        X[49, 2] = bad
        with pytest.raises(InputError, match="feature 2 holds NaN or infinite"):
            build_index(ArrayRows(X), ids_of(50), layer)
