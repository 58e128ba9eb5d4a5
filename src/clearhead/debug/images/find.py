"""Shortcuts of a network on pictures that nobody suspected.

Candidates are what any picture can be changed by (turned, blurred, tinted, framed) and what
sets the pictures of one class apart from the others': a mark at a fixed place, their colours,
their frequencies, what is seen at their border, a small thing that recurs. Each is put into
validation examples of other classes. One is proposed where it moves them towards the class, more
than changes as large do, and where the class's own pictures look as if it had been put into them
(:class:`Scored`): what is not in the data is no shortcut.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from clearhead._types import FloatArray
from clearhead.debug.change import Change
from clearhead.debug.images.effort import EFFORTS, ImageEffort
from clearhead.debug.images.looks import Detector
from clearhead.debug.images.picture_pattern import PicturePattern
from clearhead.debug.images.regions import find_regions
from clearhead.debug.images.scoring import LINK, SHIFT, Scored, score_candidates
from clearhead.debug.images.trial import Trial
from clearhead.debug.inputs import Inputs
from clearhead.debug.shortcut import Proposal, Shortcut, Tested, confirm
from clearhead.errors import InputError

__all__ = ["find_image_shortcuts"]

ALIKE = 0.7
"""Cosine from which two candidates of a class move the features the same way."""
NEGATIVES = 3
"""Linked to a class but not used: so many a class are reported."""


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
