from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clearhead.data.grouped import strata_of
from clearhead.data.splits import complete_splits
from clearhead.errors import DataError


@st.composite
def grouped(draw, several=False):
    """Labels, one or several an example, and groups of 1 to 12 examples of mixed classes."""
    seed = draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    k = draw(st.integers(2, 6))
    sizes = rng.integers(1, draw(st.integers(2, 12)), draw(st.integers(3 * k, 80)))
    groups = np.repeat(np.arange(len(sizes)), sizes)
    if several:
        labels = (rng.random((len(groups), k)) < rng.uniform(0.05, 0.6, k)).astype(np.int8)
        labels[:k] = np.eye(k, dtype=np.int8)
    else:
        mostly = rng.integers(0, k, len(sizes))[groups]
        labels = np.where(rng.random(len(groups)) < 0.8, mostly, rng.integers(0, k, len(groups)))
        labels[:k] = np.arange(k)
    return labels, [f"group {g}" for g in groups]


def made(labels, groups=None, keys=None, **options):
    keys = [f"example {i}" for i in range(len(labels))] if keys is None else keys
    k = labels.shape[1] if labels.ndim == 2 else int(labels.max()) + 1
    options = {"given": None, **options}
    return complete_splits(
        labels, keys, class_names=[f"class {i}" for i in range(k)], groups=groups, **options
    )


@settings(max_examples=120, deadline=None)
@given(st.one_of(grouped(), grouped(several=True)), st.floats(0.05, 0.3), st.floats(0.05, 0.3))
def test_groups_stay_whole_and_every_class_trains(data, validation, test):
    labels, groups = data
    try:
        split, notes = made(labels, groups, validation=validation, test=test)
    except DataError as error:
        assert "too few groups" in str(error)
        return
    sides = {}
    for group, name in zip(groups, split, strict=True):
        assert sides.setdefault(group, name) == name
    assert set(split) == {"train", "validation", "test"}
    has = labels[:, None] == np.arange(labels.max() + 1) if labels.ndim == 1 else labels != 0
    assert has[split == "train"].any(axis=0).all()
    assert "whole groups" in notes[0]


@settings(max_examples=120, deadline=None)
@given(grouped(), st.floats(0.05, 0.3), st.floats(0.05, 0.3))
def test_shares_are_right_within_one_group(data, validation, test):
    labels, groups = data
    n, largest = len(groups), max(Counter(groups).values())
    # Training has groups to spare here: it keeps one a class, and must hold a quarter.
    assume(largest * (labels.max() + 2) <= n * (1 - validation - test))
    split, _ = made(labels, groups, validation=validation, test=test)
    assert abs(np.sum(split == "validation") - validation * n) <= largest
    assert abs(np.sum(split == "test") - test * n) <= largest


def test_classes_are_stratified_over_groups():
    labels = np.repeat(np.arange(200) % 4, 5)  # 50 groups of 5 a class
    groups = np.repeat(np.arange(200), 5).astype(str).tolist()
    split, _ = made(labels, groups)
    for k in range(4):
        of_class = Counter(split[labels == k])
        assert abs(of_class["validation"] - 37.5) <= 5
        assert abs(of_class["test"] - 37.5) <= 5


def test_the_order_of_the_rows_makes_no_difference():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 300)
    groups = [f"g{g}" for g in rng.integers(0, 60, 300)]
    split, _ = made(labels, groups)
    order = rng.permutation(300)
    moved, _ = made(labels[order], [groups[i] for i in order])
    assert moved.tolist() == split[order].tolist()
    assert made(labels, groups, seed=1)[0].tolist() != split.tolist()


def test_too_few_groups():
    with pytest.raises(DataError, match="too few groups to make a validation split: 3 groups of"):
        made(np.array([0, 1, 2] * 20), ["a", "b", "c"] * 20)


def test_given_splits_that_part_a_group_are_refused():
    split = np.array(["train"] * 6 + ["test"] * 4, dtype=object)
    groups = ["a", "b", "c", "a", "b", "c", "c", "d", "e", "b"]
    with pytest.raises(DataError, match=r"2 of the 5 groups are on two sides .*'c' \(train and"):
        made(np.array([0, 1] * 5), groups, given=split)


def test_only_validation_is_drawn_by_group_where_test_is_given():
    labels = np.tile([0, 1], 60)
    groups = [f"g{i // 6}" for i in range(120)]
    split = np.array(["train"] * 96 + ["test"] * 24, dtype=object)
    whole, notes = made(labels, groups, given=split, validation=0.25)
    assert Counter(whole) == {"train": 72, "validation": 24, "test": 24}
    assert notes[0].startswith("Validation was drawn from train, 25% of it (stratified by class,")


@settings(max_examples=60, deadline=None)
@given(grouped(several=True), st.integers(0, 3))
def test_several_labels_are_stratified(data, seed):
    labels = np.tile(data[0], (4, 1))
    split, notes = made(labels, seed=seed)
    assert "combination of labels" in notes[0]
    assert labels[split == "train"].any(axis=0).all()
    assert abs(np.sum(split == "test") - 0.15 * len(labels)) <= 1
    combinations, which = np.unique(labels, axis=0, return_inverse=True)
    for c in range(len(combinations)):
        size = np.sum(which == c)
        if size >= 40:
            assert abs(np.sum(split[which.reshape(-1) == c] == "test") - 0.15 * size) <= 3


def test_equal_texts_of_several_labels_go_the_same_way():
    labels = np.random.default_rng(0).integers(0, 2, (400, 3)).astype(np.int8)
    keys = [f"text {i % 100}" for i in range(400)]
    split, _ = made(labels, keys=keys)
    assert all(len({split[i] for i in range(400) if keys[i] == key}) == 1 for key in set(keys))


def test_strata_are_combinations_or_the_rarest_label():
    labels = np.array([[1, 0, 0]] * 30 + [[1, 1, 0]] * 3 + [[0, 1, 1]] * 2 + [[0, 0, 0]] * 4)
    strata = strata_of(labels)
    assert len(set(strata[:30])) == 1
    assert [len(set(strata[a:b])) for a, b in ((30, 33), (33, 35), (35, 39))] == [1, 1, 1]
    assert len(set(strata)) == 4
    assert strata_of(np.array([2, 0, 2])).tolist() == [2, 0, 2]


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ({"validation": 0.0}, "validation=0: it must be a share between 0 and 1"),
        ({"test": 1.5}, "test=1.5: it must be a share"),
        ({"validation": 0.5, "test": 0.5}, "leave nothing to train on"),
    ],
)
def test_wrong_shares(shares, message):
    with pytest.raises(DataError, match=message):
        made(np.tile([0, 1], 50), **shares)


@settings(max_examples=60, deadline=None)
@given(st.integers(20, 300), st.floats(0.05, 0.45), st.floats(0.05, 0.45))
def test_shares_without_groups_are_exact(n, validation, test):
    split, notes = made(np.arange(n) % 2, validation=validation, test=test)
    assert abs(np.sum(split == "validation") - validation * n) <= 1
    assert abs(np.sum(split == "test") - test * n) <= 1
    assert f"{100 * test:.4g}% test" in notes[0]
