"""The training rows as the checks see them that need more than two held-out splits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from clearhead._types import FloatArray, IntArray, StrArray
from clearhead.layer import DecisionLayer
from clearhead.layer.again import LayerProblem

__all__ = ["TrainView"]


@dataclass(frozen=True, eq=False)
class TrainView:
    """What a layer was fitted to, and the layer as it is without some of it.

    Parameters
    ----------
    layer : DecisionLayer
        As it was taken from its path, not edited.
    features : ndarray of shape (n, p)
        Raw deep features of the training rows.
    labels : ndarray of shape (n,), int
    ids : ndarray of shape (n,), str
    targets : array-like, optional
        What the layer was fitted to where that is not `labels`.
    sample_weight, penalty_factor, grouped
        As they were given to :func:`clearhead.fit_path`.
    """

    layer: DecisionLayer
    features: FloatArray
    labels: IntArray
    ids: StrArray
    targets: Any = None
    sample_weight: Any = None
    penalty_factor: Any = None
    grouped: bool = False

    @property
    def n(self) -> int:
        """Training rows."""
        return len(self.labels)

    @cached_property
    def problem(self) -> LayerProblem:
        """What the layer is the optimum of.

        Raises
        ------
        InputError
            The layer was edited, or it is not the optimum on these rows.
        """
        return LayerProblem(
            self.layer,
            self.features,
            self.labels if self.targets is None else self.targets,
            sample_weight=self.sample_weight,
            penalty_factor=self.penalty_factor,
            grouped=self.grouped,
        )

    def without_rows(self, rows: IntArray) -> DecisionLayer:
        """Solve again without these rows, at the same lam."""
        counts = np.ones(self.n, dtype=np.int64)
        counts[rows] = 0
        return self.problem.resampled(counts)

    def out_of_fold(self, k: int = 5, seed: int = 0) -> FloatArray:
        """Score each row (n, K) by a layer that was not fitted to it.

        Each of the `k` layers starts at the one it stands in for and keeps its lam, which
        takes a fraction of a path's time. Rows of a class with fewer than k examples are
        scored by the layer itself: a fold could leave none to learn from.
        """
        from sklearn.model_selection import StratifiedKFold

        scores: FloatArray = self.layer.logits(self.features)
        rows = np.flatnonzero(np.bincount(self.labels)[self.labels] >= k)
        if not rows.size:
            return scores
        folds = StratifiedKFold(k, shuffle=True, random_state=seed)
        for _, held_out in folds.split(rows, self.labels[rows]):
            out = rows[held_out]
            scores[out] = self.without_rows(out).logits(self.features[out])
        return scores
