"""Which features are to blame for the mistakes?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from clearhead._types import BoolArray
from clearhead.debug.finding import Effect, Finding
from clearhead.debug.mistakes.mending import mend_by_one, smallest_set
from clearhead.debug.statistics import mcnemar_greater, paired_difference
from clearhead.debug.view import SplitView
from clearhead.errors import InputError
from clearhead.glm import Accuracy
from clearhead.layer import share_of

__all__ = [
    "ErrorGroup",
    "Errors",
    "Mistake",
    "explain_errors",
    "find_blame",
    "margin_parts",
    "share_mended_by_one",
]

MIN_GAIN = 0.01
"""A feature that costs less than one point of accuracy is not what is wrong with a model."""
MAX_P = 0.01
"""On validation; hundreds of features are tried there."""
MOST = 3


@dataclass(frozen=True)
class Mistake:
    """One wrong answer, and what would mend it.

    Parameters
    ----------
    id : str
    true, predicted : int
    margin : float
        Score of the predicted class less that of the true one, above 0.
    features : tuple of int
        The fewest features without which it is right: exact for one and two, greedy up to
        ten, empty where these are not enough.
    alone : tuple of int
        All features each of which alone would mend it, the surest first.
    """

    id: str
    true: int
    predicted: int
    margin: float
    features: tuple[int, ...]
    alone: tuple[int, ...]


@dataclass(frozen=True)
class ErrorGroup:
    """Mistakes between one pair of classes that blame the same feature.

    Parameters
    ----------
    feature : int
    true, predicted : int
    mistakes : int
        Of the pair, whose smallest set holds the feature.
    mended : int
        Of all mistakes of the pair, how many its absence alone mends.
    mended_overall, broken : int
        Mistakes mended and right answers broken on the whole split without the feature.
    weight_true, weight_predicted : float
        What the two classes give it.
    """

    feature: int
    true: int
    predicted: int
    mistakes: int
    mended: int
    mended_overall: int
    broken: int
    weight_true: float
    weight_predicted: float

    @property
    def net(self) -> int:
        """Mistakes mended less right answers broken."""
        return self.mended_overall - self.broken


@dataclass(frozen=True)
class Errors:
    """The mistakes of a split, and the features to blame.

    Parameters
    ----------
    class_names : tuple of str
    n : int
        Examples of the split.
    mistakes : tuple of Mistake
    groups : tuple of ErrorGroup
        Those with the most mistakes first.
    """

    class_names: tuple[str, ...]
    n: int
    mistakes: tuple[Mistake, ...]
    groups: tuple[ErrorGroup, ...]

    def mended_by(self, k: int) -> Accuracy | None:
        """Share of the mistakes that at most `k` features mend; None without mistakes."""
        sizes = np.array([len(one.features) for one in self.mistakes])
        return share_of((sizes > 0) & (sizes <= k)) if sizes.size else None

    def to_frame(self) -> pd.DataFrame:
        """One row for each group."""
        rows = [
            {
                "feature": g.feature,
                "true": self.class_names[g.true],
                "predicted": self.class_names[g.predicted],
                "mistakes": g.mistakes,
                "mended": g.mended,
                "mended_overall": g.mended_overall,
                "broken": g.broken,
                "net": g.net,
                "weight_true": g.weight_true,
                "weight_predicted": g.weight_predicted,
            }
            for g in self.groups
        ]
        columns = ["feature", "true", "predicted", "mistakes", "mended", "mended_overall"]
        columns += ["broken", "net", "weight_true", "weight_predicted"]
        return pd.DataFrame(rows, columns=columns)

    def describe(self, k: int = 3) -> list[str]:
        """Say in words what is to blame for how much."""
        one, two = self.mended_by(1), self.mended_by(2)
        if one is None or two is None:
            return [f"There are no mistakes among {self.n} examples."]
        said = [
            f"{len(self.mistakes)} of {self.n} examples are wrong; without one feature "
            f"{100 * one.value:.0f}% of them would be right, without two {100 * two.value:.0f}%."
        ]
        said += [
            f"Feature {g.feature} is to blame for {g.mistakes} of {self.class_names[g.true]} "
            f"called {self.class_names[g.predicted]}; without it {g.mended_overall} mistakes are "
            f"mended and {g.broken} right answers broken."
            for g in self.groups[:k]
        ]
        return said

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Undo :meth:`to_dict`."""
        mistakes = tuple(
            Mistake(**{**one, "features": tuple(one["features"]), "alone": tuple(one["alone"])})
            for one in value["mistakes"]
        )
        groups = tuple(ErrorGroup(**one) for one in value["groups"])
        return cls(tuple(value["class_names"]), int(value["n"]), mistakes, groups)

    def __repr__(self) -> str:
        return f"Errors({len(self.mistakes)} mistakes of {self.n}, {len(self.groups)} groups)"

    def _repr_html_(self) -> str:
        from html import escape

        said = "".join(f"<p>{escape(line)}</p>" for line in self.describe())
        return said + str(self.to_frame().head(20).to_html(index=False))


def explain_errors(view: SplitView) -> Errors:
    """Find for each mistake the smallest set of features to blame, and group the mistakes.

    References
    ----------
    Wong, Santurkar, Madry (2021), section 5.3: a feature is problematic for a mistake if
    setting it alone to its mean removes the mistake.
    """
    used, rows = view.layer.used, np.flatnonzero(~view.right)
    alone = mend_by_one(view, rows)
    sets = [smallest_set(view, int(row), one) for row, one in zip(rows, alone, strict=True)]
    mistakes = tuple(
        Mistake(
            id=str(view.ids[row]),
            true=int(view.labels[row]),
            predicted=int(view.predicted[row]),
            margin=float(
                view.logits[row, view.predicted[row]] - view.logits[row, view.labels[row]]
            ),
            features=tuple(int(used[j]) for j in chosen),
            alone=tuple(int(used[j]) for j in one),
        )
        for row, one, chosen in zip(rows, alone, sets, strict=True)
    )
    return Errors(view.layer.class_names, view.n, mistakes, _group(view, mistakes))


