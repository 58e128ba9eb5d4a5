"""What each decision layer predicts for every example, and how far they agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from clearhead._types import SPLITS, BoolArray, FloatArray, IntArray, StrArray
from clearhead.features import FeatureStore, OwnPredictions, own_predictions
from clearhead.glm import Accuracy
from clearhead.layer import DecisionLayer, divergence, share_of

__all__ = ["Predictions", "Refitted", "predict_all"]

Refitted = Literal["sparse", "dense"]


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predictions of all n examples of a store, by layer.

    Parameters
    ----------
    labels : ndarray of shape (n,), int
    split : ndarray of shape (n,), str
    refitted : mapping of "sparse" and "dense" to ndarray of shape (n,), int
    network : OwnPredictions or None
        None without a head over the data's classes.
    divergences : mapping of "sparse" and "dense" to ndarray of shape (n,)
        How far each layer's probabilities are from the network's, in nats; empty without it.
    """

    labels: IntArray
    split: StrArray
    refitted: Mapping[Refitted, IntArray]
    network: OwnPredictions | None
    divergences: Mapping[Refitted, FloatArray]

    def accuracies(self, predicted: IntArray) -> dict[str, Accuracy]:
        """Share of right predictions in each split that has examples."""
        return self._by_split(predicted == self.labels)

    def agreements(self, layer: Refitted) -> dict[str, Accuracy]:
        """Share of predictions that are the network's own, in each split; none without it."""
        if self.network is None:
            return {}
        return self._by_split(self.refitted[layer] == self.network.predicted)

    def mean_divergence(self, layer: Refitted, split: str) -> float:
        """Mean divergence of a layer from the network in one split."""
        return float(self.divergences[layer][self.split == split].mean())

    def _by_split(self, hits: BoolArray) -> dict[str, Accuracy]:
        shares = {split: share_of(hits[self.split == split]) for split in SPLITS}
        return {split: share for split, share in shares.items() if share is not None}


def predict_all(store: FeatureStore, sparse: DecisionLayer, dense: DecisionLayer) -> Predictions:
    """Predict every example of `store` with both layers, and with the network's own head."""
    features, own = store.matrix(), own_predictions(store)
    refitted: dict[Refitted, IntArray] = {}
    divergences: dict[Refitted, FloatArray] = {}
    layers: tuple[tuple[Refitted, DecisionLayer], ...] = (("sparse", sparse), ("dense", dense))
    for name, layer in layers:
        logits = layer.logits(features)
        refitted[name] = np.argmax(logits, axis=1)
        if own is not None:
            divergences[name] = divergence(own.probabilities, logits)
    return Predictions(
        labels=store.labels(),
        split=store.split,
        refitted=refitted,
        network=own,
        divergences=divergences,
    )
