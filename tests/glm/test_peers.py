"""Agreement with scikit-learn and glmnet on the objective, to 1e-6 relative."""

from __future__ import annotations

import csv
from itertools import groupby
from pathlib import Path as FilePath

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from clearhead.glm import fit_path
from tests.glm.data import deep_features, lcg_problem
from tests.glm.oracle import objective, standardised

REFERENCE = FilePath(__file__).parent / "peers" / "glmnet_reference.csv"


@pytest.mark.peer
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("k", [2, 3, 20])
def test_scikit_learn(k, l1_ratio, weighted):
    n = 300 if k == 20 else 150
    X, y = deep_features(n, 10, k, 11)
    weights = np.random.default_rng(1).integers(1, 4, n).astype(float)
    weights = weights * n / weights.sum() if weighted else np.ones(n)
    path = fit_path(X, y, l1_ratio=l1_ratio, lambdas=[0.03, 0.01], sample_weight=weights, tol=1e-9)
    S = standardised(X, weights)
    for i, lam in enumerate([0.03, 0.01]):
        peer = LogisticRegression(
            C=1 / (n * lam), l1_ratio=l1_ratio, solver="lbfgs" if l1_ratio == 0 else "saga",
            tol=1e-9, max_iter=50_000,
        ).fit(S, y, sample_weight=weights)  # fmt: skip
        theirs = objective(S, y, peer.coef_, peer.intercept_, lam, l1_ratio, weights)
        ours = objective(S, y, path.coef(i), path.intercept(i), lam, l1_ratio, weights)
        assert path.status[i] == "optimal"
        assert ours <= theirs * (1 + 2e-9)
        assert abs(ours - theirs) <= 1e-6 * theirs


def _glmnet_cases():
    with REFERENCE.open(newline="") as file:
        rows = list(csv.DictReader(file))
    key = ("k", "n", "p", "seed", "weighted", "l1_ratio")
    for name, group in groupby(rows, lambda row: tuple(row[c] for c in key)):
        yield pytest.param(
            name, [(float(r["lam"]), float(r["objective"])) for r in group], id="-".join(name)
        )


@pytest.mark.parametrize(("case", "points"), list(_glmnet_cases()))
def test_glmnet(case, points):
    k, n, p, seed, weighted = (int(v) for v in case[:5])
    l1_ratio = float(case[5])
    X, y, weights = lcg_problem(n, p, k, seed)
    weights = weights if weighted else np.ones(n)
    path = fit_path(
        X, y, l1_ratio=l1_ratio, lambdas=[lam for lam, _ in points], sample_weight=weights, tol=1e-9
    )
    assert path.optimal.all()
    S = standardised(X, weights)
    for i, (lam, theirs) in enumerate(points):
        ours = objective(S, y, path.coef(i), path.intercept(i), lam, l1_ratio, weights)
        assert ours <= theirs * (1 + 2e-9)
        assert abs(ours - theirs) <= 1e-6 * theirs
