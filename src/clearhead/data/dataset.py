"""What a labelled data set is, whatever its source."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Literal, Self

import numpy as np
import pandas as pd
import xxhash
from PIL import Image

from clearhead._types import SPLITS, IntArray, Modality, SplitName, StrArray
from clearhead.data.multilabel import pick_label
from clearhead.errors import DataError

__all__ = ["Dataset", "Problem", "Shown", "UnreadableExample", "as_bytes"]


class UnreadableExample(DataError):  # noqa: N818 - it names what it is about
    """One example cannot be read; extraction counts it and goes on.

    Parameters
    ----------
    where : str
        Which example: its file, or its id.
    reason : str
        Why, in a few words.
    """

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where} cannot be read: {reason}.")
        self.where = where
        self.reason = reason


@dataclass(frozen=True)
class Problem:
    """Something that is wrong with one example or file, but not fatal.

    Parameters
    ----------
    kind : str
        What all problems of this kind are counted under: ``"empty text"``, …
    where : str
        The file, line or id.
    message : str
        One line for a person: what was wrong and what was done about it.
    """

    kind: str
    where: str
    message: str


@dataclass(frozen=True)
class Shown:
    """One example as a person sees it.

    Parameters
    ----------
    kind : {"text", "image"}
    text : str
        The text; empty for an image.
    jpeg : bytes
        A JPEG thumbnail whose long side is at most 224 pixels; empty for a text.
    width, height : int
        Size of the thumbnail in pixels; 0 for a text.
    """

    kind: Literal["text", "image"]
    text: str = ""
    jpeg: bytes = b""
    width: int = 0
    height: int = 0


@dataclass(frozen=True, eq=False, repr=False)
class Dataset(ABC):
    """Labelled examples with their splits, and how to show one.

    Parameters
    ----------
    name : str
        For people; it is not part of the fingerprint.
    ids : (n,) object array of str
        Unique and stable: they do not change when the data are moved.
    labels : (n,) int64 array, or (n, K) int8 array of 0 and 1
        Indices into `class_names`; or, for multi-label data, which of them each example has.
    class_names : tuple of str
        The K classes, or the K labels.
    split : (n,) object array of str
        ``"train"``, ``"validation"`` or ``"test"``, for each example.
    metadata : DataFrame of n rows
        What else is known of each example; perhaps no columns.
    problems : tuple of Problem
        What was found wrong and left out.
    notes : tuple of str
        What was decided while opening, in sentences: which splits were made, and how.
    """

    name: str
    ids: StrArray
    labels: IntArray
    class_names: tuple[str, ...]
    split: StrArray
    metadata: pd.DataFrame
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]

    modality: ClassVar[Modality]

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        parts = ", ".join(f"{name} {len(self.indices(name)):,}" for name in self.splits)
        return (
            f"<{type(self).__name__} {self.name!r}: {len(self):,} {self.modality}s, "
            f"{len(self.class_names)} {'labels' if self.multilabel else 'classes'}; {parts}>"
        )

    @property
    def multilabel(self) -> bool:
        """Whether an example may have several of the labels, or none."""
        return self.labels.ndim == 2

    @property
    def splits(self) -> tuple[SplitName, ...]:
        """The splits that have examples, in the order train, validation, test."""
        present = set(self.split)
        return tuple(name for name in SPLITS if name in present)

    def indices(self, split: SplitName) -> IntArray:
        """Positions of the examples of `split`, ascending, (m,) int64."""
        return np.flatnonzero(self.split == split)

    def counts(self) -> pd.DataFrame:
        """How many examples each class or label (rows) has in each split (columns)."""

        def count(rows: IntArray) -> IntArray:
            labels = self.labels[rows]
            if self.multilabel:
                return labels.sum(axis=0, dtype=np.int64)
            return np.bincount(labels, minlength=len(self.class_names))

        table = {name: count(self.indices(name)) for name in self.splits}
        kind = "label" if self.multilabel else "class"
        return pd.DataFrame(table, index=pd.Index(self.class_names, name=kind, dtype=object))

    def pick(self, label: str) -> Self:
        """Return multi-label data as data of two classes: without and with `label`.

        Raises
        ------
        DataError
            There is no such label, or no training example with or without it.
        """
        if not self.multilabel:
            raise DataError(
                f"label={label!r} picks one of several labels; {self.name} has classes, one an "
                "example. Leave it out."
            )
        chosen, names = pick_label(self.labels, self.class_names, label, self.name)
        trained = set(chosen[self.indices("train")].tolist())
        if len(trained) < 2:
            raise DataError(
                f"{'All' if trained == {1} else 'None'} of the training examples have the label "
                f"{label!r}: there is nothing to tell apart."
            )
        return replace(self, labels=chosen, class_names=names)

    @abstractmethod
    def load(self, i: int) -> str | Image.Image:
        """Return example `i` as the network gets it: a ``str`` or an RGB image.

        Raises
        ------
        UnreadableExample
            The example cannot be read.
        """

    @abstractmethod
    def show(self, i: int) -> Shown:
        """Return example `i` as a person sees it.

        Raises
        ------
        UnreadableExample
            The example cannot be read.
        """

    @abstractmethod
    def take(self, rows: IntArray) -> Self:
        """Return the data set of only the examples at the positions `rows`, in that order."""

    @abstractmethod
    def _contents(self) -> Iterator[bytes]:
        """Yield, for each example, the bytes that stand for its content."""

    def fingerprint(self) -> str:
        """Return the xxh3-128 of all that is learned from, as 32 hexadecimal digits.

        Contents, ids, labels, class names, splits and metadata count; the name
        and the place of the data do not. The first call reads every example
        (images: the bytes of the file); later calls cost nothing.
        """
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        digest = xxhash.xxh3_128()

        def add(*parts: bytes) -> None:
            # With the length in front, ("a", "bc") and ("ab", "c") differ.
            for part in parts:
                digest.update(len(part).to_bytes(8, "little"))
                digest.update(part)

        add(b"clearhead dataset 1", self.modality.encode())
        add(*(as_bytes(name) for name in self.class_names))
        if self.multilabel:
            add(b"several labels")
        add(np.ascontiguousarray(self.labels, dtype="<i8").tobytes())
        for key, part, content in zip(self.ids, self.split, self._contents(), strict=True):
            add(as_bytes(key), as_bytes(part), content)
        for column in self.metadata.columns:
            add(as_bytes(str(column)))
            add(*(as_bytes(str(value)) for value in self.metadata[column]))
        return digest.hexdigest()

    def _take_common(self, rows: IntArray, **own: object) -> Self:
        """Take `rows` of what every data set has; `own` are the fields of one kind."""
        return replace(
            self,
            ids=self.ids[rows],
            labels=self.labels[rows],
            split=self.split[rows],
            metadata=self.metadata.iloc[rows].reset_index(drop=True),
            **own,  # type: ignore[arg-type]
        )


def as_bytes(text: str) -> bytes:
    """Encode as UTF-8; lone surrogates, which data do contain, are kept apart."""
    return text.encode("utf-8", "surrogatepass")
