"""Common words that only one class lacks: written otherwise there, or left out.

Words of a subject are missing where the subject is another one, but no class has a subject to
which words are foreign that all the others use. Such words are looked for, and for each a word
that stands in the class's texts, is spelled much alike and unknown elsewhere.
"""

from __future__ import annotations

from difflib import SequenceMatcher

import numpy as np

from clearhead._types import BoolArray, FloatArray
from clearhead.debug.pattern import Pattern
from clearhead.debug.texts.candidate import Candidate, shares_of
from clearhead.debug.texts.corpus import Corpus
from clearhead.debug.texts.rewording import Rewording

__all__ = ["rewording_candidates"]

COMMON = 0.05
"""Share of the texts of each other class that must hold a word."""
COMMON_IN_ONE = 0.3
"""Where there is but one other class: its subject's words stand in fewer of its texts."""
LACKED = 0.4
"""Of the least share in any other class, at most so much in the class."""
LEAST_Z = 3.5
FOREIGN = 0.1
"""Of its share in the class, what a new spelling may have in the others."""
ALIKE = 0.6
"""Letters that two spellings share in the same order, of all."""
MOST = 200
LEAST_LINK = 0.3


def rewording_candidates(corpus: Corpus, c: int) -> list[Candidate]:
    """Words of which the class has another spelling, and words it has not, at most one each."""
    own: BoolArray = corpus.labels == c
    words, shares = corpus.kept("words by class", make=lambda: _shares(corpus))
    others = np.delete(shares, c, axis=0).min(axis=0)
    size = int(corpus.sizes[c])
    spread = np.sqrt(np.maximum(others * (1 - others), 1e-9) / max(size, 1))
    lacked = (
        (others >= (COMMON if corpus.n_classes > 2 else COMMON_IN_ONE))
        & (shares[c] <= LACKED * others)
        & (others - shares[c] >= LEAST_Z * spread)
    )
    chosen = [int(j) for j in np.argsort(-others, kind="stable") if lacked[j]][:MOST]
    if not chosen:
        return []
    outside = np.delete(shares, c, axis=0).max(axis=0)
    new = [int(j) for j in np.flatnonzero((shares[c] > 0) & (outside <= FOREIGN * shares[c]))]
    respelled = _counterparts(words, chosen, new, others - shares[c], shares[c])
    mean_words = max(float(np.mean([len(at) for at in corpus.words[1]])), 1.0)
    rate = float(others[chosen].sum()) / mean_words
    kinds = [respelled, {words[j]: "" for j in chosen if words[j] not in respelled}]
    controls = _controls(words, others, lacked, rate)
    found = (_candidate(corpus, Rewording(kind, rate), controls, c, own) for kind in kinds if kind)
    return [one for one in found if one is not None]


def _shares(corpus: Corpus) -> tuple[list[str], FloatArray]:
    """Words in lower case, and the share of each class's texts that hold them, (K, w)."""
    written, holds = corpus.words
    known: dict[str, int] = {}
    lower = np.array([known.setdefault(word.lower(), len(known)) for word in written], dtype=int)
    counts = np.zeros((corpus.n_classes, len(known)))
    for label, at in zip(corpus.labels, holds, strict=True):
        counts[label, np.unique(lower[at])] += 1
    return list(known), counts / np.maximum(corpus.sizes, 1)[:, None]


def _counterparts(
    words: list[str], lacked: list[int], new: list[int], missing: FloatArray, share: FloatArray
) -> dict[str, str]:
    """For each word the spelling that is as frequent as the word is missing, and alike."""
    found: dict[str, str] = {}
    taken: set[int] = set()
    for j in lacked:
        near = [
            (ratio, k)
            for k in new
            if k not in taken
            and missing[j] / 3 <= share[k] <= 3 * (missing[j] + 0.05)
            and (ratio := SequenceMatcher(None, words[j], words[k]).ratio()) >= ALIKE
        ]
        if near:
            _, best = max(near)
            taken.add(best)
            found[words[j]] = words[best]
    return found


def _controls(
    words: list[str], others: FloatArray, lacked: BoolArray, rate: float
) -> list[Pattern]:
    """The same done to common words that the class does not lack: letters changed, left out."""
    common = [int(j) for j in np.argsort(-others, kind="stable") if not lacked[j]]
    common = [j for j in common if len(words[j]) > 1 and words[j].isalpha()]
    enough = max(int(np.searchsorted(np.cumsum(others[common]), others[lacked].sum())) + 1, 3)
    kept = [words[j] for j in common[:enough]]
    return [
        Rewording({word: word[::-1] + word[:1] for word in kept}, rate),
        Rewording(dict.fromkeys(kept, ""), rate),
    ]


def _candidate(
    corpus: Corpus, pattern: Rewording, controls: list[Pattern], c: int, own: BoolArray
) -> Candidate | None:
    carriers = np.array([pattern.has(text) for text in corpus.texts])
    inside, outside, z = shares_of(carriers, own)
    if inside - outside < LEAST_LINK:
        return None
    return Candidate(pattern, controls, c, inside, outside, z, carriers)
