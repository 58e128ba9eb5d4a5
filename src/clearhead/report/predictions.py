"""What each decision layer predicts for every example, and how far they agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from clearhead._types import SPLITS, BoolArray, FloatArray, IntArray, StrArray
from clearhead.features import FeatureStore
from clearhead.glm import Accuracy
from clearhead.layer import DecisionLayer, share_of

__all__ = ["NetworkHead", "Predictions", "Refitted", "predict_all"]

Refitted = Literal["sparse", "dense"]


@dataclass(frozen=True, eq=False)
class NetworkHead:
    """The network's own predictions, where its classes are the data's.

    Parameters
    ----------
    predicted : ndarray of shape (n,), int
        Indices into the data's classes.
    matching : str
        How its classes were matched with the data's, in words.
    """

    predicted: IntArray
    matching: str


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predictions of all n examples of a store, by layer.

    Parameters
    ----------
    labels : ndarray of shape (n,), int
    split : ndarray of shape (n,), str
    refitted : mapping of "sparse" and "dense" to ndarray of shape (n,), int
    network : NetworkHead or None
        None without a head over the data's classes.
    """

    labels: IntArray
    split: StrArray
    refitted: Mapping[Refitted, IntArray]
    network: NetworkHead | None

    def accuracies(self, predicted: IntArray) -> dict[str, Accuracy]:
        """Share of right predictions in each split that has examples."""
        return self._by_split(predicted == self.labels)

    def agreements(self, layer: Refitted) -> dict[str, Accuracy]:
        """Share of predictions that are the network's own, in each split; none without it."""
        if self.network is None:
            return {}
        return self._by_split(self.refitted[layer] == self.network.predicted)

    def _by_split(self, hits: BoolArray) -> dict[str, Accuracy]:
        shares = {split: share_of(hits[self.split == split]) for split in SPLITS}
        return {split: share for split, share in shares.items() if share is not None}


def predict_all(store: FeatureStore, sparse: DecisionLayer, dense: DecisionLayer) -> Predictions:
    """Predict every example of `store` with both layers, and with the network's own head."""
    features = store.matrix()
    return Predictions(
        labels=store.labels(),
        split=store.split,
        refitted={"sparse": sparse.predict(features), "dense": dense.predict(features)},
        network=_own_predictions(store, features),
    )


def _own_predictions(store: FeatureStore, features: FloatArray) -> NetworkHead | None:
    if store.head is None:
        return None
    weight, bias, names = store.head
    scores = features @ weight.T + bias
    if len(bias) == 1:  # one output decides between two classes by its sign
        scores = np.hstack([-scores, scores])
    predicted: IntArray = np.argmax(scores, axis=1)
    wanted = list(store.class_names)
    if names is None and scores.shape[1] == len(wanted):
        return NetworkHead(predicted, "assumed to be in the same order")
    if names is None or sorted(names) != sorted(wanted):
        return None
    order = np.array([wanted.index(name) for name in names])
    return NetworkHead(order[predicted], "matched by name")
