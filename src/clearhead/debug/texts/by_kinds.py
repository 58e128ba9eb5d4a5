"""Kinds of tokens and ways of writing that set a class apart."""

from __future__ import annotations

import numpy as np

from clearhead._types import BoolArray, FloatArray
from clearhead.debug.inputs import Inputs
from clearhead.debug.pattern import Pattern
from clearhead.debug.texts.by_ngrams import usual_place
from clearhead.debug.texts.candidate import Candidate, shares_of
from clearhead.debug.texts.corpus import Corpus
from clearhead.debug.texts.learned import learn_detector
from clearhead.debug.texts.style import Style
from clearhead.debug.texts.styles import STYLES
from clearhead.debug.texts.token_kind import KINDS, TokenKind

__all__ = ["kind_candidates", "style_candidates"]

LEAST_Z = 4.0
LEAST_KIND = 0.05
LEAST_STYLE = 0.3
LEAST_LEARNED = 0.4
"""Ways of writing differ between the classes of any data by 10 to 20 points (tweets of two
people: .17); what is learned of one sees the unusual words of a subject as misspelt, too."""

PIECES = 30
IMPOSED_ON = 100
LENGTHS = ("long", "short")
"""Half of a doubled length would be asking too much."""


def kind_candidates(corpus: Corpus, c: int) -> list[Candidate]:
    """Links, numbers, names, … that the class's texts hold more often than the others."""
    own: BoolArray = corpus.labels == c
    found = []
    for name in KINDS:
        bare = TokenKind(name, ("-",))
        carriers = np.array([bare.has(text) for text in corpus.texts])
        inside, outside, z = shares_of(carriers, own)
        if z < LEAST_Z or inside - outside < LEAST_KIND:
            continue
        texts = [corpus.texts[i] for i in np.flatnonzero(carriers & own)[: 3 * PIECES]]
        pieces = sorted({text[a:b] for text in texts for a, b in bare.spans(text)[:3]})[:PIECES]
        place, glued, times = usual_place(texts, bare.spans)
        pattern = TokenKind(name, tuple(pieces), place, glued=glued, times=times)
        found.append(Candidate(pattern, [], c, inside, outside, z, carriers))
    return found


def style_candidates(corpus: Corpus, inputs: Inputs, c: int) -> list[Candidate]:
    """Ways of writing that the class's texts show more than the others.

    Levels are set, and ways of writing learned, on one half of the texts; shares are measured
    on the other. A text counts as written so only where it is at least half as much so as what
    imposing it makes: else a small difference would be tested by a large change.
    """
    own: BoolArray = corpus.labels == c
    measured = np.random.default_rng([inputs.seed, c]).random(len(own)) < 0.5
    others = [corpus.texts[i] for i in np.flatnonzero(~own & ~measured)]
    held_out = [corpus.texts[i] for i in np.flatnonzero(~own & measured)[:IMPOSED_ON]]
    found = []
    for name in STYLES:
        style = _measurable(name, others, inputs.seed)
        if style is None:
            continue
        if style.weights is None:
            amounts = style.amounts(corpus.texts)
        else:
            amounts = np.asarray(corpus.hashed @ style.weights)
        if not np.ptp(amounts):
            continue
        level = max(
            _best_level(amounts[~measured], own[~measured]), _half_way(style, held_out, amounts)
        )
        carriers = amounts >= level
        inside, outside, z = shares_of(carriers[measured], own[measured])
        least = LEAST_STYLE if style.weights is None else LEAST_LEARNED
        if z < LEAST_Z or inside - outside < least:
            continue
        pattern: Pattern = Style(name, level, style.weights)
        found.append(Candidate(pattern, [], c, inside, outside, z, carriers))
    return found


def _measurable(name: str, others: list[str], seed: int) -> Style | None:
    """A style and what measures it; None where that cannot be learned."""
    rule = STYLES[name]
    if rule.amount is not None:
        return Style(name, 0.0)
    weights = learn_detector(others, rule.impose, seed)
    return None if weights is None else Style(name, 0.0, weights)


def _half_way(style: Style, texts: list[str], amounts: FloatArray) -> float:
    """Half way from texts as they are to texts on which the style was imposed."""
    made = [style.insert(text, i) for i, text in enumerate(texts)]
    changed = [text for text in made if text]
    if not changed or style.name in LENGTHS:
        return float(amounts.min())
    both = np.median(style.amounts(texts)), np.median(style.amounts(changed))
    return float(np.mean(both))


def _best_level(amounts: FloatArray, own: BoolArray) -> float:
    """Level above which the class has most more texts than the others (Youden's index)."""
    values = np.unique(amounts)
    if len(values) > 60:
        values = np.unique(np.quantile(amounts, np.linspace(0.02, 0.98, 60)))
    first, second = np.sort(amounts[own]), np.sort(amounts[~own])
    above = 1 - np.searchsorted(first, values) / max(len(first), 1)
    others = 1 - np.searchsorted(second, values) / max(len(second), 1)
    return float(values[int(np.argmax(above - others))])
