r"""From the explanation alone: does the feature fire on an example that was not explained?

**Firing.** A feature fires *high* where its activation is above its 80th percentile on the
training split, and *low* where it is below its 20th, both strictly: of a feature behind a ReLU
that is 0 on more than 80% of the examples, every activation above 0 fires high, and none fires
low. A direction in which fewer than five training or test examples fire, or fail to fire, is not
judged.

**Predicting.** The explanation gives every example a score. Where the score is above a threshold
(below one, for firing low) the explanation predicts that the feature fires. The threshold is the
one of highest balanced accuracy on the training examples; the test examples only judge.

**Judging.** Balanced accuracy is the mean of the two recalls, of the examples that fire and of
those that do not: .5 is chance, 1 is perfect, however rare firing is. Its interval combines the
Wilson intervals of the two. An explanation is *clear* where, with 95% confidence for all that
were judged in the same call together (Bonferroni), its balanced accuracy is above .6.

References
----------
Zou, Donner (2008), Construction of confidence limits about effect measures, section 2: the
interval of a sum from those of its parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self, get_args

import numpy as np
import pandas as pd
from scipy import stats

from clearhead._files import known_fields
from clearhead._types import BoolArray, FloatArray, IntArray
from clearhead.errors import InputError
from clearhead.glm.accuracy import wilson_interval

__all__ = ["CLEAR", "Detection", "Direction", "Trust", "detect", "firing", "trust"]

Direction = Literal["high", "low"]
FIRES = 80.0  # percentile of the training split
CLEAR = 0.6
FEWEST = 5  # examples that fire, and that do not, in each split


@dataclass(frozen=True)
class Detection:
    """How well one explanation of one feature predicts where it fires.

    Parameters
    ----------
    feature : int
    direction : {"high", "low"}
        Which side of the feature.
    explanation : str
        What predicted: ``"words"``, ``"regions"``, ``"name"``, …
    balanced_accuracy, low, high : float
        On the test examples, with its own 95% interval.
    lower_bound : float
        What balanced accuracy is above, with 95% confidence for all explanations that were
        judged together.
    recall, specificity : float
        Share of the firing examples that were predicted to fire, and of the others that were not.
    n_fires, n_rest : int
        Test examples.
    """

    feature: int
    direction: Direction
    explanation: str
    balanced_accuracy: float
    low: float
    high: float
    lower_bound: float
    recall: float
    specificity: float
    n_fires: int
    n_rest: int

    @property
    def clear(self) -> bool:
        """Whether the balanced accuracy is surely above .6."""
        return self.lower_bound > CLEAR

    def __str__(self) -> str:
        return (
            f"feature {self.feature} fires {self.direction}, by its {self.explanation}: balanced "
            f"accuracy {self.balanced_accuracy:.2f} ({self.low:.2f} to {self.high:.2f})"
            f"{'' if self.clear else ', unclear'}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "clear": self.clear}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Undo :meth:`to_dict`."""
        return cls(**known_fields(cls, value))


