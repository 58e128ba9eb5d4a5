"""The search against going through all slices; planted slices that are hard or mislabelled."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearhead.debug import SplitView
from clearhead.debug.slices.search import optimistic, search_slices
from clearhead.debug.slices.weak import find_slices

from .planted import draw, fitted, view_of


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), depth=st.integers(1, 3), most=st.integers(1, 12))
def test_pruned_search_gives_what_going_through_all_gives(seed: int, depth: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    masks = rng.random((8, 60)) < rng.uniform(0.2, 0.8, size=(8, 1))
    groups = np.array([0, 0, 1, 1, 2, 3, 4, 5])
    residual = (rng.random(60) < 0.3) - 0.3
    scores = []
    for size in range(1, depth + 1):
        for chosen in itertools.combinations(range(8), size):
            inside = masks[list(chosen)].all(axis=0)
            parents = [masks[list(p)].all(axis=0) for p in itertools.combinations(chosen, size - 1)]
            same = size > 1 and any(inside.sum() == p.sum() for p in parents)
            if len(set(groups[list(chosen)])) == size and inside.sum() >= 5 and not same:
                scores.append(residual[inside].sum() / np.sqrt(inside.sum()))
    found = search_slices(masks, groups, residual, depth=depth, min_rows=5, most=most)
    expected = sorted((s for s in scores if s > 0), reverse=True)[:most]
    # A slice that its last condition does not shrink is its parent under a longer name.
    ours = [one.score for one in found]
    assert max(ours, default=0.0) == pytest.approx(max(expected, default=0.0))
    for one in found:
        inside = masks[list(one.conditions)].all(axis=0)
        assert one.n == inside.sum() >= 5
        assert one.score == pytest.approx(residual[inside].sum() / np.sqrt(one.n))
        assert len(set(groups[list(one.conditions)])) == len(one.conditions) <= depth
    assert ours == sorted(ours, reverse=True)
    for slow in expected:
        assert len(ours) == most or any(slow == pytest.approx(one) for one in ours)
        assert slow <= ours[-1] + 1e-9 or any(slow == pytest.approx(one) for one in ours)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), least=st.integers(1, 6))
def test_bound_is_above_every_part(seed: int, least: int) -> None:
    rng = np.random.default_rng(seed)
    residual = np.sort(rng.normal(size=9))[::-1]
    inside = rng.random(9) < 0.7
    bound = optimistic(inside[None], residual, least)[0]
    places = np.flatnonzero(inside)
    for size in range(least, len(places) + 1):
        for part in itertools.combinations(places, size):
            assert residual[list(part)].sum() / np.sqrt(size) <= bound + 1e-9


def planted(kind: str, seed: int = 0) -> tuple[SplitView, SplitView]:
    rng = np.random.default_rng(seed)
    parts, frames = {}, {}
    for name, n in (("train", 900), ("validation", 900), ("test", 900)):
        X, y = draw(rng, n)
        poly = rng.random(n) < 0.25
        if kind == "hard":  # they show little of what makes their class
            X[poly, y[poly]] -= 1.3
            X[poly, y[poly] + 3] -= 1.3
        if kind == "mislabelled":
            wrong = poly & (rng.random(n) < 0.6)
            y = np.where(wrong, (y + 1) % 3, y)
        parts[name] = (X, y)
        frames[name] = pd.DataFrame(
            {"cell": np.where(poly, "poly", "mono"), "year": rng.integers(2000, 2004, size=n)}
        )
    return fitted(parts, frames)[1:]


@pytest.mark.parametrize(("kind", "said"), [("hard", "slice"), ("mislabelled", "label_noise")])
def test_hard_slice_is_told_from_a_mislabelled_one(kind: str, said: str) -> None:
    validation, test = planted(kind)
    found = next(find_slices(validation, test))
    assert found.kind == said
    assert "cell is poly" in found.where
    assert found.p_value < 1e-6
    poly = (test.metadata["cell"] == "poly").to_numpy()
    if not found.classes:
        gap = test.right[~poly].mean() - test.right[poly].mean()
        assert found.effect.value == pytest.approx(gap)
    assert ("labels look wrong" in found.title) == (kind == "mislabelled")


def test_data_without_a_weak_slice_give_none_that_is_sure() -> None:
    for seed in range(3):
        assert all(f.p_value > 0.01 for f in find_slices(*planted("clean", seed)))


def test_extra_columns_and_features_describe_slices_together() -> None:
    views = []
    for view in planted("clean"):
        rng = np.random.default_rng(view.n)
        word = rng.random(view.n) < 0.3
        high = view.z[:, 0] >= np.quantile(view.z[:, 0], 0.8)
        labels = np.where(word & high, (view.predicted + 1) % 3, view.labels)
        extra = pd.DataFrame({"has 'link'": word, "dark": rng.random(view.n) < 0.5})
        views.append(view_of(view.layer, view.features, labels, extra=extra))
    first = next(find_slices(*views))
    assert set(first.where.split(" and ")) == {"has 'link'", "feature 0 high"}
    assert first.features == (0,)
    assert first.p_value < 1e-6


def test_too_little_data_is_no_error() -> None:
    validation, test = planted("clean")
    few = view_of(validation.layer, validation.features[:5], validation.labels[:5])
    assert list(find_slices(few, test)) == []
