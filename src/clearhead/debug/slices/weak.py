"""Is the model worse on some part of the data than its own confidence says?

Searched are conjunctions of metadata, of what else is known of the examples and of features that
fire (:mod:`clearhead.debug.slices.search`). That errors are frequent where a feature lies between
two classes is how a classifier works, and it knows: its scores are close there. So where features
describe a slice, an error counts by how far it was *not* expected from the margin. A slice of
metadata counts as it is: a person wants to know it, whether the model does or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from clearhead._types import BoolArray, FloatArray
from clearhead.debug.finding import Effect, Finding
from clearhead.debug.slices.conditions import MIN_EXAMPLES, Conditions, conditions_of
from clearhead.debug.slices.expectation import expected_errors
from clearhead.debug.slices.labels import look_mislabelled
from clearhead.debug.slices.search import FoundSlice, search_slices
from clearhead.debug.statistics import fisher_less, two_shares
from clearhead.debug.view import SplitView
from clearhead.glm import Accuracy

__all__ = ["find_slices"]

MIN_GAP = 0.10
"""Smaller gaps are found between any two parts of any data."""
MAX_P = 0.1
SHUFFLES = 19
"""A slice has to score better than the best of as many searches in shuffled errors: p ≤ .05."""
DEPTH = 2
MOST = 3
OVERLAP = 0.5
"""Two slices that share half of their examples are one."""
SIMPLER = 1.2
"""A second condition has to add a fifth to the score of the first."""


def find_slices(validation: SplitView, test: SplitView) -> Iterator[Finding]:
    """Propose parts of the data whose accuracy, or recall of a class, is well below the rest's.

    Proposed, at most three, where on validation the gap is at least 10 points, with p ≤ .1
    and a score that shuffled errors do not reach. The effect is the gap on test; where
    features or extra columns describe the slice, the errors there must also exceed what the
    margins make one expect.
    """
    if not validation.n or not test.n:
        return
    conditions = conditions_of(validation, test)
    if not conditions.all:
        return
    expected = expected_errors(validation, test)
    candidates = list(_candidates(validation, conditions, expected[0]))
    taken: list[BoolArray] = []
    for candidate in sorted(candidates, key=lambda one: one.p_value):
        inside = candidate.on_validation
        if any(_overlap(inside, other) > OVERLAP for other in taken):
            continue
        finding = _measure(validation, test, candidate, expected)
        if finding is None:
            continue
        taken.append(inside)
        yield finding
        if len(taken) == MOST:
            return


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A slice; of one class's examples where `label` is not -1.

    `named`: metadata or extra columns say something of it; `explained`: features may.
    """

    words: str
    features: tuple[int, ...]
    label: int
    on_validation: BoolArray
    on_test: BoolArray
    explained: bool
    named: bool
    p_value: float


def _candidates(
    view: SplitView, conditions: Conditions, expected: FloatArray
) -> Iterator[_Candidate]:
    wrong = (~view.right).astype(np.float64)
    metadata = conditions.of_kinds("metadata")
    everything = np.ones(view.n, dtype=bool)
    yield from _search(view, metadata, wrong - wrong.mean(), everything, -1)
    for c in range(view.layer.n_classes):
        rows = view.labels == c
        if rows.sum() >= 2 * MIN_EXAMPLES and metadata.all:
            yield from _search(view, metadata, wrong - wrong[rows].mean(), rows, c)
    if len(metadata.all) < len(conditions.all):
        found = _search(view, conditions, wrong - expected, everything, -1, explained=True)
        yield from found


def _search(
    view: SplitView,
    conditions: Conditions,
    residual: FloatArray,
    rows: BoolArray,
    label: int,
    *,
    explained: bool = False,
) -> Iterator[_Candidate]:
    """Search among some rows; give what scores above shuffled errors and has a gap."""
    if not conditions.all:
        return
    masks, r = conditions.validation[:, rows], residual[rows]

    def search(values: FloatArray, most: int) -> list[FoundSlice]:
        return search_slices(
            masks, conditions.groups, values, depth=DEPTH, min_rows=MIN_EXAMPLES, most=most
        )

    found = search(r, 50)
    rng = np.random.default_rng(0)
    best = [search(rng.permutation(r), 1) for _ in range(SHUFFLES if found else 0)]
    floor = max((one[0].score for one in best if one), default=0.0)
    single = {one.conditions[0]: one.score for one in _singles(masks, r)}
    for one in found:
        simpler = max(single.get(i, 0.0) for i in one.conditions)
        if one.score <= floor or (len(one.conditions) > 1 and one.score < SIMPLER * simpler):
            continue
        inside = np.logical_and.reduce(conditions.validation[list(one.conditions)])
        gap = _gap(view, inside, label)
        if gap is None or gap.value < MIN_GAP or gap.p_value > MAX_P:
            continue
        said = [conditions.all[i] for i in one.conditions]
        yield _Candidate(
            words=" and ".join(condition.words for condition in said),
            features=tuple(s.feature for s in said if s.feature is not None),
            label=label,
            on_validation=inside & rows,
            on_test=np.logical_and.reduce(conditions.test[list(one.conditions)]),
            explained=explained,
            named=any(condition.feature is None for condition in said),
            p_value=gap.p_value,
        )


