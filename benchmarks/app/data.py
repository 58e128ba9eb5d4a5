"""1,000 classes and 2,048 features as the app gets them: the schema is real, the numbers not."""

from __future__ import annotations

import numpy as np
from tests.report.sample import sample_report

from benchmarks.app.cards import bias_of, compare_of
from clearhead.report.along import MOST_ACTIVATIONS, MOST_WEIGHTS, AlongPath, AppData
from clearhead.report.packed import pack, pack_columns

__all__ = ["large_app"]


def large_app(
    K: int = 1000, p: int = 2048, used: int = 25, n: int = 8000, most: int = 100, seed: int = 0
) -> AppData:
    """As many points as travel, from one feature a class to `most`; `n` examples."""
    rng = np.random.default_rng(seed)
    report = sample_report(K=K, p=p, used=used, n_examples=n)
    counts = np.unique(np.geomspace(1, most, 40).astype(int))
    while counts.sum() * K > MOST_WEIGHTS:
        counts = counts[:-1]
    order = np.argsort(rng.random((K, p)), axis=1)[:, : 2 * most]
    weight = rng.normal(size=(K, 2 * most)).astype(np.float32)
    held: set[int] = set()
    enter, leave, values = [], [], []
    for at, count in enumerate(counts):
        # Of those in use a tenth leaves again as others come: paths do that.
        first = max(0, int(0.1 * at))
        columns = order[:, first : first + count]
        position = (np.arange(K)[:, None] * p + columns).ravel()
        sort = np.argsort(position)
        now = set(position.tolist())
        enter.append(np.array(sorted(now - held), dtype=np.uint32))
        leave.append(np.array(sorted(held - now), dtype=np.uint32))
        values.append(weight[:, first : first + count].ravel()[sort] * (at + 1) / len(counts))
        held = now
    n_points = len(counts)
    selected = report.path.selected
    first = min(selected, len(report.path.points) - n_points)
    points = list(range(first, first + n_points))
    keys = [card.key for card in report.examples][: MOST_ACTIVATIONS // p]
    labels = [card.label for card in report.examples][: len(keys)]
    along = AlongPath(
        points=points,
        intercept=pack(rng.normal(size=(n_points, K)), "float32"),
        enter_counts=pack(np.array([len(one) for one in enter]), "uint32"),
        enter=pack(np.concatenate(enter), "uint32"),
        leave_counts=pack(np.array([len(one) for one in leave]), "uint32"),
        leave=pack(np.concatenate(leave), "uint32"),
        values=pack(np.concatenate(values), "float32"),
        hits={
            split: pack(rng.integers(0, 40, size=(n_points, K)), "uint32")
            for split in ("validation", "test")
        },
        dense_hits={
            split: rng.integers(0, 40, size=K).tolist() for split in ("validation", "test")
        },
        mean_at=pack(np.array([], dtype=np.uint32), "uint32"),
        mean=pack(np.array([], dtype=np.float32), "float32"),
        columns=pack(np.arange(p), "uint32"),
        keys=keys,
        labels=labels,
        splits=[card.split for card in report.examples][: len(keys)],
        activations=pack_columns(rng.normal(size=(len(keys), p))),
        whole_test=False,
        dense_intercept=pack(rng.normal(size=K), "float32"),
    )
    fields = {name: getattr(report, name) for name in type(report).model_fields}
    return AppData(
        **fields,
        along=along,
        layer_fingerprint="",
        bias=bias_of(report, rng),
        compare=[compare_of(report, rng)],
    )
