"""Words that a class is about, told from words that merely come with it.

Both are more frequent in the class than elsewhere, and moving a text towards the class is right
for the one and wrong for the other. What the data show of the difference: a subject has many
words of like effect, and every class of the data has its own. A word that tells its class far
better than the words of the other classes tell theirs is no content.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from clearhead.debug.texts.candidate import Candidate
from clearhead.debug.texts.corpus import Corpus
from clearhead.debug.texts.measured import Measured
from clearhead.debug.texts.phrase import Phrase
from clearhead.debug.texts.words_like import WordsLike

__all__ = ["Usual", "is_content", "is_usual", "is_wordy", "usual_links"]

SIBLINGS, STANDS_OUT = 2, 2.5
"""A word does more than so many times what the third best word of its class does, or it is one
of the words that the class is about: content has synonyms, a shortcut has none."""

LINK_OF_A_WORD = 0.5
"""No word of a subject stands in so many more of its texts than of others, as a rule."""

BETTER, MISSES = 2.0, 3.0
"""So many times as well as the best word of the other classes tells theirs, or with so many
times fewer misses. On newsgroups the best word of a class has a link of .2 to .4 (where all its
mail goes through one gate, whose name is in the texts), the best kind of words .6 to .8."""

NEW = 0.2
"""By words that it was not learned from, no subject tells its class so well: its words are known by
heart; what is known by its form is a way of spelling. Clean classes reach .08 (reviews,
newsgroups), spellings .26 to .99."""

UNSURE = 0.03
"""Shares of a few hundred texts are not known better."""


@dataclass(frozen=True)
class Usual:
    """How well words tell a class as a rule: at the median over the other classes.

    Parameters
    ----------
    phrase, kind : mapping of int to float
        Link of the best word or phrase, and of the best kind of words, by class.
    """

    phrase: Mapping[int, float]
    kind: Mapping[int, float]

    def of(self, candidate: Candidate) -> float:
        """What there is to compare with."""
        links = self.kind if isinstance(candidate.pattern, WordsLike) else self.phrase
        others = [link for c, link in links.items() if c != candidate.target]
        return float(np.median(others)) if others else 0.0


def usual_links(corpus: Corpus, per_class: Mapping[int, Sequence[Candidate]]) -> Usual:
    """Look at all classes; of kinds of words at those that were looked through."""
    lettered = np.array([any(c.isalpha() for c in "".join(gram)) for gram in corpus.grams])
    phrase = {}
    for c in np.flatnonzero(corpus.sizes >= 5):
        inside, outside = corpus.shares(int(c))
        phrase[int(c)] = float((inside - outside)[lettered].max(initial=0.0))
    kind = {
        c: max(
            (one.inside - one.outside for one in found if isinstance(one.pattern, WordsLike)),
            default=phrase[c],
        )
        for c, found in per_class.items()
    }
    return Usual(phrase, kind)


def is_wordy(candidate: Candidate) -> bool:
    """Whether it is words, which may be content; signs, links and styles are none."""
    pattern = candidate.pattern
    if isinstance(pattern, WordsLike):
        return True
    return isinstance(pattern, Phrase) and any(c.isalpha() for c in pattern.surface)


def is_usual(candidate: Candidate, usual: Usual) -> bool:
    """Whether it is words that tell their class no better than the others' words tell theirs."""
    if not is_wordy(candidate) or candidate.new >= NEW:
        return False
    link, others = candidate.inside - candidate.outside, usual.of(candidate)
    missed, missed_by_others = 1 - link + UNSURE, 1 - others + UNSURE
    return link < BETTER * others and missed > missed_by_others / MISSES


def is_content(one: Measured, measured: Sequence[Measured], usual: Usual) -> bool:
    """Whether it is one of the words that its class is about, as far as the data tell."""
    candidate = one.candidate
    if not is_wordy(candidate) or candidate.new >= NEW:
        return False
    if is_usual(candidate, usual):
        return True
    if candidate.inside - candidate.outside >= LINK_OF_A_WORD:
        return False
    alike = sorted(
        (
            m.score
            for m in measured
            if m.candidate.target == candidate.target
            and isinstance(m.candidate.pattern, Phrase)
            and is_wordy(m.candidate)
        ),
        reverse=True,
    )
    return len(alike) > SIBLINGS and one.score < STANDS_OUT * alike[SIBLINGS]
