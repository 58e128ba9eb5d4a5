"""The parts of the scale benchmarks, on small problems."""

from __future__ import annotations

import argparse

import numpy as np
import pytest
from benchmarks.path.datasets.generated import deep_features
from benchmarks.path.scale import gpu, growth, streaming

from clearhead.features import FeatureStore


def test_store_holds_the_given_features(tmp_path):
    X, y = deep_features(50, 6, 3)
    streaming.make_store(X, y, tmp_path / "store")
    with FeatureStore.open(tmp_path / "store") as store:
        np.testing.assert_array_equal(store.matrix(), X)
        np.testing.assert_array_equal(store.labels(), y)


def test_more_rows_are_of_the_same_population():
    X, y = deep_features(9000, 5, 3)
    few, few_labels = deep_features(8192, 5, 3)
    np.testing.assert_array_equal(X[:8192], few)
    np.testing.assert_array_equal(y[:8192], few_labels)


def test_exponent_of_a_power():
    assert growth.exponent([10, 100, 1000], [3.0, 30.0, 300.0]) == pytest.approx(1.0)


def test_gpu_benchmark_runs_on_a_cpu(tmp_path):
    arguments = argparse.Namespace(
        n=600, p=12, k=3, points=4, ratio=0.1, tol=1e-4, device="cpu", count=True,
        results=tmp_path,
    )  # fmt: skip
    gpu.main(arguments)
    assert "| 4/4 |" in _row(tmp_path)


def _row(folder):
    import json

    value = json.loads((folder / "scale" / "gpu.json").read_text())
    return "| " + " | ".join(value["rows"][0]) + " |"
