"""Labelled images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self, final

import pandas as pd
from PIL import Image

from clearhead._types import IntArray, Modality
from clearhead.data.dataset import Dataset, Problem, Shown
from clearhead.data.image_source import ImageSource, as_source
from clearhead.data.labels import assemble, check_strict
from clearhead.data.pixels import thumbnail
from clearhead.data.splits import HELD_OUT
from clearhead.errors import DataError

__all__ = ["ImageDataset"]


@final
@dataclass(frozen=True, eq=False, repr=False)
class ImageDataset(Dataset):
    """Labelled images; made by :meth:`from_files`, :meth:`from_images` or ``open_dataset``.

    Parameters
    ----------
    images : tuple of n ImageSource
        Files, bytes or arrays, read when they are asked for.
    """

    images: tuple[ImageSource, ...]

    modality: ClassVar[Modality] = "image"

    @classmethod
    def from_files(
        cls,
        paths: Sequence[str | Path],
        labels: Sequence[Any] | IntArray,
        *,
        ids: Sequence[str] | None = None,
        **options: Any,
    ) -> Self:
        """Check labels, make missing splits; the files are not opened yet.

        Parameters
        ----------
        paths : sequence of n paths
        labels : sequence of n, or (n, K) array of 0 and 1
        ids : sequence of n str, or None
            Unique names that do not change when the files are moved; the paths
            as given where None.
        **options
            As in :meth:`from_images`.

        Raises
        ------
        DataError
            Says what is wrong with the data, where, and the mend.
        """
        identities = [str(path) for path in paths] if ids is None else list(ids)
        return cls.from_images([Path(path) for path in paths], labels, ids=identities, **options)

    @classmethod
    def from_images(
        cls,
        images: Sequence[Any],
        labels: Sequence[Any] | IntArray,
        *,
        name: str = "images",
        ids: Sequence[str] | None = None,
        split: Sequence[str] | None = None,
        metadata: pd.DataFrame | None = None,
        class_names: Sequence[str] | None = None,
        seed: int = 0,
        strict: bool = False,
        where: Sequence[str] | None = None,
        problems: Sequence[Problem] = (),
        groups: Sequence[Any] | None = None,
        validation: float = HELD_OUT,
        test: float = HELD_OUT,
        whole: bool = False,
    ) -> Self:
        """Check labels, make missing splits; the images are not decoded yet.

        Parameters
        ----------
        images : sequence of n
            Paths, bytes of image files, Pillow images, or arrays (H, W) or (H, W, C) of
            numbers from 0 to 255, or from 0 to 1.
        labels : sequence of n, or (n, K) array of 0 and 1
            The name of each image's class; numbers are taken as names. Or which of K labels
            each image has.
        name : str
            For people.
        ids : sequence of n str, or None
            Unique names; the row numbers, from 1, where None.
        split : sequence of n str, or None
            ``"train"``, ``"validation"`` or ``"test"``; made where None.
        metadata : DataFrame of n rows, or None
        class_names : sequence of str, or None
            The order of the classes, sorted where None; or the names of the K labels.
        seed : int
            For the splits that are made.
        strict : bool
            `problems` are an error.
        where : sequence of n str, or None
            What messages call each image; its id where None.
        problems : sequence of Problem
            What was found wrong before.
        groups : sequence of n, or None
            Images of one group (one patient, one scene) stay on one side.
        validation, test : float
            Shares of the training images that these splits take where they are made.
        whole : bool
            All are for training: nothing is held out, and one class is enough.

        Raises
        ------
        DataError
            Says what is wrong with the data, where, and the mend.
        """
        identities = [str(i + 1) for i in range(len(images))] if ids is None else list(ids)
        if len(identities) != len(images) or len(labels) != len(images):
            raise DataError(
                f"There are {len(images):,} images, {len(labels):,} labels and "
                f"{len(identities):,} ids; give one of each for every example."
            )
        check_strict(strict, problems)
        common = assemble(
            ids=identities,
            labels=labels,
            split=split,
            metadata=metadata,
            class_names=class_names,
            keys=identities,
            seed=seed,
            where=where,
            groups=groups,
            validation=validation,
            test=test,
            whole=whole,
        )
        sources = tuple(as_source(image, Path()) for image in images)
        return cls(name=name, problems=tuple(problems), images=sources, **vars(common))

    def load(self, i: int) -> Image.Image:
        """Return image `i` as RGB, upright.

        Raises
        ------
        UnreadableExample
            It is missing, not an image, truncated, or too large to be safe.
        """
        return self.images[i].read(str(self.ids[i]))

    def show(self, i: int) -> Shown:
        """Return image `i` as a JPEG thumbnail.

        Raises
        ------
        UnreadableExample
            As :meth:`load`.
        """
        return thumbnail(self.load(i))

    def take(self, rows: IntArray) -> Self:
        """Return the data set of only the images at the positions `rows`, in that order."""
        return self._take_common(rows, images=tuple(self.images[i] for i in rows))

    def _contents(self) -> Iterator[bytes]:
        return (image.content() for image in self.images)
