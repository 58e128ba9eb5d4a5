"""Words and short groups of words that LIME finds for suspicious features.

Of a few texts of each class, those where a suspicious feature gives most, the words that drive it
are taken, neighbours together. What other texts of the class hold as well is a candidate like any
other, also where counting alone would not have led to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from clearhead.debug.driving import Driven, LimeEffort, driven_parts, find_suspects
from clearhead.debug.inputs import Inputs
from clearhead.debug.texts.by_ngrams import candidate_of
from clearhead.debug.texts.candidate import Candidate
from clearhead.debug.texts.corpus import LONGEST, Corpus
from clearhead.debug.texts.phrase import Phrase

__all__ = ["EFFORT", "driving_words"]

EFFORT = LimeEffort(features=1, examples=3)
STRONG = 0.5
"""A word that drives a feature so much of what the strongest of its text does is taken."""
LEAST_Z = 3.0
A_CLASS = 3

Gram = tuple[str, ...]


def driving_words(
    inputs: Inputs, corpus: Corpus, known: dict[int, list[Candidate]], effort: LimeEffort
) -> dict[int, list[Candidate]]:
    """Candidates of the classes in `known` that are not there yet."""
    suspects = [one for one in find_suspects(inputs, effort) if one.target in known]
    driven = driven_parts(inputs, suspects, effort)
    place = {gram: g for g, gram in enumerate(corpus.grams)}
    found: dict[int, list[Candidate]] = {}
    for c, candidates in known.items():
        there = {one.pattern.words for one in candidates if isinstance(one.pattern, Phrase)}
        groups = _groups([one for one in driven if one.suspect.target == c])
        z = corpus.z_scores(c)
        new = [place[one] for one in groups if one in place and one not in there]
        new = [g for g in new if z[g] >= LEAST_Z][:A_CLASS]
        found[c] = [replace(candidate_of(corpus, g, c), driving=True) for g in new]
    return found


def _groups(driven: Sequence[Driven]) -> list[Gram]:
    """Groups of driving words in lower case, those that drive most first."""
    strength: dict[Gram, float] = {}
    for one in driven:
        words, weight = one.lime.parts.words, one.weight
        strong = np.flatnonzero((weight > 0) & (weight >= STRONG * weight.max(initial=0.0)))
        runs = np.split(strong, np.flatnonzero(np.diff(strong) > 1) + 1) if strong.size else []
        for run in runs:
            grams = [tuple(words[i].lower() for i in run)] if len(run) <= LONGEST else []
            grams += [(words[i].lower(),) for i in run]
            for gram in grams:
                strength[gram] = max(strength.get(gram, 0.0), float(weight[run].max()))
    return sorted(strength, key=lambda gram: -strength[gram])
