"""How a network's outputs are read as predictions of the data's classes."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import expit, softmax

from clearhead.features import own_predictions

LOGITS = np.array([[2.0, -1.0, 0.5], [-3.0, 4.0, 1.0]])


def predicted(logits, names, classes, activation=None):
    """Of a store with a head, whose outputs were kept."""
    head = (np.eye(logits.shape[1]), np.zeros(logits.shape[1]), names)
    return own_predictions(
        SimpleNamespace(
            head=head, class_names=classes, multilabel=False, activation=activation,
            outputs=lambda: logits,
        )
    )  # fmt: skip


@pytest.mark.parametrize(
    ("names", "classes", "wanted"),
    [
        (("negative", "positive"), ("negative", "positive"), [1, 0]),
        (("negative", "positive"), ("positive", "negative"), [0, 1]),
        (("toxic",), ("not toxic", "toxic"), [1, 0]),
        (("fine", "toxic"), ("not toxic", "toxic"), [1, 0]),
        (None, ("negative", "positive"), [1, 0]),
        (None, ("a", "b", "c"), None),
        (("x", "y"), ("a", "b"), None),
    ],
)
def test_one_output_decides_between_two_classes_by_its_sign(names, classes, wanted):
    found = predicted(np.array([[2.0], [-0.5]]), names, classes)
    assert (None if found is None else found.predicted.tolist()) == wanted
    if found is not None:
        sure = expit([2.0, -0.5])
        np.testing.assert_allclose(found.probabilities[[0, 1], wanted], np.maximum(sure, 1 - sure))


def test_classes_are_put_in_the_datas_order():
    found = predicted(LOGITS, ("a", "b", "c"), ("c", "a", "b"))
    np.testing.assert_allclose(found.probabilities, softmax(LOGITS, axis=1)[:, [2, 0, 1]])
    assert predicted(LOGITS, ("a", "b", "d"), ("c", "a", "b")) is None
    assert predicted(LOGITS, None, ("a", "b")) is None


def test_one_of_several_labels_is_taken():
    names = ("rude", "toxic", "odd")
    for activation, of in (("sigmoid", expit), ("softmax", lambda Z: softmax(Z, axis=1))):
        found = predicted(LOGITS, names, ("not toxic", "toxic"), activation)
        np.testing.assert_allclose(found.probabilities[:, 1], of(LOGITS)[:, 1])
        np.testing.assert_allclose(found.probabilities.sum(axis=1), 1.0)


def test_independent_outputs_over_classes_are_shared_out():
    found = predicted(LOGITS, None, ("a", "b", "c"), "sigmoid")
    np.testing.assert_allclose(
        found.probabilities, expit(LOGITS) / expit(LOGITS).sum(axis=1)[:, None]
    )


def test_an_older_store_without_outputs_and_one_without_a_head():
    features = np.array([[1.0, 0.0], [0.0, 3.0]])
    head = (np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0.0, 0.5]), None)
    store = SimpleNamespace(
        head=head, class_names=("a", "b"), multilabel=False, activation=None,
        outputs=lambda: None, matrix=lambda: features,
    )  # fmt: skip
    wanted = softmax(features + head[1], axis=1)
    np.testing.assert_allclose(own_predictions(store).probabilities, wanted)
    store.head = None
    assert own_predictions(store) is None
