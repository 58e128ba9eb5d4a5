"""The reference's files, read as they are."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clearhead.errors import DataError
from clearhead.reproduce import SETTINGS
from clearhead.reproduce.pictures import PLACES_10
from clearhead.reproduce.reading import Asked

ASKED = Asked("toxic", 0.1, 0)


def tsv(path: Path, rows: list[tuple[str, object]], header: str = "sentence\tlabel") -> None:
    path.write_text("\n".join([header, *(f"{text}\t{label}" for text, label in rows)]) + "\n")


def sentences(n: int, prefix: str) -> list[tuple[str, object]]:
    return [(f'{prefix} " film number {i} ,', i % 2) for i in range(n)]


def comma(path: Path, header: list[str], rows: list[list[object]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


LABELS = ["toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate"]


def jigsaw(folder: Path, n: int = 60) -> None:
    """Train, test, and the labels of the test comments, in another order."""
    text = 'He said: "no",\nand left. {}'
    flags = [[i % 2, 0, i % 3 == 0, 0, 0, i % 4 == 0] for i in range(n)]
    rows = [[f"t{i}", text.format(i), *map(int, f)] for i, f in enumerate(flags)]
    comma(folder / "train.csv", ["id", "comment_text", *LABELS], rows)
    comma(folder / "test.csv", ["id", "comment_text"], [[f"s{i}", f"test {i}"] for i in range(20)])
    scores = [[f"s{i}", *([-1] * 6 if i % 5 == 0 else [i % 2, 0, 0, 0, 0, 1])] for i in range(20)]
    comma(folder / "test_labels.csv", ["id", *LABELS], scores[::-1])


def pictures(folder: Path, classes: list[str], n: int = 10) -> None:
    """Noise, in which each class has a tint of its own."""
    random = np.random.default_rng(0)
    tints = random.integers(60, 256, (len(classes), 3))
    for part, count in (("train", n), ("val", 2)):
        for k, name in enumerate(classes):
            where = folder / part / name
            where.mkdir(parents=True)
            for i in range(count):
                pixels = random.random((16, 16, 1)) * tints[k]
                Image.fromarray(pixels.astype(np.uint8)).save(where / f"{i:04d}.png")


def read(setting: str, path: Path, asked: Asked = ASKED):
    return SETTINGS[setting].read(path, asked)


def test_sst(tmp_path: Path) -> None:
    tsv(tmp_path / "train.tsv", sentences(100, "a"))
    tsv(tmp_path / "test.tsv", sentences(10, "b"))
    data = read("sst", tmp_path)
    assert data.class_names == ("negative", "positive")
    assert {split: len(data.indices(split)) for split in data.splits} == {
        "train": 90, "validation": 10, "test": 10,
    }  # fmt: skip
    assert data.load(0) == 'a " film number 0 ,'
    tests = data.indices("test")
    assert all(data.load(int(i)).startswith("b") for i in tests)
    assert [int(data.load(int(i)).split()[-2]) % 2 for i in tests] == data.labels[tests].tolist()
    more = read("sst", tmp_path, Asked("", 0.3, 0))
    assert len(more.indices("validation")) == 30
    other = read("sst", tmp_path, Asked("", 0.1, 1))
    assert set(other.indices("validation")) != set(data.indices("validation"))


def test_the_dev_file_tests_where_no_other_has_labels(tmp_path: Path) -> None:
    tsv(tmp_path / "train.tsv", sentences(40, "a"))
    tsv(tmp_path / "dev.tsv", sentences(8, "dev"))
    for make in (None, lambda: tsv(tmp_path / "test.tsv", [("x", "y")], "index\tsentence")):
        if make is not None:
            make()
        data = read("sst", tmp_path)
        assert all(data.load(int(i)).startswith("dev") for i in data.indices("test"))
    tsv(tmp_path / "test.tsv", sentences(6, "test"))
    data = read("sst", tmp_path)
    assert len(data) == 46
    assert [problem.where for problem in data.problems] == ["dev.tsv"]


@pytest.mark.parametrize("label", ["toxic", "identity_hate"])
def test_jigsaw_joins_labels_and_drops_what_was_not_scored(tmp_path: Path, label: str) -> None:
    jigsaw(tmp_path)
    data = read("jigsaw-toxic", tmp_path, Asked(label, 0.1, 0))
    assert data.class_names == (f"not {label}", label)
    tests = data.indices("test")
    numbers = [int(data.load(int(i)).split()[-1]) for i in tests]
    assert numbers == [i for i in range(20) if i % 5]
    wanted = [i % 2 for i in numbers] if label == "toxic" else [1] * 16
    assert data.labels[tests].tolist() == wanted
    assert data.load(0) == 'He said: "no",\nand left. 0'
    train = np.flatnonzero(data.split != "test")
    step = 2 if label == "toxic" else 4
    marked = [i % step == (1 if label == "toxic" else 0) for i in range(60)]
    assert data.labels[train].tolist() == marked
    (problem,) = data.problems
    assert problem.kind == "not scored"
    assert "4 comments" in problem.message


def test_jigsaw_takes_one_file_too(tmp_path: Path) -> None:
    rows = [[f"text {i}", i % 2] for i in range(100)]
    comma(tmp_path / "one.csv", ["comment_text", "toxic"], rows)
    data = read("jigsaw-alt-toxic", tmp_path / "one.csv")
    assert {split: len(data.indices(split)) for split in data.splits} == {
        "train": 75, "validation": 10, "test": 15,
    }  # fmt: skip


def test_places_10_takes_ten_classes_of_a_larger_tree(tmp_path: Path) -> None:
    written = [name.replace("-", "_") for name in PLACES_10]
    pictures(tmp_path, [*written, "zoo", "abbey"])
    (tmp_path / "train" / "notes.txt").write_text("no class")
    data = read("places-10", tmp_path)
    assert data.class_names == PLACES_10
    assert len(data) == 120
    assert len(data.indices("validation")) == 10
    assert all(name.startswith("val/") for name in data.ids[data.indices("test")])
    assert np.bincount(data.labels[data.indices("test")]).tolist() == [2] * 10
    outdoor = data.ids[data.labels == PLACES_10.index("church-outdoor")]
    assert all("/church_outdoor/" in name for name in outdoor)


def test_imagenet_has_its_classes_in_the_order_of_the_folders(tmp_path: Path) -> None:
    names = ["n02099601", "n01440764", "n03000684"]
    pictures(tmp_path, names)
    data = read("imagenet", tmp_path)
    assert data.class_names == tuple(sorted(names))
    assert {split: len(data.indices(split)) for split in data.splits} == {
        "train": 27, "validation": 3, "test": 6,
    }  # fmt: skip


def _no_train(folder: Path) -> None:
    tsv(folder / "dev.tsv", sentences(4, "a"))


def _wrong_label(folder: Path) -> None:
    tsv(folder / "train.tsv", [*sentences(4, "a"), ("x", "neutral")])
    tsv(folder / "test.tsv", sentences(4, "a"))


def _wrong_column(folder: Path) -> None:
    tsv(folder / "train.tsv", sentences(4, "a"), "sentences\tlabel")


def _no_test_labels(folder: Path) -> None:
    jigsaw(folder)
    (folder / "test_labels.csv").unlink()


def _another_challenge(folder: Path) -> None:
    jigsaw(folder)
    comma(folder / "test_labels.csv", ["id", *LABELS], [["s1", *[0] * 6]])


def _odd_value(folder: Path) -> None:
    jigsaw(folder)
    path = folder / "train.csv"
    path.write_text(path.read_text().replace("t7,", "t7,").replace('left. 7",1', 'left. 7",0.5'))


def _nine_places(folder: Path) -> None:
    pictures(folder, [*PLACES_10[:4], "church", *PLACES_10[5:]], n=1)


def _no_val(folder: Path) -> None:
    (folder / "train" / "n01440764").mkdir(parents=True)
    Image.new("RGB", (4, 4)).save(folder / "train" / "n01440764" / "a.png")


def _empty_class(folder: Path) -> None:
    pictures(folder, ["n01440764", "n02099601"], n=1)
    (folder / "val" / "n03000684").mkdir()


@pytest.mark.parametrize(
    ("setting", "make", "words"),
    [
        ("sst", _no_train, ["no train.tsv", "dev.tsv"]),
        ("sst", _wrong_label, ["train.tsv line 6", "'neutral'", "0 (negative)"]),
        ("sst", _wrong_column, ["'sentence'", "rename 'sentences'"]),
        ("jigsaw-toxic", _no_test_labels, ["no test_labels.csv", "test.csv"]),
        ("jigsaw-toxic", _another_challenge, ["19 comments", "'s0'", "same challenge"]),
        ("jigsaw-toxic", _odd_value, ["'t7'", "toxic = '0.5'"]),
        ("places-10", _nine_places, ["1 of the 10", "'church-outdoor'", "'church'"]),
        ("imagenet", _no_val, ["val does not exist"]),
        ("imagenet", _empty_class, ["n03000684 holds no image"]),
        ("imagenet", lambda folder: None, ["train does not exist", "one folder a class"]),
    ],
)
def test_refused(tmp_path: Path, setting: str, make, words: list[str]) -> None:
    make(tmp_path)
    with pytest.raises(DataError) as caught:
        read(setting, tmp_path)
    for word in words:
        assert word in str(caught.value), str(caught.value)
