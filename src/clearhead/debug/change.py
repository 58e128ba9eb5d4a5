"""What a change of inputs does to the scores."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import logsumexp

from clearhead._types import BoolArray, FloatArray, IntArray
from clearhead.debug.inputs import Inputs

__all__ = ["Change", "change_inputs", "log_odds", "mean_interval"]

_Z = 1.959963984540054


@dataclass(frozen=True, eq=False)
class Change:
    """Examples before and after a change, as the layers score them.

    Parameters
    ----------
    rows : ndarray of shape (m,), int
        Rows of the store: those that the change could be made to.
    before, after : ndarray of shape (m, p), float32
        Deep features.
    scores_before, scores_after : ndarray of shape (m, K)
        Logits of the sparse layer.
    dense_before, dense_after : ndarray of shape (m,), int
        What the dense layer predicts.
    """

    rows: IntArray
    before: FloatArray
    after: FloatArray
    scores_before: FloatArray
    scores_after: FloatArray
    dense_before: IntArray
    dense_after: IntArray

    def __len__(self) -> int:
        return len(self.rows)

    def log_odds_shift(self, target: int) -> FloatArray:
        """Change of the log-odds of class `target` against all others, (m,)."""
        return log_odds(self.scores_after, target) - log_odds(self.scores_before, target)

    def log_odds(self, target: int) -> FloatArray:
        """Log-odds of class `target` after the change, (m,)."""
        return log_odds(self.scores_after, target)

    def becomes(self, target: int) -> BoolArray:
        """Where the prediction was another class and becomes `target`, (m,)."""
        before, after = self.scores_before.argmax(axis=1), self.scores_after.argmax(axis=1)
        found: BoolArray = (before != target) & (after == target)
        return found

    def leaves(self, target: int) -> BoolArray:
        """Where the prediction was `target` and becomes another class, (m,)."""
        before, after = self.scores_before.argmax(axis=1), self.scores_after.argmax(axis=1)
        found: BoolArray = (before == target) & (after != target)
        return found

    def dense_becomes(self, target: int) -> BoolArray:
        """As :meth:`becomes`, of the dense layer."""
        found: BoolArray = (self.dense_before != target) & (self.dense_after == target)
        return found

    def shift(self) -> FloatArray:
        """Mean change of the deep features, (p,) float64."""
        mean: FloatArray = (self.after.astype(np.float64) - self.before).mean(axis=0)
        return mean

    def only(self, keep: BoolArray | IntArray) -> Change:
        """Give some of the examples."""
        return Change(**{name: value[keep] for name, value in vars(self).items()})


def change_inputs(
    inputs: Inputs,
    change: Callable[[Any, int], Any | None],
    rows: IntArray,
) -> Change:
    """Change the examples of some rows and run network and layers on the results.

    Parameters
    ----------
    change : callable
        From an example and a seed to the changed example, or None to leave it out:
        ``pattern.insert``, ``pattern.remove``.
    """
    rows, examples = inputs.changed(rows, change)
    return compare_features(inputs, rows, inputs.features(examples))


def compare_features(inputs: Inputs, rows: IntArray, after: FloatArray) -> Change:
    """Compare features (m, p) of changed examples with those of the examples themselves."""
    before = inputs.features_of(rows)
    return Change(
        rows=rows,
        before=before,
        after=after,
        scores_before=inputs.layer.logits(before),
        scores_after=inputs.layer.logits(after),
        dense_before=inputs.dense.predict(before),
        dense_after=inputs.dense.predict(after),
    )


def log_odds(scores: FloatArray, target: int) -> FloatArray:
    """Log-odds of one class under softmax of (m, K) scores: its score less the others' sum."""
    others = np.delete(scores, target, axis=1)
    found: FloatArray = scores[:, target] - logsumexp(others, axis=1)
    return found


def mean_interval(values: Sequence[float] | FloatArray) -> tuple[float, float, float]:
    """Mean with its 95% interval, by the normal approximation; infinite below two values."""
    found = np.asarray(values, dtype=np.float64)
    if found.size < 2:
        return (float(found.mean()) if found.size else 0.0), -math.inf, math.inf
    half = _Z * float(found.std(ddof=1)) / math.sqrt(found.size)
    return float(found.mean()), float(found.mean()) - half, float(found.mean()) + half
