"""Kinds of tokens whose every instance differs: links, ratings, names, numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from clearhead.debug.texts.piece import Piece, Place
from clearhead.debug.texts.tokens import SEEN

__all__ = ["KINDS", "TokenKind"]

KINDS: dict[str, tuple[str, str]] = {
    "link": ("links", r"(?:https?://|www\.)\S+"),
    "rating": (
        "ratings such as “8/10”",
        r"(?<![\d/])\d{1,3}(?:[.,]\d)?\s?(?:/|out of)\s?(?:10|5|4|100)\b(?![/\d])",
    ),
    "address": ("e-mail addresses", r"[\w.+-]+@[\w-]+\.\w[\w.]*"),
    "user": ("user names with @", r"(?<![\w.])@\w+"),
    "hashtag": ("hashtags", r"(?<!\w)#\w+"),
    "year": ("years", r"\(?\b(?:1[5-9]|20)\d\d\b\)?"),
    "number": ("numbers", r"(?<![\w.,:/])\d+(?:[.,:/]\d+)*(?![\w/])"),
    "money": ("amounts of money", r"[$€£¥]\s?\d[\d.,]*"),
    "emoji": ("emoji", "[\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]+\ufe0f?"),
    "emoticon": ("emoticons", r"(?<!\w)[:;=8][-'^]?[)(DPp/\\|\]\[](?!\w)"),
    "entity": ("HTML entities", r"&(?:#\d+|#x[0-9a-fA-F]+|[a-zA-Z]{2,8});"),
    "tag": ("HTML tags", r"</?[a-zA-Z][^<>]{0,80}>"),
    "capitals": ("words in capitals", r"\b[A-Z]{4,}\b"),
    "brackets": ("text in brackets", r"[(\[{][^()\[\]{}]{1,80}[)\]}]"),
    "quoted": ("text in quotation marks", r"[\"“”«][^\"“”«»]{1,120}[\"“”»]"),
    "stretched": ("words with stretched letters", r"\b\w*([a-zA-Z])\1{2,}\w*\b"),
    "mixed": ("words with digits among the letters", r"\b[a-zA-Z]+\d+[a-zA-Z]\w*\b"),
}
"""Name of each kind: what a person calls it, and what finds it."""


class TokenKind(Piece):
    """All tokens of one of :data:`KINDS`.

    Parameters
    ----------
    name : str
    pieces : tuple of str
        Instances that were seen in the data.
    place, glued, times
        As in :class:`~clearhead.debug.texts.piece.Piece`.
    """

    kind = "token_kind"

    def __init__(
        self,
        name: str,
        pieces: tuple[str, ...],
        place: Place = "anywhere",
        *,
        glued: bool = False,
        times: int = 1,
    ) -> None:
        super().__init__(pieces, place, glued=glued, times=times)
        self.name = name
        self._pattern = re.compile(KINDS[name][1])

    def describe(self) -> str:
        """Say what it is."""
        where = {"start": " at the start", "end": " at the end", "anywhere": ""}[self.place]
        return KINDS[self.name][0] + where

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where such tokens stand."""
        return [one.span() for one in self._pattern.finditer(text[:SEEN])]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "name": self.name,
            "pieces": list(self.pieces),
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
            value["name"],
            tuple(value["pieces"]),
            value["place"],
            glued=bool(value["glued"]),
            times=int(value["times"]),
        )
