"""What is different between two models of the same classes, on the same examples?

Features are matched by how they vary together on examples that are of test in neither model;
accuracies, and the predictions that changed, are of the examples that are of test in both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from clearhead._types import BoolArray, FloatArray, IntArray, StrArray
from clearhead.debug.comparison.comparison import (
    AccuracyChange,
    ChangedPrediction,
    Comparison,
    FeatureMatch,
    OnlyFeature,
    Part,
)
from clearhead.debug.comparison.followed import follow_findings
from clearhead.debug.comparison.matching import Matching, correlate, match
from clearhead.debug.finding import Finding, holm
from clearhead.debug.statistics import mcnemar_greater, paired_difference
from clearhead.errors import InputError
from clearhead.glm import Accuracy
from clearhead.layer import DecisionLayer

__all__ = ["MIN_CORRELATION", "Compared", "compare"]

MIN_CORRELATION = 0.5
"""Two features that share less than a quarter of their variance are no counterparts."""
MAX_EXAMPLES = 20_000
"""Common examples that features are matched on: a correlation is then within .014 of its value."""
MIN_EXAMPLES = 30
"""With fewer common examples unrelated features correlate by .36 and more by chance."""
MIN_IN_SLICE = 20
MAX_VALUES = 20
"""A column of the metadata with more values is no set of slices."""
SAME_LABELS = 0.5
"""Cohen's kappa below which equal ids are taken to name different examples."""


@dataclass(frozen=True, eq=False)
class Compared:
    """One of two models to compare.

    Parameters
    ----------
    name : str
    layer : DecisionLayer
    ids, split : ndarray of shape (n,), str
    labels : ndarray of shape (n,), int
    features : callable
        Gives raw deep features (m, u) of some rows and columns.
    network : mapping of str
        Fingerprints of what makes the features; equal ones make equal features.
    metadata : DataFrame of n rows
        Of few values a column: those of a are the slices.
    names : mapping of int to str
        What features are called.
    findings : sequence of Finding or None
        None where nobody has looked.
    """

    name: str
    layer: DecisionLayer
    ids: StrArray
    split: StrArray
    labels: IntArray
    features: Callable[[IntArray, IntArray], FloatArray]
    network: Mapping[str, str]
    metadata: pd.DataFrame = field(default_factory=pd.DataFrame)
    names: Mapping[int, str] = field(default_factory=dict)
    findings: Sequence[Finding] | None = None

    def predicted(self, rows: IntArray) -> IntArray:
        """Decide some rows, (m,)."""
        used = self.layer.used
        narrow = replace(
            self.layer,
            **{name: getattr(self.layer, name)[used] for name in ("center", "scale", "dead")},
            weight=self.layer.weight[:, used],
        )
        return narrow.predict(self.features(rows, used))


def compare(
    a: Compared,
    b: Compared,
    *,
    min_correlation: float = MIN_CORRELATION,
    signed: bool = False,
    seed: int = 0,
) -> Comparison:
    """Compare two models on the examples that they have in common.

    Parameters
    ----------
    a, b : Compared
        Of the same classes, in any order.
    min_correlation : float in [0, 1]
        What two features must reach to be counterparts; of the pairs that together correlate
        most (Hungarian assignment).
    signed : bool
        Match on the correlation itself, not on its absolute value.
    seed : int
        Of the draw where more than 20,000 examples are common.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        The classes are others; there are no, or too few, common examples; or ids are equal
        and the examples are not.
    """
    if not 0.0 <= min_correlation <= 1.0:
        raise InputError(f"min_correlation: expected a number in [0, 1], got {min_correlation}.")
    b = _in_order_of(a, b)
    rows_a, rows_b = _common(a, b)
    notes = _check_labels(a, b, rows_a, rows_b)
    neither = (a.split[rows_a] != "test") & (b.split[rows_b] != "test")
    both = (a.split[rows_a] == "test") & (b.split[rows_b] == "test")
    if neither.sum() < MIN_EXAMPLES:
        raise InputError(
            f"{a.name} and {b.name} have {int(neither.sum())} common examples that are of test in "
            f"neither; features are matched on {MIN_EXAMPLES} or more. Give both runs the same "
            "data with the same splits."
        )
    drawn = _draw(np.flatnonzero(neither), seed)
    found, same = _match(a, b, rows_a[drawn], rows_b[drawn], signed=signed)
    matches, only = _features(a, b, found, min_correlation, signed=signed, same=same)
    accuracies, changed = _decisions(a, b, rows_a[both], rows_b[both])
    if not both.any():
        notes.append("No example is of test in both: accuracies were not compared.")
    if a.findings is None or b.findings is None:
        missing = " and ".join(one.name for one in (a, b) if one.findings is None)
        notes.append(
            f"Findings were not compared: there are none of {missing}. `clearhead debug` looks at "
            "the selected layer of a run."
        )
    pairs = {(one.feature_a, one.feature_b) for one in matches}
    return Comparison(
        name_a=a.name,
        name_b=b.name,
        n_common=len(drawn),
        n_test=int(both.sum()),
        min_correlation=min_correlation,
        signed=signed,
        same_network=same,
        matches=matches,
        only=only,
        accuracies=accuracies,
        changed=changed,
        findings=follow_findings(a.findings, b.findings, pairs, same=same),
        notes=tuple(notes),
    )


