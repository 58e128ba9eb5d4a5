import pandas as pd
import pytest

from clearhead.data import TextDataset
from clearhead.errors import DataError

TEXTS = [f"words {i}" for i in range(40)]
LABELS = [("good", "bad")[i % 2] for i in range(40)]


def make(**changes):
    return TextDataset.from_texts(**{"texts": TEXTS, "labels": LABELS, **changes})


def test_the_order_of_the_classes_can_be_given():
    assert make().class_names == ("bad", "good")
    dataset = make(class_names=("good", "bad"))
    assert dataset.class_names == ("good", "bad")
    assert dataset.labels[:2].tolist() == [0, 1]


def test_labels_of_any_type():
    assert make(labels=[i % 2 for i in range(40)]).class_names == ("0", "1")
    assert make(labels=[float(i % 2) for i in range(40)]).class_names == ("0", "1")
    assert make(labels=[i % 2 == 0 for i in range(40)]).class_names == ("False", "True")
    assert make(labels=[("null", "nan")[i % 2] for i in range(40)]).class_names == ("nan", "null")


@pytest.mark.parametrize("missing", [None, float("nan"), "", "  ", pd.NA])
def test_missing_labels(missing):
    with pytest.raises(DataError, match=r"1 of the 40 labels are missing .*: 3\."):
        make(labels=[*LABELS[:2], missing, *LABELS[3:]])


def test_missing_texts_are_empty_texts():
    dataset = make(texts=[None, float("nan"), *TEXTS[2:]])
    assert [p.where for p in dataset.problems] == ["1", "2"]
    assert len(dataset) == 38


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"texts": [""] * 40}, "All 40 texts are empty"),
        ({"texts": [7, *TEXTS[1:]]}, "1: a text must be a str, got int"),
        ({"labels": LABELS[:3]}, "labels has 3 entries for 40 texts"),
        ({"split": ["train"]}, "split has 1 entries for 40 texts"),
        ({"metadata": pd.DataFrame({"a": [1]})}, "metadata has 1 entries for 40 texts"),
        ({"class_names": ("good", "fair")}, "labels bad are not among the classes good, fair"),
        ({"class_names": ("good", "bad", "fair")}, r"'fair' \(0 in no split\)"),
        ({"ids": ["a"] * 40}, "1 ids are used more than once: 'a'"),
    ],
)
def test_wrong_arguments(changes, message):
    with pytest.raises(DataError, match=message):
        make(**changes)


def test_take_keeps_everything_together():
    dataset = make(metadata=pd.DataFrame({"row": range(40)}))
    part = dataset.take(dataset.indices("test"))
    assert part.splits == ("test",)
    assert [part.load(i) for i in range(len(part))] == [f"words {r}" for r in part.metadata["row"]]
    assert part.metadata.index.tolist() == list(range(len(part)))


def test_the_input_is_not_changed():
    metadata = pd.DataFrame({"row": range(40)}, index=range(100, 140))
    texts, labels, before = list(TEXTS), list(LABELS), metadata.copy()
    make(texts=texts, labels=labels, metadata=metadata)
    assert (texts, labels) == (TEXTS, LABELS)
    pd.testing.assert_frame_equal(metadata, before)


def test_names_that_go_into_files_are_printable():
    ids = [f"{i}\udcff" for i in range(40)]
    labels = [label + "\ud800" for label in LABELS]
    dataset = make(ids=ids, labels=labels, metadata=pd.DataFrame({"m": ids}, dtype=object))
    for value in (*dataset.ids, *dataset.class_names, *dataset.metadata["m"]):
        value.encode()
    assert dataset.metadata.iloc[0, 0] == dataset.ids[0] == r"0\udcff"


def test_the_fingerprint_follows_the_content():
    base = make().fingerprint()
    assert make(name="another").fingerprint() == base
    split = ["train"] * 20 + ["validation"] * 10 + ["test"] * 10
    changed = {
        "text": make(texts=["words 0 ", *TEXTS[1:]]),
        "label": make(labels=[LABELS[1], *LABELS[1:]]),
        "class name": make(labels=["great" if x == "good" else x for x in LABELS]),
        "ids": make(ids=[f"i{i}" for i in range(40)]),
        "split": make(split=split),
        "seed": make(seed=1),
        "metadata": make(metadata=pd.DataFrame({"a": range(40)})),
        "metadata name": make(metadata=pd.DataFrame({"b": range(40)})),
        "metadata value": make(metadata=pd.DataFrame({"b": range(1, 41)})),
    }
    prints = {name: dataset.fingerprint() for name, dataset in changed.items()}
    assert len({base, *prints.values()}) == len(prints) + 1, prints


def test_the_fingerprint_keeps_the_bounds_of_texts():
    one = make(texts=["ab", "c", *TEXTS[2:]], split=["train"] * 20 + ["dev"] * 10 + ["test"] * 10)
    two = make(texts=["a", "bc", *TEXTS[2:]], split=["train"] * 20 + ["dev"] * 10 + ["test"] * 10)
    assert one.fingerprint() != two.fingerprint()
