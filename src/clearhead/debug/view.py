"""One split as the checks see it, and what happens when a feature is switched off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from clearhead._types import BoolArray, FloatArray, IntArray, StrArray
from clearhead.layer import DecisionLayer

__all__ = ["SplitView"]


@dataclass(frozen=True, eq=False)
class SplitView:
    """The features in use, the scores and the truth of one split.

    Parameters
    ----------
    layer : DecisionLayer
    z : ndarray of shape (n, u)
        Standardised activations of ``layer.used``.
    labels : ndarray of shape (n,), int
    ids : ndarray of shape (n,), str
    metadata : DataFrame of n rows
    dense : ndarray of shape (n,), int
        What the dense layer predicts, to compare with.
    features : ndarray of shape (n, p)
        Raw deep features.
    extra : DataFrame of n rows, optional
        What else is known of each example (a word is in it, it is dark): columns of bool or
        of few values, which slices are made of beside the metadata.
    """

    layer: DecisionLayer
    z: FloatArray
    labels: IntArray
    ids: StrArray
    metadata: pd.DataFrame
    dense: IntArray
    features: FloatArray
    extra: pd.DataFrame | None = None

    @classmethod
    def of(
        cls,
        layer: DecisionLayer,
        dense: DecisionLayer,
        features: FloatArray,
        labels: IntArray,
        *,
        ids: StrArray,
        metadata: pd.DataFrame,
        extra: pd.DataFrame | None = None,
    ) -> SplitView:
        """Standardise the raw `features` (n, p) of one split."""
        z = layer.standardize(features, layer.used)
        frame = metadata.reset_index(drop=True)
        known = None if extra is None else extra.reset_index(drop=True)
        return cls(layer, z, labels, ids, frame, dense.predict(features), features, known)

    def under(self, layer: DecisionLayer) -> SplitView:
        """The same split as another layer on the same features sees it."""
        return replace(self, layer=layer, z=layer.standardize(self.features, layer.used))

    @property
    def n(self) -> int:
        """Examples in the split."""
        return len(self.labels)

    @cached_property
    def weight(self) -> FloatArray:
        """Weights of the features in use, shape (K, u)."""
        return self.layer.weight[:, self.layer.used]

    @cached_property
    def logits(self) -> FloatArray:
        """Scores, shape (n, K)."""
        scores: FloatArray = self.z @ self.weight.T + self.layer.bias
        return scores

    @cached_property
    def predicted(self) -> IntArray:
        """Predicted class of each example, shape (n,)."""
        predicted: IntArray = np.argmax(self.logits, axis=1)
        return predicted

    @cached_property
    def right(self) -> BoolArray:
        """Where the prediction is the label, shape (n,)."""
        right: BoolArray = self.predicted == self.labels
        return right

    @cached_property
    def rival(self) -> IntArray:
        """Best class other than the label, for each example, shape (n,)."""
        scores = self.logits.copy()
        scores[np.arange(self.n), self.labels] = -np.inf
        best: IntArray = np.argmax(scores, axis=1)
        return best

    def predicted_without(self, column: int) -> IntArray:
        """Predict with feature ``layer.used[column]`` at its mean, shape (n,)."""
        scores = self.logits - np.outer(self.z[:, column], self.weight[:, column])
        best: IntArray = np.argmax(scores, axis=1)
        return best

    def switched_off(self) -> Iterator[tuple[int, IntArray]]:
        """Go through the features in use: position in ``layer.used``, predictions without it."""
        for column in range(self.z.shape[1]):
            yield column, self.predicted_without(column)

    def evidence_shares(self) -> FloatArray:
        """Share of each class's positive evidence that each feature gives.

        The evidence of feature j for an example of class c is its part of the margin
        over the best other class r: ``(weight[c, j] - weight[r, j]) * z[j]``. Its
        positive parts are summed over the class's examples and normalised.

        Returns
        -------
        ndarray of shape (K, u)
            Rows add up to 1, or are 0 for a class without examples or evidence.
        """
        shares = np.zeros_like(self.weight)
        for label in np.unique(self.labels):
            rows = self.labels == label
            margin = (self.weight[label] - self.weight[self.rival[rows]]) * self.z[rows]
            total = np.clip(margin, 0.0, None).sum(axis=0)
            if total.sum() > 0:
                shares[label] = total / total.sum()
        return shares
