"""Shortcuts of a network on pictures that nobody suspected.

Candidates are what any picture can be changed by (turned, blurred, tinted, framed) and what
sets the pictures of one class apart from the others': a mark at a fixed place, their colours,
their frequencies, what is seen at their border, a small thing that recurs. Each is put into
validation examples of other classes. One is proposed where it moves them towards the class, more
than the same done with another class does, and where the class lies in the direction in which
the candidate moves the features: what is not in the data is no shortcut.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clearhead._types import FloatArray, IntArray
from clearhead.debug.change import mean_interval
from clearhead.debug.images.effort import EFFORTS, ImageEffort
from clearhead.debug.images.looks import Detector
from clearhead.debug.images.picture_pattern import PicturePattern
from clearhead.debug.images.space import FeatureSpace
from clearhead.debug.images.trial import Gallery, Trial, Trials
from clearhead.debug.inputs import Inputs
from clearhead.debug.shortcut import Proposal, Shortcut, Tested, confirm
from clearhead.errors import InputError
from clearhead.events import Event, emit

__all__ = ["find_image_shortcuts"]

SHIFT = 0.4
"""Log-odds by which a candidate must move other classes' examples beyond its control."""
SCORE = 0.4
"""Shift × link: clean networks reached .26 in the trial, planted patterns .5 and more."""
STEADY = 4.0
"""Standard errors by which it must be above 0: dozens of candidates are tried for each class."""
LINK = 0.3
"""See FeatureSpace.links: shortcuts that half of a class shows reach about .5."""
LEAD = 0.15
"""By which more of the class's pictures must show it than of the others'."""
CONTROLS = 4
NEGATIVES = 3
"""Linked to a class but not used: so many a class are reported."""


@dataclass(frozen=True)
class Scored:
    """What one trial does to one class."""

    trial: Trial
    target: int
    controls: tuple[Trial, ...]
    shift: float
    low: float
    high: float
    steadiness: float
    link: float

    @property
    def score(self) -> float:
        """What candidates are ranked by."""
        return self.shift * min(max(self.link, 0.0), 1.0)

    @property
    def suspicious(self) -> bool:
        """Whether it is worth a proposal."""
        strong = self.shift >= SHIFT and self.score >= SCORE
        return strong and self.steadiness >= STEADY and self.link >= LINK


def find_image_shortcuts(
    inputs: Inputs, *, effort: str | ImageEffort = "default"
) -> tuple[list[Shortcut], list[Tested]]:
    """Propose patterns that decide for a class, and measure the most suspicious on test.

    Parameters
    ----------
    inputs : Inputs
        Of pictures.
    effort : {"quick", "default", "full"} or ImageEffort

    Returns
    -------
    shortcuts : list of Shortcut
        What was proposed, as measured on test, whether confirmed or not.
    tested : list of Tested
        The same, and what a class shows more than others but does not use.

    Raises
    ------
    InputError
        The examples are no pictures.
    """
    if inputs.modality != "image":
        raise InputError(
            f"inputs: expected pictures, got {inputs.modality}. Use find_text_shortcuts."
        )
    if inputs.layer.multilabel or not len(inputs.layer.used):
        return [], []
    budget = EFFORTS[effort] if isinstance(effort, str) else effort
    scored = score_candidates(inputs, budget)
    proposals = propose(inputs, scored, budget)
    shortcuts = [confirm(inputs, one, kind="shortcut") for one in proposals]
    return shortcuts, [*(one.tested for one in shortcuts), *_negatives(scored)]


def score_candidates(inputs: Inputs, budget: ImageEffort) -> list[Scored]:
    """Try every candidate on every class that is looked at, best first."""
    space = FeatureSpace(inputs)
    classes = np.sort(np.argsort(-space.concentration(), kind="stable")[: budget.classes])
    if len(classes) < len(inputs.class_names):
        emit(
            inputs.on_event,
            Event(
                "debug",
                "warning",
                f"Shortcuts in pictures are looked for in {len(classes)} of "
                f"{len(inputs.class_names)} classes: those that rest most on a few features.",
            ),
        )
    rows = inputs.rows("validation", most=budget.receivers, salt=3)
    gallery = Gallery(inputs, budget.own)
    trials = Trials(inputs, space, rows)
    families = trials.families()
    own = [trial for c in classes for trial in trials.of_class(gallery, int(c))]
    scored = [
        _score(
            inputs,
            trial,
            int(c),
            _controls(trial, int(c), families if trial.origin is None else own),
        )
        for c in classes
        for trial in (*families, *(t for t in own if t.origin == c))
    ]
    return sorted(scored, key=lambda one: -one.score)


