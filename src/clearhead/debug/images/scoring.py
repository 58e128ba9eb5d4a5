"""Candidates put into examples of other classes: how far each moves them towards a class.

A candidate is suspicious where it moves them more than changes as large do and the class's own
pictures look as if it had been put into them (:class:`Links`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from clearhead._types import IntArray
from clearhead.debug.change import log_odds, mean_interval
from clearhead.debug.images.effort import ImageEffort
from clearhead.debug.images.links import Links
from clearhead.debug.images.space import FeatureSpace
from clearhead.debug.images.trial import Gallery, Trial, Trials
from clearhead.debug.inputs import Inputs
from clearhead.events import Event, emit

__all__ = ["LINK", "SHIFT", "Scored", "score_candidates"]

SHIFT = 0.1
"""Standard deviations of a class's log-odds by which a candidate must move other classes'
examples beyond its control: log-odds themselves are as small as the penalty is large."""
STEADY = 4.5
"""Standard errors by which it must be above 0: dozens of candidates are tried for each class."""
LINK = 0.25
"""Share of the class's pictures that show it beyond those of any other class."""
NEARER = 0.1
"""Share of the way to the class that another class's looks go with it (:class:`Presence`)."""
PLAIN_LINK, PLAIN_NEARER = 0.5, 0.3
"""So plainly in the pictures of one class alone that a small effect is measured on test as well."""
SCORE = 0.1
"""Shift × link: natural looks of a class move others towards it a little as well."""
UNFLIPPED = 0.1
"""A candidate that flips none of a few dozen examples may flip some of hundreds."""
NEUTRAL = 0.1
"""Of a control, at most so large a share."""
APART = 1.5
"""How many times as far as any other class's own pictures move others towards that class."""
CONTROLS = 6
"""Candidates of nearly its size with which one is compared, on average: against the worst of them
nothing stands out where most of what a network does not know becomes the class."""
SURE = 3.0
"""Standard errors by which predictions must become the class where log-odds move little."""


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
    nearer: float
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
        # What was made from the class is a rough cast of what it shows: not further is enough.
        least = NEARER if self.trial.origin is None else 0.0
        return self.link >= LINK and self.nearer >= least

    @property
    def plain(self) -> bool:
        """Whether it is what sets the class's pictures apart."""
        return self.link >= PLAIN_LINK and self.nearer >= PLAIN_NEARER

    @property
    def suspicious(self) -> bool:
        """Whether it is worth a proposal."""
        if not self.seen or self.score < APART * self.rival:
            return False
        moves = self.shift >= SHIFT and self.steadiness >= STEADY and self.score >= SCORE
        flips = self.flips > 0 and (self.plain or self.sureness >= SURE)
        return moves or (self.shift > 0 and flips)


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
    scored = [new for one in scored for new in _fitted(inputs, trials, one, families)]
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
        replace(
            _score(inputs, more(one.trial), one.target, tuple(map(more, one.controls))),
            nearer=one.nearer,
        )
        if one.seen
        else one
        for one in scored
    ]


def _fitted(inputs: Inputs, trials: Trials, one: Scored, families: Sequence[Trial]) -> list[Scored]:
    """Add a family that a class shows at the strength that brings others nearest to the class.

    What is shown at one strength may come nearest at another: what was put in is seldom just one
    of the families.
    """
    c = one.target
    if one.trial.origin is not None or one.link < LINK:
        return [one]
    trial = trials.fitted(one.trial, c)
    if trial is None:
        return [one]
    best = _score(inputs, trial, c, _controls(trial, c, families))
    return [replace(one, nearer=best.nearer), best]


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
        nearer=float(trial.presence.nearer[c]),
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
