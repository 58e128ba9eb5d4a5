"""Edits of the problem that a layer is the optimum of: it is solved again, at the same lam."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from clearhead._types import BoolArray, FloatArray, IntArray, StrArray
from clearhead.data.nearest import did_you_mean
from clearhead.errors import InputError
from clearhead.layer.decision import DecisionLayer
from clearhead.layer.edit import ProblemEdit, class_indices, feature_indices
from clearhead.layer.training import TrainingRows

__all__ = ["Ban", "Counterexamples", "Relabel", "Reweight"]

MOST = 10.0
"""No group's examples count more than so many times as before: a few would decide alone."""


@dataclass(frozen=True)
class Ban(ProblemEdit):
    """Let no class, or some classes not, use features.

    Parameters
    ----------
    features : tuple of int
    classes : tuple of str
        All where it is empty. Of two classes both are: they share one weight.
    """

    action: ClassVar[str] = "ban"
    features: tuple[int, ...]
    classes: tuple[str, ...] = ()

    def describe(self) -> str:
        """Say in words what is changed."""
        word = "feature" if len(self.features) == 1 else "features"
        shown = ", ".join(map(str, self.features[:8]))
        more = f" and {len(self.features) - 8} more" if len(self.features) > 8 else ""
        whom = f" for {', '.join(self.classes)}" if self.classes else ""
        return f"{word} {shown}{more} banned{whom}, and solved again"

    def check(self, layer: DecisionLayer) -> None:
        """Raise InputError where it cannot be done to the layer."""
        feature_indices(self.features, layer)
        class_indices(self.classes, layer.class_names)

    def change(self, rows: TrainingRows, class_names: Sequence[str]) -> TrainingRows:
        """Change what the layer is fitted to."""
        allowed = rows.allowed.copy()
        classes = class_indices(self.classes, class_names)
        allowed[np.ix_(classes, list(self.features))] = False
        return replace(rows, allowed=allowed)


@dataclass(frozen=True)
class Reweight(ProblemEdit):
    """Let examples count more or less.

    Without a factor, groups count alike: the values of a metadata column within every class, so
    that the column tells nothing of the class; or the classes themselves. With a factor, one
    value, some classes, or named examples count so many times as much.

    Parameters
    ----------
    column : str or None
        Of the metadata, numbers in quartiles.
    value : str or None
        One value of the column.
    classes : tuple of str
        Only these; all where it is empty.
    ids : tuple of str
        Training examples, of a slice that no column names.
    factor : float or None
        At most 10 without one.
    """

    action: ClassVar[str] = "reweight"
    column: str | None = None
    value: str | None = None
    classes: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    factor: float | None = None

    def describe(self) -> str:
        """Say in words what is changed."""
        whom = f" of {', '.join(self.classes)}" if self.classes else ""
        if self.factor is None and self.value is None and not self.ids:
            if self.column is not None:
                return f"the values of {self.column} count alike in every class{whom}"
            return f"all classes count alike{whom}"
        what = f"examples{whom}"
        if self.value is not None:
            what += f" where {self.column} is {self.value}"
        elif self.ids:
            what = f"{len(self.ids)} examples{whom}"
        return (
            f"{what} count {'as much as the rest' if self.factor is None else f'{self.factor:g} ×'}"
        )

    def check(self, layer: DecisionLayer) -> None:
        """Raise InputError where it cannot be done to the layer."""
        class_indices(self.classes, layer.class_names)
        if self.factor is not None and not 0 <= self.factor <= 1000:
            raise InputError(f"reweight: the factor must be in 0 to 1000, got {self.factor!r}.")
        if self.value is not None and self.column is None:
            raise InputError("reweight: a value needs the metadata column that it is in.")

    def change(self, rows: TrainingRows, class_names: Sequence[str]) -> TrainingRows:
        """Change what the layer is fitted to."""
        classes = class_indices(self.classes, class_names)
        inside = np.isin(rows.labels, classes)
        if self.column is not None:
            values = _column(rows, self.column)
            if self.value is None:
                return rows.weighted(_alike(rows, values, inside))
            chosen = inside & (values == self.value)
            _check_value(chosen, values, self.value, self.column)
            return rows.weighted(_lifted(rows, chosen, inside, self.factor))
        if self.ids:
            named = np.zeros(rows.n, dtype=bool)
            named[rows.rows_of(self.ids, "reweight")] = True
            return rows.weighted(_lifted(rows, inside & named, inside, self.factor))
        if self.factor is not None:
            return rows.weighted(np.where(inside, self.factor, 1.0) * rows.weight)
        totals = np.bincount(rows.labels, rows.weight, minlength=rows.n_classes)
        lift = _bounded(totals.sum() / (np.count_nonzero(totals) * np.maximum(totals, 1e-300)))
        return rows.weighted(rows.weight * np.where(inside, lift[rows.labels], 1.0))

    def change_held_out(
        self, rows: TrainingRows, class_names: Sequence[str], split: str
    ) -> TrainingRows:
        """Weigh a held-out split alike, where what is named is in it."""
        if self.ids:
            return rows
        if self.value is not None:
            inside = np.isin(rows.labels, class_indices(self.classes, class_names))
            if not (inside & (_column(rows, str(self.column)) == self.value)).any():
                return rows
        return self.change(rows, class_names)


