"""Shortcuts of a network on pictures that nobody suspected.

Candidates are what any picture can be changed by (turned, blurred, tinted, framed) and what
sets the pictures of one class apart from the others': a mark at a fixed place, their colours,
their frequencies, what is seen at their border, a small thing that recurs. Each is put into
validation examples of other classes. One is proposed where it moves them towards the class, more
than changes as large do, and where the class's own pictures look as if it had been put into them
(:class:`Links`): what is not in the data is no shortcut.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clearhead._types import FloatArray, IntArray
from clearhead.debug.change import Change, log_odds, mean_interval
from clearhead.debug.images.effort import EFFORTS, ImageEffort
from clearhead.debug.images.links import Links
from clearhead.debug.images.looks import Detector
from clearhead.debug.images.picture_pattern import PicturePattern
from clearhead.debug.images.regions import find_regions
from clearhead.debug.images.space import FeatureSpace
from clearhead.debug.images.trial import Gallery, Trial, Trials
from clearhead.debug.inputs import Inputs
from clearhead.debug.shortcut import Proposal, Shortcut, Tested, confirm
from clearhead.errors import InputError
from clearhead.events import Event, emit

__all__ = ["find_image_shortcuts"]

SHIFT = 0.1
"""Standard deviations of a class's log-odds by which a candidate must move other classes'
examples beyond its control: log-odds themselves are as small as the penalty is large."""
STEADY = 4.5
"""Standard errors by which it must be above 0: dozens of candidates are tried for each class."""
LINK = 0.25
"""Share of the class's pictures that show it beyond those of any other class."""
NEARER = 0.1
"""Share of the way to the class that another class's looks go with it (:class:`Presence`)."""
SCORE = 0.1
"""Shift × link: natural looks of a class move others towards it a little as well."""
UNFLIPPED = 0.1
"""A candidate that flips none of a few dozen examples may flip some of hundreds."""
NEUTRAL = 0.1
"""Of a control, at most so large a share."""
FITTED = 3
"""Families of each class, of those that it shows most, whose strength is fitted to it."""
APART = 1.5
"""How many times as far as any other class's own pictures move others towards that class."""
ALIKE = 0.7
"""Cosine from which two candidates of a class move the features the same way."""
CONTROLS = 6
"""Candidates of nearly its size with which one is compared, on average: against the worst of them
nothing stands out where most of what a network does not know becomes the class."""
SURE = 3.0
"""Standard errors by which predictions must become the class where log-odds move little."""
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
    flips: float
    sureness: float
    rival: float = 0.0

    @property
    def score(self) -> float:
        """How far it moves other classes, as far as the class shows it."""
        return max(self.shift, 0.0) * max(self.link, 0.0)

    @property
    def promise(self) -> float:
        """What the best are chosen by: on test, predictions have to become the class."""
        return self.score * (UNFLIPPED + max(self.flips, 0.0))

    @property
    def seen(self) -> bool:
        """Whether the class's pictures look as if it had been put into them."""
        nearer = float(self.trial.presence.nearer[self.target])
        return self.link >= LINK and nearer >= NEARER

    @property
    def suspicious(self) -> bool:
        """Whether it is worth a proposal."""
        if not self.seen or self.score < APART * self.rival:
            return False
        moves = self.shift >= SHIFT and self.steadiness >= STEADY and self.score >= SCORE
        return moves or (self.shift > 0 and self.sureness >= SURE)


