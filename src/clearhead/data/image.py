"""Labelled images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self, final

import pandas as pd
import xxhash
from PIL import Image

from clearhead._types import IntArray, Modality
from clearhead.data.dataset import Dataset, Problem, Shown
from clearhead.data.labels import assemble, check_strict
from clearhead.data.pixels import read_rgb, thumbnail
from clearhead.errors import DataError

__all__ = ["ImageDataset"]


@final
@dataclass(frozen=True, eq=False, repr=False)
class ImageDataset(Dataset):
    """Labelled image files; made by :meth:`from_files` or ``open_dataset``.

    Parameters
    ----------
    paths : tuple of n Path
        The files, read when they are asked for.
    """

    paths: tuple[Path, ...]

    modality: ClassVar[Modality] = "image"

    @classmethod
    def from_files(
        cls,
        paths: Sequence[str | Path],
        labels: Sequence[Any],
        *,
        name: str = "images",
        ids: Sequence[str] | None = None,
        split: Sequence[str] | None = None,
        metadata: pd.DataFrame | None = None,
        class_names: Sequence[str] | None = None,
        seed: int = 0,
        strict: bool = False,
        problems: Sequence[Problem] = (),
    ) -> Self:
        """Check labels, make missing splits; the files are not opened yet.

        Parameters
        ----------
        paths : sequence of n paths
        labels : sequence of n
            The name of each image's class; numbers are taken as names.
        name : str
            For people.
        ids : sequence of n str, or None
            Unique names that do not change when the files are moved; the paths
            as given where None.
        split : sequence of n str, or None
            ``"train"``, ``"validation"`` or ``"test"``; made where None.
        metadata : DataFrame of n rows, or None
        class_names : sequence of str, or None
            The order of the classes; sorted where None.
        seed : int
            For the splits that are made.
        strict : bool
            `problems` are an error.
        problems : sequence of Problem
            What was found wrong before.

        Raises
        ------
        DataError
            Says what is wrong with the data, where, and the mend.
        """
        identities = [str(path) for path in paths] if ids is None else list(ids)
        if len(identities) != len(paths) or len(labels) != len(paths):
            raise DataError(
                f"There are {len(paths):,} images, {len(labels):,} labels and "
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
        )
        files = tuple(Path(path) for path in paths)
        return cls(name=name, problems=tuple(problems), paths=files, **vars(common))

    def load(self, i: int) -> Image.Image:
        """Return image `i` as RGB, upright.

        Raises
        ------
        UnreadableExample
            The file is missing, not an image, truncated, or too large to be safe.
        """
        return read_rgb(self.paths[i], str(self.ids[i]))

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
        return self._take_common(rows, paths=tuple(self.paths[i] for i in rows))

    def _contents(self) -> Iterator[bytes]:
        for path in self.paths:
            try:
                yield xxhash.xxh3_128_digest(path.read_bytes())
            except OSError:
                # Reported as unreadable when it is loaded.
                yield b"unreadable"
