"""Reports made without a run, as the app takes them."""

from __future__ import annotations

import numpy as np

from clearhead.report.along import MOST_ACTIVATIONS, AlongPath, AppData
from clearhead.report.packed import pack, pack_columns
from clearhead.report.schema import ReportData

__all__ = ["sample_app"]


def sample_app(report: ReportData) -> AppData:
    """`report`, and what moves with the slider: an empty layer and the selected one."""
    K, p = len(report.classes), report.model.n_features
    W = np.zeros((K, p), dtype=np.float32)
    for row in report.classes:
        for one in row.features:
            W[row.index, one.feature] = one.weight
    points = sorted({0, report.path.selected})
    position, columns = np.flatnonzero(W), np.flatnonzero(W.any(axis=0))
    examples = report.examples[: MOST_ACTIVATIONS // max(1, len(columns))]
    z = np.random.default_rng(0).normal(size=(len(examples), len(columns)))
    none = pack(np.array([]), "uint32")
    along = AlongPath(
        points=points,
        intercept=pack(np.zeros((len(points), K)), "float32"),
        enter_counts=pack(np.array([0] * (len(points) - 1) + [len(position)]), "uint32"),
        enter=pack(position, "uint32"),
        leave_counts=pack(np.zeros(len(points)), "uint32"),
        leave=none,
        values=pack(W.ravel()[position], "float32"),
        hits={},
        dense_hits={},
        mean_at=none,
        mean=pack(np.array([]), "float32"),
        columns=pack(columns, "uint32"),
        keys=[one.key for one in examples],
        labels=[one.label for one in examples],
        splits=[one.split for one in examples],
        activations=pack_columns(z),
        whole_test=False,
        dense_intercept=pack(np.zeros(K), "float32"),
    )
    fields = {name: getattr(report, name) for name in ReportData.model_fields}
    return AppData(**fields, along=along, layer_fingerprint="5eed")