def find_image_shortcuts(
    inputs: Inputs, *, effort: str | ImageEffort = "default"
) -> tuple[list[Shortcut], list[Tested]]:
    """Propose patterns that decide for a class, and measure the most suspicious on test.

    Parameters
    ----------
    inputs : Inputs
        Of pictures.
    effort : {"default", "full"} or ImageEffort

    Returns
    -------
    shortcuts : list of Shortcut
        What was proposed, as measured on test, whether confirmed or not.
    tested : list of Tested
        The same, and what a class shows more than others but does not use.

    Raises
    ------
    InputError
        The examples are no pictures, or the layer gives several labels at once.
    """
    if inputs.modality != "image":
        raise InputError(
            f"inputs: expected pictures, got {inputs.modality}. Use find_text_shortcuts."
        )
    if inputs.layer.multilabel:
        raise InputError("inputs: expected a layer of which one class is true, not several.")
    if not len(inputs.layer.used):
        return [], []
    budget = EFFORTS[effort] if isinstance(effort, str) else effort
    scored = score_candidates(inputs, budget)
    proposals = propose(inputs, scored, budget)
    shortcuts = [confirm(inputs, one, kind="shortcut") for one in proposals]
    regions, tested = find_regions(inputs, budget.explained, budget.regions)
    tested = [*(one.tested for one in shortcuts), *tested, *_negatives(scored)]
    return [*shortcuts, *regions], tested


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
    trials = Trials(inputs, space, Links(inputs, budget.learned, budget.looked), rows)
    families = trials.families()
    own = [trial for c in classes for trial in trials.of_class(gallery, int(c))]
    scored = [
        _score(inputs, trial, int(c), _controls(trial, int(c), pool))
        for pool, of_class in ((families, False), (own, True))
        for c in classes
        for trial in pool
        if not of_class or trial.origin == c
    ]
    scored += [
        _score(inputs, trial, int(c), _controls(trial, int(c), families))
        for c in classes
        for trial in _fitted(trials, [s for s in scored if s.target == c])
    ]
    scored = _again(inputs, trials, scored, inputs.rows("validation", most=budget.again, salt=6))
    return sorted(_against_rivals(scored), key=lambda one: -one.promise)


def _again(
    inputs: Inputs, trials: Trials, scored: Sequence[Scored], rows: IntArray
) -> list[Scored]:
    """Measure what classes are seen to show on more examples: a few flips need hundreds."""
    known: dict[Trial, Trial] = {}

    def more(trial: Trial) -> Trial:
        if trial not in known:
            known[trial] = trials.on(trial, rows)
        return known[trial]

    return [
        _score(inputs, more(one.trial), one.target, tuple(map(more, one.controls)))
        if one.seen
        else one
        for one in scored
    ]


def _fitted(trials: Trials, scored: Sequence[Scored]) -> list[Trial]:
    """Try the families that a class shows most at the strength at which it shows them."""
    linked = sorted(
        (s for s in scored if s.trial.origin is None and s.link >= LINK), key=lambda s: -s.link
    )
    found = (trials.fitted(s.trial, s.target) for s in linked[:FITTED])
    return [trial for trial in found if trial is not None]


def _controls(trial: Trial, c: int, pool: Sequence[Trial]) -> tuple[Trial, ...]:
    """Candidates of the same method, as large as this one, that class `c` does not show.

    What any large change does is no shortcut.
    """
    fit = [
        other
        for other in pool
        if other is not trial
        and other.method == trial.method
        and len(other.change)
        and (_neutral(other, c) if trial.origin is None else other.origin != c)
    ]
    fit.sort(key=lambda other: abs(np.log((other.size + 1e-9) / (trial.size + 1e-9))))
    return tuple(fit[:CONTROLS])


def _neutral(trial: Trial, c: int) -> bool:
    """Whether class `c` does not show it, nor others look more like the class with it."""
    return trial.presence.lead(c) < NEUTRAL and bool(trial.presence.nearer[c] <= 0)


