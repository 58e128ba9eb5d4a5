from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearhead.data.splits import HELD_OUT, check_splits, complete_splits, limit_rows
from clearhead.errors import DataError


def names(k):
    return [f"class {i}" for i in range(k)]


@st.composite
def labelled(draw, smallest=1):
    """Labels of classes of any size, in any order, each class with an example."""
    sizes = draw(st.lists(st.integers(smallest, 60), min_size=2, max_size=8))
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return labels[draw(st.permutations(range(len(labels))))] if draw(st.booleans()) else labels


def made(labels, keys=None, given=None, seed=0):
    keys = [f"example {i}" for i in range(len(labels))] if keys is None else keys
    return complete_splits(labels, keys, given, names(int(labels.max()) + 1), seed=seed)


@settings(max_examples=150, deadline=None)
@given(labelled(smallest=4), st.integers(0, 5))
def test_splits_are_stratified_within_one_example_and_exact_in_all(labels, seed):
    split, notes = made(labels, seed=seed)
    assert len(notes) == 1
    counts = Counter(split)
    assert counts["validation"] == counts["test"] == max(1, int(HELD_OUT * len(labels) + 0.5))
    assert set(counts) == {"train", "validation", "test"}
    share = counts["test"] / len(labels)
    for k in np.unique(labels):
        size = np.sum(labels == k)
        of_class = Counter(split[labels == k])
        assert of_class["train"] >= 1
        for name in ("validation", "test"):
            assert abs(of_class[name] - share * size) < 1


@settings(max_examples=150, deadline=None)
@given(labelled(), st.integers(0, 5))
def test_tiny_classes_keep_a_training_example(labels, seed):
    if len(labels) < 30:  # there may be too few for three splits
        labels = np.concatenate([labels, np.zeros(30 - len(labels), dtype=np.int64)])
    split, _ = made(labels, seed=seed)
    assert set(labels[split == "train"]) == set(labels)
    assert all(split[labels == k].tolist() == ["train"] for k in labels if sum(labels == k) == 1)


@settings(max_examples=50, deadline=None)
@given(labelled(smallest=4), st.randoms(use_true_random=False))
def test_splits_do_not_depend_on_the_order_of_the_rows(labels, random):
    order = list(range(len(labels)))
    random.shuffle(order)
    keys = [f"example {i}" for i in range(len(labels))]
    split, _ = made(labels, keys)
    moved, _ = made(labels[order], [keys[i] for i in order])
    assert moved.tolist() == split[order].tolist()


def test_the_same_seed_makes_the_same_splits_and_another_makes_others():
    labels = np.repeat([0, 1], 200)
    first, _ = made(labels, seed=3)
    again, _ = made(labels, seed=3)
    other, _ = made(labels, seed=4)
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()
    # Second letters, pinned: a demo must not get other splits by an upgrade.
    assert "".join(name[1] for name in first[:24]) == PINNED


PINNED = "rerrrerrararerrrrrararrr"


def test_equal_examples_go_the_same_way():
    labels = np.repeat([0, 1], 300)
    keys = [f"text {i % 100}" for i in range(600)]
    split, _ = made(labels, keys)
    for label in (0, 1):
        for key in set(keys):
            same = [split[i] for i in range(600) if keys[i] == key and labels[i] == label]
            assert len(same) == 3
            assert len(set(same)) == 1


@pytest.mark.parametrize("missing", ["validation", "test"])
def test_one_missing_split_takes_15_percent_of_train(missing):
    present = "test" if missing == "validation" else "validation"
    labels = np.tile([0, 1], 150)
    given_split = np.array(["train"] * 200 + [present] * 100, dtype=object)
    before = given_split.copy()
    split, notes = made(labels, given=given_split)
    assert Counter(split) == {"train": 170, missing: 30, present: 100}
    assert (split[200:] == present).all()
    assert given_split.tolist() == before.tolist()
    assert notes == (
        f"{missing.capitalize()} was drawn from train, 15% of it (stratified by class, seed 0).",
    )


def test_only_train_gives_both_from_train():
    labels = np.tile([0, 1], 100)
    split, notes = made(labels, given=np.full(200, "train", dtype=object))
    assert Counter(split) == {"train": 140, "validation": 30, "test": 30}
    assert "drawn from train" in notes[0]


def test_whole_splits_are_left_alone():
    given_split = np.array(["train", "train", "validation", "test"], dtype=object)
    split, notes = made(np.array([0, 1, 0, 1]), given=given_split)
    assert split.tolist() == given_split.tolist()
    assert notes == ()


def test_no_training_split():
    with pytest.raises(DataError, match="no training split, only test and validation"):
        made(np.array([0, 1]), given=np.array(["test", "validation"], dtype=object))


def test_too_few_examples_to_split():
    with pytest.raises(DataError, match="too few examples to make a validation split"):
        made(np.array([0, 1]))


def test_a_class_without_training_examples_is_named():
    labels = np.array([0, 1, 2, 2])
    split = np.array(["train", "train", "validation", "test"], dtype=object)
    with pytest.raises(DataError, match=r"'hat' \(2 in validation and test, the first is c\)"):
        check_splits(labels, split, ["shoe", "sock", "hat"], list("abcd"))


@settings(max_examples=150, deadline=None)
@given(labelled(smallest=4), st.data())
def test_limit_keeps_every_class_and_split(labels, data):
    split, _ = made(labels)
    keys = [f"example {i}" for i in range(len(labels))]
    least = int(labels.max()) + 1 + 2
    limit = data.draw(st.integers(least, len(labels)))
    rows = limit_rows(labels, split, keys, limit)
    assert len(rows) == len(set(rows.tolist())) == limit
    assert (np.diff(rows) > 0).all()
    assert set(split[rows]) == set(split)
    assert set(labels[rows][split[rows] == "train"]) == set(labels)


def test_limit_keeps_the_shares():
    labels = np.repeat([0, 1], [300, 700])
    split, _ = made(labels)
    keys = [f"example {i}" for i in range(1000)]
    rows = limit_rows(labels, split, keys, 200)
    assert abs(np.mean(labels[rows]) - 0.7) < 0.01
    assert abs(np.mean(split[rows] == "train") - 0.7) < 0.01


def test_limit_too_small():
    labels = np.repeat([0, 1], 50)
    split, _ = made(labels)
    with pytest.raises(DataError, match="limit=3 is too small: 2 classes and 3 splits need"):
        limit_rows(labels, split, [str(i) for i in range(100)], 3)
