"""A path from a feature store on disk: speed against memory, and under a limit of memory."""

from __future__ import annotations

import argparse
import resource
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.path.datasets.generated import deep_features
from benchmarks.path.scale.child import keep, measure


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the size of the problem."""
    parser.add_argument("-n", type=int, default=200_000)
    parser.add_argument("-p", type=int, default=1_024)
    parser.add_argument("-k", type=int, default=10)
    parser.add_argument("--points", type=int, default=20)
    parser.add_argument("--ratio", type=float, default=0.05, help="last lam, as a share of the max")


class _Rows:
    """Stands for a network: the "text" of an example is the number of its row."""

    def __init__(self, X: np.ndarray) -> None:
        self.X = X

    def __call__(self, examples: Sequence[str]) -> Any:
        import torch

        from clearhead.backbones import Batch

        return Batch((torch.from_numpy(self.X[[int(e) for e in examples]]),))

    def describe(self) -> Mapping[str, Any]:
        return {"generated": list(self.X.shape)}

    def length(self, example: str) -> int:
        return 0


def make_store(X: np.ndarray, y: np.ndarray, folder: Path) -> None:
    """Write a store of given features; its splits are not used."""
    import torch

    from clearhead.backbones import Backbone
    from clearhead.data import TextDataset
    from clearhead.features import extract

    rows = _Rows(X)
    backbone = Backbone.from_module(
        torch.nn.Identity(), prepare=rows, name="generated", modality="text",
        example_batch=rows(["0", "1"]), encoder=True, batch_size=4096,
    )  # fmt: skip
    numbers = [str(i) for i in range(len(y))]
    dataset = TextDataset.from_texts(numbers, [f"{c:04d}" for c in y], ids=numbers)
    extract(backbone, dataset, folder)


def child(
    folder: str, how: str, points: int, ratio: float, limit: int | None = None
) -> dict[str, Any]:
    """Fit from memory or from disk, perhaps with a limit on what may be allocated."""
    from benchmarks.path import memory
    from clearhead.features import FeatureStore
    from clearhead.glm import fit_path

    store = FeatureStore.open(folder)  # verifying it reads it: the file cache is warm
    few = store.features_of_shard(0)[:500].copy()
    fit_path(few, store.labels()[:500], n_lambdas=2, lambda_min_ratio=0.5)
    if limit is not None:
        _limit(limit)
    X = store.matrix() if how == "memory" else store.rows()
    memory.reset_peak()
    before, start = memory.now(), perf_counter()
    path = fit_path(
        X, store.labels(), n_lambdas=points, lambda_min_ratio=ratio, on_event=lambda event: None
    )
    seconds = perf_counter() - start
    increment, gap = memory.peak() - before, float(path.gaps.max())
    return {"seconds": seconds, "increment": increment, "gap": gap}


def _limit(size: int) -> None:
    """Allow so many bytes of allocations from now on; mapped files do not count."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmData:"):
            most = 1024 * int(line.split()[1]) + size
            resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def main(a: argparse.Namespace) -> None:
    """Write a store; fit from memory, from disk, and from disk under a limit of a quarter."""
    with tempfile.TemporaryDirectory() as scratch:
        X, y = deep_features(a.n, a.p, a.k)
        size = X.nbytes
        make_store(X, y, Path(scratch, "store"))
        del X
        common = {"folder": str(Path(scratch, "store")), "points": a.points, "ratio": a.ratio}
        runs = {
            "in memory": measure(__name__, how="memory", **common),
            "from disk, file cache warm": measure(__name__, how="disk", **common),
            f"from disk, at most {size / 4e6:,.0f} MB of allocations": measure(
                __name__, how="disk", limit=size // 4, **common
            ),
        }
    base = runs["in memory"].get("seconds")
    rows = []
    for name, found in runs.items():
        if "error" in found:
            rows.append([name, "failed: " + found["error"], "–", "–", "–"])
            continue
        speed = f"{base / found['seconds']:.2f}" if base else "–"
        rows.append([
            name, f"{found['seconds']:.1f}", speed, f"{found['increment'] / 1e6:,.0f}",
            f"{found['gap']:.1e}",
        ])  # fmt: skip
    text = (
        f"A store of {a.n:,} × {a.p:,} float32 ({size / 1e9:.2f} GB), {a.k} classes, "
        f"{a.points} λ down to {a.ratio:g} λ_max."
    )
    columns = ["features", "seconds", "speed, in memory = 1", "peak increment, MB", "largest gap"]
    keep(a.results, "streaming", "From disk", text, columns, rows)
