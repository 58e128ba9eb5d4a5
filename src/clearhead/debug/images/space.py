"""Training examples in the features in use: what a class rests on, how far a change goes."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from clearhead._types import FloatArray, IntArray
from clearhead.debug.change import Change
from clearhead.debug.inputs import Inputs

__all__ = ["FeatureSpace"]


class FeatureSpace:
    """Training examples in the features that the layer uses, standardised."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs, self.layer = inputs, inputs.layer
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

    def moved(self, change: Change) -> FloatArray:
        """Mean standardised shift of the used features, (u,)."""
        used = self.layer.used
        found: FloatArray = self.layer.standardize(change.after, used).mean(
            axis=0
        ) - self.layer.standardize(change.before, used).mean(axis=0)
        return found

    def suspicion(self, c: int, rows: IntArray) -> FloatArray:
        """Evidence for class `c` from the feature that gives it most, of stored examples."""
        used = self.layer.used
        evidence = np.clip(self.layer.weight[c, used] * self.means[c], 0, None)
        strongest = used[[int(evidence.argmax())]]
        z = self.layer.standardize(self.inputs.stored(rows), strongest)[:, 0]
        found: FloatArray = z * float(np.sign(self.layer.weight[c, strongest[0]]))
        return found

    def concentration(self) -> FloatArray:
        """Share of each class's evidence that its three strongest features give, (K,)."""
        evidence = np.clip(self.layer.weight[:, self.layer.used] * self.means, 0, None)
        total = np.maximum(evidence.sum(axis=1), 1e-12)
        found: FloatArray = np.sort(evidence, axis=1)[:, -3:].sum(axis=1) / total
        return found
