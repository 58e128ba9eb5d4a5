"""What an edit changed: accuracy overall, per class and per slice, before and after."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from typing import Any, Literal, Self

import numpy as np
import pandas as pd

from clearhead._files import known_fields
from clearhead._types import BoolArray, FloatArray, IntArray
from clearhead.debug import SplitView, measure_slices
from clearhead.debug.statistics import paired_difference
from clearhead.glm import Accuracy
from clearhead.layer import DecisionLayer, Edit, expected_calibration_error, log_losses

__all__ = ["Calibration", "EditResult", "Measured", "measure_edit"]

SPLITS = ("validation", "test")
_RESAMPLES = 200
"""Bootstrap resamples behind the intervals of calibration: enough for two digits of them."""


@dataclass(frozen=True)
class Measured:
    """Share of right answers among some examples, before and after.

    Parameters
    ----------
    what : str
        ``"accuracy"``, ``"recall of NAME"``, ``"COLUMN is VALUE"``, or what was measured of a
        pattern that was unlinked: taken out of examples, and put into others.
    kind : {"all", "class", "slice", "pattern"}
    split : {"validation", "test"}
    before, after : Accuracy
    change, low, high : float
        Paired difference with its 95% interval (Agresti and Min).
    """

    what: str
    kind: Literal["all", "class", "slice", "pattern"]
    split: str
    before: Accuracy
    after: Accuracy
    change: float
    low: float
    high: float

    @classmethod
    def of(cls, what: str, kind: Any, split: str, before: BoolArray, after: BoolArray) -> Self:
        """Compare where answers were right before and are right after, (n,) with n > 0."""
        n = len(before)
        won, lost = int((after & ~before).sum()), int((before & ~after).sum())
        value, low, high = paired_difference(won, lost, n)
        shares = [Accuracy.of(int(hits.sum()), n) for hits in (before, after)]
        return cls(what, kind, split, shares[0], shares[1], value, low, high)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Undo ``asdict``."""
        shares = {name: Accuracy(**value[name]) for name in ("before", "after")}
        return cls(**{**known_fields(cls, value), **shares})


