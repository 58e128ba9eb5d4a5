"""A text as the search for patterns reads it: words, runs of punctuation, unusual gaps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from clearhead.explain import words_of

__all__ = ["END", "SEEN", "START", "Tokens", "tokens_of"]

START, END = "\x02", "\x03"
"""Stand before the first and after the last token: a pattern may be tied to either."""

SEEN = 2_000
"""Characters of a text that are read: language networks cut at 256 to 512 tokens."""

_USUAL_GAP = {"", " "}
_GAP = re.compile(r"\s+")


@dataclass(frozen=True)
class Tokens:
    """The tokens of a text, in lower case, and where each stands.

    White space between two words is a token of its own where it is anything but one space.

    Parameters
    ----------
    words : tuple of str
    spans : tuple of (int, int)
        First character of each token in the text, and the one after its last.
    """

    words: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]

    def __len__(self) -> int:
        return len(self.words)


@lru_cache(maxsize=50_000)
def tokens_of(text: str) -> Tokens:
    """Split the first :data:`SEEN` characters of a text."""
    text = text[:SEEN]
    parts = words_of(text)
    words: list[str] = []
    spans: list[tuple[int, int]] = []
    end = 0
    assert parts.spans is not None
    for word, (first, last) in zip(parts.words, parts.spans.tolist(), strict=True):
        gap = text[end:first]
        if gap not in _USUAL_GAP and words:
            words.append(gap)
            spans.append((end, first))
        words.append(word.lower())
        spans.append((first, last))
        end = last
    return Tokens(tuple(words), tuple(spans))
