import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, TensorDataset

from clearhead.data import ImageDataset, UnreadableExample, open_dataset
from clearhead.errors import DataError

N = 40
IMAGES = np.random.default_rng(0).integers(0, 256, (N, 6, 5, 3), dtype=np.uint8)
LABELS = [i % 2 for i in range(N)]


class Items(Dataset):
    """Any function of i as a data set."""

    def __init__(self, item, n=N, **more):
        self.item, self.n = item, n
        vars(self).update(more)

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        if not 0 <= i < self.n:
            raise IndexError(i)
        return self.item(i)


def pixels(dataset):
    return np.stack([np.asarray(dataset.load(i)) for i in range(len(dataset))])


def as_tensor(i):
    return torch.tensor(IMAGES[i]).permute(2, 0, 1)


@pytest.mark.parametrize(
    "data",
    [
        Items(lambda i: (Image.fromarray(IMAGES[i]), LABELS[i])),
        Items(lambda i: (as_tensor(i), torch.tensor(LABELS[i]))),
        Items(lambda i: (as_tensor(i) / 255, LABELS[i])),
        Items(lambda i: [IMAGES[i], np.int64(LABELS[i])]),
        Items(lambda i: {"image": IMAGES[i], "label": LABELS[i]}),
        Items(lambda i: {"pixel_values": as_tensor(i), "labels": torch.tensor(LABELS[i])}),
        TensorDataset(torch.stack([as_tensor(i) for i in range(N)]), torch.tensor(LABELS)),
        TensorDataset(torch.stack([as_tensor(i) / 255 for i in range(N)]), torch.tensor(LABELS)),
        DataLoader(Items(lambda i: (as_tensor(i), LABELS[i])), batch_size=7, shuffle=True),
    ],
)
def test_images(data):
    dataset = open_dataset(data)
    assert isinstance(dataset, ImageDataset)
    assert dataset.labels.tolist() == LABELS
    assert np.array_equal(pixels(dataset), IMAGES)


@pytest.mark.parametrize("key", ["text", "sentence"])
def test_texts(key):
    pairs = open_dataset(Items(lambda i: (f"words {i}", LABELS[i])))
    dicts = open_dataset(Items(lambda i: {key: f"words {i}", "label": LABELS[i]}))
    assert list(pairs.texts) == list(dicts.texts) == [f"words {i}" for i in range(N)]


def test_names_of_classes_as_torchvision_keeps_them():
    data = Items(lambda i: (IMAGES[i], LABELS[i]), classes=["shirt", "bag"])
    assert open_dataset(data).class_names == ("shirt", "bag")
    with pytest.raises(DataError, match="label 1 of item 1 is outside the classes: there are 1"):
        open_dataset(Items(lambda i: (IMAGES[i], LABELS[i]), classes=["shirt"]))


def test_several_labels():
    flags = torch.randint(0, 2, (N, 3), generator=torch.Generator().manual_seed(0))
    data = Items(lambda i: (f"words {i}", flags[i].float()))
    dataset = open_dataset(data, class_names=["a", "b", "c"])
    assert np.array_equal(dataset.labels, flags.numpy())


def test_a_subset_and_a_dict_of_splits():
    data = Items(lambda i: (IMAGES[i], LABELS[i]))
    parts = {"train": Subset(data, range(24)), "val": Subset(data, range(24, 32)),
             "test": Subset(data, range(32, N))}  # fmt: skip
    dataset = open_dataset(parts)
    assert dataset.counts().sum().tolist() == [24, 8, 8]
    assert np.array_equal(pixels(dataset), IMAGES)


def test_a_stream_is_kept():
    class Stream(IterableDataset):
        def __iter__(self):
            return iter([(IMAGES[i], LABELS[i]) for i in range(N)])

    assert np.array_equal(pixels(open_dataset(Stream())), IMAGES)


def test_a_loader_says_what_was_read():
    dataset = open_dataset(DataLoader(Items(lambda i: (IMAGES[i], LABELS[i])), batch_size=4))
    assert dataset.notes[0].startswith("Of the DataLoader, the data set was read")


def test_an_item_that_fails_later_is_unreadable():
    broken = []

    def item(i):
        if i in broken:
            raise OSError("gone")
        return IMAGES[i], LABELS[i]

    dataset = open_dataset(Items(item))
    broken.append(3)
    with pytest.raises(UnreadableExample, match="4 cannot be read: OSError: gone"):
        dataset.load(3)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (Items(lambda i: (torch.rand(3, 4, 4), 0)), "another image each time it is read. Turn ra"),
        (Items(lambda i: (torch.ones(3, 4, 4) * -1, 0)), "Item 0: pixels from -1 to -1 look norma"),
        (Items(lambda i: IMAGES[i]), "Item 0 is a ndarray; it must be a pair"),
        (Items(lambda i: (IMAGES[i], 0, 1)), "Item 0 is a tuple of 3; it must be a pair"),
        (Items(lambda i: {"input_ids": [1], "label": 0}), "Token ids are no texts: give the texts"),
        (Items(lambda i: {"a": [1], "label": 0}), "dict with the keys a, label; it needs one of te"),
        (Items(lambda i: (3.5, 0)), "Item 0: An image must be a path, bytes, an array or"),
        (Items(None, n=0), "The Items is empty"),
        (
            DataLoader(Items(lambda i: (IMAGES[i], 0)), collate_fn=lambda batch: batch),
            r"collate_fn of its own, .*open_dataset\(loader.dataset\)",
        ),
    ],
)
def test_what_cannot_be_opened(data, message):
    with pytest.raises(DataError, match=message):
        open_dataset(data)