@dataclass(frozen=True)
class Trust:
    """What is known of one feature when all its explanations have been judged.

    Parameters
    ----------
    feature : int
    detections : tuple of Detection
        Surest first.
    """

    feature: int
    detections: tuple[Detection, ...]

    @property
    def clear(self) -> bool:
        """Whether some explanation predicts the feature; if none does it is "unclear"."""
        return any(one.clear for one in self.detections)

    @property
    def best(self) -> Detection | None:
        """The explanation with the highest lower bound; None where none could be judged."""
        return self.detections[0] if self.detections else None

    def __str__(self) -> str:
        if self.best is None:
            return f"feature {self.feature}: unclear (too few examples fire to judge it)"
        return str(self.best) if self.clear else f"feature {self.feature}: unclear; {self.best}"

    def to_frame(self) -> pd.DataFrame:
        """One row a detection."""
        return pd.DataFrame([one.to_dict() for one in self.detections])

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p>{escape(str(self))}</p>{self.to_frame().to_html(index=False)}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "feature": self.feature,
            "clear": self.clear,
            "detections": [one.to_dict() for one in self.detections],
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Undo :meth:`to_dict`."""
        detections = tuple(Detection.from_dict(one) for one in value["detections"])
        return cls(int(value["feature"]), detections)


def firing(train_z: FloatArray, z: FloatArray, direction: Direction) -> BoolArray:
    """Tell which of the activations `z` (n, u) fire, by the percentiles of `train_z` (m, u)."""
    if direction == "high":
        return np.asarray(z > np.percentile(train_z, FIRES, axis=0))
    return np.asarray(z < np.percentile(train_z, 100.0 - FIRES, axis=0))


def detect(
    features: IntArray,
    train_scores: FloatArray,
    train_z: FloatArray,
    test_scores: FloatArray,
    test_z: FloatArray,
    *,
    explanation: str,
    directions: Sequence[Direction] = ("high", "low"),
) -> list[Detection]:
    """Judge scores that were made from explanations, for all features at once.

    Parameters
    ----------
    features : ndarray of shape (u,), int
    train_scores, test_scores : ndarray of shape (n, u)
        Higher where the explanation says that the activation is higher.
    train_z, test_z : ndarray of shape (n, u)
        Standardised activations of the same examples. "Train" may hold validation examples too.
    explanation : str
        What the scores were made from, such as ``"words"``.
    directions : sequence of {"high", "low"}

    Returns
    -------
    list of Detection
        By feature, then direction; without those that too few examples fire for.

    Raises
    ------
    InputError
        The shapes do not go together, there is no example, or a value is not finite.
    """
    _check(features, train_scores, train_z, test_scores, test_z)
    wrong = [one for one in directions if one not in get_args(Direction)]
    if wrong:
        raise InputError(f"directions: expected 'high' or 'low', got {wrong[0]!r}.")
    found: list[tuple[int, Direction, IntArray]] = []
    for direction in directions:
        sign = 1.0 if direction == "high" else -1.0
        fires, fires_train = firing(train_z, test_z, direction), firing(train_z, train_z, direction)
        predicted = sign * test_scores > _thresholds(sign * train_scores, fires_train)
        cells = np.stack(
            [
                np.count_nonzero(fires & predicted, axis=0),
                np.count_nonzero(fires, axis=0),
                np.count_nonzero(~fires & ~predicted, axis=0),
                np.count_nonzero(~fires, axis=0),
            ],
            axis=1,
        )
        enough = _enough(fires) & _enough(fires_train)
        found += [(int(c), direction, cells[c]) for c in np.flatnonzero(enough)]
    found.sort(key=lambda one: (one[0], one[1] == "low"))
    return [
        _detection(int(features[column]), direction, explanation, counts, len(found))
        for column, direction, counts in found
    ]


def trust(features: Sequence[int] | IntArray, detections: Sequence[Detection]) -> list[Trust]:
    """Gather the detections of each feature; one that no explanation predicts is unclear.

    A feature has as many chances to be clear as explanations were tried, so the lower bounds are
    made to hold for all `detections` together.
    """
    by_feature: dict[int, list[Detection]] = {int(j): [] for j in features}
    for one in detections:
        by_feature.setdefault(one.feature, []).append(_among(one, len(detections)))
    return [
        Trust(j, tuple(sorted(those, key=lambda one: (-one.lower_bound, one.direction))))
        for j, those in by_feature.items()
    ]


def _enough(fires: BoolArray) -> BoolArray:
    count = np.count_nonzero(fires, axis=0)
    return np.asarray((count >= FEWEST) & (len(fires) - count >= FEWEST))


def _thresholds(scores: FloatArray, fires: BoolArray) -> FloatArray:
    """Threshold (u,) of highest balanced accuracy: fires is predicted where score > threshold."""
    order = np.argsort(-scores, axis=0, kind="stable")
    ranked = np.take_along_axis(scores, order, axis=0)
    hits = np.take_along_axis(fires, order, axis=0)
    true = np.cumsum(hits, axis=0) / np.maximum(hits.sum(axis=0), 1)
    false = np.cumsum(~hits, axis=0) / np.maximum((~hits).sum(axis=0), 1)
    # A cut can only be where the next score is a lower one.
    below = np.concatenate([ranked[1:], np.full((1, scores.shape[1]), -np.inf)])
    gain = np.where(ranked > below, true - false, -1.0)
    cut = np.argmax(gain, axis=0)[None]
    last, following = (np.take_along_axis(one, cut, axis=0)[0] for one in (ranked, below))
    return np.asarray((last + following) / 2)  # −∞, all fire, where no cut is of use


def _detection(
    feature: int, direction: Direction, explanation: str, counts: IntArray, n_judged: int
) -> Detection:
    hit, n_fires, right, n_rest = map(int, counts)
    z95 = float(stats.norm.isf(0.025))
    low, high = _interval((hit, n_fires), (right, n_rest), z95)
    found = Detection(
        feature=feature,
        direction=direction,
        explanation=explanation,
        balanced_accuracy=(hit / n_fires + right / n_rest) / 2,
        low=low,
        high=high,
        lower_bound=low,
        recall=hit / n_fires,
        specificity=right / n_rest,
        n_fires=n_fires,
        n_rest=n_rest,
    )
    return _among(found, n_judged)


def _among(one: Detection, n_judged: int) -> Detection:
    """Give the detection the lower bound that holds for `n_judged` of them together."""
    hits = (round(one.recall * one.n_fires), one.n_fires)
    right = (round(one.specificity * one.n_rest), one.n_rest)
    bound, _ = _interval(hits, right, float(stats.norm.isf(0.05 / max(n_judged, 1))))
    return replace(one, lower_bound=bound)


def _interval(first: tuple[int, int], second: tuple[int, int], z: float) -> tuple[float, float]:
    """Interval of the mean of two independent shares, each (hits, n), by their Wilson intervals."""
    shares = [hits / n for hits, n in (first, second)]
    (low1, high1), (low2, high2) = (wilson_interval(*one, z) for one in (first, second))
    value = sum(shares) / 2
    low = value - float(np.hypot(shares[0] - low1, shares[1] - low2)) / 2
    high = value + float(np.hypot(high1 - shares[0], high2 - shares[1])) / 2
    return low, high


def _check(features: IntArray, *arrays: FloatArray) -> None:
    names = ("train_scores", "train_z", "test_scores", "test_z")
    for i, (name, array) in enumerate(zip(names, arrays, strict=True)):
        rows = len(arrays[2 * (i // 2)])
        if array.ndim != 2 or array.shape != (rows, len(features)):
            raise InputError(
                f"{name}: expected shape ({rows}, {len(features)}), one row an example and one "
                f"column a feature, got {array.shape}."
            )
        if not rows:
            raise InputError(f"{name}: there is no example to judge by.")
        if not np.isfinite(array).all():
            raise InputError(f"{name}: not every value is finite. Leave such examples out.")
