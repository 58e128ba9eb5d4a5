"""The problems of the benchmark: which data, how many rows, which penalty."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.path.datasets import (
    clinc150,
    clothing,
    fashion_mnist,
    newsgroups20,
    rotten_tomatoes,
    sst,
)
from benchmarks.path.datasets.features import Source, take
from benchmarks.path.datasets.generated import deep_features
from benchmarks.path.problem import Problem, make_problem


@dataclass(frozen=True)
class Spec:
    """A problem before its data are read.

    Parameters
    ----------
    title : str
    source : Source or callable
        Data, or a function that generates them.
    quick_rows : int or None
        Rows that `make bench` keeps; None leaves the problem to `make bench-full`.
    quick_limit : float
        Seconds that a run may take in `make bench`.
    l1_ratio : float
    intercept : bool
    """

    title: str
    source: Source | Callable[[], tuple[np.ndarray, np.ndarray]]
    quick_rows: int | None
    l1_ratio: float = 0.99
    intercept: bool = True
    quick_limit: float = 10.0

    def build(
        self, name: str, cache: Path, data: Path | None, rows: int | None, points: int = 100
    ) -> Problem:
        """Read (or extract, or generate) the data and make the problem."""
        if isinstance(self.source, Source):
            X, y = self.source.load(cache, data, rows)
        else:
            X, y = take(*self.source(), rows)
        return make_problem(
            name, X, y, l1_ratio=self.l1_ratio, intercept=self.intercept, points=points
        )


SPECS: dict[str, Spec] = {
    "rotten_tomatoes": Spec("MiniLM, Rotten Tomatoes", rotten_tomatoes.SOURCE, 4000),
    "sst": Spec("MiniLM, SST-2", sst.SOURCE, None),
    "rotten_tomatoes_lasso": Spec(
        "MiniLM, Rotten Tomatoes, l1_ratio 1, no intercept",
        rotten_tomatoes.SOURCE, 3000, 1.0, intercept=False,
    ),
    "rotten_tomatoes_ridge": Spec(
        "MiniLM, Rotten Tomatoes, l1_ratio 0", rotten_tomatoes.SOURCE, 4000, 0.0
    ),
    "newsgroups20": Spec("MiniLM, 20 Newsgroups", newsgroups20.SOURCE, 2500),
    "clinc150": Spec("MiniLM, CLINC150", clinc150.SOURCE, 1500, quick_limit=20.0),
    "clothing": Spec("Lite0, clothing", clothing.SOURCE, 1500),
    "fashion_mnist": Spec("Lite0, Fashion-MNIST, 12,000 rows", fashion_mnist.FEW_SOURCE, 2500),
    "fashion_mnist_70000": Spec("Lite0, Fashion-MNIST, all rows", fashion_mnist.SOURCE, None),
    "generated": Spec(
        "Generated, correlated and skewed", lambda: deep_features(20_000, 512, 10), None
    ),
}  # fmt: skip
