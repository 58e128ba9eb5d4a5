"""How far a decision layer agrees with what the network itself predicts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from clearhead.features import FeatureStore, own_predictions
from clearhead.layer import DecisionLayer, divergence

__all__ = ["agree"]


def agree(
    store: FeatureStore, layers: Mapping[str, DecisionLayer]
) -> dict[str, dict[str, dict[str, float]]]:
    """Measure each layer against the network's own predictions, split by split.

    Returns
    -------
    dict
        Of layer, then split: ``share`` of the examples with the same most probable class,
        mean ``kl`` divergence of the layer's probabilities from the network's, in nats, and
        ``n`` examples. Empty for a network without a head over the data's classes.
    """
    own = own_predictions(store)
    if own is None:
        return {}
    found: dict[str, dict[str, dict[str, float]]] = {name: {} for name in layers}
    for split in store.splits:
        here = own.of(store.split == split)
        sums = {name: np.zeros(2) for name in layers}
        start = 0
        for block in store.rows(split).blocks():
            rows = slice(start, start + len(block))
            start += len(block)
            for name, layer in layers.items():
                logits = layer.logits(block)
                same = logits.argmax(axis=1) == here.predicted[rows]
                sums[name] += same.sum(), divergence(here.probabilities[rows], logits).sum()
        for name, (same, far) in sums.items():
            found[name][split] = {
                "share": float(same / start),
                "kl": float(far / start),
                "n": start,
            }
    return found
