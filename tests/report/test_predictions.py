"""What the network itself predicts, from its features and its head."""

from types import SimpleNamespace

import numpy as np
import pytest

from clearhead.report.predictions import _own_predictions


@pytest.mark.parametrize(
    ("names", "classes", "wanted"),
    [
        (("negative", "positive"), ("negative", "positive"), [1, 0]),
        (("negative", "positive"), ("positive", "negative"), [0, 1]),
        (None, ("negative", "positive"), [1, 0]),
        (None, ("a", "b", "c"), None),
    ],
)
def test_one_output_decides_between_two_classes_by_its_sign(names, classes, wanted):
    head = (np.array([[1.0, 0.0]]), np.array([-1.0]), names)
    store = SimpleNamespace(head=head, class_names=classes)
    network = _own_predictions(store, np.array([[3.0, 5.0], [0.5, 5.0]]))
    assert (None if network is None else network.predicted.tolist()) == wanted
