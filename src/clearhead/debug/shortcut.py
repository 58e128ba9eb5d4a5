"""A pattern that comes with one class and decides for it: proposed, then measured on test.

**Proposed** on training and validation: the examples of a class show the pattern more often than
the others do (coverage), and putting it into validation examples of other classes moves them
towards the class more than a control does.

**Measured** on test: the pattern is put into examples of the other classes, and a control that is
as large a change but says nothing about the class into the same examples. The effect is the share
of predictions that become the class with the pattern, less that with the control. A weak copy of
what the class shows may change no prediction: then it is how much likelier the class becomes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

import numpy as np
from scipy import stats
from scipy.special import expit

from clearhead._files import known_fields
from clearhead._types import FloatArray, IntArray
from clearhead.debug.change import Change, change_inputs, mean_interval
from clearhead.debug.finding import Effect, Finding
from clearhead.debug.inputs import Inputs
from clearhead.debug.pattern import Pattern
from clearhead.debug.statistics import mcnemar_greater, paired_difference
from clearhead.glm import Accuracy

__all__ = ["Proposal", "Shortcut", "Tested", "confirm", "propose_insertion"]

MOST = 300
CARRIERS = 5
FEWEST = 20
"""Fewer examples than this have no mean that is normal."""


@dataclass(frozen=True)
class Tested:
    """One pattern that was tested, whether it was found to be used or not.

    Parameters
    ----------
    pattern : str
        In words.
    target : int
        The class that it goes with.
    inside, outside : float
        Share of the class's examples, and of the others', that show it.
    split : {"validation", "test"}
        Where it was put into examples of other classes.
    n : int
        How many.
    shift, shift_low, shift_high : float
        Mean change of the class's log-odds beyond that by the control, with its 95% interval.
    flips, control_flips : float
        Share of these whose prediction becomes the class, with the pattern and with the control.
    used : bool
        Whether it was found to be used; False is a negative result worth keeping.
    """

    pattern: str
    target: int
    inside: float
    outside: float
    split: Literal["validation", "test"]
    n: int
    shift: float
    shift_low: float
    shift_high: float
    flips: float
    control_flips: float
    used: bool

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Undo :meth:`to_dict`."""
        return cls(**known_fields(cls, value))


@dataclass(frozen=True, eq=False)
class Proposal:
    """A pattern suspected to be a shortcut to class `target`.

    Parameters
    ----------
    pattern : Pattern
    controls : sequence of callable
        Changes as large as the pattern's that say nothing about the class: each takes an
        example and a seed and gives a changed example, or None. Each example gets one.
    target : int
    inside, outside : float
        As in :class:`Tested`.
    score : float
        What candidates are ranked by.
    change : Change
        The pattern put into validation examples of other classes.
    evidence : str
        Sentences for a person: where it comes from and what it did on validation.
    """

    pattern: Pattern
    controls: Sequence[Callable[[Any, int], Any | None]]
    target: int
    inside: float
    outside: float
    score: float
    change: Change
    evidence: str


@dataclass(frozen=True, eq=False)
class Shortcut:
    """A finding, the pattern itself and what its presence does to the features.

    Parameters
    ----------
    finding : Finding
    pattern : Pattern
    shift : ndarray of shape (p,)
        Mean change of the deep features when it is put in, on validation.
    """

    finding: Finding
    pattern: Pattern
    shift: FloatArray
    tested: Tested


def propose_insertion(
    inputs: Inputs,
    pattern: Pattern,
    controls: Sequence[Callable[[Any, int], Any | None]],
    rows: IntArray,
) -> tuple[Change, Change]:
    """Put a pattern and its controls into the same examples; both changes, on the same rows.

    Examples that show the pattern already, or to which one of the two cannot be done, are
    left out.
    """

    def absent(example: Any, seed: int) -> Any | None:
        return None if pattern.has(example) else pattern.insert(example, seed)

    def control(example: Any, seed: int) -> Any | None:
        return controls[seed % len(controls)](example, seed)

    change, other = change_inputs(inputs, absent, rows), change_inputs(inputs, control, rows)
    both = np.intersect1d(change.rows, other.rows)
    return change.only(np.isin(change.rows, both)), other.only(np.isin(other.rows, both))


