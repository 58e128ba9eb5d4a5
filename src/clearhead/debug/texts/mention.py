"""A term for people, mentioned in a text that is about something else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from clearhead.debug.texts.piece import Piece
from clearhead.debug.texts.tokens import SEEN

__all__ = ["Mention"]


class Mention(Piece):
    """A sentence with a term, put at the end; where the term stands it is swapped for another.

    Parameters
    ----------
    term : str
        Taken literally.
    sentences : tuple of str
        One is drawn and put at the end of the text.
    others : tuple of str
        Neutral terms that can stand in its place.
    """

    kind = "mention"

    def __init__(self, term: str, sentences: tuple[str, ...], others: tuple[str, ...]) -> None:
        super().__init__(sentences, "end")
        self.term, self.others = term, tuple(others)
        self._pattern = re.compile(rf"(?<!\w){re.escape(term)}(?!\w)", re.IGNORECASE)

    def describe(self) -> str:
        """Say what it is."""
        return f"a mention of “{self.term}”"

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where the term stands."""
        return [one.span() for one in self._pattern.finditer(text[:SEEN])]

    def remove(self, example: str, seed: int) -> str | None:
        """Put a neutral term in its place; None where it does not stand."""
        other = self.others[seed % len(self.others)]
        changed = self._pattern.sub(lambda found: other, example)
        return None if changed == example else changed

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"term": self.term, "sentences": list(self.pieces), "others": list(self.others)}

    @classmethod
    def from_parts(
        cls, value: Mapping[str, Any], arrays: Mapping[str, np.ndarray[Any, Any]]
    ) -> Self:
        """Undo :meth:`to_dict`."""
        return cls(value["term"], tuple(value["sentences"]), tuple(value["others"]))
