"""Which findings of one model are still there in another?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from difflib import SequenceMatcher

from clearhead.debug.comparison.comparison import FindingChange
from clearhead.debug.finding import Finding

__all__ = ["follow_findings"]

SAME_PLACE = 0.8
"""Share of equal characters from which two findings are said to be at the same place."""


def follow_findings(
    before: Sequence[Finding] | None,
    after: Sequence[Finding] | None,
    pairs: Collection[tuple[int, int]],
    *,
    same: bool,
) -> tuple[FindingChange, ...]:
    """Pair the findings of two models, most alike first; say what went, came and stayed.

    Parameters
    ----------
    before, after : sequence of Finding or None
        None where nobody has looked: then nothing is said.
    pairs : collection of (int, int)
        Features of the two models that are counterparts.
    same : bool
        Whether both stand on one network: then equal numbers are equal features.
    """
    if before is None or after is None:
        return ()
    likely = [
        (-_likeness(one, other, pairs, same=same), i, j)
        for i, one in enumerate(before)
        for j, other in enumerate(after)
    ]
    to: dict[int, int] = {}
    taken: set[int] = set()
    for unlike, i, j in sorted(likely):
        if -unlike >= SAME_PLACE and i not in to and j not in taken:
            to[i] = j
            taken.add(j)
    went = [FindingChange("went", one, None) for i, one in enumerate(before) if i not in to]
    came = [FindingChange("came", None, one) for j, one in enumerate(after) if j not in taken]
    stayed = [FindingChange("stayed", before[i], after[to[i]]) for i in sorted(to)]
    return (*went, *came, *stayed)


def _likeness(
    one: Finding, other: Finding, pairs: Collection[tuple[int, int]], *, same: bool
) -> float:
    """How far two findings are the same: 1 by their key; else of one kind, class and place.

    A feature's number says nothing about the features of another network: findings about
    features are alike if these are counterparts, whatever their numbers.
    """
    if (one.kind, set(one.classes)) != (other.kind, set(other.classes)):
        return 0.0
    structural = one.pattern is None and bool(one.features and other.features)
    if one.key == other.key and (same or not structural):
        return 1.0
    if structural:
        linked = any((i, j) in pairs for i in one.features for j in other.features)
        return 1.0 if linked else 0.0
    return SequenceMatcher(None, one.where, other.where, autojunk=False).ratio()
