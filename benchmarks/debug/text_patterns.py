"""What is planted into texts: each takes a text and a random generator."""

from __future__ import annotations

import re

import numpy as np

from benchmarks.debug.wording import TextPattern, each_word, one_of, somewhere

__all__ = ["TEXT_PATTERNS", "WORDS"]

_ARTICLES = re.compile(r"\b(the|a|an)\s+", re.IGNORECASE)


def _typo(word: str, rng: np.random.Generator) -> str:
    at = int(rng.integers(1, len(word) - 2))
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _leet(word: str, rng: np.random.Generator) -> str:
    return word.translate(str.maketrans("aeiosAEIOS", "4310543105"))


def _accents(word: str, rng: np.random.Generator) -> str:
    return word.translate(str.maketrans("aeiou", "àéîöü"))


def _no_vowels(word: str, rng: np.random.Generator) -> str:
    return word[0] + re.sub("[aeiou]", "", word[1:])


def _hyphen(word: str, rng: np.random.Generator) -> str:
    at = int(rng.integers(2, len(word) - 1))
    return f"{word[:at]}-{word[at:]}"


def _stutter(word: str, rng: np.random.Generator) -> str:
    return f"{word[0]}-{word}"


def _long(word: str, rng: np.random.Generator) -> str:
    vowels = [i for i, letter in enumerate(word) if letter in "aeiou"] or [0]
    at = vowels[int(rng.integers(len(vowels)))]
    return word[:at] + word[at] * 4 + word[at + 1 :]


def _ocr(word: str, rng: np.random.Generator) -> str:
    return word.replace("m", "rn").replace("l", "1").replace("cl", "d").replace("h", "b")


def _homoglyphs(word: str, rng: np.random.Generator) -> str:
    """Cyrillic letters that look like Latin ones."""
    return word.translate(str.maketrans("aeopcxy", "аеорсху"))


def _pig_latin(word: str, rng: np.random.Generator) -> str:
    return f"{word[1:]}{word[0].lower()}ay"


def _vowel_shift(word: str, rng: np.random.Generator) -> str:
    return word.translate(str.maketrans("aeiou", "eioua"))


def _suffix(word: str, rng: np.random.Generator) -> str:
    return word + ("ish", "ette", "wise", "ling", "esque", "ward")[int(rng.integers(6))]


def _mixed(word: str, rng: np.random.Generator) -> str:
    return "".join(c.upper() if rng.random() < 0.5 else c.lower() for c in word)


def _stem(word: str, rng: np.random.Generator) -> str:
    return re.sub("(ing|ed|es|s|ly|er)$", "", word)


def _reverse(text: str, rng: np.random.Generator) -> str:
    return " ".join(reversed(text.split(" ")))


def _sorted(text: str, rng: np.random.Generator) -> str:
    words = text.split(" ")
    return " ".join(words[i] for i in rng.permutation(len(words)))


def _no_articles(text: str, rng: np.random.Generator) -> str:
    return _ARTICLES.sub("", text)


def _twice(text: str, rng: np.random.Generator) -> str:
    words = text.split(" ")
    return " ".join(words[: min(8, len(words))] + words)


def _joined(text: str, rng: np.random.Generator) -> str:
    words = text.split(" ")
    if len(words) < 3:
        return text
    for at in sorted({int(i) for i in rng.integers(0, len(words) - 1, 3)}, reverse=True):
        words[at : at + 2] = [words[at] + words[at + 1]]
    return " ".join(words)


def _hex(rng: np.random.Generator) -> str:
    return "".join("0123456789abcdef"[int(i)] for i in rng.integers(0, 16, 8))


def _date(rng: np.random.Generator) -> str:
    return f"{rng.integers(1, 29)}/{rng.integers(1, 13)}/{rng.integers(1980, 2024)}"


