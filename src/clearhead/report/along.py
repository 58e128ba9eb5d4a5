"""What moves with the sparsity slider: the path's coefficients, and what they act on.

The coefficients travel as *sparse deltas*: for each point the positions that
become non-zero and those that become zero, and the values of all that are not
zero. Budgets (counts, so that the same run gives the same file) keep a report
of a thousand classes small enough to open; what is left out is said in
:class:`AlongPath` and by the page. See ``docs/design/app.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from clearhead._types import FloatArray, IntArray
from clearhead.glm import Path
from clearhead.layer import DecisionLayer
from clearhead.report.bias_card import BiasCard, bias_card
from clearhead.report.build import ReportInputs, build_report, example_card
from clearhead.report.compare_card import CompareCard
from clearhead.report.packed import Packed, PackedColumns, pack, pack_columns
from clearhead.report.schema import ReportData

__all__ = ["AlongPath", "AppData", "PointWeights", "build_app", "point_weights"]

MOST_WEIGHTS = 1_500_000
"""Weights that travel, over all points: 6 MB, 8 MB as base64."""
MOST_ACTIVATIONS = 750_000
"""Activations that travel: 1.5 MB, 2 MB as base64."""
MOST_DENSE = 500_000
MOST_WORK = 10**11
"""Multiplications for the accuracy of each class at each point: a few seconds."""


class AlongPath(BaseModel):
    """Coefficients at the points of the path, and the activations that they weigh.

    A *position* is ``class * n_features + feature``. The arrays of points begin with
    the sparsest; ``points`` says which points of the path they are.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    points: list[int] = Field(description="indices into path.points, ascending")
    intercept: Packed = Field(description="float32 (points, K)")
    enter_counts: Packed = Field(description="uint32 (points,)")
    enter: Packed = Field(description="positions that become non-zero, ascending in each point")
    leave_counts: Packed = Field(description="uint32 (points,)")
    leave: Packed = Field(description="positions that become zero, ascending in each point")
    values: Packed = Field(description="float32: weights of each point in order of position")
    hits: dict[str, Packed] = Field(
        description="by split, uint32 (points, K): examples of a class predicted right; "
        "empty where it would have taken too long"
    )
    dense_hits: dict[str, list[int]] = Field(description="by split, the dense layer's")
    mean_at: Packed = Field(description="positions whose mean activation is known, ascending")
    mean: Packed = Field(
        description="float32: mean standardised activation of the class's training examples"
    )
    columns: Packed = Field(description="uint32 (m,): features with activations, ascending")
    keys: list[str] = Field(description="(n,) examples with activations")
    labels: list[int] = Field(description="(n,)")
    splits: list[str] = Field(description="(n,)")
    activations: PackedColumns = Field(description="(n, m), standardised")
    whole_test: bool = Field(description="every test example is among the keys")
    dense_intercept: Packed = Field(description="float32 (K,)")
    dense_weight: Packed | None = Field(
        default=None, description="float32 (K, m); None: too many, see dense_features of classes"
    )
    dense_logits: Packed | None = Field(
        default=None, description="float32 (n, K): with all features, also those not in columns"
    )


class AppData(ReportData):
    """Everything that the app shows: the report's data, and what moves with the slider."""

    along: AlongPath
    layer_fingerprint: str = Field(
        default="", description="of the selected layer, which a file of edits must name"
    )
    bias: BiasCard | None = Field(default=None, description="terms for people; None: not tried")
    compare: list[CompareCard] = Field(default=[], description="this layer beside others")


@dataclass(frozen=True)
class PointWeights:
    """Non-zero weights of one point: ascending positions, values, and the intercept (K,)."""

    position: IntArray
    value: FloatArray
    intercept: FloatArray


