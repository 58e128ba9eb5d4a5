"""How much of a layer's accuracy do its strongest features carry?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clearhead._types import FloatArray, IntArray
from clearhead.glm import Accuracy
from clearhead.layer.decision import DecisionLayer
from clearhead.layer.evaluate import right_rows

__all__ = ["Ablation", "ablate"]


@dataclass(frozen=True)
class Ablation:
    """Accuracy with all features, with the top k of each class, and with the rest."""

    k: int
    all: Accuracy
    top: Accuracy
    rest: Accuracy


def ablate(
    layer: DecisionLayer, features: FloatArray, labels: IntArray, ks: Sequence[int] = (1, 2, 5, 10)
) -> list[Ablation]:
    """Measure the top k features of each class by |weight|, and all but those.

    Parameters
    ----------
    layer : DecisionLayer
    features : ndarray of shape (n, p)
        Raw deep features.
    labels : ndarray of shape (n,), int
        For independent labels 0 or 1, shape (n, K); a row is right if all of them are.
    ks : sequence of int

    References
    ----------
    Wong, Santurkar, Madry (2021), table 1: k = 10 for vision, 5 for language.
    """

    def accuracy(changed: DecisionLayer) -> Accuracy:
        right = np.count_nonzero(right_rows(labels, changed.predict(features)))
        return Accuracy.of(int(right), len(labels))

    everything = accuracy(layer)
    return [
        Ablation(k, everything, accuracy(layer.keep_top(k)), accuracy(layer.drop_top(k)))
        for k in ks
    ]
