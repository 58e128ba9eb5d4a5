"""Texts with some of their words removed or masked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from clearhead._files import checksum
from clearhead._types import BoolArray, IntArray
from clearhead.backbones import Backbone, Batch
from clearhead.errors import InputError
from clearhead.explain.parts import Parts, words_of

__all__ = ["CutText", "TextFill", "WordSource", "mask_token"]

TextFill = Literal["remove", "mask"]


def mask_token(backbone: Backbone) -> str:
    """Give the token that stands for a hidden word.

    Raises
    ------
    InputError
        The network's tokenizer has none.
    """
    token = getattr(getattr(backbone.preprocessing, "tokenizer", None), "mask_token", None)
    if not token:
        raise InputError(
            f"fill='mask': {backbone.name} has no mask token (its tokenizer was not trained with "
            "one). Take fill='remove'."
        )
    return str(token)


@dataclass(frozen=True, eq=False)
class WordSource:
    """Turns subsets of a text's words into texts, and these into batches.

    Parameters
    ----------
    backbone : Backbone
    mask : str or None
        Put in place of a word; None takes it out.
    """

    backbone: Backbone
    mask: str | None
    unit = "words"
    rows_at_once = 2048
    """About how many texts are sorted by length and computed together."""

    def describe(self) -> dict[str, Any]:
        """What the perturbed texts depend on."""
        return {"parts": "words", "mask": self.mask}

    def digest(self, text: str) -> str:
        """Tell one text from another."""
        return checksum(text.encode("utf-8", "surrogatepass"))

    def open(self, text: str) -> CutText:
        """Cut the text into words."""
        return CutText(text, words_of(text))

    def items(
        self, asked: Sequence[tuple[CutText, BoolArray]]
    ) -> tuple[list[str], IntArray, IntArray]:
        """The different texts, which of them each subset is, and about how long they are."""
        items: list[str] = []
        lengths: list[float] = []
        inverse: list[int] = []
        for cut, kept in asked:
            known: dict[str, int] = {}  # the same text again is computed once
            by_word = np.array([self.backbone.length(word) for word in cut.parts.words])
            rows = kept @ by_word if len(by_word) else np.zeros(len(kept))
            for row, length in zip(kept, rows, strict=True):
                text = cut.render(row, self.mask)
                if text not in known:
                    known[text] = len(items)
                    items.append(text)
                    lengths.append(float(length))
                inverse.append(known[text])
        return items, np.array(inverse, dtype=np.int64), np.array(lengths, dtype=np.int64)

    def batch(self, items: Sequence[str]) -> Batch:
        """Make the network's input of some texts."""
        return self.backbone.prepare(items)


@dataclass(frozen=True, eq=False)
class CutText:
    """A text and its words."""

    text: str
    parts: Parts
    _one_word: dict[tuple[int, int], bool] = field(default_factory=dict, repr=False)

    def render(self, kept: BoolArray, mask: str | None = None) -> str:
        """Write the text with only the words that are kept.

        All of them give the text itself. White space between words that stay side by side
        stays as it is; where something between two words is gone, one gap is left, and words
        that would run into one another are kept apart.
        """
        words = self.parts.words
        if kept.all():
            return self.text
        if mask is not None:
            shown = [word if keep else mask for word, keep in zip(words, kept, strict=True)]
            body = "".join(a + b for a, b in zip(shown, [*self._gaps, ""], strict=True))
            return self._margins[0] + body + self._margins[1]
        pieces: list[str] = []
        last = -1
        for i in np.flatnonzero(kept).tolist():
            if last >= 0:
                gap = self._gaps[last]
                if i - last > 1 and not gap:
                    gap = self._gaps[i - 1]
                    if not gap and self._run_together(last, i):
                        gap = " "
                pieces.append(gap)
            pieces.append(words[i])
            last = i
        return self._margins[0] + "".join(pieces) + self._margins[1]

    @cached_property
    def _gaps(self) -> list[str]:
        """The white space between each word and the next."""
        spans = self.parts.spans
        assert spans is not None
        return [self.text[a:b] for a, b in zip(spans[:-1, 1], spans[1:, 0], strict=True)]

    @cached_property
    def _margins(self) -> tuple[str, str]:
        """The white space before the first word and after the last."""
        spans = self.parts.spans
        assert spans is not None
        if len(spans) == 0:
            return self.text, ""
        return self.text[: spans[0, 0]], self.text[spans[-1, 1] :]

    def _run_together(self, left: int, right: int) -> bool:
        """Whether the two words would be read as one without anything between them."""
        if (left, right) not in self._one_word:
            pair = self.parts.words[left] + self.parts.words[right]
            self._one_word[left, right] = len(words_of(pair)) < 2
        return self._one_word[left, right]
