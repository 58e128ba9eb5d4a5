"""Do the words of a feature predict where it fires?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import sparse

from clearhead._types import FloatArray
from clearhead.errors import InputError
from clearhead.explain.detection import Detection, detect
from clearhead.explain.parts import words_of
from clearhead.explain.words import WordTable

__all__ = ["detect_words"]


def _split(text: str) -> Sequence[str]:
    return words_of(text).words


def detect_words(
    table: WordTable,
    train_texts: Sequence[str],
    train_z: FloatArray,
    test_texts: Sequence[str],
    test_z: FloatArray,
    *,
    k: int | None = None,
    explanation: str = "words",
    split: Callable[[str], Sequence[str]] = _split,
) -> list[Detection]:
    """Predict from the words of each feature alone where it fires; see :mod:`~.detection`.

    The score of a text is the sum of the mean weights of the feature's words in it, each as
    often as it stands there. Words that the table does not hold, or whose 95% interval includes
    0, count for nothing.

    Parameters
    ----------
    table : WordTable
        As :func:`word_table` returned it, not oriented.
    train_texts, test_texts : sequence of str
        The threshold is set on the first, which may have been explained or not, and judged on
        the second, which must not have been.
    train_z, test_z : ndarray of shape (n, u)
        Their standardised activations, one column for each of ``table.features``.
    k : int, optional
        Only the `k` strongest words of each side; by default all. The list that a person reads
        usually predicts less than the whole table: judge it with `k` its length.
    explanation : str
        What the detections are called.
    split : callable
        Text to words; by default as the explanations split it.

    Raises
    ------
    InputError
        The table is oriented towards a class, or the activations do not fit.
    """
    if table.towards is not None:
        raise InputError(
            f"detect_words: these words speak for {table.towards!r}, not for their feature. Pass "
            "the table that word_table returned."
        )
    weights = table.strongest(k)
    return detect(
        table.features,
        (_count(table, train_texts, split) @ weights).toarray(),
        train_z,
        (_count(table, test_texts, split) @ weights).toarray(),
        test_z,
        explanation=explanation,
    )


def _count(
    table: WordTable, texts: Sequence[str], split: Callable[[str], Sequence[str]]
) -> sparse.csr_array:
    """Count each of the table's V words in each of n texts, (n, V)."""
    index = {word: column for column, word in enumerate(table.words)}
    rows: list[int] = []
    columns: list[int] = []
    for row, text in enumerate(texts):
        for word in split(text):
            column = index.get(word.lower() if table.lower else word)
            if column is not None:
                rows.append(row)
                columns.append(column)
    at = (np.array(rows, dtype=np.int64), np.array(columns, dtype=np.int64))
    shape = (len(texts), len(table.words))
    return sparse.csr_array(sparse.coo_array((np.ones(len(rows)), at), shape=shape))
