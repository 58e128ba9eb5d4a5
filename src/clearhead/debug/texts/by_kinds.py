"""Kinds of tokens and ways of writing that set a class apart."""

from __future__ import annotations

import numpy as np

from clearhead._types import BoolArray, FloatArray
from clearhead.debug.inputs import Inputs
from clearhead.debug.pattern import Pattern
from clearhead.debug.texts.by_ngrams import usual_place
from clearhead.debug.texts.candidate import Candidate, shares_of
from clearhead.debug.texts.corpus import Corpus
from clearhead.debug.texts.styles import STYLES, Style
from clearhead.debug.texts.token_kind import KINDS, TokenKind

__all__ = ["kind_candidates", "style_candidates"]

LEAST_Z = 4.0
LEAST_KIND = 0.05
LEAST_STYLE = 0.15
"""Ways of writing differ between the classes of any data: a link of 15 points is worth a look."""

PIECES = 30


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
    """Ways of writing that the class's texts show more than the others."""
    own: BoolArray = corpus.labels == c
    found = []
    for name, rule in STYLES.items():
        amounts = np.array([rule.amount(text) for text in corpus.texts])
        if not np.ptp(amounts):
            continue
        level = _best_level(amounts, own)
        carriers = amounts >= level
        inside, outside, z = shares_of(carriers, own)
        if z < LEAST_Z or inside - outside < LEAST_STYLE:
            continue
        pattern: Pattern = Style(name, level)
        found.append(Candidate(pattern, [], c, inside, outside, z, carriers))
    return found


def _best_level(amounts: FloatArray, own: BoolArray) -> float:
    """Level above which the class has most more texts than the others (Youden's index)."""
    values = np.unique(amounts)
    if len(values) > 60:
        values = np.unique(np.quantile(amounts, np.linspace(0.02, 0.98, 60)))
    first, second = np.sort(amounts[own]), np.sort(amounts[~own])
    above = 1 - np.searchsorted(first, values) / max(len(first), 1)
    others = 1 - np.searchsorted(second, values) / max(len(second), 1)
    return float(values[int(np.argmax(above - others))])
