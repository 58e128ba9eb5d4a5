"""Words in a row, perhaps at the start or at the end of the text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from clearhead.debug.texts.piece import Piece, Place
from clearhead.debug.texts.tokens import END, START, tokens_of

__all__ = ["Phrase"]


class Phrase(Piece):
    """One or more tokens in a row; upper and lower case are the same.

    Parameters
    ----------
    tokens : tuple of str
        In lower case, as :func:`~clearhead.debug.texts.tokens.tokens_of` gives them; ``START``
        first or ``END`` last ties it to that place.
    surface : str
        As it is written most often.
    place, glued, times
        As in :class:`~clearhead.debug.texts.piece.Piece`.
    """

    kind = "phrase"

    def __init__(
        self,
        tokens: tuple[str, ...],
        surface: str,
        place: Place = "anywhere",
        *,
        glued: bool = False,
        times: int = 1,
    ) -> None:
        super().__init__((surface,), place, glued=glued, times=times)
        self.tokens = tuple(tokens)

    @property
    def surface(self) -> str:
        """As it is written most often."""
        return self.pieces[0]

    @property
    def words(self) -> tuple[str, ...]:
        """The tokens without the marks of start and end."""
        return tuple(token for token in self.tokens if token not in (START, END))

    def describe(self) -> str:
        """Say what it is."""
        where = ""
        if self.tokens[0] == START or self.place == "start":
            where = " at the start"
        elif self.tokens[-1] == END or self.place == "end":
            where = " at the end"
        if self.surface.isspace():
            return f"the white space {self.surface!r}{where}"
        letters = any(c.isalnum() for c in self.surface)
        what = ("the word" if len(self.words) == 1 else "the words") if letters else "the sign"
        return f"{what} “{self.surface}”{where}"

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where the tokens stand in a row."""
        found = tokens_of(text)
        wanted, m = self.words, len(self.words)
        first = self.tokens[0] == START
        last = self.tokens[-1] == END
        starts = range(len(found) - m + 1)
        if first and last:
            starts = range(1 if len(found) == m else 0)
        elif first:
            starts = starts[:1]
        elif last:
            starts = starts[-1:]
        spans = []
        for i in starts:
            if found.words[i : i + m] == wanted:
                spans.append((found.spans[i][0], found.spans[i + m - 1][1]))
        return spans

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "tokens": list(self.tokens),
            "surface": self.surface,
            "place": self.place,
            "glued": self.glued,
            "times": self.times,
        }

    @classmethod
    def from_parts(
        cls, value: Mapping[str, Any], arrays: Mapping[str, np.ndarray[Any, Any]]
    ) -> Self:
        """Undo :meth:`to_dict`."""
        return cls(
            tuple(value["tokens"]),
            value["surface"],
            value["place"],
            glued=bool(value["glued"]),
            times=int(value["times"]),
        )
