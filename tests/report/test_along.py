"""What moves with the slider, against the run's own objects."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from clearhead import open_run
from clearhead.layer import DecisionLayer
from clearhead.report.packed import unpack


def test_every_point_comes_back_from_its_deltas_and_scores_as_the_layer(run_folder: Path) -> None:
    run = open_run(run_folder)
    along, path = run.app_data().along, run.path()
    rows = np.array([list(map(str, run.store.ids)).index(key) for key in along.keys])
    z, columns = unpack(along.activations), unpack(along.columns).astype(int)
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
        logits = z @ weight[:, columns].T + intercept[i]
        expected = layer.logits(run.store.matrix()[rows])
        np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)
        right = layer.predict(run.store.matrix("test")) == run.store.labels("test")
        assert unpack(along.hits["test"])[i].sum() == right.sum()