def _controls(trial: Trial, c: int, pool: Sequence[Trial]) -> tuple[Trial, ...]:
    """Candidates of the same method that say nothing about class `c`, as large as this one."""
    fit = [
        other
        for other in pool
        if other is not trial
        and other.method == trial.method
        and (other.links[c] < LINK if trial.origin is None else other.origin != c)
    ]
    fit.sort(key=lambda other: abs(np.log((other.size + 1e-9) / (trial.size + 1e-9))))
    return tuple(fit[:CONTROLS])


def _score(inputs: Inputs, trial: Trial, c: int, controls: tuple[Trial, ...]) -> Scored:
    """Compare with the mean of the controls, example by example."""
    k = len(inputs.labels)
    shift = np.full(k, np.nan)
    change = trial.change
    shift[change.rows] = change.log_odds_shift(c)
    other = np.full((max(len(controls), 1), k), np.nan)
    for i, control in enumerate(controls):
        other[i, control.change.rows] = control.change.log_odds_shift(c)
    if not controls:
        other[:] = 0.0
    seen = ~np.isnan(shift) & (~np.isnan(other)).any(axis=0) & (inputs.labels != c)
    beyond = shift[seen] - np.nanmean(other[:, seen], axis=0)
    mean, low, high = mean_interval(beyond)
    error = max((high - low) / (2 * 1.96), 1e-9)
    return Scored(trial, c, controls, mean, low, high, mean / error, float(trial.links[c]))


def propose(inputs: Inputs, scored: Sequence[Scored], budget: ImageEffort) -> list[Proposal]:
    """Keep the best of each class that its pictures are seen to show."""
    found: list[Proposal] = []
    for one in scored:
        if not one.suspicious or len(found) >= budget.confirmed:
            continue
        if sum(p.target == one.target for p in found) >= budget.per_class:
            continue
        proposal = _proposal(inputs, one, budget)
        if proposal.inside - proposal.outside >= LEAD:
            found.append(proposal)
    return found


def _proposal(inputs: Inputs, one: Scored, budget: ImageEffort) -> Proposal:
    c = one.target
    pattern = _with_detector(inputs, one.trial.pattern, c, budget.looked)
    inside = _coverage(
        inputs, pattern, inputs.rows("train", "validation", label=c, most=budget.looked, salt=5)
    )
    outside = _coverage(
        inputs,
        pattern,
        inputs.rows("train", "validation", other_than=c, most=budget.looked, salt=6),
    )
    name = inputs.class_names[c]
    change = one.trial.change.only(inputs.labels[one.trial.change.rows] != c)
    return Proposal(
        pattern=pattern,
        controls=_control_changes(one.controls),
        target=c,
        inside=inside,
        outside=outside,
        score=one.score,
        change=change,
        evidence=(
            f"Put into {len(change)} validation pictures of other classes it moves the log-odds "
            f"of {name} by {one.shift:+.1f} beyond a control, and the {name} pictures lie "
            f"{100 * min(one.link, 1.0):.0f}% of the way in which it moves the features."
        ),
    )


def _control_changes(controls: Sequence[Trial]) -> tuple[Callable[[Any, int], Any | None], ...]:
    if controls:
        return tuple(trial.pattern.insert for trial in controls)
    return (lambda example, seed: example,)


def _with_detector(inputs: Inputs, pattern: PicturePattern, c: int, most: int) -> PicturePattern:
    """Let the pattern be seen: learn how pictures of other classes look with and without it."""
    rows = inputs.rows("train", other_than=c, most=most, salt=4)
    kept, changed = inputs.changed(rows, pattern.insert)
    if not changed:
        return pattern
    return replace(pattern, detector=Detector.fit(inputs.examples(kept), changed))


def _coverage(inputs: Inputs, pattern: PicturePattern, rows: IntArray) -> float:
    return float(np.mean([pattern.has(one) for one in inputs.examples(rows)])) if len(rows) else 0.0


def _negatives(scored: Sequence[Scored]) -> list[Tested]:
    """What a class shows more than the others, and what does not decide for it."""
    found: list[Tested] = []
    for one in sorted(scored, key=lambda s: -s.link):
        own = sum(t.target == one.target for t in found)
        if one.suspicious or one.link < LINK or one.shift >= SHIFT or own >= NEGATIVES:
            continue
        change = one.trial.change
        flips: FloatArray = change.becomes(one.target).astype(float)
        control = [c.change.becomes(one.target).mean() for c in one.controls if len(c.change)]
        found.append(
            Tested(
                pattern=one.trial.pattern.describe(),
                target=one.target,
                inside=min(one.link, 1.0),
                outside=0.0,
                split="validation",
                n=len(change),
                shift=one.shift,
                shift_low=one.low,
                shift_high=one.high,
                flips=float(flips.mean()) if len(flips) else 0.0,
                control_flips=float(np.mean(control)) if control else 0.0,
                used=False,
            )
        )
    return found
