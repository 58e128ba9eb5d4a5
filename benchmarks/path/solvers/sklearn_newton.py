"""scikit-learn's newton-cholesky: ridge only."""

from __future__ import annotations

from functools import partial

from benchmarks.path.solvers import scikit_learn
from benchmarks.path.solvers.scikit_learn import PACKAGES, prepare
from benchmarks.path.solvers.scikit_learn import ridge_only as skip

__all__ = ["LADDER", "PACKAGES", "START", "fit", "prepare", "skip"]

LADDER = scikit_learn.ladder(9)
START = 2
fit = partial(scikit_learn.fit, "newton-cholesky", 1_000)
