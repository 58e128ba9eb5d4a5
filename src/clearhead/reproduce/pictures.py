"""Pictures in the folder trees of ImageNet and Places365."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path

from clearhead.data import ImageDataset
from clearhead.data.pixels import IMAGE_SUFFIXES
from clearhead.errors import DataError
from clearhead.reproduce.reading import Asked, existing_folder

__all__ = ["PLACES_10", "read_imagenet", "read_places_10"]

PLACES_10 = (
    "airport_terminal",
    "boat_deck",
    "bridge",
    "butchers_shop",
    "church-outdoor",
    "hotel_room",
    "laundromat",
    "river",
    "ski_slope",
    "volcano",
)
_LAYOUT = "the folders train and val, and in each one folder a class"


def read_imagenet(path: Path, asked: Asked) -> ImageDataset:
    """Read ``train/CLASS/…`` and ``val/CLASS/…``; val is the test split.

    Classes stand in the order of their folders' names, which is that of networks trained with
    torchvision. Validation is drawn from train.
    """
    return _read(path, asked, "imagenet", None)


def read_places_10(path: Path, asked: Asked) -> ImageDataset:
    """Read the ten classes of Places-10 from a tree of Places365, or of them alone."""
    return _read(path, asked, "places-10", PLACES_10)


def _read(path: Path, asked: Asked, name: str, wanted: tuple[str, ...] | None) -> ImageDataset:
    folder = existing_folder(path, _LAYOUT)
    files: list[Path] = []
    labels: list[str] = []
    split: list[str] = []
    for part, where in (("train", "train"), ("val", "test")):
        classes = _class_folders(folder / part, wanted)
        for label, child in classes.items():
            pictures = _pictures(child)
            files += pictures
            labels += [label] * len(pictures)
            split += [where] * len(pictures)
    return ImageDataset.from_files(
        files,
        labels,
        name=name,
        ids=[file.relative_to(folder).as_posix() for file in files],
        split=split,
        class_names=wanted,
        seed=asked.seed,
        validation=asked.validation,
    )


def _class_folders(folder: Path, wanted: tuple[str, ...] | None) -> dict[str, Path]:
    """Folder of each class, in the order of the classes."""
    existing_folder(folder, "one folder a class")
    found = {child.name: child for child in _folders(folder)}
    if wanted is None:
        return found
    plain = {_plain(name): child for name, child in found.items()}
    missing = [name for name in wanted if _plain(name) not in plain]
    if missing:
        near = difflib.get_close_matches(missing[0], found, n=1)
        hint = f" Is {near[0]!r} it?" if near else ""
        raise DataError(
            f"{folder} lacks {len(missing)} of the {len(wanted)} classes, the first is "
            f"{missing[0]!r}.{hint} It needs a folder for each of: {', '.join(wanted)}."
        )
    return {name: plain[_plain(name)] for name in wanted}


def _pictures(folder: Path) -> list[Path]:
    found = sorted(file for file in folder.rglob("*") if file.suffix.lower() in IMAGE_SUFFIXES)
    if not found:
        raise DataError(
            f"The class folder {folder} holds no image ({', '.join(sorted(IMAGE_SUFFIXES))}). Put "
            "images into it, or remove it."
        )
    return found


def _folders(folder: Path) -> Iterator[Path]:
    yield from sorted(
        child for child in folder.iterdir() if child.is_dir() and not child.name.startswith(".")
    )


def _plain(name: str) -> str:
    """``church-outdoor`` and ``church_outdoor`` are the same place."""
    return name.lower().replace("-", "_").replace(" ", "_")
