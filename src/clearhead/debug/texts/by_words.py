"""Words that only one class has, each rare, together in many of its texts.

What is put into the texts of a class need not be the same twice: names, words of another
language, words that were misspelt in some way. How the words of a class are written is learned
on a part of the texts, from the words alone; on others it is measured how many of the class's
texts hold one that looks so, and how many of the other texts.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from clearhead._types import BoolArray, FloatArray, IntArray
from clearhead.debug.inputs import Inputs
from clearhead.debug.pattern import Pattern
from clearhead.debug.texts.by_ngrams import usual_place
from clearhead.debug.texts.candidate import Candidate, shares_of
from clearhead.debug.texts.corpus import Corpus
from clearhead.debug.texts.levels import best_level
from clearhead.debug.texts.phrase import Phrase
from clearhead.debug.texts.words_like import WordsLike, hash_words

__all__ = ["word_candidates"]

LEAST_Z = 4.0
LEAST_LINK = 0.3
"""Between the classes of clean data .1 to .2 (reviews): moods and subjects have their words."""

PIECES = 60
CONTROLS = 12
SIMPLER = 0.9
"""Where one word or phrase explains as much, it is told, not the kind of words."""


def word_candidates(corpus: Corpus, inputs: Inputs, c: int) -> list[Candidate]:
    """The words of a class, at most one candidate."""
    own: BoolArray = corpus.labels == c
    part = np.random.default_rng([inputs.seed, 7, c]).permutation(len(own)) % 4
    learned, levelled, measured = part < 2, part == 2, part == 3
    if min(int((own & one).sum()) for one in (learned, levelled, measured)) < 10:
        return []
    words, holds = corpus.words
    weights = _learn(words, holds, own, learned)
    if weights is None:
        return []
    scores: FloatArray = np.asarray(hash_words(words) @ weights, dtype=np.float64)
    amounts = np.array([scores[at].max(initial=-np.inf) for at in holds])
    level = best_level(amounts[levelled], own[levelled])
    carriers = amounts >= level
    inside, outside, z = shares_of(carriers[measured], own[measured])
    if z < LEAST_Z or inside - outside < LEAST_LINK:
        return []
    rng = np.random.default_rng([inputs.seed, 8, c])
    rows = rng.permutation(np.flatnonzero(carriers & own & ~learned))[: 2 * PIECES]
    seen = [words[j] for i in rows for j in holds[i] if scores[j] >= level]
    pieces = tuple(seen[int(k)] for k in np.sort(rng.permutation(len(seen))[:PIECES]))
    bare = WordsLike(weights.astype(np.float32), level, pieces)
    place, _, times = usual_place([corpus.texts[i] for i in rows], bare.spans)
    pattern = WordsLike(bare.weights, level, pieces, place, times=times)
    controls = _controls(corpus, scores, own, pattern, rng)
    link = SIMPLER * (inside - outside)
    new = _by_new_words(holds, scores, learned, level)
    with_new, without, _ = shares_of(new[measured], own[measured])
    return [
        Candidate(pattern, controls, c, inside, outside, z, carriers, link, new=with_new - without)
    ]


def _by_new_words(
    holds: list[IntArray], scores: FloatArray, learned: BoolArray, level: float
) -> BoolArray:
    """Which texts hold such a word that stands in no text that the kind was learned from, (n,)."""
    known = np.zeros(len(scores), dtype=bool)
    for i in np.flatnonzero(learned):
        known[holds[i]] = True
    alike = (scores >= level) & ~known
    return np.array([alike[at].any() for at in holds])


def _learn(
    words: list[str], holds: list[IntArray], own: BoolArray, learned: BoolArray
) -> FloatArray | None:
    """Weights of the parts of a word: does it come from the class's texts?"""
    from sklearn.linear_model import LogisticRegression

    counts = np.zeros((2, len(words)))
    for i in np.flatnonzero(learned):
        counts[int(own[i]), holds[i]] += 1
    sizes = np.array([(learned & ~own).sum(), (learned & own).sum()])
    counts *= (sizes.sum() / 2 / np.maximum(sizes, 1))[:, None]
    sides, at = np.nonzero(counts)
    if len(np.unique(sides)) < 2:
        return None
    X = hash_words([words[j] for j in at])
    fitted = LogisticRegression(C=1.0, solver="liblinear", tol=1e-2)
    fitted.fit(X, sides, sample_weight=counts[sides, at])
    found: FloatArray = fitted.coef_[0]
    return found


def _controls(
    corpus: Corpus,
    scores: FloatArray,
    own: BoolArray,
    pattern: WordsLike,
    rng: np.random.Generator,
) -> list[Pattern]:
    """Words of the other texts, as rare, that look like neither side."""
    words, holds = corpus.words
    counts = Counter(int(j) for i in np.flatnonzero(~own) for j in holds[i])
    rare = np.array(sorted(j for j, n in counts.items() if n <= 3), dtype=int)
    if not rare.size:
        return []
    low, high = np.quantile(scores[rare], [0.3, 0.8])
    plain = rare[(scores[rare] >= low) & (scores[rare] <= high)]
    chosen = rng.permutation(plain)[:CONTROLS]
    return [
        Phrase((words[j].lower(),), words[j], pattern.place, times=pattern.times) for j in chosen
    ]
