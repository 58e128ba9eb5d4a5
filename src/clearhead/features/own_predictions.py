"""What the network itself predicts, in terms of the data's classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, softmax

from clearhead._types import BoolArray, FloatArray, IntArray
from clearhead.features.store import FeatureStore

__all__ = ["OwnPredictions", "own_predictions"]


@dataclass(frozen=True, eq=False)
class OwnPredictions:
    """The network's own predictions for every example of a store.

    Parameters
    ----------
    probabilities : (n, K) float64
        Of the data's classes; rows sum to 1.
    matching : str
        How its classes were matched with the data's, in words.
    """

    probabilities: FloatArray
    matching: str

    @property
    def predicted(self) -> IntArray:
        """Most probable class of each example, (n,); the first of equal ones."""
        return np.asarray(self.probabilities.argmax(axis=1))

    def of(self, rows: BoolArray) -> OwnPredictions:
        """Take some of the examples."""
        return OwnPredictions(self.probabilities[rows], self.matching)


def own_predictions(store: FeatureStore) -> OwnPredictions | None:
    """Give what the network predicts, where its classes can be matched with the data's.

    They match where the network has as many outputs as the data have classes, of the same
    names or of none; where one output tells two classes apart; and where the data are one
    label of several, as two classes ``"not toxic"`` and ``"toxic"``, that the network knows
    by its name.

    Returns
    -------
    OwnPredictions or None
        None for a network without a head, or with one over other classes; and for data with
        several labels an example, of which one is debugged at a time.
    """
    if store.multilabel:
        return None
    head, logits = store.head, store.outputs()
    if head is not None and logits is None:  # a store of an older version
        logits = store.matrix() @ head[0].T + head[1]
    if logits is None:
        return None
    names, activation = None if head is None else head[2], store.activation
    assumed = "assumed to be in the same order"
    if logits.shape[1] == 1:
        # One output decides by its sign between two classes, and speaks for the second.
        logits, activation = np.concatenate([-logits / 2, logits / 2], axis=1), "softmax"
        if names is not None and len(names) == 1:
            names = (f"not {names[0]}", names[0])
        assumed = f"told apart by its one output, assumed to stand for {store.class_names[-1]!r}"
    read = _reader(logits.shape[1], names, store.class_names, activation, assumed)
    if read is None:
        return None
    matching, probabilities_of = read
    return OwnPredictions(probabilities_of(logits.astype(np.float64)), matching)


_Read = tuple[str, Callable[[FloatArray], FloatArray]]


def _reader(
    n_outputs: int,
    names: Sequence[str] | None,
    wanted: Sequence[str],
    activation: str | None,
    assumed: str,
) -> _Read | None:
    """How the network's outputs are read, in words and as a function of logits (n, C)."""
    if names is None:
        if n_outputs != len(wanted):
            return None
        return assumed, lambda Z: _over_classes(Z, activation)
    known = list(names)
    if sorted(known) == sorted(wanted):
        order = [known.index(name) for name in wanted]
        return "matched by name", lambda Z: _over_classes(Z[:, order], activation)
    label = _label_of(wanted)
    if label is None or label not in known:
        return None
    column = known.index(label)
    return (
        f"matched by name: its output {label!r} is taken, and what that leaves",
        lambda Z: _beside_the_rest(_independent(Z, activation)[:, column]),
    )


def _label_of(wanted: Sequence[str]) -> str | None:
    """The label that two classes were made of: of ``"not toxic"`` and ``"toxic"`` the second."""
    if len(wanted) == 2 and wanted[0] == f"not {wanted[1]}":
        return wanted[1]
    return None


def _independent(Z: FloatArray, activation: str | None) -> FloatArray:
    return np.asarray(expit(Z) if activation == "sigmoid" else softmax(Z, axis=1))


def _over_classes(Z: FloatArray, activation: str | None) -> FloatArray:
    """Probabilities of classes that exclude each other; of independent ones, their shares."""
    P = _independent(Z, activation)
    # Of sigmoids that are all 0 nothing would be left to divide by.
    P = np.maximum(P, np.finfo(np.float64).tiny)
    return np.asarray(P / P.sum(axis=1, keepdims=True))


def _beside_the_rest(share: FloatArray) -> FloatArray:
    return np.stack([1.0 - share, share], axis=1)
