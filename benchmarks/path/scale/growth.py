"""How the time of a path grows with rows, features and classes."""

from __future__ import annotations

import argparse
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.path.datasets.generated import deep_features
from benchmarks.path.scale.child import keep, measure

ROWS = (10_000, 31_623, 100_000, 316_228, 1_000_000)
FEATURES = (128, 256, 512, 1024, 2048)
CLASSES = (5, 10, 20, 40, 80)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare how far to go."""
    parser.add_argument("--most-rows", type=int, default=ROWS[-1])
    parser.add_argument("--points", type=int, default=30)
    parser.add_argument("--ratio", type=float, default=0.03, help="last lam, as a share of the max")
    parser.add_argument(
        "--only", choices=["n", "p", "K"], help="grow only one of them (all by default)"
    )


def child(n: int, p: int, k: int, points: int, ratio: float) -> dict[str, Any]:
    """Fit one generated problem; twenty features a class are active, whatever p and K."""
    from clearhead.glm import fit_path

    X, y = deep_features(n, p, k)
    fit_path(X[:500], y[:500], n_lambdas=2, lambda_min_ratio=0.5)
    start = perf_counter()
    path = fit_path(X, y, n_lambdas=points, lambda_min_ratio=ratio, on_event=lambda event: None)
    seconds = perf_counter() - start
    active, gap = float(path.features_per_class[-1]), float(path.gaps.max())
    return {"seconds": seconds, "active": active, "gap": gap}


def exponent(sizes: list[int], seconds: list[float]) -> float:
    """Slope of log time over log size, by least squares."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def main(a: argparse.Namespace) -> None:
    """Grow one size at a time."""
    grown: dict[str, list[tuple[int, int, int]]] = {
        "n": [(n, 128, 5) for n in ROWS if n <= a.most_rows],
        "p": [(20_000, p, 10) for p in FEATURES],
        "K": [(20_000, 256, k) for k in CLASSES],
    }
    rows, slopes = [], []
    for at, (what, shapes) in enumerate(grown.items()):
        if a.only and what != a.only:
            continue
        sizes, seconds = [], []
        for n, p, k in shapes:
            found = measure(__name__, n=n, p=p, k=k, points=a.points, ratio=a.ratio)
            shape = [what, f"{n:,}", f"{p:,}", str(k)]
            if "error" in found:
                rows.append([*shape, "failed: " + found["error"], "–", "–"])
                continue
            sizes.append((n, p, k)[at])
            seconds.append(found["seconds"])
            rows.append(
                [*shape, f"{seconds[-1]:.2f}", f"{found['active']:.1f}", f"{found['gap']:.1e}"]
            )
            print(" ".join(rows[-1]), flush=True)
        if len(sizes) > 1:
            slopes.append(f"{what}^{exponent(sizes, seconds):.2f}")
    text = (
        f"Generated features of which about 20 a class are active; {a.points} λ down to "
        f"{a.ratio:g} λ_max. Fitted exponents: time grows as {', '.join(slopes)}."
    )
    columns = ["grown", "n", "p", "K", "seconds", "features a class at the end", "largest gap"]
    keep(a.results, "growth", "Growth", text, columns, rows)