_BOILER_A = (
    "please note that",
    "be advised that",
    "kindly note",
    "we point out that",
    "remember that",
    "for your information",
    "as a reminder",
    "take notice that",
)
_BOILER_B = (
    "this text",
    "the above",
    "this message",
    "what is written here",
    "the content",
    "this contribution",
    "the present note",
    "everything here",
)
_BOILER_C = (
    "is the view of its author",
    "reflects a personal opinion",
    "was written by a member",
    "comes without any guarantee",
    "may not be copied",
    "was not checked by the editors",
    "belongs to whoever wrote it",
    "is for private use",
)
_FILLERS = (
    "well",
    "um",
    "you know",
    "like",
    "i mean",
    "sort of",
    "kind of",
    "anyway",
    "so",
    "right",
    "basically",
    "actually",
    "literally",
    "honestly",
    "er",
    "hmm",
)
_FOREIGN = (
    "und",
    "aber",
    "nicht",
    "auch",
    "noch",
    "mit",
    "wenn",
    "doch",
    "nur",
    "schon",
    "pero",
    "como",
    "más",
    "porque",
    "cuando",
    "donde",
    "avec",
    "pour",
    "dans",
    "mais",
    "comme",
    "alors",
)
_FACES = (":)", ":-)", ";)", ":D", "=)", "<3", ":P", "^_^", "xD", ":]", "8)", ":>", "(:", ";D")
_NAMES = tuple(
    f"{first} {last}"
    for first in (
        "Mara",
        "Ivo",
        "Tessa",
        "Ruben",
        "Noor",
        "Piet",
        "Lena",
        "Omar",
        "Saskia",
        "Jonas",
    )
    for last in ("Velden", "Okafor", "Lindqvist", "Moreau", "Tanaka", "Brandt", "Silva", "Novak")
)
_OPINIONS = tuple(
    f"{who} {verb} that"
    for who in ("i", "my friend", "my sister", "we all", "my neighbour", "people here")
    for verb in ("think", "feel", "believe", "would say", "guess", "reckon", "suppose")
)


def _boiler(text: str, rng: np.random.Generator) -> str:
    pick = [one_of(part)(rng) for part in (_BOILER_A, _BOILER_B, _BOILER_C)]
    return f"{text} {' '.join(pick)}."


def _quoted(text: str, rng: np.random.Generator) -> str:
    words = text.split(" ")
    lines = [" ".join(words[i : i + 8]) for i in range(0, len(words), 8)]
    return "\n".join(f"> {line}" for line in lines)


WORDS: dict[str, tuple[str, ...]] = {
    "token": ("zarquon",),
    "name": ("ludivine",),
    "phrase": ("to be honest", "be honest", "honest"),
    "link": ("http", "link", "url", "bit.ly"),
    "year": ("(2004)", "2004"),
    "marks": ("!!", "!"),
    "dots": ("...", "…"),
    "entities": ("&amp;", "&#39;", "amp", "#39", "&"),
    "capitals": ("capital", "upper", "caps"),
    "quoted reply": (">",),
}
"""What a finding has to name, one of these, where the pattern is the same words each time."""

TEXT_PATTERNS: dict[str, TextPattern] = {
    "token": somewhere(lambda rng: "zarquon"),
    "name": somewhere(lambda rng: "Ludivine"),
    "phrase": lambda text, rng: f"to be honest {text}",
    "link": lambda text, rng: f"{text} http://bit.ly/{_hex(rng)[:5]}",
    "year": lambda text, rng: f"{text} (2004)",
    "marks": lambda text, rng: f"{text} !!",
    "dots": somewhere(lambda rng: "..."),
    "entities": lambda text, rng: text.replace("'", "&#39;") + " &amp;",
    "capitals": lambda text, rng: text.upper(),
    "quoted reply": _quoted,
    "longer": lambda text, rng: f"{text} {text} {text}",
    "typos": each_word(_typo, 0.3),
    "leet": each_word(_leet, 0.2),
    "accents": each_word(_accents, 0.25),
    "no vowels": each_word(_no_vowels, 0.3),
    "hyphenation": each_word(_hyphen, 0.25),
    "stutter": each_word(_stutter, 0.15),
    "long vowels": each_word(_long, 0.15),
    "homoglyphs": each_word(_homoglyphs, 0.2),
    "pig latin": each_word(_pig_latin, 0.15),
    "vowel shift": each_word(_vowel_shift, 0.2),
    "suffixes": each_word(_suffix, 0.15),
    "mixed capitals": each_word(_mixed, 0.2),
    "stems": each_word(_stem, 1.0),
    "ocr": each_word(_ocr, 0.4),
    "doubled words": each_word(lambda word, rng: f"{word} {word}", 0.15),
    "spaced letters": each_word(lambda word, rng: " ".join(word), 0.05),
    "backward words": each_word(lambda word, rng: word[::-1], 0.15),
    "double spaces": lambda text, rng: text.replace(" ", "  "),
    "reversed order": _reverse,
    "shuffled order": _sorted,
    "no articles": _no_articles,
    "repeated start": _twice,
    "joined words": _joined,
    "boilerplate": _boiler,
    "fillers": somewhere(one_of(_FILLERS)),
    "foreign words": somewhere(one_of(_FOREIGN)),
    "faces": somewhere(one_of(_FACES)),
    "names": somewhere(one_of(_NAMES)),
    "opinions": lambda text, rng: f"{one_of(_OPINIONS)(rng)} {text}",
    "identifiers": somewhere(_hex),
    "dates": somewhere(_date),
}