def _in_order_of(a: Compared, b: Compared) -> Compared:
    """Give `b` with its classes in the order of `a`'s."""
    ours, theirs = a.layer.class_names, b.layer.class_names
    if set(ours) != set(theirs):
        sides = ((a.name, set(ours) - set(theirs)), (b.name, set(theirs) - set(ours)))
        said = "; ".join(
            f"only {name} has {', '.join(map(repr, sorted(classes)))}"
            for name, classes in sides
            if classes
        )
        raise InputError(
            f"{a.name} and {b.name} tell other classes apart: {said}. Compare runs of the same "
            "classes, or name them alike with --class-names."
        )
    if ours == theirs:
        return b
    take = np.array([theirs.index(name) for name in ours])
    place = np.argsort(take)
    layer = replace(b.layer, weight=b.layer.weight[take], bias=b.layer.bias[take], class_names=ours)
    findings = b.findings
    if findings is not None:
        findings = [
            replace(one, classes=tuple(int(place[c]) for c in one.classes)) for one in findings
        ]
    return replace(b, layer=layer, labels=place[b.labels], findings=findings)


def _common(a: Compared, b: Compared) -> tuple[IntArray, IntArray]:
    """Rows of the examples with the same ids, in the order of `a`."""
    places = {str(key): row for row, key in enumerate(b.ids)}
    pairs = [(row, places[str(key)]) for row, key in enumerate(a.ids) if str(key) in places]
    if not pairs:
        raise InputError(
            f"{a.name} and {b.name} have no example in common: ids of the one are such as "
            f"{str(a.ids[0])!r}, of the other {str(b.ids[0])!r}. Compare runs of the same data; "
            "--id-column names the column of ids."
        )
    found = np.array(pairs, dtype=np.int64)
    return found[:, 0], found[:, 1]


def _check_labels(a: Compared, b: Compared, rows_a: IntArray, rows_b: IntArray) -> list[str]:
    """Say where labels differ; where most do, the ids name other examples."""
    first, second = a.labels[rows_a], b.labels[rows_b]
    differ = int((first != second).sum())
    if not differ:
        return []
    k = a.layer.n_classes
    agreed = 1 - differ / len(first)
    counts = (np.bincount(labels, minlength=k) / len(first) for labels in (first, second))
    by_chance = float(np.prod(list(counts), axis=0).sum())
    if agreed - by_chance < SAME_LABELS * (1 - by_chance):
        raise InputError(
            f"{a.name} and {b.name} share {len(first)} ids, and {differ} of their labels differ: "
            "equal ids name different examples. Compare runs of the same data; --id-column names "
            "the column of ids."
        )
    return [f"{differ} of {len(first)} common examples have another label in b; a's count."]


def _draw(rows: IntArray, seed: int) -> IntArray:
    if len(rows) <= MAX_EXAMPLES:
        return rows
    drawn = np.random.default_rng(seed).choice(rows, MAX_EXAMPLES, replace=False)
    return np.asarray(np.sort(drawn), dtype=np.int64)


# --- features -----------------------------------------------------------------------------


def _match(
    a: Compared, b: Compared, rows_a: IntArray, rows_b: IntArray, *, signed: bool
) -> tuple[Matching, bool]:
    """Match the features in use; those of one and the same network by their number first."""
    used_a, used_b = a.layer.used, b.layer.used
    same = bool(a.network) and dict(a.network) == dict(b.network)
    known = None
    if same:
        _, at, to = np.intersect1d(used_a, used_b, assume_unique=True, return_indices=True)
        known = np.stack([at, to], axis=1)
    correlation = correlate(a.features(rows_a, used_a), b.features(rows_b, used_b))
    return match(correlation, signed=signed, known=known), same


