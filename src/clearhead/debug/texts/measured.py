"""What a candidate does when it is put into texts and cut out of them, on validation."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import numpy as np

from clearhead._types import BoolArray, FloatArray, IntArray
from clearhead.debug.change import Change, change_inputs, log_odds, mean_interval
from clearhead.debug.inputs import Inputs
from clearhead.debug.shortcut import Tested, propose_insertion
from clearhead.debug.texts.candidate import Candidate
from clearhead.debug.texts.style import Style

__all__ = ["Measured", "distance_to", "measure", "share"]

MEASURED = 120
CARRIERS = 60

LEAST_SCORE = 0.06
LEAST_SHIFT = 0.1
"""Clean models reach a score of .025 beside the words of a subject (reviews; a network trained on
them), planted patterns of 60% and more begin at .3: their words go nearly all of the way."""

LEAST_FLIPS = 0.05
"""A pattern that does not carry one in twenty over the border beyond a control decides little."""


@dataclass(eq=False)
class Measured:
    """A candidate and what it does.

    Parameters
    ----------
    candidate : Candidate
    change, control : Change
        It, and its controls, put into the same validation texts of other classes.
    shift : float
        Mean change of the class's log-odds beyond the control.
    drop : float
        How far cutting it out of the class's own texts lowers them; infinite where that
        cannot be done.
    distance : float
        How far the texts of the class are from the others in these log-odds.
    """

    candidate: Candidate
    change: Change
    control: Change
    shift: float
    drop: float
    distance: float

    @property
    def way(self) -> float:
        """Share of the way from the other classes to the class that it goes.

        Log-odds themselves say little: a strongly regularised layer has small ones only.
        """
        return self.shift / self.distance

    @property
    def score(self) -> float:
        """What it does, by how well it tells the class from the others."""
        return min(self.shift, self.drop) / self.distance * self.candidate.link

    @property
    def flips(self) -> float:
        """Share of the texts of other classes that become the class, beyond the control."""
        c = self.candidate.target
        missed = self.change.scores_before.argmax(axis=1) != c
        return share(self.change.becomes(c)[missed]) - share(self.control.becomes(c)[missed])

    @property
    def is_used(self) -> bool:
        """Whether the network goes by it."""
        return self.score >= LEAST_SCORE and self.way >= LEAST_SHIFT and self.flips >= LEAST_FLIPS

    def tested(self) -> Tested:
        """As it is kept, used or not."""
        one, c = self.candidate, self.candidate.target
        value, low, high = mean_interval(
            self.change.log_odds_shift(c) - self.control.log_odds_shift(c)
        )
        missed = self.change.scores_before.argmax(axis=1) != c
        return Tested(
            pattern=one.pattern.describe(),
            target=c,
            inside=one.inside,
            outside=one.outside,
            split="validation",
            n=len(self.change),
            shift=value,
            shift_low=low,
            shift_high=high,
            flips=share(self.change.becomes(c)[missed]),
            control_flips=share(self.control.becomes(c)[missed]),
            used=self.is_used,
        )


def distance_to(inputs: Inputs, c: int) -> float:
    """How much larger the log-odds of class c are in its own validation texts, at the median."""
    own = inputs.rows("validation", label=c, most=500, salt=24)
    others = inputs.rows("validation", other_than=c, most=500, salt=25)
    if not own.size or not others.size:
        return np.inf
    layer = inputs.layer
    first, second = (
        float(np.median(log_odds(layer.logits(inputs.stored(rows)), c))) for rows in (own, others)
    )
    return max(first - second, 1e-3)


def measure(inputs: Inputs, one: Candidate, distance: float) -> Measured | None:
    """Put it and its controls into texts, and cut it out; None where hardly any can be changed."""
    c = one.target
    rows = inputs.rows("validation", other_than=c, most=MEASURED, salt=22)
    controls = [control.insert for control in one.controls]
    change, control = propose_insertion(inputs, one.pattern, controls, rows)
    if len(change) < 5:
        return None
    shift = float((change.log_odds_shift(c) - control.log_odds_shift(c)).mean())
    return Measured(one, change, control, shift, _drop(inputs, one), distance)


def _drop(inputs: Inputs, one: Candidate) -> float:
    c = one.target
    pattern = one.pattern
    if isinstance(pattern, Style) and pattern.rule.undo is None:
        return np.inf
    own = inputs.rows("validation", "train", label=c, most=6 * MEASURED, salt=23)
    have = (row for row in own if pattern.has(inputs.example(row)))
    carriers = np.array(list(islice(have, CARRIERS)), dtype=int)
    change = change_inputs(inputs, pattern.remove, carriers)
    return float(-change.log_odds_shift(c).mean()) if len(change) >= 3 else np.inf


def share(values: BoolArray | IntArray | FloatArray) -> float:
    """Mean, or 0 where there is nothing."""
    return float(values.mean()) if len(values) else 0.0
