"""Words in a row that set a class apart."""

from __future__ import annotations

from collections import Counter

import numpy as np

from clearhead._types import FloatArray, IntArray
from clearhead.debug.pattern import Pattern
from clearhead.debug.texts.candidate import Candidate
from clearhead.debug.texts.corpus import Corpus
from clearhead.debug.texts.phrase import Phrase
from clearhead.debug.texts.piece import Place
from clearhead.debug.texts.tokens import END, START

__all__ = ["candidate_of", "ngram_candidates", "place_of", "usual_place"]

LEAST_Z = 4.0
LEAST_LINK = 0.03
"""With a link of 3 points the shift would have to be 1.3 for a score of .04: below, nothing."""

SAME = 0.8
"""Two n-grams of which one holds the other are one where this share of the texts is common."""

TIED = 0.8
"""Share of the occurrences at one end of the text from which the pattern belongs there."""

_LOOKED_AT = 40

Shares = tuple[FloatArray, FloatArray]


def ngram_candidates(corpus: Corpus, c: int, most: int) -> list[Candidate]:
    """N-grams that the class holds more often than the others, the surest first."""
    inside, outside = corpus.shares(c)
    z = corpus.z_scores(c)
    good = np.flatnonzero((z >= LEAST_Z) & (inside - outside >= LEAST_LINK))
    chosen: list[int] = []
    for g in good[np.argsort(-z[good], kind="stable")][: 20 * most]:
        if not set(corpus.grams[g]) - {START, END}:
            continue
        chosen = _add(corpus, chosen, int(g), (inside, outside))
        if len(chosen) >= 2 * most:
            break
    return [candidate_of(corpus, g, c) for g in chosen[:most]]


def candidate_of(corpus: Corpus, g: int, c: int) -> Candidate:
    """Number `g` of the corpus's n-grams as a candidate of class `c`, with its controls."""
    inside, outside, z = corpus.kept(
        "shares and z", str(c), make=lambda: (*corpus.shares(c), corpus.z_scores(c))
    )
    carriers = np.zeros(len(corpus.texts), dtype=bool)
    carriers[corpus.carriers(g)] = True
    pattern = _phrase(corpus, g, c)
    controls = _controls(corpus, g, pattern, _neutral(corpus, z))
    shares = float(inside[g]), float(outside[g])
    return Candidate(pattern, controls, c, *shares, float(z[g]), carriers)


def _add(corpus: Corpus, chosen: list[int], g: int, shares: Shares) -> list[int]:
    """Take an n-gram up unless it is there in other words; the longer of two takes the place."""
    inside, outside = shares
    parts = [h for h in chosen if _within(corpus.grams[h], corpus.grams[g])]
    grown = [h for h in parts if inside[g] >= SAME * inside[h]]
    if grown:
        first = chosen.index(grown[0])
        kept = [h for h in chosen if h not in grown]
        return [*kept[:first], g, *kept[first:]]
    link, purity = inside - outside, inside / np.maximum(inside + outside, 1e-9)
    if any(link[h] >= link[g] and purity[h] >= SAME * purity[g] for h in parts):
        return chosen  # it sets the class apart because its part does
    if any(_overlap(corpus, h, g) for h in chosen if h not in parts):
        return chosen
    return [*chosen, g]


def _overlap(corpus: Corpus, one: int, two: int) -> bool:
    """Whether two n-grams share a word and nearly all texts."""
    if not set(corpus.grams[one]) & set(corpus.grams[two]) - {START, END}:
        return False
    first, second = corpus.carriers(one), corpus.carriers(two)
    common = len(np.intersect1d(first, second))
    return common >= SAME * min(len(first), len(second)) and common >= 0.5 * max(
        len(first), len(second)
    )


def _within(short: tuple[str, ...], long: tuple[str, ...]) -> bool:
    m = len(short)
    return m < len(long) and any(long[i : i + m] == short for i in range(len(long) - m + 1))


def _phrase(corpus: Corpus, g: int, c: int) -> Phrase:
    """The n-gram as it is written and placed in the class's texts."""
    tokens = corpus.grams[g]
    bare = Phrase(tokens, " ".join(w for w in tokens if w not in (START, END)) or " ")
    at = corpus.carriers(g)
    own = at[corpus.labels[at] == c][:_LOOKED_AT]
    texts = [corpus.texts[i] for i in (own if own.size else at[:_LOOKED_AT])]
    surfaces: Counter[str] = Counter()
    for text in texts:
        surfaces.update(text[a:b] for a, b in bare.spans(text)[:3])
    place, glued, times = usual_place(texts, bare.spans)
    if tokens[0] == START or tokens[-1] == END:
        place, times = ("start" if tokens[0] == START else "end"), 1
    surface = surfaces.most_common(1)[0][0] if surfaces else bare.surface
    return Phrase(tokens, surface, place, glued=glued, times=times)


def usual_place(texts: list[str], spans_of: object) -> tuple[Place, bool, int]:
    """Where something stands in texts, whether a space comes before it, and how many times."""
    places: list[Place] = []
    spaced, counts = [], []
    for text in texts:
        spans = spans_of(text)  # type: ignore[operator]
        counts.append(len(spans))
        for first, last in spans:
            places.append(place_of(text, first, last))
            spaced.append(first == 0 or text[first - 1].isspace())
    if not places:
        return "anywhere", False, 1
    place: Place = "anywhere"
    for end in ("start", "end"):
        if places.count(end) >= TIED * len(places):
            place = end
    times = int(np.clip(np.median([n for n in counts if n] or [1]), 1, 4))
    return place, float(np.mean(spaced)) < 0.5, times


def place_of(text: str, first: int, last: int) -> Place:
    """Which end of the text a stretch of it is at."""
    if not text[:first].strip():
        return "start"
    return "anywhere" if any(c.isalnum() for c in text[last:]) else "end"


def _neutral(corpus: Corpus, z: FloatArray) -> IntArray:
    """N-grams that do not set the class apart."""
    return np.flatnonzero((np.abs(z) < 1.0) & (corpus.totals >= 5))


def _controls(corpus: Corpus, g: int, pattern: Phrase, neutral: IntArray) -> list[Pattern]:
    """Neutral n-grams of as many tokens and about as many texts, put in the same place."""
    tokens = corpus.grams[g]
    words = tuple(w for w in tokens if w not in (START, END))
    signs = not any(c.isalnum() for c in "".join(words))
    rank = np.abs(np.log((corpus.totals[neutral] + 1.0) / (corpus.totals[g] + 1.0)))
    found: list[Pattern] = []
    for strict in (True, False):
        for k in neutral[np.argsort(rank, kind="stable")]:
            other = corpus.grams[k]
            if START in other or END in other or any(w.isspace() for w in other):
                continue
            alike = len(other) == len(words) and signs == (
                not any(c.isalnum() for c in "".join(other))
            )
            if (alike if strict else len(other) == 1) and not set(other) & set(words):
                surface = " ".join(other)
                found.append(
                    Phrase(other, surface, pattern.place, glued=pattern.glued, times=pattern.times)
                )
            if len(found) >= 6:
                return found
        if found:
            break
    return found