@dataclass(frozen=True)
class Calibration:
    """How far probabilities can be believed, before and after.

    Parameters
    ----------
    what : {"log loss", "calibration error"}
        Mean negative log probability of the label, in nats; or the expected calibration error.
    split : {"validation", "test"}
    before, after, change, low, high : float
        The 95% interval is that of the change, over 200 bootstrap resamples.
    """

    what: str
    split: str
    before: float
    after: float
    change: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class EditResult:
    """A changed layer, and what the change does.

    Parameters
    ----------
    layer : DecisionLayer
        With the edit, and all before it.
    edits : tuple of Edit
        What was done this time.
    number : int or None
        Of the step in the log; None where nothing was written.
    rows : tuple of Measured
    calibration : tuple of Calibration
    features_before, features_after : float
        Features a class.
    certificate : str
        How sure we are of the layer, in words.
    changed : dict of split to tuple of str
        Ids of the examples whose prediction changed.
    warnings : tuple of str
    notes : tuple of str
        What else is to be known, such as that lam was chosen again.
    """

    layer: DecisionLayer = field(repr=False)
    edits: tuple[Edit, ...]
    number: int | None
    rows: tuple[Measured, ...] = field(repr=False)
    calibration: tuple[Calibration, ...] = field(repr=False)
    features_before: float
    features_after: float
    certificate: str
    changed: Mapping[str, tuple[str, ...]] = field(repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def at(self, what: str = "accuracy", split: str = "test") -> Measured:
        """Give one row: ``"accuracy"``, ``"recall of NAME"`` or ``"COLUMN is VALUE"``."""
        return next(row for row in self.rows if (row.what, row.split) == (what, split))

    def describe(self) -> list[str]:
        """Say in words what was changed, and what it does."""
        said = [f"{edit.describe()}." for edit in self.edits]
        for row in self.rows:
            if row.kind == "pattern" and row.split == "test":
                said.append(
                    f"test, {row.what}: {100 * row.before.value:.1f}% → "
                    f"{100 * row.after.value:.1f}% (n = {row.before.n})."
                )
        for split in SPLITS:
            row = self.at(split=split)
            said.append(
                f"{split}: accuracy {100 * row.before.value:.1f}% → {100 * row.after.value:.1f}% "
                f"({100 * row.change:+.1f} points, 95% interval {100 * row.low:+.1f} to "
                f"{100 * row.high:+.1f}); {len(self.changed[split])} of {row.before.n} predictions "
                "changed."
            )
        said.append(
            f"{self.features_before:.1f} → {self.features_after:.1f} features a class; "
            f"{self.certificate}."
        )
        said += [f"{text}." for text in self.notes]
        return said + [f"Warning: {text}" for text in self.warnings]

    def to_frame(self) -> pd.DataFrame:
        """One row for each thing that was measured."""
        rows = [
            (r.split, r.what, r.before.n, r.before.value, r.after.value, r.change, r.low, r.high)
            for r in self.rows
        ]
        columns = ["split", "what", "n", "before", "after", "change", "low", "high"]
        return pd.DataFrame(rows, columns=columns)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; the layer has files of its own."""
        return {
            "number": self.number,
            "edits": [edit.to_dict() for edit in self.edits],
            "rows": [asdict(row) for row in self.rows],
            "calibration": [asdict(row) for row in self.calibration],
            "features_before": self.features_before,
            "features_after": self.features_after,
            "certificate": self.certificate,
            "changed": {split: list(ids) for split, ids in self.changed.items()},
            "warnings": list(self.warnings),
            "notes": list(self.notes),
        }

    @classmethod
    def from_dict(
        cls, value: Mapping[str, Any], layer: DecisionLayer, edits: tuple[Edit, ...]
    ) -> Self:
        """Undo :meth:`to_dict`."""
        return cls(
            layer=layer,
            edits=edits,
            number=value["number"],
            rows=tuple(map(Measured.from_dict, value["rows"])),
            calibration=tuple(Calibration(**row) for row in value["calibration"]),
            features_before=value["features_before"],
            features_after=value["features_after"],
            certificate=value["certificate"],
            changed={split: tuple(ids) for split, ids in value["changed"].items()},
            warnings=tuple(value["warnings"]),
            notes=tuple(value.get("notes", ())),
        )

    def __str__(self) -> str:
        return "\n".join(self.describe())

    def _repr_html_(self) -> str:
        said = "".join(f"<p>{escape(line)}</p>" for line in self.describe())
        return said + str(self.to_frame().to_html(index=False, float_format="{:.3f}".format))


def measure_edit(
    before: DecisionLayer,
    after: DecisionLayer,
    edits: tuple[Edit, ...],
    views: Mapping[str, tuple[SplitView, FloatArray]],
) -> EditResult:
    """Measure what changed between two layers, on validation and on test.

    Parameters
    ----------
    views : dict of split to (SplitView, features (n, p))
    """
    rows: list[Measured] = []
    calibration: list[Calibration] = []
    changed = {}
    for split, (view, features) in views.items():
        logits = before.logits(features), after.logits(features)
        predicted = before.decide(logits[0]), after.decide(logits[1])
        rows += _compare(split, view, *(p == view.labels for p in predicted))
        changed[split] = tuple(map(str, view.ids[predicted[0] != predicted[1]]))
        probabilities = before.probabilities_of(logits[0]), after.probabilities_of(logits[1])
        calibration += _calibration(split, view.labels, *probabilities)
    return EditResult(
        layer=after,
        edits=edits,
        number=None,
        rows=tuple(rows),
        calibration=tuple(calibration),
        features_before=before.features_per_class,
        features_after=after.features_per_class,
        certificate=after.certificate.describe(),
        changed=changed,
        warnings=_warnings(before, after),
    )


def _compare(split: str, view: SplitView, before: BoolArray, after: BoolArray) -> list[Measured]:
    found = [Measured.of("accuracy", "all", split, before, after)]
    for c, name in enumerate(view.layer.class_names):
        here = view.labels == c
        if here.any():
            what = f"recall of {name}"
            found.append(Measured.of(what, "class", split, before[here], after[here]))
    for part in measure_slices(view):
        here = (view.metadata[part.column].astype(str) == part.value).to_numpy()
        what = f"{part.column} is {part.value}"
        found.append(Measured.of(what, "slice", split, before[here], after[here]))
    return found


def _calibration(
    split: str, labels: IntArray, before: FloatArray, after: FloatArray
) -> list[Calibration]:
    """Measure log loss and calibration error on the same bootstrap resamples."""
    rng = np.random.default_rng(0)
    draws = rng.integers(len(labels), size=(_RESAMPLES, len(labels)))
    losses = log_losses(before, labels), log_losses(after, labels)
    measures: dict[str, Callable[[IntArray], tuple[float, float]]] = {
        "log loss": lambda at: (float(losses[0][at].mean()), float(losses[1][at].mean())),
        "calibration error": lambda at: (
            expected_calibration_error(before[at], labels[at]),
            expected_calibration_error(after[at], labels[at]),
        ),
    }
    found = []
    for what, measure in measures.items():
        old, new = measure(np.arange(len(labels)))
        changes = [b - a for a, b in map(measure, draws)]
        low, high = np.quantile(changes, [0.025, 0.975])
        found.append(Calibration(what, split, old, new, new - old, float(low), float(high)))
    return found


def _warnings(before: DecisionLayer, after: DecisionLayer) -> tuple[str, ...]:
    """Say that nothing has changed, or name the classes that lost their last feature."""
    if np.array_equal(after.weight, before.weight) and np.array_equal(after.bias, before.bias):
        return ("the layer stays what it was: it does not use what was changed",)
    bare = (after.n_nonzero == 0) & (before.n_nonzero > 0)
    names: Sequence[str] = [after.class_names[c] for c in np.flatnonzero(bare)]
    return tuple(
        f"{name} has no feature left: its score rests on its intercept alone" for name in names
    )