def _features(
    a: Compared,
    b: Compared,
    found: Matching,
    least: float,
    *,
    signed: bool,
    same: bool,
) -> tuple[tuple[FeatureMatch, ...], tuple[OnlyFeature, ...]]:
    used_a, used_b = a.layer.used, b.layer.used
    r = found.correlation
    score = r if signed else np.abs(r)
    matches = []
    rest = [np.ones(used_a.size, dtype=bool), np.ones(used_b.size, dtype=bool)]
    for i, j in zip(found.rows, found.columns, strict=True):
        identical = same and used_a[i] == used_b[j]
        if not identical and score[i, j] < least:
            continue
        rest[0][i] = rest[1][j] = False
        of_a, of_b = int(used_a[i]), int(used_b[j])
        matches.append(
            FeatureMatch(
                feature_a=of_a,
                feature_b=of_b,
                # A constant feature is still itself.
                correlation=1.0 if identical else float(r[i, j]),
                identical=bool(identical),
                weights_a=_weights(a.layer, of_a),
                weights_b=_weights(b.layer, of_b),
                name_a=a.names.get(of_a),
                name_b=b.names.get(of_b),
            )
        )
    matches.sort(key=lambda one: -max(abs(weight) for _, weight in one.weights_a))
    only: list[OnlyFeature] = []
    sides = (("a", a, used_b, r, score), ("b", b, used_a, r.T, score.T))
    for (model, side, others, of, scored), alone in zip(sides, rest, strict=True):
        here = []
        for i in np.flatnonzero(alone):
            feature = int(side.layer.used[i])
            near = int(np.argmax(scored[i])) if others.size else None
            here.append(
                OnlyFeature(
                    model="a" if model == "a" else "b",
                    feature=feature,
                    name=side.names.get(feature),
                    weights=_weights(side.layer, feature),
                    nearest=None if near is None else int(others[near]),
                    correlation=0.0 if near is None else float(of[i, near]),
                )
            )
        only += sorted(here, key=lambda one: -one.weight)
    return tuple(matches), tuple(only)


def _weights(layer: DecisionLayer, feature: int) -> tuple[tuple[str, float], ...]:
    column = layer.weight[:, feature]
    return tuple((layer.class_names[k], float(column[k])) for k in np.flatnonzero(column))


# --- decisions ----------------------------------------------------------------------------


def _decisions(
    a: Compared, b: Compared, rows_a: IntArray, rows_b: IntArray
) -> tuple[tuple[AccuracyChange, ...], tuple[ChangedPrediction, ...]]:
    if not len(rows_a):
        return (), ()
    labels = a.labels[rows_a]
    before, after = a.predicted(rows_a), b.predicted(rows_b)
    right = before == labels, after == labels
    overall = _change("overall", "overall", *right)
    parts = []
    for c, name in enumerate(a.layer.class_names):
        rows = labels == c
        if rows.any():
            parts.append(_change("class", name, right[0][rows], right[1][rows]))
    for name, rows in _slices(a.metadata.iloc[rows_a]):
        parts.append(_change("slice", name, right[0][rows], right[1][rows]))
    corrected = holm([one.p_value for one in parts])
    parts = [replace(one, p_value=p) for one, p in zip(parts, corrected, strict=True)]
    names = a.layer.class_names
    changed = tuple(
        ChangedPrediction(
            str(a.ids[rows_a[i]]), names[labels[i]], names[before[i]], names[after[i]]
        )
        for i in np.flatnonzero(before != after)
    )
    return (overall, *parts), changed


def _change(what: Part, name: str, before: BoolArray, after: BoolArray) -> AccuracyChange:
    n = len(before)
    mended, broken = int((after & ~before).sum()), int((before & ~after).sum())
    difference, low, high = paired_difference(mended, broken, n)
    either = min(mcnemar_greater(mended, broken), mcnemar_greater(broken, mended))
    return AccuracyChange(
        what=what,
        name=name,
        a=Accuracy.of(int(before.sum()), n),
        b=Accuracy.of(int(after.sum()), n),
        difference=difference,
        low=low,
        high=high,
        p_value=min(1.0, 2 * either),
    )


def _slices(metadata: pd.DataFrame) -> Iterator[tuple[str, BoolArray]]:
    """Go through the values of each column that at least 20 of these examples have."""
    for column in metadata.columns:
        values = metadata[column]
        counts = values.astype(str)[values.notna()].value_counts()
        if len(counts) <= MAX_VALUES:
            for value in sorted(counts.index[counts >= MIN_IN_SLICE]):
                rows = (values.astype(str) == value) & values.notna()
                yield f"{column} = {value}", rows.to_numpy(dtype=bool)
