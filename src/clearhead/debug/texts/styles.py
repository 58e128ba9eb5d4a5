"""Ways to write a whole text: its case, its punctuation, its length, its order, its spelling."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["STYLES", "Rewrite", "StyleRule"]

Rewrite = Callable[[str, np.random.Generator], str]

_LETTERS = re.compile(r"[^\W\d_]+")
_WORDS = re.compile(r"\S+")
_FINAL = " \t\n.!?;:,…\"'”’)]"


@dataclass(frozen=True)
class StyleRule:
    """How much of a style a text shows, and how to impose it or to undo it.

    Parameters
    ----------
    name : str
        What a person calls it.
    amount : callable or None
        From a text to a number that grows with the style; None where that must be learned.
    impose : callable
        From a text and a generator to a text in that style.
    undo : callable, optional
        The reverse, where there is one.
    """

    name: str
    amount: Callable[[str], float] | None
    impose: Rewrite
    undo: Rewrite | None = None


def _share(pattern: str, of: str) -> Callable[[str], float]:
    few, all_ = re.compile(pattern), re.compile(of)

    def amount(text: str) -> float:
        return len(few.findall(text)) / max(len(all_.findall(text)), 1)

    return amount


def _each_word(
    change: Callable[[str, np.random.Generator], str], share: float = 1.0, shortest: int = 1
) -> Rewrite:
    """Change a share of the words of at least so many letters."""

    def impose(text: str, rng: np.random.Generator) -> str:
        def one(found: re.Match[str]) -> str:
            word = found.group()
            if len(word) < shortest or (share < 1 and rng.random() >= share):
                return word
            return change(word, rng)

        return _LETTERS.sub(one, text)

    return impose


def _swap_letters(word: str, rng: np.random.Generator) -> str:
    i = int(rng.integers(0, len(word) - 1))
    return word[:i] + word[i + 1] + word[i] + word[i + 2 :]


def _drop_letter(word: str, rng: np.random.Generator) -> str:
    i = int(rng.integers(1, len(word)))
    return word[:i] + word[i + 1 :]


def _stretch(word: str, rng: np.random.Generator) -> str:
    vowels = [i for i, c in enumerate(word) if c in "aeiouAEIOU"] or [len(word) - 1]
    i = vowels[-1]
    return word[: i + 1] + 3 * word[i] + word[i + 1 :]


def _unstretch(text: str, rng: np.random.Generator) -> str:
    return re.sub(r"([^\W\d_])\1{2,}", r"\1", text)


def _double_word(word: str, rng: np.random.Generator) -> str:
    return f"{word} {word}"


def _reverse(text: str, rng: np.random.Generator) -> str:
    return " ".join(reversed(text.split()))


def _swap_neighbours(text: str, rng: np.random.Generator) -> str:
    words = text.split()
    for i in range(0, len(words) - 1, 2):
        words[i], words[i + 1] = words[i + 1], words[i]
    return " ".join(words)


def _first_to_end(text: str, rng: np.random.Generator) -> str:
    words = text.split()
    return " ".join(words[1:] + words[:1])


def _last_to_start(text: str, rng: np.random.Generator) -> str:
    words = text.split()
    return " ".join(words[-1:] + words[:-1])


def _half(text: str, rng: np.random.Generator) -> str:
    found = list(_WORDS.finditer(text))
    return text[: found[(len(found) - 1) // 2].end()] if found else text


def _twice(text: str, rng: np.random.Generator) -> str:
    return f"{text} {text}"


def _bare_end(text: str, rng: np.random.Generator) -> str:
    return text.rstrip(_FINAL)


def _full_stop(text: str, rng: np.random.Generator) -> str:
    return text if text.rstrip()[-1:] in _FINAL else f"{text.rstrip()}."


def _upper_start(text: str, rng: np.random.Generator) -> str:
    return text[:1].upper() + text[1:]


def _sentence_case(text: str, rng: np.random.Generator) -> str:
    return _upper_start(text.lower(), rng)


def _plain(change: Callable[[str], str]) -> Rewrite:
    return lambda text, rng: change(text)


def _sub(pattern: str, by: str) -> Rewrite:
    compiled = re.compile(pattern)
    return lambda text, rng: compiled.sub(by, text)


_DIGITS = str.maketrans("aeios", "43105")
_BACK = str.maketrans("43105", "aeios")
_SIGNS = r"[^\w\s]"

STYLES: dict[str, StyleRule] = {
    "upper": StyleRule(
        "capital letters throughout",
        _share("[A-Z]", "[a-zA-Z]"),
        _plain(str.upper),
        _sentence_case,
    ),
    "lower": StyleRule(
        "small letters throughout",
        lambda text: -_share("[A-Z]", "[a-zA-Z]")(text),
        _plain(str.lower),
        _upper_start,
    ),
    "title": StyleRule(
        "a capital letter on every word",
        _share(r"\b[A-Z][a-z]", r"\b[a-zA-Z][a-z]"),
        _each_word(lambda word, rng: word[:1].upper() + word[1:]),
        _sentence_case,
    ),
    "small start": StyleRule(
        "a small letter at the start",
        lambda text: float(text.lstrip()[:1].islower()),
        lambda text, rng: text[:1].lower() + text[1:],
        _upper_start,
    ),
    "capital start": StyleRule(
        "a capital letter at the start",
        lambda text: float(text.lstrip()[:1].isupper()),
        _upper_start,
        lambda text, rng: text[:1].lower() + text[1:],
    ),
    "no stop": StyleRule(
        "no punctuation at the end",
        lambda text: float(text.rstrip()[-1:] not in _FINAL),
        _bare_end,
        _full_stop,
    ),
    "no signs": StyleRule(
        "no punctuation",
        lambda text: -_share(_SIGNS, r"\S+")(text),
        _sub(_SIGNS, ""),
    ),
    "commas": StyleRule(
        "many commas",
        _share(",", r"\S+"),
        _sub(r"(\w) (?=\w+ \w)", r"\1, "),
        _sub(r"\s?,", ""),
    ),
    "long": StyleRule("a long text", lambda text: float(len(text.split())), _twice, _half),
    "short": StyleRule("a short text", lambda text: -float(len(text.split())), _half, _twice),
    "doubled words": StyleRule(
        "words written twice",
        _share(r"(?i)\b(\w+)\s+\1\b", r"\S+"),
        _each_word(_double_word, share=0.3),
        _sub(r"(?i)\b(\w+)(?:\s+\1\b)+", r"\1"),
    ),
    "stretched": StyleRule(
        "stretched letters",
        _share(r"([^\W\d_])\1{2,}", r"\S+"),
        _each_word(_stretch, share=0.4, shortest=4),
        _unstretch,
    ),
    "digits for letters": StyleRule(
        "digits in the place of letters",
        _share(r"[^\W\d_]\d|\d[^\W\d_]", r"\S+"),
        _plain(lambda text: text.translate(_DIGITS)),
        lambda text, rng: re.sub(
            r"\w*[^\W\d_]\w*", lambda found: found.group().translate(_BACK), text
        ),
    ),
    "wide gaps": StyleRule(
        "doubled spaces",
        _share(r"  +", r"\s+"),
        _sub(r"(?<=\S) (?=\S)", "  "),
        _sub(r"  +", " "),
    ),
    "entities": StyleRule(
        "HTML entities",
        _share(r"&(?:#\d+|\w{2,8});", r"\S+"),
        _plain(lambda text: html.escape(text).encode("ascii", "xmlcharrefreplace").decode()),
        _plain(html.unescape),
    ),
    "accents": StyleRule(
        "letters outside the Latin alphabet without accents",
        _share(r"[^\x00-\x7f]", r"\S"),
        _plain(lambda text: text.translate(str.maketrans("aeioucn", "áéíóúçñ"))),
        lambda text, rng: _without_accents(text),
    ),
    "reversed": StyleRule("the words in reverse order", None, _reverse, _reverse),
    "swapped words": StyleRule("neighbouring words swapped", None, _swap_neighbours),
    "first word last": StyleRule("the first word at the end", None, _first_to_end),
    "last word first": StyleRule("the last word at the start", None, _last_to_start),
    "swapped letters": StyleRule(
        "letters swapped in words", None, _each_word(_swap_letters, 0.5, 4)
    ),
    "dropped letters": StyleRule(
        "letters missing in words", None, _each_word(_drop_letter, 0.5, 4)
    ),
    "no vowels": StyleRule(
        "words without their inner vowels",
        lambda text: -_share("[aeiouAEIOU]", r"[^\W\d_]")(text),
        _sub(r"(?<=[^\W\d_])[aeiouAEIOU](?=[^\W\d_])", ""),
    ),
    "spaced": StyleRule(
        "spaces between the letters",
        _share(r"(?<!\S)[^\W\d_](?!\S)", r"\S+"),
        _each_word(lambda word, rng: " ".join(word)),
    ),
    "hyphens": StyleRule(
        "hyphens for spaces",
        _share(r"\w-\w", r"\S+"),
        _sub(r"(?<=\w) (?=\w)", "-"),
        _sub(r"(?<=\w)-(?=\w)", " "),
    ),
}
"""By a short name."""


def _without_accents(text: str) -> str:
    import unicodedata

    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
