"""The unpenalised coefficients are polished whatever the size of their Hessian."""

from __future__ import annotations

import numpy as np
import pytest

from clearhead.glm import certificate, fit_path
from tests.glm.data import deep_features


@pytest.mark.parametrize("family", ["multinomial", "multilabel"])
@pytest.mark.parametrize("free", [0, 2])
def test_factors_and_eigenvectors_polish_alike(monkeypatch, family, free):
    X, y = deep_features(400, 6, 5, 3)
    if family == "multilabel":
        y = np.eye(5, dtype=int)[y]
    factors = np.r_[np.zeros(free), np.ones(6 - free)]
    if free:
        X[:, 1] = X[:, 0]  # free and collinear: no factor exists, and eigenvectors take over
    options = {"family": family, "penalty_factor": factors, "n_lambdas": 5, "tol": 1e-7}
    plain = fit_path(X, y, **options)
    monkeypatch.setattr(certificate, "_FEW", 1)
    pinned = fit_path(X, y, **options)
    assert pinned.optimal.all()
    np.testing.assert_allclose(pinned.losses["train"], plain.losses["train"], rtol=1e-6)


def test_a_pinned_hessian_moves_no_step():
    random = np.random.default_rng(0)
    M = random.dirichlet(np.ones(80), 300)
    H = np.diag(M.mean(0)) - M.T @ M / 300
    gradient = M[0] - M[1]
    step = certificate._Inverse(H, 80).step(gradient, 0.0)
    wanted = np.linalg.pinv(H, rcond=1e-12) @ gradient
    np.testing.assert_allclose(step - step.mean(), wanted - wanted.mean(), rtol=1e-6, atol=1e-9)
