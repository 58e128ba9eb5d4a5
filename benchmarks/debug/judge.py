"""Does a finding name the planted fault? Rules that were fixed before the finders were run.

- A planted **pattern**: the finding is confirmed, of the kind "shortcut" or "bias", and about the
  class that the pattern was planted into. Where the pattern is the same words each time, it names
  one of them. Every other pattern is compared by what it does: both the finding's pattern and the
  planted one are put into the same unplanted test examples of other classes, and the mean changes
  of the standardised deep features must point the same way, cosine ≥ .5, and more so than any
  pattern that was found for that class in the clean twin.
- **Label noise**: confirmed, of the kind "label_noise", about the class whose examples have the
  wrong label or the class that they are labelled as.
- **Mislabelled slice**: confirmed, and either "label_noise" of these classes, or a "slice" of
  the metadata whose column is the one that was mislabelled, about one of these classes or
  about all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.debug.plant import Fault
from benchmarks.debug.text_patterns import WORDS

__all__ = ["COSINE", "FAULT_KINDS", "Seen", "first_match", "matches"]

FAULT_KINDS = ("shortcut", "bias", "label_noise", "leak")
"""A confirmed finding of these kinds on a clean twin is a false one."""

COSINE = 0.5
"""Half of the length of the change is the planted pattern's; unrelated changes of one class's
examples reach about .3."""


@dataclass(frozen=True)
class Seen:
    """What the judge looks at in one finding.

    ``cosine`` is that with the planted pattern, None where the finding has no pattern;
    ``twin_cosine`` the largest that a finding of the clean twin about the same class reaches.
    """

    kind: str
    classes: tuple[str, ...]
    confirmed: bool
    where: str
    pattern: str | None = None
    cosine: float | None = None
    twin_cosine: float = 0.0


def matches(seen: Seen, fault: Fault) -> bool:
    """Whether this finding names the fault."""
    if not seen.confirmed:
        return False
    if fault.kind == "pattern":
        return _names_pattern(seen, fault)
    involved = bool({fault.target, fault.pattern} & set(seen.classes))
    if seen.kind == "label_noise":
        return involved
    if fault.kind == "mislabelled slice" and seen.kind == "slice":
        return "origin" in seen.where and (involved or not seen.classes)
    return False


def _names_pattern(seen: Seen, fault: Fault) -> bool:
    if seen.kind not in ("shortcut", "bias") or fault.target not in seen.classes:
        return False
    words = WORDS.get(fault.pattern)
    if words is not None and any(word in (seen.pattern or "").lower() for word in words):
        return True
    if seen.cosine is None:
        return False
    return seen.cosine >= COSINE and seen.cosine > seen.twin_cosine


def first_match(found: Sequence[Seen], fault: Fault) -> int | None:
    """Rank, from 1, of the first finding that names the fault."""
    for rank, seen in enumerate(found, start=1):
        if matches(seen, fault):
            return rank
    return None
