"""Labelled images in a folder with one sub-folder per class."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clearhead._types import SplitName
from clearhead.data.dataset import Problem
from clearhead.data.labels import listed
from clearhead.data.pixels import IMAGE_SUFFIXES
from clearhead.data.source import Source, Table
from clearhead.data.splits import SPLIT_NAMES, split_order
from clearhead.errors import DataError

__all__ = ["has_image_folders", "read"]

_LAYOUT = (
    "A folder of images has one sub-folder per class with the images in it, or train/, "
    "validation/ and test/ with such sub-folders"
)


@dataclass
class _Found:
    """What a walk through the folder collects."""

    paths: list[Path] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def has_image_folders(folder: Path) -> bool:
    """Whether some sub-folder of `folder`, however deep, holds a file named like an image."""
    return any(_is_image(file) for child in _folders(folder) for file in _files_below(child))


def read(folder: Path) -> Source:
    """Read a folder of class sub-folders, or of splits with class sub-folders.

    Hidden files and folders are passed over. Files in a class folder that are
    not named like images are counted as problems.

    Raises
    ------
    DataError
        A class folder is empty, a class is absent from training, and so on.
    """
    children = _folders(folder)
    splits = {child: SPLIT_NAMES.get(child.name.lower()) for child in children}
    found = _Found()
    if _has_splits(splits):
        _collect_strays(folder, folder, found)
        _collect_splits(folder, splits, found)
    else:
        _collect_classes(folder, folder, "", found)
    if not found.paths:
        raise DataError(f"{folder} holds no images in class folders. {_LAYOUT}.")
    ids = [path.relative_to(folder).as_posix() for path in found.paths]
    columns: dict[str, list[Any]] = {"image": found.paths, "class": found.labels, "id": ids}
    roles = {"image": "image", "label": "class", "id": "id"}
    if any(found.splits):
        columns["split"] = found.splits
    return Source(
        name=folder.resolve().name,
        tables=[Table(str(folder), columns, where=ids, roles=roles)],
        problems=found.problems,
        no_columns=f"the folder of images {folder}",
    )


def _has_splits(splits: Mapping[Path, SplitName | None]) -> bool:
    """Whether the sub-folders are splits; a class may be called "train" too (cars, trains)."""
    above_classes = [split for child, split in splits.items() if split and _folders(child)]
    return "train" in above_classes or 0 < len(above_classes) == len(splits)


def _collect_splits(folder: Path, splits: Mapping[Path, SplitName | None], found: _Found) -> None:
    seen: dict[str, Path] = {}
    for child, split in sorted(splits.items(), key=lambda item: split_order(item[1])):
        if split is None:
            found.problems.append(
                Problem(
                    "folder beside the splits",
                    child.name,
                    f"The folder {child.name} is not named for a split; it was left out.",
                )
            )
            continue
        if split in seen:
            raise DataError(
                f"{seen[split].name} and {child.name} in {folder} are both the {split} split. "
                "Keep one of them, or put their images together."
            )
        seen[split] = child
        if not _folders(child):
            raise DataError(f"The split folder {child} holds no class folders. {_LAYOUT}.")
        _collect_classes(folder, child, split, found)


def _collect_classes(root: Path, parent: Path, split: str, found: _Found) -> None:
    _collect_strays(root, parent, found)
    empty = []
    for child in _folders(parent):
        before = len(found.paths)
        for file in _files_below(child):
            if _is_image(file):
                found.paths.append(file)
                found.labels.append(child.name)
                found.splits.append(split)
            else:
                name = file.relative_to(root).as_posix()
                message = f"{name} is not named like an image; it was left out."
                found.problems.append(Problem("not an image file", name, message))
        if len(found.paths) == before:
            empty.append(child.relative_to(root).as_posix())
    if empty:
        raise DataError(
            f"{len(empty)} class folders of {root} hold no image: {listed(empty)}. Put images "
            f"({', '.join(sorted(IMAGE_SUFFIXES))}) into them, or remove them."
        )


def _collect_strays(root: Path, parent: Path, found: _Found) -> None:
    """Images that lie beside the class folders have no label."""
    for entry in sorted(parent.iterdir()):
        if entry.is_file() and _is_image(entry) and not entry.name.startswith("."):
            name = entry.relative_to(root).as_posix()
            message = f"{name} lies in no class folder; it was left out."
            found.problems.append(Problem("image without a class", name, message))


def _folders(folder: Path) -> list[Path]:
    return sorted(
        child for child in folder.iterdir() if child.is_dir() and not child.name.startswith(".")
    )


def _files_below(folder: Path) -> Iterator[Path]:
    """Files in `folder` and its sub-folders, sorted, without hidden ones; links are followed."""
    seen = set()
    for here, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(here)  # a link to a folder above would go round for ever
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith("."):
                yield Path(here, name)


def _is_image(file: Path) -> bool:
    return file.suffix.lower() in IMAGE_SUFFIXES