def _score(inputs: Inputs, trial: Trial, c: int, controls: tuple[Trial, ...]) -> Scored:
    """Compare with the mean of the controls, example by example."""
    k = len(inputs.labels)
    shift = np.full(k, np.nan)
    change = trial.change
    shift[change.rows], flips = change.log_odds_shift(c), np.zeros(k)
    flips[change.rows] = change.becomes(c)
    other = np.full((max(len(controls), 1), k), np.nan)
    others = np.zeros_like(other)
    for i, control in enumerate(controls):
        other[i, control.change.rows] = control.change.log_odds_shift(c)
        others[i, control.change.rows] = control.change.becomes(c)
    if not controls:
        other[:] = 0.0
    seen = ~np.isnan(shift) & (~np.isnan(other)).any(axis=0) & (inputs.labels != c)
    beyond = (shift[seen] - np.nanmean(other[:, seen], axis=0)) / _unit(inputs, c)
    mean, low, high = mean_interval(beyond)
    won, won_low, won_high = mean_interval(flips[seen] - others[:, seen].mean(axis=0))
    return Scored(
        trial,
        c,
        controls,
        mean,
        low,
        high,
        steadiness=mean / _error(low, high),
        link=_link(trial, c, mean),
        flips=won,
        sureness=won / _error(won_low, won_high),
    )


def _error(low: float, high: float) -> float:
    """Standard error, of a 95% interval."""
    return max((high - low) / (2 * 1.96), 1e-9)


def _link(trial: Trial, c: int, shift: float) -> float:
    """Share of the class that shows it beyond the others; not looked for where of no use."""
    if trial.origin is None:
        return trial.presence.lead(c)
    if shift < SHIFT / 2:
        return 0.0
    # What was made from the class is seen in it; other classes need not be as unlike.
    return float(trial.presence.share[c] - trial.presence.outside(c))


def _unit(inputs: Inputs, c: int) -> float:
    """Standard deviation over validation examples of the log-odds of a class."""
    rows = inputs.rows("validation", most=500, salt=9)
    return max(float(log_odds(inputs.layer.logits(inputs.stored(rows)), c).std()), 1e-9)


def _against_rivals(scored: Sequence[Scored]) -> list[Scored]:
    """Say of what was made from a class how well the same does for any other class.

    Of two classes what sets one apart sets the other apart as well, in reverse: no rival.
    """
    if len({one.target for one in scored}) <= 2:
        return list(scored)
    return [
        one
        if one.trial.origin is None
        else replace(
            one,
            rival=max(
                (
                    s.score
                    for s in scored
                    if s.trial.method == one.trial.method
                    and s.trial.origin not in (None, one.target)
                ),
                default=0.0,
            ),
        )
        for one in scored
    ]


def propose(inputs: Inputs, scored: Sequence[Scored], budget: ImageEffort) -> list[Proposal]:
    """Keep the best of each class that its pictures are seen to show."""
    found: list[Proposal] = []
    for one in scored:
        if not one.suspicious or len(found) >= budget.confirmed:
            continue
        own = [p for p in found if p.target == one.target]
        if len(own) >= budget.per_class or any(_alike(inputs, one.trial.change, p) for p in own):
            continue
        found.append(_proposal(inputs, one, budget))
    return found


def _alike(inputs: Inputs, change: Change, known: Proposal) -> bool:
    """Whether a change moves the features in use the way of what is proposed already."""
    used = inputs.layer.used
    scale = np.where(inputs.layer.dead[used], np.inf, inputs.layer.scale[used])
    a, b = change.shift()[used] / scale, known.change.shift()[used] / scale
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return length > 0 and float(a @ b) / length >= ALIKE


def _proposal(inputs: Inputs, one: Scored, budget: ImageEffort) -> Proposal:
    c = one.target
    pattern = _with_detector(inputs, one.trial.pattern, c, budget.looked)
    presence = one.trial.presence
    name = inputs.class_names[c]
    change = one.trial.change.only(inputs.labels[one.trial.change.rows] != c)
    return Proposal(
        pattern=pattern,
        controls=_control_changes(one.controls),
        target=c,
        inside=float(presence.share[c]),
        outside=presence.outside(c),
        score=one.score,
        change=change,
        evidence=(
            f"Put into {len(change)} validation pictures of other classes it moves the log-odds "
            f"of {name} by {one.shift:+.1f} standard deviations beyond a control."
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
                inside=float(one.trial.presence.share[one.target]),
                outside=one.trial.presence.outside(one.target),
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