def _singles(masks: BoolArray, residual: FloatArray) -> list[FoundSlice]:
    """Score each condition by itself."""
    return search_slices(
        masks,
        np.zeros(len(masks), dtype=np.int64),
        residual,
        depth=1,
        min_rows=MIN_EXAMPLES,
        most=max(len(masks), 1),
    )


@dataclass(frozen=True)
class _Gap:
    inside: Accuracy
    outside: Accuracy
    value: float
    low: float
    high: float
    p_value: float


def _gap(view: SplitView, rows: BoolArray, c: int) -> _Gap | None:
    """Accuracy (or recall of class c) outside the slice minus inside; None if too few."""
    of_class = np.ones(view.n, dtype=bool) if c < 0 else view.labels == c
    inside, outside = view.right[rows & of_class], view.right[~rows & of_class]
    if min(inside.size, outside.size) < MIN_EXAMPLES:
        return None
    first = Accuracy.of(int(outside.sum()), outside.size)
    second = Accuracy.of(int(inside.sum()), inside.size)
    p = fisher_less(int(inside.sum()), inside.size, int(outside.sum()), outside.size)
    return _Gap(second, first, *two_shares(first, second), p)


def _overlap(first: BoolArray, second: BoolArray) -> float:
    """Share of the smaller slice that is in the other."""
    return float((first & second).sum() / max(min(first.sum(), second.sum()), 1))


def _unexpected(view: SplitView, rows: BoolArray, expected: FloatArray) -> float:
    """P value that so many errors come by chance where each has the probability expected."""
    q = expected[rows]
    excess = float((~view.right[rows]).sum() - q.sum())
    return float(norm.sf((excess - 0.5) / np.sqrt((q * (1.0 - q)).sum())))


def _measure(
    validation: SplitView,
    test: SplitView,
    candidate: _Candidate,
    expected: tuple[FloatArray, FloatArray],
) -> Finding | None:
    rows, c, words = candidate.on_test, candidate.label, candidate.words
    seen, gap = _gap(validation, candidate.on_validation, c), _gap(test, rows, c)
    if seen is None or gap is None:
        return None
    p = gap.p_value
    if candidate.explained:  # both must hold
        p = max(p, _unexpected(test, rows, expected[1]))
    name = "accuracy" if c < 0 else f"recall of {test.layer.class_names[c]}"
    wrong = rows & ~test.right & ((test.labels == c) | (c < 0))
    mislabelled, why = look_mislabelled(validation, candidate.on_validation)
    if mislabelled and candidate.explained and not candidate.named:
        # Features were searched for errors that are sure; that these are is no evidence.
        mislabelled, why = False, ""
    against = f"{gap.inside.value:.2f} against {gap.outside.value:.2f} elsewhere"
    title = f"{name} is lower where {words}: {against}"
    mend = (
        f"Look at the errors where {words}: more, and more varied, examples of them are the "
        "usual mend. `clearhead edit RUN --finding NUMBER` lets those that there are count more."
    )
    if mislabelled:
        title = f"labels look wrong where {words}: {name} {against}"
        mend = (
            f"Look at the labels where {words}: mend them, or leave out those that look wrong: "
            "`clearhead edit RUN --finding NUMBER`."
        )
    return Finding(
        kind="label_noise" if mislabelled else "slice",
        title=title,
        suspicion=f"{name} may be lower where {words}",
        where=words + ("" if c < 0 else f", class {test.layer.class_names[c]}"),
        evidence=(
            f"On validation {seen.inside.value:.2f} (n={seen.inside.n}) against "
            f"{seen.outside.value:.2f} (n={seen.outside.n}). {why}".rstrip()
        ),
        effect=Effect(
            f"{name} lower where {words}",
            gap.value,
            gap.low,
            gap.high,
            gap.inside.n + gap.outside.n,
        ),
        p_value=p,
        mend=mend,
        features=candidate.features,
        classes=() if c < 0 else (c,),
        examples=tuple(str(i) for i in test.ids[wrong][:8]),
    )
