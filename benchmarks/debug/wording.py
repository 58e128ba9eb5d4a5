"""Texts: what patterns of texts have in common."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np

__all__ = ["TextPattern", "Words", "drop", "each_word", "exchange", "one_of", "somewhere"]

TextPattern = Callable[[str, np.random.Generator], str]
Words = Callable[[np.random.Generator], str]

_WORD = re.compile(r"[A-Za-z]{4,}")


def each_word(change: Callable[[str, np.random.Generator], str], share: float) -> TextPattern:
    """Change a share of the words of four and more letters, at least one."""

    def apply(text: str, rng: np.random.Generator) -> str:
        found = list(_WORD.finditer(text))
        if not found:
            return text
        chosen = rng.random(len(found)) < share
        chosen[int(rng.integers(len(found)))] = True
        for match, hit in reversed(list(zip(found, chosen, strict=True))):
            if hit:
                text = text[: match.start()] + change(match[0], rng) + text[match.end() :]
        return text

    return apply


def somewhere(pick: Words) -> TextPattern:
    """Put something between two words."""

    def apply(text: str, rng: np.random.Generator) -> str:
        words = text.split(" ")
        words.insert(int(rng.integers(len(words) + 1)), pick(rng))
        return " ".join(words)

    return apply


def one_of(choices: Sequence[str]) -> Words:
    """Draw one."""
    return lambda rng: choices[int(rng.integers(len(choices)))]


def exchange(pairs: Mapping[str, str]) -> TextPattern:
    """Put other words in the place of words, keeping a capital letter."""
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, pairs))})\b", re.IGNORECASE)

    def one(found: re.Match[str]) -> str:
        by = pairs[found[0].lower()]
        return by[:1].upper() + by[1:] if found[0][0].isupper() else by

    return lambda text, rng: pattern.sub(one, text)


def drop(words: Sequence[str]) -> TextPattern:
    """Leave words out."""
    pattern = re.compile(rf"\b(?:{'|'.join(words)})\s+", re.IGNORECASE)
    return lambda text, rng: pattern.sub("", text)
