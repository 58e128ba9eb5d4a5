"""Something that stands in a text and can be put in, or cut out: words, a link, a number."""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import Literal, get_args

import numpy as np

from clearhead.debug.pattern import Pattern
from clearhead.debug.texts.tokens import tokens_of

__all__ = ["Piece", "Place"]

Place = Literal["start", "end", "anywhere"]

_SPACES = re.compile(r" {2,}")


class Piece(Pattern):
    """A pattern that is a stretch of the text.

    Parameters
    ----------
    pieces : tuple of str
        What is put in; one is drawn where there are several.
    place : {"start", "end", "anywhere"}
        Where it is put.
    glued : bool
        Whether it follows the word before it without a space.
    times : int
        How many times it is put in.
    """

    def __init__(
        self, pieces: tuple[str, ...], place: Place, *, glued: bool = False, times: int = 1
    ) -> None:
        if not pieces or place not in get_args(Place) or times < 1:
            raise ValueError(f"no piece: {pieces!r}, {place!r}, {times}")
        self.pieces, self.place, self.glued, self.times = tuple(pieces), place, glued, int(times)

    @abstractmethod
    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where it stands in a text: first character, and the one after the last."""

    def presence(self, example: str) -> float:
        """1 where it is there, else 0."""
        return float(bool(self.spans(example)))

    def insert(self, example: str, seed: int) -> str | None:
        """Put it in, so many times as the class has it."""
        rng = np.random.default_rng(seed)
        changed = example
        for _ in range(self.times):
            changed = self._put(changed, rng)
        return None if changed == example else changed

    def remove(self, example: str, seed: int) -> str | None:
        """Cut it out wherever it stands; None where it is not, or nothing else is left."""
        changed = example
        for _ in range(3):  # cutting out can bring together what makes it anew
            spans = self.spans(changed)
            if not spans:
                break
            changed = cut_out(changed, spans)
        return changed if changed != example and changed.strip() else None

    def _put(self, text: str, rng: np.random.Generator) -> str:
        piece = self.pieces[int(rng.integers(len(self.pieces)))]
        if self.place == "start":
            return f"{piece} {text.lstrip()}" if piece.strip() else piece + text
        if self.place == "end":
            return text.rstrip() + ("" if self.glued else " ") + piece
        if not piece.strip():  # white space stands in the place of white space
            gaps = [one.span() for one in re.finditer(r"\s+", text)]
            first, last = gaps[int(rng.integers(len(gaps)))] if gaps else (len(text), len(text))
            return text[:first] + piece + text[last:]
        ends = [last for _, last in tokens_of(text).spans]
        at = int(rng.choice(ends)) if ends else len(text)
        before = "" if self.glued or not at else " "
        after = "" if at >= len(text) or text[at].isspace() else " "
        return text[:at] + before + piece + after + text[at:]


def cut_out(text: str, spans: list[tuple[int, int]]) -> str:
    """Leave stretches out, and one of the two spaces around each."""
    parts, end = [], 0
    for first, last in sorted(spans):
        if first < end:
            continue
        parts.append(text[end:first])
        end = last
        if text[first:last].isspace():
            parts.append(" ")
        elif (not first or text[first - 1] == " ") and text[last : last + 1] == " ":
            end = last + 1
    parts.append(text[end:])
    return "".join(parts)
