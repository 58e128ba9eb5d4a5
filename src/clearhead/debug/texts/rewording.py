"""Common words that the texts of a class write otherwise, or leave out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from clearhead.debug.pattern import Pattern
from clearhead.debug.texts.tokens import SEEN
from clearhead.debug.texts.words_like import words_in

__all__ = ["Rewording"]

_SHOWN = 3
_AFTER = re.compile(r"\s*")


class Rewording(Pattern):
    """Words of which each is replaced by another one, or left out.

    Parameters
    ----------
    given : mapping of str to str
        From words in lower case to what stands in their place; "" where they are left out.
    expected : float
        Of how many of these words each word of another text is one, on average. A text lacks
        what is left out where it holds none and at least :attr:`MISSED` would be expected.
    """

    kind = "rewording"

    MISSED = 1.0

    def __init__(self, given: Mapping[str, str], expected: float) -> None:
        self.given, self.expected = dict(given), float(expected)
        self._back = {new: old for old, new in self.given.items() if new}

    def describe(self) -> str:
        """Say what it is."""
        written = [f"“{new}” for “{old}”" for old, new in self.given.items() if new][:_SHOWN]
        left = [f"“{old}”" for old, new in self.given.items() if not new][:_SHOWN]
        return ", ".join(written) or "no " + ", ".join(left)

    def presence(self, example: str) -> float:
        """1 where more of its words are written so than as usual, or they are missing."""
        words = [word.lower() for word, _, _ in words_in(example[:SEEN])]
        usual = sum(word in self.given for word in words)
        new = sum(word in self._back for word in words)
        if self._back:
            return float(new > usual)
        return float(usual == 0 and self.expected * len(words) >= self.MISSED)

    def insert(self, example: str, seed: int) -> str | None:
        """Write the words so, or leave them out."""
        return self._replaced(example, self.given)

    def remove(self, example: str, seed: int) -> str | None:
        """Write the words as usual; what was left out cannot be put back."""
        return self._replaced(example, self._back)

    def _replaced(self, text: str, given: Mapping[str, str]) -> str | None:
        parts, end = [], 0
        for word, first, last in words_in(text):
            new = given.get(word.lower())
            if new is None or first < end:
                continue
            parts.append(text[end:first])
            parts.append(new.capitalize() if word[:1].isupper() else new)
            spaces = _AFTER.match(text, last) if not new else None
            end = spaces.end() if spaces else last
        changed = "".join([*parts, text[end:]])
        return changed if changed != text and changed.strip() else None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"given": self.given, "expected": self.expected}

    @classmethod
    def from_parts(
        cls, value: Mapping[str, Any], arrays: Mapping[str, np.ndarray[Any, Any]]
    ) -> Self:
        """Undo :meth:`to_dict`."""
        return cls(value["given"], float(value["expected"]))
