"""Data that are objects of other libraries: frames, arrays, bunches, dicts by split."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits, load_iris
from sklearn.utils import Bunch

from clearhead.data import ImageDataset, TextDataset, UnreadableExample, open_dataset
from clearhead.errors import DataError

N = 40
TEXTS = [f"words {i}" for i in range(N)]
LABELS = [i % 2 for i in range(N)]
IMAGES = np.random.default_rng(0).integers(0, 256, (N, 6, 5, 3), dtype=np.uint8)


def columns():
    return {"text": TEXTS, "label": ["a", "b"] * 20, "age": list(range(N)), "who": ["x", None] * 20}


def pixels(dataset):
    return np.stack([np.asarray(dataset.load(i)) for i in range(len(dataset))])


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(columns(), index=[f"r{i}" for i in range(N)]),
        pd.DataFrame(columns()).astype({"label": "category", "age": "Int64"}),
        pl.DataFrame(columns()),
        pl.LazyFrame(columns()),
    ],
    ids=["pandas", "categories", "polars", "lazy"],
)
def test_frames(frame):
    dataset = open_dataset(frame)
    assert isinstance(dataset, TextDataset)
    assert list(dataset.texts) == TEXTS
    assert dataset.class_names == ("a", "b")
    assert dataset.metadata["age"].tolist() == list(range(N))
    assert dataset.metadata["who"][:2].tolist() == ["x", None]
    assert dataset.ids[:2].tolist() == ["1", "2"]


def test_a_frame_and_a_file_give_the_same(tmp_path):
    frame = pd.DataFrame(columns())
    frame.to_csv(tmp_path / "a.csv", index=False)
    assert open_dataset(frame).fingerprint() == open_dataset(tmp_path / "a.csv").fingerprint()


def test_a_frame_of_images():
    frame = pd.DataFrame({"shot": [Image.fromarray(x) for x in IMAGES], "label": LABELS})
    dataset = open_dataset(frame)
    assert np.array_equal(pixels(dataset), IMAGES)
    assert np.array_equal(pixels(open_dataset(pl.DataFrame({
        "shot": [Image.fromarray(x) for x in IMAGES], "label": LABELS}))), IMAGES)  # fmt: skip


def test_frames_that_are_none():
    with pytest.raises(DataError, match="A pandas Series is no table"):
        open_dataset(pd.Series([1]))
    with pytest.raises(DataError, match="more than one column named text"):
        open_dataset(pd.DataFrame([["a", "b", 1]], columns=["text", "text", "label"]))
    with pytest.raises(DataError, match="has no rows"):
        open_dataset(pd.DataFrame({"text": [], "label": []}))


@pytest.mark.parametrize(
    "y",
    [LABELS, tuple(LABELS), np.array(LABELS), torch.tensor(LABELS), pd.Series(LABELS, index=range(5, 45))],
    ids=["list", "tuple", "array", "tensor", "series"],
)
def test_texts_and_labels(y):
    dataset = open_dataset((TEXTS, y), class_names=["bad", "good"])
    assert dataset.class_names == ("bad", "good")
    assert dataset.labels.tolist() == LABELS
    assert list(open_dataset((np.array(TEXTS), y)).texts) == TEXTS


SCALED = IMAGES / 255.0


@pytest.mark.parametrize(
    "X",
    [
        IMAGES,
        list(IMAGES),
        SCALED,
        SCALED.astype(np.float32),
        IMAGES.astype(np.float64),
        IMAGES.astype(np.int64),
        (IMAGES.astype(np.uint16) * 257),
        torch.tensor(IMAGES).permute(0, 3, 1, 2),
        torch.tensor(SCALED).permute(0, 3, 1, 2),
        IMAGES.transpose(0, 3, 1, 2),
        [Image.fromarray(x) for x in IMAGES],
        [torch.tensor(x).permute(2, 0, 1) for x in IMAGES],
    ],
)
def test_images_and_labels(X):
    dataset = open_dataset((X, LABELS))
    assert isinstance(dataset, ImageDataset)
    assert np.array_equal(pixels(dataset), IMAGES)
    assert dataset.show(0).kind == "image"


def test_grey_images_and_alpha():
    grey = open_dataset((IMAGES[..., 0], LABELS))
    assert np.array_equal(pixels(grey), np.repeat(IMAGES[..., :1], 3, axis=3))
    assert np.array_equal(pixels(open_dataset((IMAGES[..., :1], LABELS))), pixels(grey))
    clear = np.concatenate([IMAGES, np.zeros((N, 6, 5, 1), np.uint8)], axis=3)
    assert (pixels(open_dataset((clear, LABELS))) == 255).all()


def test_white_is_found_from_all_images_together():
    dark = IMAGES.astype(np.float32)
    dark[0] = 1.0
    assert np.asarray(open_dataset((dark, LABELS)).load(0)).max() == 1


def test_several_labels_as_an_array():
    y = np.random.default_rng(0).integers(0, 2, (N, 3))
    for given in (y, y.astype(bool), torch.tensor(y), pd.DataFrame(y)):
        assert np.array_equal(open_dataset((TEXTS, given)).labels, y)
    named = open_dataset((TEXTS, pd.DataFrame(y, columns=["p", "q", "r"])))
    assert named.class_names == ("p", "q", "r")
    assert open_dataset((TEXTS, y), class_names=["p", "q", "r"], label="q").class_names[1] == "q"
    assert open_dataset((TEXTS, y[:, :1])).labels.tolist() == y[:, 0].tolist()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ((TEXTS,), "A tuple of 1 was given; it must be a pair"),
        ((TEXTS, LABELS[:5]), "X holds 40 examples and y 5 labels"),
        ((np.zeros((N, 7)), LABELS), r"shape \(40, 7\); .* features: give them to clearhead.fit_p"),
        (([1.0] * N, LABELS), "X is a list of numbers"),
        (([], []), "X is empty"),
        ((IMAGES - 100.0, LABELS), "look normalised; give images as they were before"),
        ((IMAGES * 1e6, LABELS), "pixels reach"),
        ((TEXTS, np.eye(4)[np.arange(N) % 4]), r"a single 1 in each row: .*argmax\(axis=1\)"),
        ((TEXTS, np.full((N, 3), 0.5)), "y holds 0.5 in row 0, column 0"),
        ((TEXTS, np.zeros((N, 2, 2))), r"y has the shape \(40, 2, 2\)"),
        (([*TEXTS[:-1], 5], LABELS), "40: a text must be a str, got int"),
        (np.zeros(3), "Data of type ndarray cannot be opened. Give a name, a path, a DataFrame"),
        (None, "Data of type NoneType cannot be opened"),
        ({"all": (TEXTS, LABELS)}, "keys 'all', and none is a split"),
        ({"val": (TEXTS, LABELS), "dev": (TEXTS, LABELS)}, "'val' and 'dev' are both the valida"),
        (load_iris(), r"holds neither images nor texts. .*fit_path\(bunch.data, bunch.target\)"),
        (Bunch(data=TEXTS), "A scikit-learn Bunch without targets"),
        (Bunch(data=TEXTS, target=[0, 5] * 20, target_names=["a", "b"]), "target 5 of row 1 is ou"),
        (Bunch(data=[b"\xff"] * N, target=LABELS), "Text 0 of the bunch is not UTF-8. Load it"),
    ],
)  # fmt: skip
def test_wrong_objects(spec, message):
    with pytest.raises(DataError, match=message):
        open_dataset(spec)


def test_one_image_that_is_none():
    images = [*IMAGES[:-1], np.zeros((0, 5, 3), np.uint8)]
    dataset = open_dataset((images, LABELS))
    with pytest.raises(UnreadableExample, match="it has no pixels"):
        dataset.load(N - 1)


def test_the_digits():
    bunch = load_digits()
    dataset = open_dataset(bunch)
    assert dataset.class_names == tuple("0123456789")
    assert dataset.labels.tolist() == bunch.target.tolist()
    assert dataset.load(0).size == (8, 8)
    assert dataset.notes[0] == "Pixels from 0 to 16 were scaled to 0 to 255."
    expected = np.rint(bunch.images[5] / 16 * 255).astype(np.uint8)
    assert np.array_equal(np.asarray(dataset.load(5))[..., 0], expected)


@pytest.mark.parametrize("texts", [TEXTS, [text.encode() for text in TEXTS], np.array(TEXTS, object)])
def test_a_bunch_of_texts(texts):
    names = ["rec.autos", "sci.med"]
    bunch = Bunch(data=texts, target=np.array(LABELS), target_names=names, DESCR="news")
    dataset = open_dataset({"train": bunch, "test": bunch})
    assert dataset.class_names == ("rec.autos", "sci.med")
    assert dataset.load(3) == "words 3"
    assert dataset.ids[[0, N]].tolist() == ["train:1", "test:1"]
    assert dataset.counts().sum().tolist() == [34, 6, 40]


def test_a_dict_by_split():
    data = {"test": (TEXTS[:8], LABELS[:8]), "dev": (TEXTS[8:14], LABELS[8:14]),
            "train": (TEXTS[14:], LABELS[14:]), "spare": (TEXTS, LABELS)}  # fmt: skip
    dataset = open_dataset(data)
    assert dataset.counts().sum().tolist() == [26, 6, 8]
    assert dataset.ids[0] == "train:1"
    assert [(p.kind, p.where) for p in dataset.problems] == [("data beside the splits", "spare")]


def test_columns_are_not_for_pairs():
    with pytest.raises(DataError, match=r"text_column='a' is for tables, and a pair \(X, y\) is n"):
        open_dataset((TEXTS, LABELS), text_column="a")


def test_take_and_fingerprint_of_images():
    one, two = open_dataset((IMAGES, LABELS)), open_dataset((list(IMAGES), LABELS))
    assert one.fingerprint() == two.fingerprint()
    changed = IMAGES.copy()
    changed[3, 0, 0, 0] ^= 1
    assert open_dataset((changed, LABELS)).fingerprint() != one.fingerprint()
    assert np.array_equal(pixels(one.take(np.array([5, 2]))), IMAGES[[5, 2]])
