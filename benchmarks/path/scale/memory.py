"""Peak memory of a fit beyond the features, X of 1 GB and more."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.path.datasets.generated import deep_features
from benchmarks.path.scale.child import keep, measure


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the size of the problem."""
    parser.add_argument("-n", type=int, default=260_000)
    parser.add_argument("-p", type=int, default=1_024)
    parser.add_argument("-k", type=int, default=10)
    parser.add_argument("--points", type=int, default=20)
    parser.add_argument("--ratio", type=float, default=0.05, help="last lam, as a share of the max")


def child(folder: str, points: int, ratio: float) -> dict[str, Any]:
    """Load X, fit, and say how far memory rose above X."""
    from benchmarks.path import memory
    from clearhead.glm import fit_path

    X, y = np.load(Path(folder, "X.npy")), np.load(Path(folder, "y.npy"))
    fit_path(X[:200], y[:200], n_lambdas=2, lambda_min_ratio=0.5)  # what imports cost is not X's
    memory.reset_peak()
    before, start = memory.now(), perf_counter()
    path = fit_path(X, y, n_lambdas=points, lambda_min_ratio=ratio, on_event=lambda event: None)
    seconds = perf_counter() - start
    gap = float(path.gaps.max())
    return {"increment": memory.peak() - before, "seconds": seconds, "gap": gap}


def main(a: argparse.Namespace) -> None:
    """Generate, fit in a process of its own, compare with what is allowed."""
    with tempfile.TemporaryDirectory() as folder:
        X, y = deep_features(a.n, a.p, a.k)
        np.save(Path(folder, "X.npy"), X)
        np.save(Path(folder, "y.npy"), y)
        size = X.nbytes
        del X
        found = measure(__name__, folder=folder, points=a.points, ratio=a.ratio)
    allowed = 1.5 * 3 * 4 * a.n * a.k + 0.3 * size
    text = (
        f"{a.n:,} × {a.p:,} float32 ({size / 1e9:.2f} GB), {a.k} classes, {a.points} λ down to "
        f"{a.ratio:g} λ_max. Allowed are 1.5 times three n × K arrays of float32 and 0.3 X."
    )
    columns = ["increment over X, MB", "allowed, MB", "seconds", "largest gap"]
    if "error" in found:
        rows = [["failed: " + found["error"], f"{allowed / 1e6:,.0f}", "–", "–"]]
    else:
        rows = [[
            f"{found['increment'] / 1e6:,.0f}", f"{allowed / 1e6:,.0f}",
            f"{found['seconds']:.1f}", f"{found['gap']:.1e}",
        ]]  # fmt: skip
    keep(a.results, "memory", "Memory", text, columns, rows)
