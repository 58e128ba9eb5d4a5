"""Shortcuts of a text model, found without being told what to look for."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from clearhead._types import BoolArray, FloatArray, IntArray
from clearhead.debug.change import Change, change_inputs, mean_interval
from clearhead.debug.inputs import Inputs
from clearhead.debug.pattern import Pattern
from clearhead.debug.shortcut import Proposal, Shortcut, Tested, confirm, propose_insertion
from clearhead.debug.texts.by_kinds import kind_candidates, style_candidates
from clearhead.debug.texts.by_ngrams import ngram_candidates
from clearhead.debug.texts.candidate import Candidate
from clearhead.debug.texts.corpus import Corpus
from clearhead.debug.texts.phrase import Phrase
from clearhead.debug.texts.tokens import SEEN
from clearhead.events import Event, emit

__all__ = ["CHARACTERS", "find_text_shortcuts"]

CHARACTERS = 1_500_000
"""Characters that the network is shown, about: a minute or two on one core for MiniLM."""

MOST_CLASSES = 8
A_CLASS = 30
SCREENED = 24
"""Texts that each candidate is put into at first; the best are then put into more."""

MEASURED = 120
LEAST_SCORE = 0.04
LEAST_SHIFT = 0.25
"""Clean models reach a score of .02 (two data sets); planted shortcuts begin at .04. Below a
shift of .25 a pattern decides nothing, however common; a strongly regularised layer has no more
than .4 for signs and links that do decide (tweets)."""

LEAST_FLIPS = 0.05
"""A pattern that does not carry one in twenty over the border beyond a control decides little."""

CONFIRMED = 6
A_TARGET = 3
"""So many are measured on test, of all classes and of one: few, as each is corrected for all."""


SIBLINGS, STANDS_OUT = 2, 2.5
"""A word does more than so many times what the third best word of its class does, or it is one
of the words that the class is about: content has synonyms, a shortcut has none."""

LINK_OF_A_WORD = 0.5
"""No word of a subject stands in so many more of its texts than of others, as a rule."""

SAME = 0.7
"""Patterns that share so many of their texts are one."""


@dataclass(eq=False)
class _Measured:
    candidate: Candidate
    change: Change
    control: Change
    shift: float = 0.0
    drop: float = 0.0
    score: float = 0.0
    rows: list[int] = field(default_factory=list)


def find_text_shortcuts(
    inputs: Inputs, *, characters: int = CHARACTERS
) -> tuple[list[Shortcut], list[Tested]]:
    """Propose patterns that decide for a class wrongly, and measure them on test.

    Candidates are what sets a class's training texts apart: n-grams, kinds of tokens and
    ways of writing. Each is put into validation texts of other classes and cut out of the
    class's own; the score is the smaller of the two mean changes of the class's log-odds,
    times the difference in coverage.

    Parameters
    ----------
    inputs : Inputs
        Of texts with one class each.
    characters : int
        How much the network may be shown, about. With more classes or longer texts fewer
        patterns are tried.

    Returns
    -------
    list of Shortcut
        What was proposed, measured on test.
    list of Tested
        Every pattern that the network was asked about, used or not.
    """
    if inputs.labels.ndim != 1:
        emit(
            inputs.on_event,
            Event("debug", "info", "shortcuts are not looked for where a text has several labels"),
        )
        return [], []
    corpus = Corpus(inputs, "train")
    if len(corpus.texts) < 2 or not inputs.rows("validation").size:
        return [], []
    per_class = _candidates(corpus, inputs)
    texts = _budget(corpus, characters)
    screened = _screen(inputs, per_class, texts // 2)
    measured = _measure(inputs, screened, texts // 2)
    tested = [_tested(inputs, one) for one in measured]
    proposals = _choose(corpus, inputs, measured)
    shortcuts = [confirm(inputs, proposal, kind="shortcut") for proposal in proposals]
    return shortcuts, [*(one.tested for one in shortcuts), *tested]


def _budget(corpus: Corpus, characters: int) -> int:
    """Texts that the network may be shown."""
    mean = float(np.mean([min(len(text), SEEN) for text in corpus.texts]))
    return int(np.clip(characters / max(mean, 20.0), 600, 30_000))


def _candidates(corpus: Corpus, inputs: Inputs) -> dict[int, list[Candidate]]:
    """Candidates of the classes that have the most suspicious ones."""
    found: dict[int, list[Candidate]] = {}
    classes = _suspicious_classes(corpus)
    if len(classes) < len(inputs.class_names):
        names = ", ".join(inputs.class_names[c] for c in classes)
        emit(
            inputs.on_event,
            Event("debug", "info", f"shortcuts are looked for in {len(classes)} classes: {names}"),
        )
    for c in classes:
        every = [
            *kind_candidates(corpus, c),
            *style_candidates(corpus, inputs, c),
            *ngram_candidates(corpus, c, A_CLASS),
        ]
        found[c] = sorted(every, key=lambda one: -one.link)
    return found


def _suspicious_classes(corpus: Corpus) -> list[int]:
    """Classes whose n-grams set them apart most, at most :data:`MOST_CLASSES`."""
    classes = np.flatnonzero(corpus.sizes >= 5)
    if len(classes) <= MOST_CLASSES:
        return [int(c) for c in classes]
    strength = []
    for c in classes:
        inside, outside = corpus.shares(int(c))
        strength.append(float((inside - outside).max(initial=0.0)))
    order = np.argsort(-np.array(strength), kind="stable")[:MOST_CLASSES]
    return sorted(int(classes[i]) for i in order)


def _screen(inputs: Inputs, per_class: dict[int, list[Candidate]], texts: int) -> list[Candidate]:
    """Put every candidate into a few texts; those that move them, most promising first."""
    every = sum(map(len, per_class.values()))
    if not every:
        return []
    n = int(np.clip(texts // every, 8, SCREENED))
    most = max(texts // n // len(per_class), 1)
    kept: list[tuple[float, Candidate]] = []
    for c, candidates in per_class.items():
        rows = inputs.rows("validation", other_than=c, most=n, salt=21)
        for one in candidates[:most]:
            change = change_inputs(inputs, one.pattern.insert, rows)
            shift = float(change.log_odds_shift(c).mean()) if len(change) else 0.0
            kept.append((shift * one.link, one))
    kept.sort(key=lambda pair: -pair[0])
    return [one for _, one in kept]


def _measure(inputs: Inputs, screened: list[Candidate], texts: int) -> list[_Measured]:
    """Put the best candidates into more texts, with controls, and cut them out of their own."""
    most = int(np.clip(texts // (3 * MEASURED), 4, 24))
    found = []
    for one in screened[:most]:
        c = one.target
        rows = inputs.rows("validation", other_than=c, most=MEASURED, salt=22)
        controls = one.controls or _plain_controls(screened, one)
        change, control = propose_insertion(
            inputs, one.pattern, [control.insert for control in controls], rows
        )
        if len(change) < 5:
            continue
        measured = _Measured(one, change, control)
        measured.shift = float((change.log_odds_shift(c) - control.log_odds_shift(c)).mean())
        measured.drop = _drop(inputs, one)
        measured.score = min(measured.shift, measured.drop) * one.link
        found.append(measured)
    return found


def _plain_controls(screened: list[Candidate], one: Candidate) -> list[Pattern]:
    """Changes of a text that say nothing: neutral words, for what has no like."""
    for other in screened:
        if isinstance(other.pattern, Phrase) and other.controls and other.target == one.target:
            return other.controls
    return [Phrase(("well",), "well"), Phrase(("so",), "so"), Phrase(("then",), "then")]


def _drop(inputs: Inputs, one: Candidate) -> float:
    """How far cutting it out of the class's own texts lowers the class's log-odds."""
    c = one.target
    own = inputs.rows("validation", "train", label=c, most=6 * MEASURED, salt=23)
    have = [row for row in own if one.pattern.has(inputs.example(row))]
    change = change_inputs(inputs, one.pattern.remove, np.array(have[: MEASURED // 2], dtype=int))
    return float(-change.log_odds_shift(c).mean()) if len(change) >= 3 else np.inf


def _tested(inputs: Inputs, one: _Measured) -> Tested:
    c = one.candidate.target
    beyond = one.change.log_odds_shift(c) - one.control.log_odds_shift(c)
    value, low, high = mean_interval(beyond)
    missed = one.change.scores_before.argmax(axis=1) != c
    return Tested(
        pattern=one.candidate.pattern.describe(),
        target=c,
        inside=one.candidate.inside,
        outside=one.candidate.outside,
        split="validation",
        n=len(one.change),
        shift=value,
        shift_low=low,
        shift_high=high,
        flips=_share(one.change.becomes(c)[missed]),
        control_flips=_share(one.control.becomes(c)[missed]),
        used=_is_used(one),
    )


def _is_used(one: _Measured) -> bool:
    c = one.candidate.target
    missed = one.change.scores_before.argmax(axis=1) != c
    flips = _share(one.change.becomes(c)[missed]) - _share(one.control.becomes(c)[missed])
    return one.score >= LEAST_SCORE and one.shift >= LEAST_SHIFT and flips >= LEAST_FLIPS


def _choose(corpus: Corpus, inputs: Inputs, measured: list[_Measured]) -> list[Proposal]:
    """The best few, one of those that stand in the same texts."""
    chosen: list[_Measured] = []
    for one in sorted(measured, key=lambda m: -m.score):
        c = one.candidate.target
        if (
            not _is_used(one)
            or _is_vocabulary(one, measured)
            or sum(o.candidate.target == c for o in chosen) >= A_TARGET
        ):
            continue
        same = [o for o in chosen if o.candidate.target == c]
        if any(_same(corpus, inputs, o.candidate, one) for o in same):
            continue
        chosen.append(one)
        if len(chosen) >= CONFIRMED:
            break
    return [_proposal(inputs, one) for one in chosen]


def _is_vocabulary(one: _Measured, measured: list[_Measured]) -> bool:
    """Whether it is one of many words that do as much: what the class is about, no shortcut."""
    if not _is_word(one) or one.candidate.link >= LINK_OF_A_WORD:
        return False
    alike = sorted(
        (m.score for m in measured if m.candidate.target == one.candidate.target and _is_word(m)),
        reverse=True,
    )
    return len(alike) > SIBLINGS and one.score < STANDS_OUT * alike[SIBLINGS]


def _is_word(one: _Measured) -> bool:
    pattern = one.candidate.pattern
    return isinstance(pattern, Phrase) and any(c.isalpha() for c in pattern.surface)


def _proposal(inputs: Inputs, one: _Measured) -> Proposal:
    candidate = one.candidate
    name = inputs.class_names[candidate.target]
    drop = ""
    if np.isfinite(one.drop):
        drop = f", and cutting it out of {name} texts lowers them by {one.drop:.1f}"
    evidence = (
        f"On validation it raises the log-odds of {name} by {one.shift:.1f} more than a control"
        f"{drop}."
    )
    controls = candidate.controls or [
        Phrase(("well",), "well"),
        Phrase(("so",), "so"),
        Phrase(("then",), "then"),
    ]
    return Proposal(
        pattern=candidate.pattern,
        controls=[control.insert for control in controls],
        target=candidate.target,
        inside=candidate.inside,
        outside=candidate.outside,
        score=one.score,
        change=one.change,
        evidence=evidence,
    )


def _same(corpus: Corpus, inputs: Inputs, better: Candidate, one: _Measured) -> bool:
    """Whether a pattern stands in the same texts as a better one, or brings that with it."""
    own = corpus.labels == better.target
    first, second = better.carriers[own], one.candidate.carriers[own]
    either = int((first | second).sum())
    if either > 0 and int((first & second).sum()) >= SAME * either:
        return True
    made = [
        one.candidate.pattern.insert(inputs.example(row), int(row))
        for row in one.change.rows
        if not better.pattern.has(inputs.example(row))
    ]
    return _share(np.array([better.pattern.has(text) for text in made if text])) >= SAME


def _share(values: BoolArray | IntArray | FloatArray) -> float:
    return float(values.mean()) if len(values) else 0.0
