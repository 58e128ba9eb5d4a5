"""What moves with the slider, against the run's own objects."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from clearhead import open_run
from clearhead.layer import DecisionLayer
from clearhead.report.packed import pack_columns, unpack, unpack_columns


def test_every_point_comes_back_from_its_deltas_and_scores_as_the_layer(run_folder: Path) -> None:
    run = open_run(run_folder)
    along, path = run.app_data().along, run.path()
    rows = np.array([list(map(str, run.store.ids)).index(key) for key in along.keys])
    z, columns = unpack_columns(along.activations), unpack(along.columns).astype(int)
    step = unpack(along.activations.step)
    exact = run.layer().standardize(run.store.matrix()[rows], columns)
    assert np.all(np.abs(z - exact) <= 0.501 * step)
    assert step.max() < 1e-3
    values, intercept = unpack(along.values), unpack(along.intercept)
    held: set[int] = set()
    entered = left = spent = 0
    for i, point in enumerate(along.points):
        n_enter, n_leave = unpack(along.enter_counts)[i], unpack(along.leave_counts)[i]
        held |= set(unpack(along.enter)[entered : entered + n_enter].tolist())
        held -= set(unpack(along.leave)[left : left + n_leave].tolist())
        entered, left = entered + n_enter, left + n_leave
        layer = DecisionLayer.from_path(path, point)
        weight = np.zeros_like(layer.weight)
        weight.ravel()[sorted(held)] = values[spent : spent + len(held)]
        spent += len(held)
        np.testing.assert_allclose(weight, layer.weight, rtol=1e-6)
        logits = exact @ weight[:, columns].T + intercept[i]
        expected = layer.logits(run.store.matrix()[rows])
        np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)
        shown = z @ weight[:, columns].T + intercept[i]
        most = np.abs(weight[:, columns]) @ (0.501 * step) + 1e-5 * np.abs(logits) + 1e-5
        assert np.all(np.abs(shown - logits) <= most)
        right = layer.predict(run.store.matrix("test")) == run.store.labels("test")
        assert unpack(along.hits["test"])[i].sum() == right.sum()


def test_a_matrix_in_16_bits_comes_back_to_half_a_step() -> None:
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(50, 4)) * [1e-6, 1, 1e4, 0] + [0, -3, 1e5, 7]
    packed = pack_columns(matrix)
    step = unpack(packed.step)
    np.testing.assert_allclose(step, np.ptp(matrix, axis=0) / (2**16 - 1), rtol=1e-2)
    assert np.all(np.abs(unpack_columns(packed) - matrix) <= 0.51 * step + 1e-7 * np.abs(matrix))
    assert unpack_columns(pack_columns(matrix[:0])).shape == (0, 4)
