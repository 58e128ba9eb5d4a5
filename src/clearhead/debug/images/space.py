"""How far a class already lies in the direction in which a change moves the features."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from clearhead._types import FloatArray, IntArray
from clearhead.debug.change import Change
from clearhead.debug.inputs import Inputs

__all__ = ["FeatureSpace"]

RIDGE = 0.1
"""Of the mean variance: keeps the inverse covariance from following chance directions."""


class FeatureSpace:
    """Training examples in the features that the layer uses, standardised."""

    def __init__(self, inputs: Inputs) -> None:
        self.layer = inputs.layer
        rows = inputs.rows("train", most=6000)
        self.labels: IntArray = inputs.labels[rows]
        self.z = self.layer.standardize(inputs.stored(rows), self.layer.used)

    @cached_property
    def means(self) -> FloatArray:
        """Mean of each class, (K, u); that of all where a class has no example."""
        found = np.tile(self.z.mean(axis=0), (self.layer.n_classes, 1))
        for c in np.unique(self.labels):
            found[c] = self.z[self.labels == c].mean(axis=0)
        return found

    @cached_property
    def precision(self) -> FloatArray:
        """Inverse of the covariance within classes, (u, u)."""
        centred = self.z - self.means[self.labels]
        covariance = centred.T @ centred / max(len(centred) - 1, 1)
        ridge = RIDGE * float(np.trace(covariance)) / max(len(covariance), 1)
        found: FloatArray = np.linalg.pinv(covariance + (ridge + 1e-9) * np.eye(len(covariance)))
        return found

    def moved(self, change: Change) -> FloatArray:
        """Mean standardised shift of the used features, (u,)."""
        used = self.layer.used
        found: FloatArray = self.layer.standardize(change.after, used).mean(
            axis=0
        ) - self.layer.standardize(change.before, used).mean(axis=0)
        return found

    def links(self, moved: FloatArray) -> FloatArray:
        """Share of the shift by which each class lies further along it than the others, (K,).

        Along the linear discriminant between changed and unchanged examples: 1 says that the
        class lies as if all of its examples were changed and none of the others' were, .6 as
        if 60% were; 0 is what chance gives.
        """
        direction = self.precision @ moved
        length = float(direction @ moved)
        if length <= 1e-9:
            return np.zeros(len(self.means))
        along = self.means @ direction
        rest = (along.sum() - along) / max(len(along) - 1, 1)
        found: FloatArray = (along - rest) / length
        return found

    def concentration(self) -> FloatArray:
        """Share of each class's evidence that its three strongest features give, (K,)."""
        evidence = np.clip(self.layer.weight[:, self.layer.used] * self.means, 0, None)
        total = np.maximum(evidence.sum(axis=1), 1e-12)
        found: FloatArray = np.sort(evidence, axis=1)[:, -3:].sum(axis=1) / total
        return found
