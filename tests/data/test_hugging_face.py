import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from clearhead.data import ImageDataset, open_dataset
from clearhead.errors import DataError

datasets = pytest.importorskip("datasets", reason="the package datasets is not installed")

N = 40
TEXTS = [f"words {i}" for i in range(N)]
IMAGES = np.random.default_rng(0).integers(0, 256, (N, 6, 5, 3), dtype=np.uint8)
NAMES = ["world", "sports"]


@pytest.fixture(autouse=True)
def quiet():
    datasets.disable_progress_bars()


def texts(n=N, labels=None, **more):
    columns = {"text": TEXTS[:n], "label": [i % 2 for i in range(n)] if labels is None else labels}
    features = {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=NAMES)}
    for name, (values, feature) in more.items():
        columns[name], features[name] = values[:n], feature
    return datasets.Dataset.from_dict(columns, features=datasets.Features(features))


def images():
    features = {"image": datasets.Image(), "label": datasets.ClassLabel(names=NAMES)}
    columns = {"image": [Image.fromarray(x) for x in IMAGES], "label": [i % 2 for i in range(N)]}
    return datasets.Dataset.from_dict(columns, features=datasets.Features(features))


def test_texts_with_names_of_classes():
    dataset = open_dataset(texts(source=(["a", "b"] * 20, datasets.Value("string"))))
    assert dataset.class_names == ("world", "sports")  # in their order, not sorted
    assert dataset.labels.tolist() == [i % 2 for i in range(N)]
    assert list(dataset.texts) == TEXTS
    assert dataset.metadata["source"][:2].tolist() == ["a", "b"]


def test_what_was_done_to_the_dataset_is_kept():
    data = texts().filter(lambda row: row["text"] != "words 3").with_format("numpy").shuffle(seed=1)
    dataset = open_dataset(data)
    assert sorted(dataset.texts) == sorted(text for text in TEXTS if text != "words 3")
    assert [dataset.class_names[k] for k in dataset.labels[:5]] == [
        NAMES[int(text.split()[1]) % 2] for text in dataset.texts[:5]
    ]


def test_images_are_read_one_by_one():
    dataset = open_dataset(images())
    assert isinstance(dataset, ImageDataset)
    assert all(np.array_equal(np.asarray(dataset.load(i)), IMAGES[i]) for i in range(N))
    assert dataset.fingerprint() == open_dataset(images()).fingerprint()
    part = dataset.take(np.array([7, 2]))
    assert np.array_equal(np.asarray(part.load(0)), IMAGES[7])


def test_an_image_that_cannot_be_decoded():
    data = images().cast_column("image", datasets.Image(decode=False))
    broken = data.map(lambda row, i: {"image": {"bytes": b"no image", "path": None}} if i == 1 else row,
                      with_indices=True).cast_column("image", datasets.Image())  # fmt: skip
    dataset = open_dataset(broken)
    with pytest.raises(DataError, match="2 cannot be read: it is not an image"):
        dataset.load(1)


def test_a_dict_of_splits():
    data = datasets.DatasetDict(
        train=texts(), validation=texts(8), test=texts(6), unsupervised=texts()
    )
    dataset = open_dataset(data)
    assert dataset.counts().sum().tolist() == [40, 8, 6]
    assert dataset.ids[40] == "validation:1"
    assert [p.where for p in dataset.problems] == ["unsupervised"]


def test_a_split_without_labels_is_left_out():
    data = datasets.DatasetDict(train=texts(), validation=texts(8), test=texts(6, labels=[-1] * 6))
    dataset = open_dataset(data)
    assert dataset.counts().sum().tolist() == [34, 8, 6]
    assert [(p.kind, p.where) for p in dataset.problems] == [("split without labels", "test")]
    assert dataset.notes == ("Test was drawn from train, 15% of it (stratified by class, seed 0).",)
    with pytest.raises(DataError, match="1 of the 40 labels are missing .*: row 2 of the Dataset"):
        open_dataset(texts(labels=[0, -1] + [1, 0] * 19))


def test_several_labels():
    kind = datasets.Sequence(datasets.ClassLabel(names=["p", "q", "r"]))
    lists = [[i % 3] if i % 2 else [0, 2] for i in range(N)]
    data = datasets.Dataset.from_dict(
        {"text": TEXTS, "labels": lists},
        features=datasets.Features({"text": datasets.Value("string"), "labels": kind}),
    )
    dataset = open_dataset(data)
    assert dataset.class_names == ("p", "q", "r")
    assert [np.flatnonzero(row).tolist() for row in dataset.labels] == lists
    assert open_dataset(data, label="q").class_names == ("not q", "q")


def test_classes_without_examples_are_left_out():
    data = texts().cast_column("label", datasets.ClassLabel(names=[*NAMES, "science"]))
    dataset = open_dataset(data)
    assert dataset.class_names == ("world", "sports")
    assert "1 of 3 classes have no example and were left out: science." in dataset.notes


def test_a_saved_folder(tmp_path):
    images().save_to_disk(tmp_path / "pictures")
    datasets.DatasetDict(train=texts(), test=texts(6)).save_to_disk(tmp_path / "news")
    assert open_dataset(tmp_path / "pictures").load(3).size == (5, 6)
    news = open_dataset(str(tmp_path / "news"))
    assert (news.name, len(news)) == ("news", 46)
    for file in (tmp_path / "news" / "train").glob("*.arrow"):
        file.write_bytes(b"cut off")
    with pytest.raises(DataError, match=r"looks like a folder of datasets.save_to_disk"):
        open_dataset(tmp_path / "news")


def test_a_module_of_ones_own_may_be_called_datasets():
    class Mine(torch.utils.data.Dataset):
        __module__ = "datasets.mine"

        def __len__(self):
            return N

        def __getitem__(self, i):
            return TEXTS[i], i % 2

    assert list(open_dataset(Mine()).texts) == TEXTS


def test_what_cannot_be_opened():
    with pytest.raises(DataError, match="A IterableDataset is read as a stream"):
        open_dataset(texts().to_iterable_dataset())
    with pytest.raises(DataError, match="has the splits a, b; none is train"):
        open_dataset(datasets.DatasetDict(a=texts(), b=texts()))
    with pytest.raises(DataError, match=r"no column 'txt' \(text_column\). Did you mean 'text'\?"):
        open_dataset(texts(), text_column="txt")


def test_the_adapter_is_not_needed_for_other_data(tmp_path):
    lines = [f"words {i},{i % 2}" for i in range(N)]
    (tmp_path / "a.csv").write_text("\n".join(["text,label", *lines]))
    code = (
        "import sys; from clearhead.data import open_dataset; "
        f"open_dataset({str(tmp_path / 'a.csv')!r});"
        "sys.exit(any(m in sys.modules for m in ('torch', 'datasets', 'polars', 'sklearn')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