@dataclass(frozen=True, eq=False)
class Counterexamples(ProblemEdit):
    """Add labelled examples to those that the layer is fitted to.

    Parameters
    ----------
    source : str
        Where they are from, in words.
    features : ndarray of shape (m, p)
        Raw deep features, of the same network.
    labels : ndarray of shape (m,), int
    weight : float
        How much each counts; 1 is as much as a training example does on average.
    """

    action: ClassVar[str] = "counterexamples"
    source: str
    features: FloatArray = field(metadata={"array": True})
    labels: IntArray = field(metadata={"array": True})
    weight: float = 1.0

    def describe(self) -> str:
        """Say in words what is changed."""
        return f"{len(self.labels)} examples added ({self.source})"

    def check(self, layer: DecisionLayer) -> None:
        """Raise InputError where it cannot be done to the layer."""
        p, K = layer.weight.shape[1], layer.n_classes
        shape, labels = np.shape(self.features), np.asarray(self.labels)
        if len(shape) != 2 or shape[1] != p:
            raise InputError(
                f"counterexamples: expected features of shape (m, {p}), got {shape}. Take the "
                "deep features of the same network."
            )
        if labels.shape != (shape[0],) or labels.dtype.kind not in "iu" or not shape[0]:
            raise InputError(
                f"counterexamples: expected one class index for each of {shape[0]} rows, got "
                f"labels of shape {labels.shape} and type {labels.dtype}."
            )
        if labels.min() < 0 or labels.max() >= K:
            wrong = labels.max() if labels.max() >= K else labels.min()
            raise InputError(
                f"counterexamples: label {wrong} is no class; classes are 0 to {K - 1} "
                f"({', '.join(layer.class_names[:10])})."
            )
        if not np.isfinite(self.features).all():
            raise InputError("counterexamples: the features hold NaN or inf.")
        if not isinstance(self.weight, int | float) or not 0 < self.weight <= 1000:
            raise InputError(
                f"counterexamples: weight must be a number above 0, at most 1000, got "
                f"{self.weight!r}."
            )

    def change(self, rows: TrainingRows, class_names: Sequence[str]) -> TrainingRows:
        """Change what the layer is fitted to."""
        usual = float(rows.weight[rows.weight > 0].mean())
        weight = np.full(len(self.labels), usual * self.weight)
        return rows.with_examples(self.features, self.labels, weight)


@dataclass(frozen=True)
class Relabel(ProblemEdit):
    """Leave training examples out, or give them other labels.

    Parameters
    ----------
    ids : tuple of str
        Training examples whose labels are doubted.
    labels : tuple of str
        Their new classes, one each; left out where it is empty.
    """

    action: ClassVar[str] = "relabel"
    ids: tuple[str, ...]
    labels: tuple[str, ...] = ()

    def describe(self) -> str:
        """Say in words what is changed."""
        what = "given other labels" if self.labels else "left out"
        return f"{len(self.ids)} training examples {what}"

    def check(self, layer: DecisionLayer) -> None:
        """Raise InputError where it cannot be done to the layer."""
        class_indices(self.labels, layer.class_names)
        if not self.ids:
            raise InputError("relabel: name at least one training example.")
        if self.labels and len(self.labels) != len(self.ids):
            raise InputError(
                f"relabel: {len(self.ids)} examples need as many labels, got {len(self.labels)}."
            )

    def change(self, rows: TrainingRows, class_names: Sequence[str]) -> TrainingRows:
        """Change what the layer is fitted to."""
        at = rows.rows_of(self.ids, "relabel")
        if not self.labels:
            weight = rows.weight.copy()
            weight[at] = 0.0
            return replace(rows, weight=weight)
        places = {str(key) for key in rows.ids if key}
        new = [name for key, name in zip(self.ids, self.labels, strict=True) if key in places]
        return rows.labelled(at, np.array([class_names.index(name) for name in new]))


def _column(rows: TrainingRows, column: str) -> StrArray:
    """Values of a metadata column as text; "" where missing."""
    if column not in rows.metadata.columns:
        known = list(map(str, rows.metadata.columns))
        has = f"has {', '.join(known)}" if known else "has none"
        raise InputError(
            f"reweight: there is no metadata column {column!r}; the data {has}."
            f"{did_you_mean(column, known)}"
        )
    series = rows.metadata[column]
    values: StrArray = np.where(series.isna(), "", series.astype(str)).astype(object)
    return values


def _check_value(chosen: BoolArray, values: StrArray, value: str, column: str) -> None:
    if not chosen.any():
        known = sorted(set(map(str, values)) - {""})
        raise InputError(
            f"reweight: no training example has {column} = {value!r}; it is "
            f"{', '.join(known[:8])}.{did_you_mean(value, known)}"
        )


def _alike(rows: TrainingRows, values: StrArray, inside: BoolArray) -> FloatArray:
    """Weights (n,) with which the values of each class count alike, and the classes as before."""
    weight = rows.weight.copy()
    for label in np.unique(rows.labels[inside]):
        here = inside & (rows.labels == label) & (values != "")
        names, group = np.unique(values[here].astype(str), return_inverse=True)
        totals = np.bincount(group, rows.weight[here], minlength=len(names))
        lift = _bounded(totals.sum() / (len(names) * np.maximum(totals, 1e-300)))[group]
        changed = rows.weight[here] * lift
        weight[here] = changed * (totals.sum() / max(changed.sum(), 1e-300))
    return weight


def _lifted(
    rows: TrainingRows, chosen: BoolArray, inside: BoolArray, factor: float | None
) -> FloatArray:
    """Weights (n,) with which chosen examples count `factor` times, or as much as the rest."""
    if factor is None:
        rest = float(rows.weight[inside & ~chosen].sum())
        own = float(rows.weight[chosen].sum())
        factor = float(np.clip(rest / max(own, 1e-300), 1.0, MOST))
    return np.where(chosen, factor, 1.0) * rows.weight


def _bounded(lift: FloatArray) -> FloatArray:
    return np.clip(lift, 1.0 / MOST, MOST)
