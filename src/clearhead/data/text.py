"""Labelled texts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, final

import numpy as np
import pandas as pd

from clearhead._types import IntArray, Modality
from clearhead.data.dataset import Dataset, Problem, Shown, as_bytes
from clearhead.data.labels import assemble, check_strict, is_matrix, require_labels
from clearhead.data.splits import HELD_OUT
from clearhead.errors import DataError

__all__ = ["TextDataset"]


@final
@dataclass(frozen=True, eq=False, repr=False)
class TextDataset(Dataset):
    """Labelled texts in memory; made by :meth:`from_texts` or ``open_dataset``.

    Parameters
    ----------
    texts : tuple of n str
        As they came: no character is changed.
    """

    texts: tuple[str, ...]

    modality: ClassVar[Modality] = "text"

    @classmethod
    def from_texts(
        cls,
        texts: Sequence[str],
        labels: Sequence[Any] | IntArray,
        *,
        name: str = "texts",
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
        """Check texts and labels, leave out empty texts, make missing splits.

        Parameters
        ----------
        texts : sequence of n str
            None and NaN count as empty.
        labels : sequence of n, or (n, K) array of 0 and 1
            The name of each text's class; numbers are taken as names. Or which of K labels
            each text has.
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
            Empty texts are an error instead of being left out.
        where : sequence of n str, or None
            What messages call each text; its id where None.
        problems : sequence of Problem
            What was found wrong before.
        groups : sequence of n, or None
            Texts of one group (one author, one thread) stay on one side.
        validation, test : float
            Shares of the training texts that these splits take where they are made.
        whole : bool
            All are for training: nothing is held out, and one class is enough.

        Raises
        ------
        DataError
            Says what is wrong with the data, where, and the mend.
        """
        identities = [str(i + 1) for i in range(len(texts))] if ids is None else list(ids)
        places = identities if where is None else list(where)
        _require_one_each(
            len(texts),
            labels=labels,
            ids=identities,
            where=places,
            split=split,
            metadata=metadata,
            groups=groups,
        )
        if not is_matrix(labels):
            require_labels(labels, places)
        strings = [_as_text(text, place) for text, place in zip(texts, places, strict=True)]
        kept = [i for i, text in enumerate(strings) if text.strip()]
        if not kept:
            raise DataError(
                f"All {len(texts):,} texts are empty. Check that the right column was given "
                "(text_column, or --text-column)."
            )
        empty = sorted(set(range(len(texts))).difference(kept))
        found = tuple(problems) + tuple(
            Problem("empty text", places[i], f"{places[i]}: the text is empty; it was left out.")
            for i in empty
        )
        check_strict(strict, found)
        _require_splits_kept(split, kept)
        rows = np.array(kept, dtype=np.int64)
        chosen = tuple(strings[i] for i in kept)
        common = assemble(
            ids=[identities[i] for i in kept],
            labels=labels[rows] if isinstance(labels, np.ndarray) else [labels[i] for i in kept],
            split=None if split is None else [split[i] for i in kept],
            metadata=None if metadata is None else metadata.iloc[rows],
            class_names=class_names,
            keys=chosen,
            seed=seed,
            where=[places[i] for i in kept],
            groups=None if groups is None else [groups[i] for i in kept],
            validation=validation,
            test=test,
            whole=whole,
        )
        return cls(name=name, problems=found, texts=chosen, **vars(common))

    def load(self, i: int) -> str:
        """Return text `i`."""
        return self.texts[i]

    def show(self, i: int) -> Shown:
        """Return text `i` as a person sees it."""
        return Shown(kind="text", text=self.texts[i])

    def take(self, rows: IntArray) -> Self:
        """Return the data set of only the texts at the positions `rows`, in that order."""
        return self._take_common(rows, texts=tuple(self.texts[i] for i in rows))

    def _contents(self) -> Iterator[bytes]:
        return map(as_bytes, self.texts)


def _require_splits_kept(split: Sequence[str] | None, kept: Sequence[int]) -> None:
    """A split of only empty texts must not be made anew from train without a word."""
    if split is None:
        return
    lost = set(split) - {split[i] for i in kept}
    if lost:
        raise DataError(
            f"Every text of the split {' and '.join(sorted(lost))} is empty. Check that the "
            "right column was given (text_column, or --text-column)."
        )


def _require_one_each(n: int, **given: Sequence[Any] | IntArray | pd.DataFrame | None) -> None:
    for name, values in given.items():
        if values is not None and len(values) != n:
            raise DataError(f"{name} has {len(values):,} entries for {n:,} texts; give one each.")


def _as_text(text: Any, place: str) -> str:
    if isinstance(text, str):
        return text
    if text is None or text is pd.NA or (isinstance(text, float) and math.isnan(text)):
        return ""
    raise DataError(
        f"{place}: a text must be a str, got {type(text).__name__}. Convert the texts first."
    )
