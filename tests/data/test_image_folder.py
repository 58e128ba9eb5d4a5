import shutil

import numpy as np
import pytest
from PIL import Image

from clearhead.data import ImageDataset, open_dataset
from clearhead.errors import DataError


def picture(path, seed=0, size=(12, 8)):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def classes(root, n=10, names=("cat", "dog")):
    for k, name in enumerate(names):
        for i in range(n):
            picture(root / name / f"{i:02}.png", seed=100 * k + i)
    return root


def test_class_folders(tmp_path):
    dataset = open_dataset(classes(tmp_path / "pets", 20))
    assert isinstance(dataset, ImageDataset)
    assert (dataset.name, dataset.modality, len(dataset)) == ("pets", "image", 40)
    assert dataset.class_names == ("cat", "dog")
    assert dataset.ids[[0, 39]].tolist() == ["cat/00.png", "dog/19.png"]
    assert [len(dataset.indices(s)) for s in dataset.splits] == [28, 6, 6]
    assert dataset.load(0).mode == "RGB"
    assert dataset.load(0).size == (12, 8)
    assert dataset.problems == ()


@pytest.mark.parametrize("validation", ["validation", "val", "valid", "dev", "Val"])
def test_split_folders(tmp_path, validation):
    for split, n in (("train", 5), (validation, 2), ("test", 3)):
        classes(tmp_path / split, n)
    dataset = open_dataset(tmp_path)
    assert [len(dataset.indices(s)) for s in ("train", "validation", "test")] == [10, 4, 6]
    assert dataset.ids[0] == "train/cat/00.png"
    assert dataset.notes == ()


def test_only_train_and_test(tmp_path):
    classes(tmp_path / "train", 20)
    classes(tmp_path / "test", 3)
    dataset = open_dataset(tmp_path)
    assert [len(dataset.indices(s)) for s in dataset.splits] == [34, 6, 6]
    assert dataset.notes[0].startswith("Validation was drawn from train")


def test_a_class_may_be_called_train(tmp_path):
    dataset = open_dataset(classes(tmp_path, 10, ("bus", "train")))
    assert dataset.class_names == ("bus", "train")


def test_numbered_classes_are_in_order(tmp_path):
    dataset = open_dataset(classes(tmp_path, 2, [str(k) for k in range(11)]))
    assert dataset.class_names == tuple(str(k) for k in range(11))


def test_hidden_and_other_files(tmp_path):
    classes(tmp_path)
    (tmp_path / "README.md").write_text("read me")
    (tmp_path / ".cache").mkdir()
    picture(tmp_path / ".cache" / "a.png")
    picture(tmp_path / "cat" / ".hidden.png")
    (tmp_path / "cat" / "notes.txt").write_text("notes")
    picture(tmp_path / "lost.png")
    picture(tmp_path / "cat" / "more" / "deep.PNG")
    (tmp_path / "cat" / "round").symlink_to(tmp_path / "cat", target_is_directory=True)
    dataset = open_dataset(tmp_path)
    assert len(dataset) == 21
    assert "cat/more/deep.PNG" in dataset.ids
    assert sorted((p.kind, p.where) for p in dataset.problems) == [
        ("image without a class", "lost.png"),
        ("not an image file", "cat/notes.txt"),
    ]
    with pytest.raises(DataError, match="2 problems in the data"):
        open_dataset(tmp_path, strict=True)


def test_folders_beside_the_splits_are_counted(tmp_path):
    classes(tmp_path / "train", 10)
    classes(tmp_path / "extra", 10)
    dataset = open_dataset(tmp_path)
    assert len(dataset) == 20
    assert [p.kind for p in dataset.problems] == ["folder beside the splits"]


def test_a_table_beside_class_folders_is_no_table(tmp_path):
    classes(tmp_path)
    (tmp_path / "labels.csv").write_text("file,label\n")
    assert open_dataset(tmp_path).modality == "image"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda d: (d / "train" / "owl").mkdir(), r"1 class folders .* hold no image: train/owl"),
        (lambda d: shutil.rmtree(d / "train"), "no training split, only test and validation"),
        (
            lambda d: picture(d / "test" / "owl" / "a.png"),
            r"'owl' \(1 in test, the first is test/owl/a\.png\)",
        ),
        (lambda d: shutil.rmtree(d / "train" / "cat"), r"'cat' \(4 in validation and test"),
        (lambda d: classes(d / "dev"), "dev and val in .* are both the validation split"),
        (lambda d: [shutil.rmtree(d / s / "cat") for s in ("train", "val", "test")], "All 8 lab"),
        (
            lambda d: [shutil.rmtree(d / "test"), picture(d / "test" / "a.png")],
            r"split folder .*test holds no class folders",
        ),
    ],
)
def test_bad_folders(tmp_path, spoil, message):
    for split, n in (("train", 4), ("val", 2), ("test", 2)):
        classes(tmp_path / split, n)
    spoil(tmp_path)
    with pytest.raises(DataError, match=message):
        open_dataset(tmp_path)


def test_moving_the_folder_changes_neither_ids_nor_fingerprint(tmp_path):
    first = open_dataset(classes(tmp_path / "a"))
    before = first.fingerprint()
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    second = open_dataset(tmp_path / "b")
    assert second.ids.tolist() == first.ids.tolist()
    assert second.split.tolist() == first.split.tolist()
    assert second.fingerprint() == before
    picture(tmp_path / "b" / "cat" / "00.png", seed=999)
    assert open_dataset(tmp_path / "b").fingerprint() != before


def test_the_fingerprint_does_not_stop_at_a_missing_file(tmp_path):
    dataset = open_dataset(classes(tmp_path))
    (tmp_path / "cat" / "00.png").unlink()
    assert len(dataset.fingerprint()) == 32


def test_odd_file_names(tmp_path):
    classes(tmp_path)
    odd = tmp_path / "cat" / "odd\udcff \n name.png"
    shutil.copy(tmp_path / "cat" / "00.png", odd)
    dataset = open_dataset(tmp_path)
    (row,) = np.flatnonzero([str(i).startswith("cat/odd") for i in dataset.ids])
    dataset.ids[row].encode()
    assert dataset.load(row).size == (12, 8)


def test_wrong_arguments():
    with pytest.raises(DataError, match="There are 2 images, 1 labels and 2 ids"):
        ImageDataset.from_files(["a.png", "b.png"], ["x"])
