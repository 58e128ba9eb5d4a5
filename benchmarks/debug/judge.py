"""Does a finding name the planted fault?

- A planted **pattern**: the finding is confirmed, of the kind "shortcut" or "bias", and about the
  class that the pattern was planted into. Where the pattern is the same words each time, it names
  one of them. Every other pattern is compared with the planted one on unplanted test examples of
  other classes: they come to show the finding's pattern when the planted one is put in (at least
  5% more of them), putting in either changes the standardised deep features in the same direction
  (cosine ≥ .5), and the clean twin has no confirmed finding that says the same. Of two classes,
  what the one has lost is what the other is known by: there a finding about the other class counts
  as well, whose pattern the planted one takes out (at least 5% fewer show it) and which changes
  the features in the opposite direction (cosine ≤ −.5).
- **Label noise**: confirmed, of the kind "label_noise", and it says which way: examples of the
  class whose labels were changed carry the label that they were given (its classes, in this
  order: the label, what the examples are). Both classes the other way round do not count, nor a
  group of examples whose labels look wrong for another reason.
- **Mislabelled slice**: confirmed, and either label noise that says which way, or a "slice" or
  "label_noise" where the metadata column that was mislabelled is named, about one of these
  classes or about all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.debug.plant import Fault
from benchmarks.debug.text_patterns import WORDS

__all__ = ["COSINE", "FAULT_KINDS", "SHOWN", "Seen", "first_match", "matches"]

FAULT_KINDS = ("shortcut", "bias", "label_noise", "leak")
"""A confirmed finding of these kinds on a clean twin is a false one."""

COSINE = 0.5
"""Necessary, not enough: in a network trained on the shortcut all that leads to a class goes in
much the same direction, up to .96 for a word of the class's subject."""

SHOWN = 0.05
"""Of 200 examples 10: more than chance, and what one word of twenty that vary gives."""


@dataclass(frozen=True)
class Seen:
    """What the judge looks at in one finding.

    ``classes`` are in the finding's order: of a pair with wrong labels the label, then what the
    examples look like.
    ``cosine`` and ``shown`` are those of :class:`benchmarks.debug.measure.Alike`, None where
    the finding has no pattern; ``in_twin`` says whether the clean twin has the same finding,
    ``opposite`` whether there are two classes.
    """

    kind: str
    classes: tuple[str, ...]
    confirmed: bool
    where: str
    pattern: str | None = None
    cosine: float | None = None
    shown: float | None = None
    in_twin: bool = False
    opposite: bool = False


def matches(seen: Seen, fault: Fault) -> bool:
    """Whether this finding names the fault."""
    if not seen.confirmed:
        return False
    if fault.kind == "pattern":
        return _names_pattern(seen, fault)
    given, true = fault.pattern, fault.target
    if seen.kind == "label_noise" and seen.classes == (given, true):
        return True
    if fault.kind != "mislabelled slice" or seen.kind not in ("slice", "label_noise"):
        return False
    return "origin" in seen.where and set(seen.classes) <= {given, true}


def _names_pattern(seen: Seen, fault: Fault) -> bool:
    if seen.kind not in ("shortcut", "bias"):
        return False
    if fault.target not in seen.classes:
        if not seen.opposite or seen.cosine is None or seen.shown is None or seen.in_twin:
            return False
        return seen.cosine <= -COSINE and seen.shown <= -SHOWN
    words = WORDS.get(fault.pattern)
    if words is not None and any(word in (seen.pattern or "").lower() for word in words):
        return True
    if seen.cosine is None or seen.shown is None or seen.in_twin:
        return False
    return seen.cosine >= COSINE and seen.shown >= SHOWN


def first_match(found: Sequence[Seen], fault: Fault) -> int | None:
    """Rank, from 1, of the first finding that names the fault."""
    for rank, seen in enumerate(found, start=1):
        if matches(seen, fault):
            return rank
    return None
