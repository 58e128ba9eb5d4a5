"""The objective written out plainly, and a slow, obvious minimiser of it."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

from clearhead._types import FloatArray, IntArray


def standardised(X: FloatArray, weights: FloatArray | None = None) -> FloatArray:
    """Features with weighted mean 0 and population deviation 1; constants become 0."""
    X = np.asarray(X, np.float64)
    w = np.ones(len(X)) if weights is None else np.asarray(weights, np.float64)
    center = np.average(X, axis=0, weights=w)
    scale = np.sqrt(np.average((X - center) ** 2, axis=0, weights=w))
    return (X - center) / np.where(scale > 0, scale, 1.0)


def objective(
    S: FloatArray,
    y: IntArray,
    W: FloatArray,
    b: FloatArray,
    lam: float,
    l1_ratio: float,
    weights: FloatArray | None = None,
    factors: FloatArray | None = None,
) -> float:
    """``mean_i s_i loss + lam sum_j f_j (r |w| + (1 - r)/2 w^2)`` on standardised features S."""
    w = np.ones(len(S)) if weights is None else np.asarray(weights, np.float64)
    f = np.ones(S.shape[1]) if factors is None else factors
    Z = S @ W.T + b
    if W.shape[0] == 1:
        loss = np.logaddexp(0.0, np.where(y == 1, -Z[:, 0], Z[:, 0]))
    else:
        loss = logsumexp(Z, axis=1) - Z[np.arange(len(y)), y]
    penalty = f @ (l1_ratio * np.abs(W).sum(axis=0) + (1 - l1_ratio) / 2 * (W**2).sum(axis=0))
    return float(np.average(loss, weights=w) + lam * penalty)


def brute_force(
    S: FloatArray,
    y: IntArray,
    k: int,
    lam: float,
    l1_ratio: float,
    weights: FloatArray | None = None,
    factors: FloatArray | None = None,
) -> float:
    """Smallest objective by L-BFGS-B over W = U - V with U, V >= 0."""
    rows, p = (1 if k == 2 else k), S.shape[1]
    w = np.ones(len(S)) if weights is None else np.asarray(weights, np.float64)
    w = w / w.sum()
    f = np.ones(p) if factors is None else factors
    one_hot = np.eye(k)[y]

    def value(x: FloatArray) -> tuple[float, FloatArray]:
        U, V, b = x[: rows * p].reshape(rows, p), x[rows * p : -rows].reshape(rows, p), x[-rows:]
        W = U - V
        Z = S @ W.T + b
        if rows == 1:
            Z = np.hstack([np.zeros_like(Z), Z])
        loss = logsumexp(Z, axis=1) - (Z * one_hot).sum(axis=1)
        R = (np.exp(Z - logsumexp(Z, axis=1, keepdims=True)) - one_hot) * w[:, None]
        R = R[:, -rows:]
        smooth = R.T @ S + lam * (1 - l1_ratio) * f * W
        flat = lam * l1_ratio * f
        total = w @ loss + lam * (
            f @ (l1_ratio * (U + V).sum(0) + (1 - l1_ratio) / 2 * (W**2).sum(0))
        )
        return total, np.concatenate(
            [(smooth + flat).ravel(), (-smooth + flat).ravel(), R.sum(axis=0)]
        )

    bounds = [(0, None)] * (2 * rows * p) + [(None, None)] * rows
    options = {"maxiter": 20000, "maxfun": 40000, "ftol": 1e-15, "gtol": 1e-10, "maxcor": 30}
    found = minimize(
        value, np.zeros(len(bounds)), jac=True, bounds=bounds, method="L-BFGS-B", options=options
    )
    return float(found.fun)
