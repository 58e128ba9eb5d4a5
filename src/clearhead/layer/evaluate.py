"""How good are these predictions, overall and class by class?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clearhead._types import BoolArray, IntArray
from clearhead.glm import Accuracy

__all__ = ["Evaluation", "evaluate", "share_of"]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Accuracy, and what becomes of each class.

    Parameters
    ----------
    accuracy : Accuracy
    recall, precision : tuple of (Accuracy or None), length K
        None where a class has no examples, or was never predicted.
    confusion : ndarray of shape (K, K), int64
        ``confusion[t, q]`` examples of class t were called q.
    """

    accuracy: Accuracy
    recall: tuple[Accuracy | None, ...]
    precision: tuple[Accuracy | None, ...]
    confusion: IntArray


def share_of(hits: BoolArray) -> Accuracy | None:
    """Share of True in `hits` with its interval; None when `hits` is empty."""
    return Accuracy.of(int(hits.sum()), hits.size) if hits.size else None


def evaluate(labels: IntArray, predicted: IntArray, n_classes: int) -> Evaluation:
    """Compare predictions with labels, both of shape (n,), n > 0."""
    confusion = np.zeros((n_classes, n_classes), dtype=np.int64)
    np.add.at(confusion, (labels, predicted), 1)
    right = np.diag(confusion)

    def ratios(totals: IntArray) -> tuple[Accuracy | None, ...]:
        return tuple(
            Accuracy.of(int(hit), int(total)) if total else None
            for hit, total in zip(right, totals, strict=True)
        )

    return Evaluation(
        accuracy=Accuracy.of(int(right.sum()), int(labels.size)),
        recall=ratios(confusion.sum(axis=1)),
        precision=ratios(confusion.sum(axis=0)),
        confusion=confusion,
    )
