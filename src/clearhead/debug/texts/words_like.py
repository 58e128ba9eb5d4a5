"""Words that are written like those of one class, each perhaps another: a learned kind."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Self

import numpy as np

from clearhead._types import FloatArray
from clearhead.debug.texts.piece import Piece, Place
from clearhead.debug.texts.tokens import SEEN

__all__ = ["BINS", "WordsLike", "hash_words", "words_in"]

BINS = 1 << 16
_WORD = re.compile(r"\S+")
_AROUND = ".,;:!?\"'()[]“”‘’"
_LONGEST = 30
_SHOWN = 3


def words_in(text: str) -> Iterator[tuple[str, int, int]]:
    """Give what stands between white space, without the signs around it, and where it stands."""
    for found in _WORD.finditer(text[:SEEN]):
        word, first = found.group(), found.start()
        left = len(word) - len(word.lstrip(_AROUND))
        bare = word.strip(_AROUND)
        if bare:
            yield bare, first + left, first + left + len(bare)
        else:
            yield word, first, found.end()


def _parts(word: str) -> list[str]:
    """Itself, its shape, and its letters in ones to fours: what spelling can be told by."""
    word = word[:_LONGEST]
    shape = re.sub(r"(.)\1+", r"\1", re.sub("[a-z]", "x", re.sub("[A-Z]", "X", word)))
    marked = f"<{word}>"
    letters = [marked[i : i + n] for n in range(1, 5) for i in range(len(marked) - n + 1)]
    return [f"={word}", f"~{re.sub('[0-9]', '0', shape)}", *letters]


@cache
def _vectorizer() -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer

    return HashingVectorizer(analyzer=_parts, n_features=BINS, alternate_sign=False)


def hash_words(words: Sequence[str]) -> Any:
    """Parts of each word, hashed: a sparse (n, BINS)."""
    return _vectorizer().transform(words)


class WordsLike(Piece):
    """All words that look like those of one class.

    Parameters
    ----------
    weights : ndarray of shape (BINS,)
        Of the parts of a word, learned.
    level : float
        From which sum of weights a word counts.
    pieces, place, times
        As in :class:`~clearhead.debug.texts.piece.Piece`: words that were seen.
    """

    kind = "words_like"

    def __init__(
        self,
        weights: FloatArray,
        level: float,
        pieces: tuple[str, ...],
        place: Place = "anywhere",
        *,
        times: int = 1,
    ) -> None:
        super().__init__(pieces, place, times=times)
        self.weights, self.level = weights, float(level)
        self._known: dict[str, float] = {}

    def describe(self) -> str:
        """Say what it is."""
        shown = list(dict.fromkeys(self.pieces))[:_SHOWN]
        where = {"start": " at the start", "end": " at the end", "anywhere": ""}[self.place]
        return "words such as " + ", ".join(f"“{word}”" for word in shown) + where

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where such words stand."""
        found = list(words_in(text))
        self._learn([word for word, _, _ in found])
        return [(a, b) for word, a, b in found if self._known[word] >= self.level]

    def _learn(self, words: list[str]) -> None:
        new = sorted({word for word in words if word not in self._known})
        if new:
            self._known |= dict(zip(new, (hash_words(new) @ self.weights).tolist(), strict=True))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "level": self.level,
            "pieces": list(self.pieces),
            "place": self.place,
            "times": self.times,
        }

    def arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """Give what was learned."""
        return {"weights": self.weights}

    @classmethod
    def from_parts(
        cls, value: Mapping[str, Any], arrays: Mapping[str, np.ndarray[Any, Any]]
    ) -> Self:
        """Undo :meth:`to_dict` and :meth:`arrays`."""
        return cls(
            arrays["weights"],
            float(value["level"]),
            tuple(value["pieces"]),
            value["place"],
            times=int(value["times"]),
        )
