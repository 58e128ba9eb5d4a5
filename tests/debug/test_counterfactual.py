"""Changes that flip a prediction: they do, and none of the same kind is smaller."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from clearhead.debug import Counterfactual, SplitView, counterfactual
from clearhead.errors import InputError

from .planted import plain_layer, random_view, view_of


def predicted_after(view: SplitView, row: int, found: Counterfactual) -> int:
    z = view.z[row].copy()
    z[list(found.features)] = found.after
    return int(np.argmax(view.weight @ z + view.layer.bias))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), row=st.integers(0, 59))
@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_nearest_other_class_is_reached_and_nothing_shorter_leaves(
    norm: str, seed: int, row: int
) -> None:
    view = random_view(seed)
    found = counterfactual(view, row, norm=norm)  # type: ignore[arg-type]
    assert found is not None
    assert predicted_after(view, row, found) == found.target != view.predicted[row]
    # By the dual norm, a change of length s moves a difference of scores by at most s times it.
    source = view.predicted[row]
    needed = []
    for c in set(range(4)) - {int(source)}:
        dual = np.linalg.norm(view.weight[c] - view.weight[source], 2 if norm == "l2" else 1)
        needed.append((view.logits[row, source] - view.logits[row, c]) / dual)
    assert found.size == pytest.approx(min(needed), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_chosen_class_is_the_solution_of_a_general_solver(seed: int) -> None:
    view = random_view(seed, k=5)
    for row in range(3):
        target = int(view.logits[row].argsort()[0])  # the one farthest behind
        found = counterfactual(view, row, target)
        assert found is not None
        assert found.target == target
        assert predicted_after(view, row, found) == target
        G = np.delete(view.weight[target] - view.weight, target, axis=0)
        h = np.delete(view.logits[row] - view.logits[row, target], target)
        slow = minimize(
            lambda d: d @ d,
            np.zeros(G.shape[1]),
            jac=lambda d: 2 * d,
            constraints={"type": "ineq", "fun": lambda d, G=G, h=h: G @ d - h},
            method="SLSQP",
        )
        assert found.size == pytest.approx(np.sqrt(slow.fun), rel=1e-3)


def test_fewest_features_are_the_fewest() -> None:
    weight = np.array([[1.0, 0.5, 0.2, 0.0], [-1.0, -0.5, -0.2, 0.0]])
    view = view_of(plain_layer(weight), np.array([[2.0, 1.0, 0.0, 0.0]]), np.array([0]))
    # The margin is 5; two features moved by 2 give at most 2 * (2 + 1) = 6, one gives 4.
    found = counterfactual(view, 0, norm="fewest", reach=2.0)
    assert found is not None
    assert found.features == (0, 1)
    assert found.size == 2
    assert np.abs(found.to_frame()["moved"]).max() <= 2.0
    assert counterfactual(view, 0, norm="fewest", reach=0.5) is None


def test_percentiles_are_asked_for_the_standardised_activation() -> None:
    view = random_view(1)
    found = counterfactual(view, 0, percentile=lambda feature, z: 100.0 * feature + z)
    assert found is not None
    expected = [100.0 * j + z for j, z in zip(found.features, found.after, strict=True)]
    assert found.percentiles_after == pytest.approx(expected)
    assert list(found.to_frame()["percentile_before"]) == list(found.percentiles_before)
    assert json.loads(json.dumps(found.to_dict()))["id"] == "e0"
    assert "Counterfactual(e0" in found._repr_html_()


def test_what_cannot_be_is_said() -> None:
    view = random_view(1)
    with pytest.raises(InputError, match="already predicted"):
        counterfactual(view, 0, int(view.predicted[0]))
    with pytest.raises(InputError, match="a class from 0 to 3"):
        counterfactual(view, 0, 4)
    with pytest.raises(InputError, match="row: expected"):
        counterfactual(view, 60)
    with pytest.raises(InputError, match="norm: expected"):
        counterfactual(view, 0, norm="l1")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="reach: expected"):
        counterfactual(view, 0, norm="fewest", reach=0.0)
    blind = view_of(plain_layer(np.zeros((3, 2)), np.array([1.0, 0, 0])), np.ones((1, 2)), [0])
    assert counterfactual(blind, 0) is None
    assert counterfactual(blind, 0, 1) is None
