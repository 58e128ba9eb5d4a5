"""What is different between two models: the result, as values, tables, words and a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from clearhead._plot import new_axes
from clearhead.debug.finding import SIGNIFICANCE, Finding
from clearhead.errors import InputError
from clearhead.glm import Accuracy

__all__ = [
    "AccuracyChange",
    "ChangedPrediction",
    "Comparison",
    "FeatureMatch",
    "FindingChange",
    "OnlyFeature",
    "Part",
]

Table = Literal["accuracy", "matches", "only", "predictions", "findings"]
Part = Literal["overall", "class", "slice"]
SHOWN = 12
"""Rows of a table in the summary for a terminal."""


@dataclass(frozen=True)
class FeatureMatch:
    """A feature of one model and its counterpart in the other.

    ``identical`` is one feature of one network, used by both; else they are two that vary
    together. Weights are (class, weight) on the standardised scale, zeros left out.
    """

    feature_a: int
    feature_b: int
    correlation: float
    identical: bool
    weights_a: tuple[tuple[str, float], ...]
    weights_b: tuple[tuple[str, float], ...]
    name_a: str | None = None
    name_b: str | None = None


@dataclass(frozen=True)
class OnlyFeature:
    """A feature that one model uses, and that has no counterpart among those of the other.

    ``nearest`` is the feature in use by the other that correlates most, matched or not.
    """

    model: Literal["a", "b"]
    feature: int
    name: str | None
    weights: tuple[tuple[str, float], ...]
    nearest: int | None
    correlation: float

    @property
    def weight(self) -> float:
        """Largest absolute weight."""
        return max((abs(weight) for _, weight in self.weights), default=0.0)


@dataclass(frozen=True)
class AccuracyChange:
    """Accuracy of both models on the same test examples, and the paired difference b − a.

    `p_value` is McNemar's, exact and two-sided, corrected (Holm) over the classes and slices
    of a comparison; the overall accuracy stands for itself.
    """

    what: Part
    name: str
    a: Accuracy
    b: Accuracy
    difference: float
    low: float
    high: float
    p_value: float

    @property
    def sure(self) -> bool:
        """Whether the difference is more than chance gives."""
        return self.p_value <= SIGNIFICANCE


@dataclass(frozen=True)
class ChangedPrediction:
    """A common test example that the two models decide differently."""

    id: str
    label: str
    before: str
    after: str

    @property
    def outcome(self) -> Literal["mended", "broken", "other mistake"]:
        """Whether b is right where a was wrong, or the reverse."""
        if self.after == self.label:
            return "mended"
        return "broken" if self.before == self.label else "other mistake"


@dataclass(frozen=True)
class FindingChange:
    """A finding that went, came or stayed."""

    status: Literal["went", "came", "stayed"]
    before: Finding | None
    after: Finding | None

    @property
    def title(self) -> str:
        """What the finding says, as it was made last."""
        found = self.after or self.before
        return found.title if found is not None else ""

    def __str__(self) -> str:
        marks = [
            "-" if one is None else ("confirmed" if one.confirmed else "not confirmed")
            for one in (self.before, self.after)
        ]
        return f"{self.status}: {self.title} ({marks[0]} → {marks[1]})"


@dataclass(frozen=True)
class Comparison:
    """Two models side by side, a before b.

    Parameters
    ----------
    name_a, name_b : str
    n_common, n_test : int
        Common examples that features were matched on (none of them of test), and common test
        examples that accuracies are of.
    min_correlation : float
        What two features must reach to be counterparts.
    signed : bool
        Whether a negative correlation was no match.
    same_network : bool
    matches : tuple of FeatureMatch
        Features of both layers that are counterparts, the strongest of a first.
    only : tuple of OnlyFeature
        Features without one, a's before b's, the strongest first.
    accuracies : tuple of AccuracyChange
        Overall, then by class, then by slice.
    changed : tuple of ChangedPrediction
    findings : tuple of FindingChange
    notes : tuple of str
        What could not be compared, and why.
    """

    name_a: str
    name_b: str
    n_common: int
    n_test: int
    min_correlation: float
    signed: bool
    same_network: bool
    matches: tuple[FeatureMatch, ...]
    only: tuple[OnlyFeature, ...]
    accuracies: tuple[AccuracyChange, ...]
    changed: tuple[ChangedPrediction, ...]
    findings: tuple[FindingChange, ...]
    notes: tuple[str, ...] = ()

    def only_in(self, model: Literal["a", "b"]) -> list[OnlyFeature]:
        """Features that this model uses and the other has no counterpart for."""
        return [one for one in self.only if one.model == model]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        value = asdict(self)
        for change, row in zip(self.changed, value["changed"], strict=True):
            row["outcome"] = change.outcome
        return value

    def to_frame(self, table: Table = "accuracy") -> pd.DataFrame:
        """One of the tables: ``accuracy``, ``matches``, ``only``, ``predictions``, ``findings``."""
        if table not in get_args(Table):
            raise InputError(f"table: expected one of {', '.join(get_args(Table))}, got {table!r}.")
        rows, columns = _TABLES[table]
        return pd.DataFrame([rows(one) for one in _items(self, table)], columns=list(columns))

    def plot(self, ax: Any = None) -> Any:
        """Draw the differences in accuracy with their 95% intervals; return the Axes."""
        ax = new_axes() if ax is None else ax
        rows = self.accuracies[::-1]
        places = np.arange(len(rows))
        values = np.array([100 * row.difference for row in rows])
        ends = np.array([[100 * row.low, 100 * row.high] for row in rows]).reshape(-1, 2)
        ax.errorbar(values, places, xerr=np.abs(ends.T - values), fmt="o", capsize=2)
        ax.axvline(0.0, color="grey", linewidth=0.8)
        ax.set_yticks(places, [row.name for row in rows])
        ax.set_xlabel(f"points of accuracy, {self.name_b} − {self.name_a}")
        return ax

    def __str__(self) -> str:
        return "\n".join(_summary(self))

    def _repr_html_(self) -> str:
        head = "".join(f"<p>{escape(line)}</p>" for line in (_headline(self), *self.notes))
        parts = [head]
        for table in get_args(Table):
            frame = self.to_frame(table)
            if len(frame):
                shown = frame.head(SHOWN).to_html(index=False, float_format="{:.3g}".format)
                parts.append(f"<h4>{table} ({len(frame)})</h4>{shown}")
        return "".join(parts)


def _items(comparison: Comparison, table: Table) -> Sequence[Any]:
    names = {"accuracy": "accuracies", "predictions": "changed"}
    found: Sequence[Any] = getattr(comparison, names.get(table, table))
    return found


def _weights(weights: Sequence[tuple[str, float]]) -> str:
    return ", ".join(f"{name} {weight:+.2f}" for name, weight in weights)


def _accuracy_row(one: AccuracyChange) -> tuple[Any, ...]:
    ends = (one.difference, one.low, one.high, one.p_value)
    return (one.what, one.name, one.a.n, one.a.value, one.b.value, *ends)


def _match_row(one: FeatureMatch) -> tuple[Any, ...]:
    weights = _weights(one.weights_a), _weights(one.weights_b)
    names = one.name_a, one.name_b
    return (one.feature_a, one.feature_b, one.correlation, one.identical, *weights, *names)


def _only_row(one: OnlyFeature) -> tuple[Any, ...]:
    near = one.nearest, one.correlation
    return (one.model, one.feature, one.name, _weights(one.weights), *near)


def _prediction_row(one: ChangedPrediction) -> tuple[Any, ...]:
    return (one.id, one.label, one.before, one.after, one.outcome)


def _finding_row(one: FindingChange) -> tuple[Any, ...]:
    sure = [None if found is None else found.confirmed for found in (one.before, one.after)]
    kind = (one.after or one.before).kind  # type: ignore[union-attr]  # one of them is there
    return (one.status, kind, one.title, *sure)


_TABLES: dict[Table, tuple[Any, tuple[str, ...]]] = {
    "accuracy": (
        _accuracy_row,
        ("what", "name", "n", "a", "b", "difference", "low", "high", "p_value"),
    ),
    "matches": (
        _match_row,
        (
            *("feature_a", "feature_b", "correlation", "identical"),
            *("weights_a", "weights_b", "name_a", "name_b"),
        ),
    ),
    "only": (_only_row, ("model", "feature", "name", "weights", "nearest", "correlation")),
    "predictions": (_prediction_row, ("id", "label", "before", "after", "outcome")),
    "findings": (
        _finding_row,
        ("status", "kind", "title", "confirmed_before", "confirmed_after"),
    ),
}


# --- the summary for a terminal ---------------------------------------------------------


def _headline(found: Comparison) -> str:
    same = "the same network" if found.same_network else "another network"
    return (
        f"a = {found.name_a}, b = {found.name_b} ({same}); features matched on "
        f"{found.n_common:,} common examples, accuracies of {found.n_test:,} common test examples"
    )


def _summary(found: Comparison) -> Iterator[str]:
    yield _headline(found)
    for note in found.notes:
        yield f"  note: {note}"
    yield ""
    yield from _accuracy_lines(found.accuracies)
    yield ""
    yield from _feature_lines(found)
    yield ""
    outcomes = [one.outcome for one in found.changed]
    counts = (f"{outcomes.count(kind)} {kind}" for kind in ("mended", "broken", "other mistake"))
    yield f"Predictions: {len(outcomes)} of {found.n_test} changed ({', '.join(counts)})"
    if found.findings:
        yield ""
        yield "Findings"
        yield from (f"  {one}" for one in found.findings)


def _accuracy_lines(rows: Sequence[AccuracyChange]) -> Iterator[str]:
    # Of many classes and slices, those whose difference is largest beside its interval.
    far = sorted(rows[1:], key=lambda row: (row.p_value, -abs(row.difference)))
    chosen = {id(row) for row in (*rows[:1], *far[:SHOWN])}
    width = min(max((len(row.name) for row in rows if id(row) in chosen), default=8), 44)
    yield f"{'Accuracy on test':{width + 2}}     n      a      b   b − a, 95% interval"
    for row in rows:
        if id(row) in chosen:
            mark = "  *" if row.sure else ""
            yield (
                f"  {row.name[:width]:{width}} {row.a.n:5d} {100 * row.a.value:5.1f}% "
                f"{100 * row.b.value:5.1f}%  {100 * row.difference:+5.1f} "
                f"({100 * row.low:+.1f} to {100 * row.high:+.1f}){mark}"
            )
    if len(rows) > len(chosen):
        yield f"  … {len(rows) - len(chosen)} more classes and slices, none surer"
    yield "  * more than chance gives (McNemar; p ≤ .05, corrected over classes and slices)"


def _feature_lines(found: Comparison) -> Iterator[str]:
    identical = sum(one.identical for one in found.matches)
    sign = "r" if found.signed else "|r|"
    yield (
        f"Features: {len(found.matches)} have a counterpart ({identical} are the same feature, "
        f"the others {sign} ≥ {found.min_correlation:g})"
    )
    for model, name in (("a", found.name_a), ("b", found.name_b)):
        only = found.only_in("a" if model == "a" else "b")
        yield f"  only in {model} ({name}): {len(only)}"
        for one in only[:SHOWN]:
            named = f" {one.name}:" if one.name else ""
            near = (
                "nothing to compare"
                if one.nearest is None
                else f"nearest {one.nearest}, r = {one.correlation:+.2f}"
            )
            weights = _weights(sorted(one.weights, key=lambda w: -abs(w[1]))[:3])
            yield f"    {one.feature}:{named} {weights} ({near})"
        if len(only) > SHOWN:
            yield f"    … {len(only) - SHOWN} more"
