import json

import numpy as np
import pandas as pd
import pytest

from clearhead.data import TextDataset, open_dataset
from clearhead.errors import DataError

N = 60
FLAGS = np.random.default_rng(0).integers(0, 2, (N, 3))
TEXTS = [f"words {i}" for i in range(N)]
NAMES = ["toxic", "insult", "threat"]


def frame(**more):
    flags = {name: FLAGS[:, k] for k, name in enumerate(NAMES)}
    return pd.DataFrame({"text": TEXTS, **flags, "age": range(N), **more})


def lists(separator=None):
    named = [[name for name, flag in zip(NAMES, row, strict=True) if flag] for row in FLAGS]
    return named if separator is None else [separator.join(labels) for labels in named]


def test_several_columns():
    dataset = open_dataset(frame(), label_column=NAMES)
    assert dataset.multilabel
    assert dataset.labels.dtype == np.int8
    assert dataset.class_names == tuple(NAMES)
    assert np.array_equal(dataset.labels, FLAGS)
    assert dataset.counts().sum(axis=1).tolist() == FLAGS.sum(axis=0).tolist()
    assert dataset.counts().index.name == "label"
    assert dataset.metadata.columns.tolist() == ["age"]
    assert repr(dataset).startswith("<TextDataset 'DataFrame': 60 texts, 3 labels; train 42")


@pytest.mark.parametrize(
    "column",
    [
        (lists(), {}),
        ([tuple(labels) for labels in lists()], {}),
        (lists("|"), {"label_separator": "|"}),
        (lists(" ; "), {"label_separator": ";"}),
        (FLAGS.astype(float).tolist(), {"class_names": NAMES}),
        (FLAGS.astype(bool).tolist(), {"class_names": NAMES}),
        (FLAGS.tolist(), {"class_names": NAMES}),
        ([np.flatnonzero(row).tolist() for row in FLAGS], {"class_names": NAMES}),
    ],
)
def test_a_column_of_lists_or_strings(column):
    values, options = column
    data = pd.DataFrame({"text": TEXTS, "labels": values})
    dataset = open_dataset(data, **options)
    order = [dataset.class_names.index(name) for name in NAMES]
    assert np.array_equal(dataset.labels[:, order], FLAGS)
    assert dataset.class_names == tuple(options.get("class_names", sorted(NAMES)))


def test_json_lists_and_csv_flags_give_the_same(tmp_path):
    rows = [{"text": t, "labels": labels} for t, labels in zip(TEXTS, lists(), strict=True)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    frame().to_csv(tmp_path / "b.csv", index=False)
    options = {"class_names": NAMES}
    one = open_dataset(tmp_path / "a.jsonl", **options)
    two = open_dataset(tmp_path / "b.csv", label_column=",".join(NAMES))
    assert np.array_equal(one.labels, two.labels)
    assert one.split.tolist() == two.split.tolist()


def test_one_label_is_two_classes():
    dataset = open_dataset(frame(), label_column=NAMES, label="insult")
    assert not dataset.multilabel
    assert dataset.class_names == ("not insult", "insult")
    assert np.array_equal(dataset.labels, FLAGS[:, 1])
    assert "stratified by class" in dataset.notes[0]
    short = open_dataset(frame(), label="insult")  # a column of its own
    assert np.array_equal(short.labels, dataset.labels)
    assert short.class_names == dataset.class_names
    picked = open_dataset(frame(), label_column=NAMES).pick("insult")
    assert np.array_equal(picked.labels, FLAGS[:, 1])
    assert picked.labels.dtype == np.int64
    assert picked.class_names == dataset.class_names


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (frame(), {"label_column": NAMES, "label": "insolt"}, "no label 'insolt'. Did you mean 'i"),
        (frame(), {"label_column": [*NAMES, "tocsic"]}, r"no column 'tocsic' \(label_column\)."),
        (frame(), {"label_column": ["toxic", "toxic"]}, "names toxic more than once"),
        (frame(), {"label_column": ["toxic", "age"]}, "column 'age' holds 2 at row 3: where sev"),
        (
            frame(c=[None] * N),
            {"label_column": ["toxic", "c"]},
            "column 'c' holds nothing at row 1",
        ),
        (
            frame(),
            {"label_column": NAMES, "balance_held_out": True},
            "cannot all be balanced at once",
        ),
        (frame(label=["a", "b"] * 30), {"label": "a"}, "has one label an example"),
        (frame(none=0), {"label_column": ["toxic", "none"]}, r"'none' \(0 in no split\)"),
        (
            frame(labels=[["a"]] * 59 + ["b"]),
            {"label_column": "labels"},
            "1 labels are no lists where others are, the first at row 60",
        ),
        (
            frame(labels=[["a"], ["b"], ["q"]] * 20),
            {"label_column": "labels", "class_names": ["a", "b"]},
            "labels q are not among the labels a, b",
        ),
        (
            frame(labels=[[0], [1], [7]] * 20),
            {"label_column": "labels", "class_names": ["a", "b"]},
            "label 7 at row 3 is outside the labels: there are 2",
        ),
    ],
)
def test_wrong_labels(data, options, message):
    with pytest.raises(DataError, match=message):
        open_dataset(data, **options)


def test_a_matrix_of_other_values():
    flags = FLAGS.copy()
    flags[7, 2] = -1
    with pytest.raises(DataError, match=r"label 'threat' is -1 at 8; it must be 0 or 1 \(1 such"):
        TextDataset.from_texts(TEXTS, flags, class_names=NAMES)
    with pytest.raises(DataError, match="3 columns, and class_names has 2"):
        TextDataset.from_texts(TEXTS, FLAGS, class_names=NAMES[:2])


def test_pick_needs_both_kinds():
    flags = np.column_stack([FLAGS, np.ones(N, dtype=int)])
    dataset = TextDataset.from_texts(TEXTS, flags, class_names=[*NAMES, "all"])
    with pytest.raises(DataError, match="All of the training examples have the label 'all'"):
        dataset.pick("all")
    with pytest.raises(DataError, match="has classes, one an example"):
        dataset.pick("toxic").pick("toxic")


def test_the_fingerprint_follows_the_labels():
    one = TextDataset.from_texts(TEXTS, FLAGS, class_names=NAMES)
    other = FLAGS.copy()
    other[0, 0] ^= 1
    two = TextDataset.from_texts(TEXTS, other, class_names=NAMES, split=one.split.tolist())
    same = TextDataset.from_texts(TEXTS, FLAGS, class_names=NAMES, split=one.split.tolist())
    assert one.fingerprint() == same.fingerprint()
    assert one.fingerprint() != two.fingerprint()


def test_empty_texts_take_their_labels_with_them():
    texts = ["", *TEXTS[1:]]
    dataset = TextDataset.from_texts(texts, FLAGS, class_names=NAMES)
    assert np.array_equal(dataset.labels, FLAGS[1:])
    part = dataset.take(np.array([3, 1]))
    assert np.array_equal(part.labels, FLAGS[[4, 2]])


def test_limit_keeps_so_many():
    assert len(open_dataset(frame(), label_column=NAMES, limit=30)) == 30