def confirm(inputs: Inputs, proposal: Proposal, *, kind: Literal["shortcut", "bias"]) -> Shortcut:
    """Measure a proposal on the test split."""
    c, pattern = proposal.target, proposal.pattern
    rows = inputs.rows("test", other_than=c, most=MOST, salt=1)
    change, control = propose_insertion(inputs, pattern, proposal.controls, rows)
    missed = change.scores_before.argmax(axis=1) != c  # the others cannot become the class
    change, control = change.only(missed), control.only(missed)
    flips, other = change.becomes(c), control.becomes(c)
    lost, won, n = int((flips & ~other).sum()), int((other & ~flips).sum()), len(flips)
    value, low, high = paired_difference(lost, won, n) if n else (0.0, -1.0, 1.0)
    removal = _removal(inputs, proposal)
    name, words = inputs.class_names[c], pattern.describe()
    moved = mean_interval(change.log_odds_shift(c) - control.log_odds_shift(c))
    tested = Tested(
        pattern=words,
        target=c,
        inside=proposal.inside,
        outside=proposal.outside,
        split="test",
        n=n,
        shift=moved[0],
        shift_low=moved[1],
        shift_high=moved[2],
        flips=float(flips.mean()) if n else 0.0,
        control_flips=float(other.mean()) if n else 0.0,
        used=low > 0,
    )
    effect = Effect(
        f"predictions that become {name} with {words}, beyond a control", value, low, high, n
    )
    p_value = mcnemar_greater(lost, won)
    title = f"{words} turns {_share(tested.flips, n)} examples of other classes into {name}"
    if kind == "shortcut" and low <= 0:
        likelier = _likelier(change, control, c, f"{name} with {words}")
        if likelier is not None:
            effect, p_value = likelier
            title = f"{words} makes {name} likelier, by {100 * effect.value:.1f} points"
            tested = replace(tested, used=True)
    dense = float(change.dense_becomes(c).mean()) if n else 0.0
    evidence = (
        f"{100 * proposal.inside:.0f}% of the {name} examples show {words}, "
        f"{100 * proposal.outside:.0f}% of the others. {proposal.evidence} On test, "
        f"{_share(tested.flips, n)} examples of other classes become {name} with it, "
        f"{100 * tested.control_flips:.0f}% with a control; of the dense layer {100 * dense:.0f}%."
        f"{removal}"
    )
    carriers = _carriers(inputs, proposal.change, c)
    finding = Finding(
        kind=kind,
        title=title,
        suspicion=f"{words} may be taken for {name}",
        where=f"class {name}: {words}",
        evidence=evidence,
        effect=effect,
        p_value=p_value,
        mend=(
            f"If this is not what makes a {name}, break the link: `clearhead edit RUN --finding "
            "NUMBER` solves the layer again on features in which the pattern says nothing of the "
            "class, in the way that does best on validation examples without it."
        ),
        features=tuple(carriers),
        classes=(c,),
        examples=tuple(str(i) for i in inputs.store.ids[change.rows[flips & ~other]][:8]),
        pattern=words,
        # Terms for people need not be in the data to do harm.
        link=max(proposal.inside - proposal.outside, 0.0) if kind == "shortcut" else 1.0,
    )
    return Shortcut(finding, pattern, proposal.change.shift(), tested)


def _likelier(change: Change, control: Change, c: int, what: str) -> tuple[Effect, float] | None:
    """Measure the rise of a class's probability beyond the control's; None where it is unsure.

    The p value is that of a paired t test, doubled, as it is the second that is looked at.
    """
    gain = expit(change.log_odds(c)) - expit(control.log_odds(c))
    if len(gain) < FEWEST or not gain.std() > 0:
        return None
    value, low, high = mean_interval(gain)
    if low <= 0:
        return None
    p_value = 2 * float(stats.ttest_1samp(gain, 0.0, alternative="greater").pvalue)
    effect = Effect(
        f"rise of the probability of {what}, beyond a control", value, low, high, len(gain)
    )
    return effect, min(p_value, 1.0)


def _removal(inputs: Inputs, proposal: Proposal) -> str:
    """Say what taking the pattern out of the class's own test examples does."""
    c, pattern = proposal.target, proposal.pattern

    def taken_out(example: Any, seed: int) -> Any | None:
        return pattern.remove(example, seed) if pattern.has(example) else None

    change = change_inputs(inputs, taken_out, inputs.rows("test", label=c, most=MOST, salt=2))
    found = change.scores_before.argmax(axis=1) == c if len(change) else np.zeros(0, dtype=bool)
    if not found.any():
        return ""
    lost = Accuracy.of(int(change.leaves(c).sum()), int(found.sum()))
    return (
        f" Taking it out of {lost.n} {inputs.class_names[c]} examples that were recognised loses "
        f"{100 * lost.value:.0f}% of them."
    )


def _carriers(inputs: Inputs, change: Change, c: int) -> list[int]:
    """Features in use through which the pattern moves class c away from the others most."""
    layer = inputs.layer
    used = layer.used
    moved = change.shift()[used] / np.where(layer.dead[used], 1.0, layer.scale[used])
    weight = layer.weight[:, used]
    part = (weight[c] - np.delete(weight, c, axis=0).mean(axis=0)) * moved
    order = np.argsort(-part)[:CARRIERS]
    return [int(used[i]) for i in order if part[i] > 0.05 * max(part.max(), 1e-12)]


def _share(share: float, n: int) -> str:
    return f"{100 * share:.0f}% of {n}"
