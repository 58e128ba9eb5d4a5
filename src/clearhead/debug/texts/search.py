"""Shortcuts of a text model, found without being told what to look for."""

from __future__ import annotations

import numpy as np

from clearhead.debug.change import change_inputs
from clearhead.debug.inputs import Inputs
from clearhead.debug.shortcut import Proposal, Shortcut, Tested, confirm
from clearhead.debug.texts.by_kinds import kind_candidates, style_candidates
from clearhead.debug.texts.by_lime import EFFORT, driving_words
from clearhead.debug.texts.by_ngrams import ngram_candidates
from clearhead.debug.texts.by_rewording import rewording_candidates
from clearhead.debug.texts.by_words import word_candidates
from clearhead.debug.texts.candidate import Candidate
from clearhead.debug.texts.content import Usual, is_content, is_usual, usual_links
from clearhead.debug.texts.controls import plain_controls, style_controls
from clearhead.debug.texts.corpus import Corpus
from clearhead.debug.texts.measured import MEASURED, Measured, distance_to, measure, share
from clearhead.debug.texts.style import Style
from clearhead.debug.texts.tokens import SEEN
from clearhead.events import Event, emit

__all__ = ["CHARACTERS", "find_text_shortcuts"]

CHARACTERS = 1_500_000
"""Characters that the network is shown, about: a minute or two on one core for MiniLM."""

MOST_CLASSES = 8
A_CLASS = 30
SCREENED = 24
"""Texts that each candidate is put into at first; the best are then put into more."""

IN_ANY_CASE = 3
"""Candidates of a class that are tried though they are content: negative results are kept."""

AT_LEAST, PROMISING = 8, 0.02
"""So many in any case, then those that reach a third of what a finding has to."""

CONFIRMED = 6
A_TARGET = 3
"""So many are measured on test, of all classes and of one: few, as each is corrected for all."""

SAME = 0.7
"""Patterns that share so many of their texts are one."""


def find_text_shortcuts(
    inputs: Inputs, *, characters: int = CHARACTERS
) -> tuple[list[Shortcut], list[Tested]]:
    """Propose patterns that decide for a class wrongly, and measure them on test.

    Candidates are what sets a class's training texts apart: n-grams, kinds of tokens and
    ways of writing; and the words that LIME finds for suspicious features. Each is put into
    validation texts of other classes and cut out of the class's own; the score is the smaller
    of the two mean changes of the class's log-odds, times the difference in coverage.

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
    usual = usual_links(corpus, per_class)
    screened = _screen(inputs, _unusual_first(per_class, usual), texts // 2)
    screened.sort(key=lambda one: is_usual(one, usual))
    measured = _measure(inputs, screened, texts // 2)
    tested = [one.tested() for one in measured]
    proposals = _choose(corpus, inputs, measured, usual)
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
            *word_candidates(corpus, inputs, c),
            *rewording_candidates(corpus, c),
            *ngram_candidates(corpus, c, A_CLASS),
        ]
        found[c] = every
    for c, new in driving_words(inputs, corpus, found, EFFORT).items():
        found[c] = sorted([*found[c], *new], key=lambda one: -one.link)
        _give_controls(corpus, c, found[c])
    return found


def _give_controls(corpus: Corpus, c: int, candidates: list[Candidate]) -> None:
    """To each candidate that has none yet."""
    shown = {one.pattern.name for one in candidates if isinstance(one.pattern, Style)}
    texts = [corpus.texts[i] for i in np.flatnonzero(corpus.labels != c)]
    for one in candidates:
        if not one.controls and isinstance(one.pattern, Style):
            one.controls = style_controls(one.pattern.name, shown, texts)
        one.controls = one.controls or plain_controls(candidates)


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


def _unusual_first(
    per_class: dict[int, list[Candidate]], usual: Usual
) -> dict[int, list[Candidate]]:
    """Leave out of long lists what would be content anyway, so that it takes no one's place."""
    return {
        c: [
            one
            for i, one in enumerate(sorted(found, key=lambda one: is_usual(one, usual)))
            if i < IN_ANY_CASE or one.driving or not is_usual(one, usual)
        ]
        for c, found in per_class.items()
    }


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
        distance = distance_to(inputs, c)
        for one in candidates[:most]:
            change = change_inputs(inputs, one.pattern.insert, rows)
            shift = float(change.log_odds_shift(c).mean()) if len(change) else 0.0
            kept.append((shift / distance * one.link, one))
    kept.sort(key=lambda pair: -pair[0])
    return [one for i, (does, one) in enumerate(kept) if i < AT_LEAST or does >= PROMISING]


def _measure(inputs: Inputs, screened: list[Candidate], texts: int) -> list[Measured]:
    """Put the best candidates into more texts, with controls, and cut them out of their own."""
    most = int(np.clip(texts // (3 * MEASURED), 4, 24))
    found = (measure(inputs, one, distance_to(inputs, one.target)) for one in screened[:most])
    return [one for one in found if one is not None]


def _choose(
    corpus: Corpus, inputs: Inputs, measured: list[Measured], usual: Usual
) -> list[Proposal]:
    """The best few, one of those that stand in the same texts."""
    chosen: list[Measured] = []
    for one in sorted(measured, key=lambda m: -m.score):
        c = one.candidate.target
        if (
            not one.is_used
            or is_content(one, measured, usual)
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


def _proposal(inputs: Inputs, one: Measured) -> Proposal:
    candidate = one.candidate
    name = inputs.class_names[candidate.target]
    drop = ""
    if np.isfinite(one.drop):
        drop = f", and cutting it out of {name} texts {100 * one.drop / one.distance:.0f}% back"
    evidence = (
        f"On validation it goes {100 * one.way:.0f}% of the way from the other classes to {name} "
        f"beyond a control{drop}."
    )
    return Proposal(
        pattern=candidate.pattern,
        controls=[control.insert for control in candidate.controls],
        target=candidate.target,
        inside=candidate.inside,
        outside=candidate.outside,
        score=one.score,
        change=one.change,
        evidence=evidence,
    )


def _same(corpus: Corpus, inputs: Inputs, better: Candidate, one: Measured) -> bool:
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
    return share(np.array([better.pattern.has(text) for text in made if text])) >= SAME
