"""The objective written out plainly, and a slow, obvious minimiser of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logsumexp, xlogy

from clearhead._types import FloatArray, IntArray


def standardised(X: FloatArray, weights: FloatArray | None = None) -> FloatArray:
    """Features with weighted mean 0 and population deviation 1; constants become 0."""
    X = np.asarray(X, np.float64)
    w = np.ones(len(X)) if weights is None else np.asarray(weights, np.float64)
    center = np.average(X, axis=0, weights=w)
    scale = np.sqrt(np.average((X - center) ** 2, axis=0, weights=w))
    return (X - center) / np.where(scale > 0, scale, 1.0)


def row_losses(Z: FloatArray, y: Any, family: str) -> FloatArray:
    """Loss (n,) of scores Z (n, O), summed over outputs; y as :func:`fit_path` takes it."""
    y = np.asarray(y)
    if family in ("binomial", "multinomial") and y.ndim == 2:
        scores = np.hstack([np.zeros_like(Z), Z]) if family == "binomial" else Z
        logs = scores - logsumexp(scores, axis=1, keepdims=True)
        return np.asarray((xlogy(y, y) - y * logs).sum(axis=1))
    if family == "multinomial":
        return np.asarray(logsumexp(Z, axis=1) - Z[np.arange(len(y)), y])
    Y = y[:, None] if y.ndim == 1 else y
    if family == "gaussian":
        return np.asarray(0.5 * ((Y - Z) ** 2).sum(axis=1))
    own = xlogy(Y, Y) + xlogy(1 - Y, 1 - Y)
    return np.asarray((np.logaddexp(0.0, Z) - Y * Z + own).sum(axis=1))


def mean_target(Z: FloatArray, family: str) -> FloatArray:
    """What is expected (n, O) at scores Z."""
    if family == "gaussian":
        return Z
    if family == "multinomial":
        return np.asarray(np.exp(Z - logsumexp(Z, axis=1, keepdims=True)))
    return np.asarray(expit(Z))


def objective(
    S: FloatArray,
    y: Any,
    W: FloatArray,
    b: FloatArray,
    lam: float,
    l1_ratio: float,
    weights: FloatArray | None = None,
    factors: FloatArray | None = None,
    family: str | None = None,
    grouped: bool = False,
) -> float:
    """``mean_i s_i loss + lam sum_j f_j (r |w| + (1 - r)/2 w^2)`` on standardised features S."""
    w = np.ones(len(S)) if weights is None else np.asarray(weights, np.float64)
    f = np.ones(S.shape[1]) if factors is None else factors
    if family is None:
        family = "binomial" if W.shape[0] == 1 else "multinomial"
    loss = row_losses(S @ W.T + b, y, family)
    size = np.sqrt((W**2).sum(axis=0)) if grouped else np.abs(W).sum(axis=0)
    penalty = f @ (l1_ratio * size + (1 - l1_ratio) / 2 * (W**2).sum(axis=0))
    return float(np.average(loss, weights=w) + lam * penalty)


def slow_minimum(
    S: FloatArray,
    y: Any,
    lam: float,
    l1_ratio: float,
    *,
    family: str,
    grouped: bool = False,
    weights: FloatArray | None = None,
    factors: FloatArray | None = None,
    steps: int = 20_000,
) -> float:
    """Smallest objective of any family and penalty, by accelerated proximal gradient steps.

    Always at or above the optimum; factors may be infinite.
    """
    w = np.ones(len(S)) if weights is None else np.asarray(weights, np.float64)
    f = np.ones(S.shape[1]) if factors is None else factors
    S, f = S[:, np.isfinite(f)], f[np.isfinite(f)]
    w = w / w.sum()
    Y = np.asarray(y)
    if family == "multinomial" and Y.ndim == 1:
        Y = np.eye(int(Y.max()) + 1)[Y]
    if family == "binomial" and Y.ndim == 2:
        Y = Y[:, 1]
    target = Y.reshape(len(S), -1)
    outputs = target.shape[1]
    E = np.hstack([np.ones((len(S), 1)), S])
    flat, bend = np.append(0.0, lam * l1_ratio * f), np.append(0.0, lam * (1 - l1_ratio) * f)
    most = {"gaussian": 1.0, "multinomial": 0.5}.get(family, 0.25)
    t = 1.0 / (most * np.linalg.eigvalsh((E.T * w) @ E)[-1])

    def value(X: FloatArray) -> float:
        return objective(
            S, y, X[:, 1:], X[:, 0], lam, l1_ratio, w, f, family=family, grouped=grouped
        )

    X = np.zeros((outputs, E.shape[1]))
    ahead, momentum, best = X, 1.0, value(X)
    for _ in range(steps):
        R = (mean_target(E @ ahead.T, family) - target) * w[:, None]
        raw = ahead - t * (R.T @ E)
        size = np.sqrt((raw**2).sum(axis=0)) if grouped else np.abs(raw)
        new = raw * np.maximum(1 - t * flat / np.maximum(size, 1e-300), 0.0) / (1 + t * bend)
        if ((ahead - new) * (new - X)).sum() > 0:
            momentum = 1.0
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = new + (momentum - 1) / following * (new - X)
        done = np.abs(new - X).max() < 1e-13
        X, momentum = new, following
        if done:
            break
    return min(best, value(X))


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