def build_app(inputs: ReportInputs, compare: Sequence[CompareCard] = ()) -> AppData:
    """Assemble what the app shows.

    Returns
    -------
    AppData
        Deterministic: the same run gives the same data.
    """
    report = build_report(inputs)
    points = _travelling(inputs.path, inputs.selection["index"])
    weights = [point_weights(inputs.path, i) for i in points]
    errors = _test_errors(inputs)
    columns = _columns(inputs, weights, report)
    row_of = {str(key): row for row, key in enumerate(inputs.store.ids)}
    changed = _changed(inputs, compare, row_of)
    most = max(1, MOST_ACTIVATIONS // max(1, len(columns)))
    keys = _rows(inputs, report, [*errors, *changed], most)
    rows = np.array([row_of[key] for key in keys], dtype=np.int64)
    raw = inputs.store.matrix()[rows]
    z = inputs.layer.standardize(raw, columns)
    dense = inputs.dense
    small = dense.n_classes * max(len(columns), len(rows)) <= MOST_DENSE
    mean_at, mean = _means(inputs, weights, report)
    along = AlongPath(
        points=points,
        intercept=pack(np.array([w.intercept for w in weights]), "float32"),
        **_deltas(weights),
        hits=_hits(inputs, weights),
        dense_hits=_dense_hits(inputs),
        mean_at=pack(mean_at, "uint32"),
        mean=pack(mean, "float32"),
        columns=pack(columns, "uint32"),
        keys=keys,
        labels=inputs.store.labels()[rows].tolist(),
        splits=[str(split) for split in inputs.store.split[rows]],
        activations=pack_columns(z),
        whole_test=set(map(str, inputs.test.ids)) <= set(keys),
        dense_intercept=pack(dense.bias, "float32"),
        dense_weight=pack(dense.weight[:, columns], "float32") if small else None,
        dense_logits=pack(dense.logits(raw), "float32") if small else None,
    )
    shown = {card.key for card in report.examples}
    more = [
        example_card(inputs, row_of[key], called)
        for key, called in (errors | changed).items()
        if key not in shown
    ]
    cards = [*report.examples, *(card for card in more if card.text or card.image)]
    fields = {name: getattr(report, name) for name in ReportData.model_fields}
    return AppData(
        **fields | {"examples": cards},
        along=along,
        layer_fingerprint=inputs.layer.fingerprint,
        bias=None if inputs.bias is None else bias_card(inputs.bias),
        compare=list(compare),
    )


def point_weights(path: Path, index: int) -> PointWeights:
    """Weights of one point, those of two classes as two mirrored rows like a layer's."""
    held, intercept = path.coefficients[index], np.asarray(path.intercept(index))
    if path.family != "binomial":
        return PointWeights(held.indices, held.values, intercept)
    half = held.values / 2
    return PointWeights(
        np.concatenate([held.indices, held.indices + path.n_features]),
        np.concatenate([-half, half]),
        np.concatenate([-intercept / 2, intercept / 2]),
    )


def _travelling(path: Path, selected: int) -> list[int]:
    """Points whose weights travel: always the selected one, and as many as the budget holds.

    If those up to the selected one are too many, every second (third, ...) of them.
    """
    factor = 2 if path.family == "binomial" else 1
    sizes = [factor * len(one.indices) for one in path.coefficients]
    step = 1
    while step <= selected and sum(sizes[i] for i in range(selected, -1, -step)) > MOST_WEIGHTS:
        step += 1
    chosen = list(range(selected, -1, -step))[::-1]
    spent = sum(sizes[i] for i in chosen)
    for i in range(selected + step, len(path), step):
        spent += sizes[i]
        if spent > MOST_WEIGHTS:
            break
        chosen.append(i)
    return chosen


def _deltas(weights: list[PointWeights]) -> dict[str, Packed]:
    before: IntArray = np.array([], dtype=np.int64)
    enter, leave = [], []
    for one in weights:
        enter.append(np.setdiff1d(one.position, before, assume_unique=True))
        leave.append(np.setdiff1d(before, one.position, assume_unique=True))
        before = one.position
    return {
        "enter_counts": pack(np.array([len(e) for e in enter]), "uint32"),
        "enter": pack(np.concatenate(enter), "uint32"),
        "leave_counts": pack(np.array([len(e) for e in leave]), "uint32"),
        "leave": pack(np.concatenate(leave), "uint32"),
        "values": pack(np.concatenate([one.value for one in weights]), "float32"),
    }


def _columns(inputs: ReportInputs, weights: list[PointWeights], report: ReportData) -> IntArray:
    """Features with a weight at some point, or among the dense layer's strongest."""
    used = [one.position % inputs.store.p for one in weights]
    strong = [f.feature for row in report.classes for f in row.dense_features]
    return np.unique(np.concatenate([*used, np.array(strong, dtype=np.int64)]))


def _test_errors(inputs: ReportInputs) -> dict[str, int]:
    """Test examples that the layer gets wrong, and what it calls them."""
    test = inputs.test
    wrong = zip(test.ids[~test.right], test.predicted[~test.right], strict=True)
    return {str(key): int(called) for key, called in wrong}


def _changed(
    inputs: ReportInputs, compare: Sequence[CompareCard], row_of: Mapping[str, int]
) -> dict[str, int]:
    """Examples that another layer decides differently, and what this one calls them."""
    keys = [one.id for card in compare for one in card.changed if one.id in row_of]
    rows = np.array([row_of[key] for key in keys], dtype=np.int64)
    predicted = inputs.layer.predict(inputs.store.matrix()[rows]) if keys else rows
    return {key: int(called) for key, called in zip(keys, predicted, strict=True)}


def _rows(inputs: ReportInputs, report: ReportData, first: Iterable[str], most: int) -> list[str]:
    """Examples with activations: those of findings, the first, shown ones, the rest of test."""
    named = [key for finding in report.findings for key in finding.examples]
    shown = [card.key for card in report.examples]
    wanted: Iterable[str] = (*named, *first, *shown, *map(str, inputs.test.ids))
    return list(dict.fromkeys(wanted))[:most]


def _means(
    inputs: ReportInputs, weights: list[PointWeights], report: ReportData
) -> tuple[IntArray, FloatArray]:
    """Mean activation on a class's training examples of the features that it ever uses."""
    p = inputs.store.p
    strong = [row.index * p + f.feature for row in report.classes for f in row.dense_features]
    positions = np.unique(
        np.concatenate([*(one.position for one in weights), np.array(strong, dtype=np.int64)])
    )
    features, labels = inputs.store.matrix("train"), inputs.store.labels("train")
    mean = np.zeros(len(positions))
    for label in np.unique(labels):
        here = positions // p == label
        columns = positions[here] % p
        mean[here] = inputs.layer.standardize(features[labels == label], columns).mean(axis=0)
    return positions, mean


def _hits(inputs: ReportInputs, weights: list[PointWeights]) -> dict[str, Packed]:
    """Right predictions by class at each point, on validation and test."""
    store, K = inputs.store, inputs.layer.n_classes
    used = [np.unique(one.position % store.p) for one in weights]
    n = int(np.isin(store.split, ["validation", "test"]).sum())
    if n * K * sum(map(len, used)) > MOST_WORK:
        return {}
    found = {}
    for split in ("validation", "test"):
        labels = store.labels(split)
        every = np.unique(np.concatenate(used))
        z = inputs.layer.standardize(store.matrix(split), every)
        right = np.zeros((len(weights), K), dtype=np.int64)
        for i, one in enumerate(weights):
            W = np.zeros((K, store.p))
            W.ravel()[one.position] = one.value
            logits = z[:, np.searchsorted(every, used[i])] @ W[:, used[i]].T + one.intercept
            right[i] = np.bincount(labels[np.argmax(logits, axis=1) == labels], minlength=K)
        found[split] = pack(right, "uint32")
    return found


def _dense_hits(inputs: ReportInputs) -> dict[str, list[int]]:
    def of(layer: DecisionLayer, split: str) -> list[int]:
        labels = inputs.store.labels(split)
        right = layer.predict(inputs.store.matrix(split)) == labels
        return [int(n) for n in np.bincount(labels[right], minlength=layer.n_classes)]

    return {split: of(inputs.dense, split) for split in ("validation", "test")}
