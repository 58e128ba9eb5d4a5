"""A class that is taken for another is told, and with whom; ordinary errors are not."""

from __future__ import annotations

import numpy as np
import pytest

from clearhead.debug import SplitView
from clearhead.debug.finding import rank
from clearhead.debug.layer.confused import find_confused
from tests.debug.planted import plain_layer, view_of


def view(confused: float, seed: int, name: str = "e", k: int = 4, n: int = 400) -> SplitView:
    """Class 0 lies on class 1 for a share of its examples; the others lie apart."""
    rng = np.random.default_rng(seed)
    y = rng.integers(k, size=n)
    looks = np.where((y == 0) & (rng.random(n) < confused), 1, y)
    X = 3.0 * np.eye(k)[looks] + rng.normal(scale=0.5, size=(n, k))
    return view_of(plain_layer(np.eye(k)), X, y, name)


def test_a_class_that_is_taken_for_another_is_found() -> None:
    test = view(0.7, 1)
    (found,) = rank(list(find_confused(view(0.7, 0), test)))
    rows = test.labels == 0
    assert found.confirmed
    assert found.classes == (0, 1)
    assert found.effect.value == pytest.approx((test.predicted[rows] == 1).mean())
    assert found.effect.n == int(rows.sum())
    assert set(found.examples) <= set(test.ids[rows & (test.predicted == 1)])


@pytest.mark.parametrize("share", [0.0, 0.2])
def test_ordinary_errors_are_no_finding(share: float) -> None:
    assert list(find_confused(view(share, 0), view(share, 1))) == []


def test_what_does_not_hold_on_test_is_not_confirmed() -> None:
    (found,) = rank(list(find_confused(view(0.7, 0), view(0.1, 1))))
    assert not found.confirmed


def test_of_a_class_with_few_examples_nothing_is_said() -> None:
    assert list(find_confused(view(0.7, 0, n=30), view(0.7, 1, n=30))) == []
