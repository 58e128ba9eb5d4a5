"""How good are these predictions, overall and class by class?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clearhead._types import BoolArray, IntArray
from clearhead.errors import InputError
from clearhead.glm import Accuracy

__all__ = ["Evaluation", "evaluate", "right_rows", "share_of"]


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


def right_rows(labels: IntArray, predicted: IntArray) -> BoolArray:
    """Rows (n,) whose class is right; of labels and predictions (n, K), where all K are.

    Raises
    ------
    InputError
        The shapes differ.
    """
    if labels.shape != predicted.shape:
        raise InputError(
            f"labels: expected the shape of the predictions {predicted.shape}, got "
            f"{labels.shape}. A layer of classes predicts one index a row, a layer of "
            "independent labels 0 or 1 for each of them."
        )
    hits: BoolArray = labels == predicted
    return hits if hits.ndim == 1 else np.logical_and.reduce(hits, axis=1)


def evaluate(labels: IntArray, predicted: IntArray, n_classes: int) -> Evaluation:
    """Compare predictions with labels, both of shape (n,), n > 0.

    Raises
    ------
    InputError
        For several labels a row: they have no confusions. Evaluate them one by one.
    """
    if labels.ndim != 1 or predicted.ndim != 1:
        raise InputError(
            f"evaluate: expected one class a row, got labels of shape {labels.shape} and "
            f"predictions of shape {predicted.shape}. Evaluate independent labels one by one: "
            "evaluate(labels[:, k], predicted[:, k], 2)."
        )
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