def margin_parts(view: SplitView, row: int) -> pd.DataFrame:
    """Take a prediction apart against the true class: what each feature adds to its margin.

    Returns
    -------
    DataFrame
        Columns ``feature`` (-1 is the intercept), ``z``, ``part``; the parts add up to the
        score of the true class less that of the predicted (for a right answer: of the best
        other) class. Those most against the true class come first.
    """
    if not 0 <= row < view.n:
        raise InputError(f"row: expected 0 to {view.n - 1}, got {row}.")
    y = int(view.labels[row])
    other = int(view.rival[row] if view.right[row] else view.predicted[row])
    parts = (view.weight[y] - view.weight[other]) * view.z[row]
    frame = pd.DataFrame(
        {
            "feature": [*view.layer.used.tolist(), -1],
            "z": [*view.z[row].tolist(), np.nan],
            "part": [*parts.tolist(), float(view.layer.bias[y] - view.layer.bias[other])],
        }
    )
    return frame.sort_values("part", kind="stable", ignore_index=True)


def share_mended_by_one(view: SplitView) -> Accuracy | None:
    """Share of the errors that some single feature's removal mends; None without errors."""
    found = mend_by_one(view, np.flatnonzero(~view.right))
    return share_of(np.array([one.size > 0 for one in found], dtype=bool))


def find_blame(validation: SplitView, test: SplitView) -> Iterator[Finding]:
    """Propose a feature whose removal mends more errors than it breaks right answers.

    Proposed, at most three, where on validation accuracy gains at least a point, with
    p ≤ .01. The effect is the gain in accuracy on test.
    """
    candidates = []
    for column, without in validation.switched_off():
        mended, broken = _changes(validation, without == validation.labels)
        gained = mended - broken >= MIN_GAIN * validation.n
        if gained and mcnemar_greater(mended, broken) <= MAX_P:
            candidates.append((mended - broken, -broken, column))
    for net, minus_broken, column in sorted(candidates, reverse=True)[:MOST]:
        feature = int(test.layer.used[column])
        now_right = test.predicted_without(column) == test.labels
        mended, broken = _changes(test, now_right)
        value, low, high = paired_difference(mended, broken, test.n)
        yield Finding(
            kind="blame",
            title=_title(test, now_right, feature, (mended, broken)),
            suspicion=f"feature {feature} may cause more errors than it prevents",
            where=f"feature {feature}",
            evidence=(
                f"On validation switching feature {feature} off mends {net - minus_broken} errors "
                f"and breaks {-minus_broken} right answers."
            ),
            effect=Effect(
                f"accuracy gained without feature {feature} ({mended} errors mended, "
                f"{broken} right answers broken)",
                value,
                low,
                high,
                test.n,
            ),
            p_value=mcnemar_greater(mended, broken),
            mend="Solve the layer again without it: `clearhead edit RUN --finding NUMBER`.",
            features=(feature,),
            examples=tuple(str(i) for i in test.ids[now_right & ~test.right][:8]),
        )


def _group(view: SplitView, mistakes: tuple[Mistake, ...]) -> tuple[ErrorGroup, ...]:
    """Count by feature and pair of classes."""
    blamed: Counter[tuple[int, int, int]] = Counter()
    mended: Counter[tuple[int, int, int]] = Counter()
    for one in mistakes:
        blamed.update((feature, one.true, one.predicted) for feature in one.features)
        mended.update((feature, one.true, one.predicted) for feature in one.alone)
    columns = {int(feature): column for column, feature in enumerate(view.layer.used)}
    changed: dict[int, tuple[int, int]] = {}
    for feature in {key[0] for key in blamed}:
        now_right = view.predicted_without(columns[feature]) == view.labels
        changed[feature] = _changes(view, now_right)
    groups = [
        ErrorGroup(
            *key,
            count,
            mended[key],
            *changed[key[0]],
            weight_true=float(view.layer.weight[key[1], key[0]]),
            weight_predicted=float(view.layer.weight[key[2], key[0]]),
        )
        for key, count in blamed.items()
    ]
    return tuple(sorted(groups, key=lambda g: (-g.mistakes, -g.net, g.feature, g.true)))


def _changes(view: SplitView, now_right: BoolArray) -> tuple[int, int]:
    """Count errors mended and right answers broken."""
    return int((now_right & ~view.right).sum()), int((~now_right & view.right).sum())


def _title(view: SplitView, now_right: BoolArray, feature: int, changed: tuple[int, int]) -> str:
    """Say what is mended and broken, and name the confusion where most of it is mended."""
    n_errors = int((~view.right).sum())
    title = (
        f"{100 * changed[0] / max(n_errors, 1):.0f}% of the errors disappear if feature {feature} "
        f"is off ({changed[0]} mended, {changed[1]} right answers broken)"
    )
    mended = now_right & ~view.right
    pairs = Counter(zip(view.labels[mended], view.predicted[mended], strict=True))
    if not pairs or len(view.layer.class_names) == 2:
        return title
    (true, called), count = pairs.most_common(1)[0]
    names = view.layer.class_names
    return f"{title}, {count} of them {names[true]} called {names[called]}"
