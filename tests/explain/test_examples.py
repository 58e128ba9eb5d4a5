"""The extremes of a feature, against sorting."""

from __future__ import annotations

import numpy as np
import pytest

from clearhead.errors import InputError
from clearhead.explain import FeatureExamples, find_examples
from clearhead.layer import Certificate, DecisionLayer


def layer_of(weight: np.ndarray) -> DecisionLayer:
    p = weight.shape[1]
    return DecisionLayer(
        weight=weight,
        bias=np.zeros(len(weight)),
        center=np.full(p, 1.0),
        scale=np.full(p, 2.0),
        dead=np.zeros(p, dtype=bool),
        class_names=("no", "yes"),
        certificate=Certificate("binomial", 0.1, 0.99, 1e-5, 1e-4, "optimal"),
    )


def test_extremes_are_those_of_sorting() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 4))
    ids = np.array([f"id{i}" for i in range(30)], dtype=object)
    layer = layer_of(np.array([[0.0, 1.0, 0.0, -1.0], [0.0, -1.0, 0.0, 1.0]]))
    found = find_examples(layer, X, ids, k=5)
    assert [f.feature for f in found] == [1, 3]
    for f in found:
        z = (X[:, f.feature] - 1.0) / 2.0
        assert [a for _, a in f.highest] == pytest.approx(sorted(z, reverse=True)[:5])
        assert [a for _, a in f.lowest] == pytest.approx(sorted(z)[:5])
        assert f.highest[0][0] == f"id{z.argmax()}"
        assert sum(f.counts) == 30
        assert FeatureExamples.from_dict(f.to_dict()) == f
        assert len(f.to_frame()) == 10
        assert f.plot().get_xlabel().startswith(f"feature {f.feature}")


def test_few_examples_and_a_constant_feature_are_no_problem() -> None:
    layer = layer_of(np.ones((2, 1)))
    found = find_examples(layer, np.ones((3, 1)), np.array(["a", "b", "c"], dtype=object), k=8)
    assert len(found[0].highest) == 3
    with pytest.raises(InputError, match="k: expected"):
        find_examples(layer, np.ones((3, 1)), np.array(["a", "b", "c"], dtype=object), k=0)
