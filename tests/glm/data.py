"""Problems to fit: correlated, skewed features like those of a network."""

from __future__ import annotations

from typing import Any

import numpy as np

from clearhead._types import FloatArray, IntArray


def deep_features(n: int, p: int, k: int, seed: int = 0) -> tuple[FloatArray, IntArray]:
    """Rectified, correlated features (n, p) and labels of k classes, each present."""
    random = np.random.default_rng(seed)
    hidden = random.standard_normal((n, max(3, p // 4)))
    mix = (
        random.standard_normal((hidden.shape[1], p))
        / np.sqrt(np.arange(1, hidden.shape[1] + 1))[:, None]
    )
    X = np.maximum(hidden @ mix + 0.7 * random.standard_normal((n, p)), -0.3)
    W = random.standard_normal((k, p)) * (random.random((k, p)) < min(1.0, 6 / p))
    scores = (X - X.mean(axis=0)) @ W.T + random.gumbel(size=(n, k))
    y = scores.argmax(axis=1)
    y[:k] = np.arange(k)
    return X, y


def targets(family: str, n: int, p: int, k: int, seed: int = 0) -> tuple[FloatArray, Any]:
    """Features and a target of any family, as :func:`fit_path` takes it."""
    X, y = deep_features(n, p, 2 if family == "binomial" else k, seed)
    if family in ("binomial", "multinomial"):
        return X, y
    random = np.random.default_rng(seed + 1)
    scores = X @ random.standard_normal((p, k)) + random.standard_normal((n, k))
    if family == "gaussian":
        return X, scores
    Y = (scores > scores.mean(axis=0)).astype(np.int64)
    Y[:2] = [[0] * k, [1] * k]
    return X, Y


def soft_targets(
    family: str, n: int, p: int, k: int, seed: int = 0, *, certain: float = 0.2
) -> tuple[FloatArray, FloatArray]:
    """Features and probabilities (n, K) for any family of probabilities.

    A share `certain` of the rows has no doubt, as those of a trained network have.
    """
    X, _ = deep_features(n, p, k, seed)
    random = np.random.default_rng(seed + 2)
    k = 2 if family == "binomial" else k
    Z = X @ random.standard_normal((p, k)) + 2 * random.standard_normal((n, k))
    Z[random.random(n) < certain] *= 1e3
    if family == "multilabel":
        return X, 1 / (1 + np.exp(-np.clip(Z, -700, 700)))
    P = np.exp(Z - Z.max(axis=1, keepdims=True))
    return X, P / P.sum(axis=1, keepdims=True)


def lcg_problem(n: int, p: int, k: int, seed: int) -> tuple[FloatArray, IntArray, FloatArray]:
    """Features, labels and weights from a congruential generator; R makes the same."""
    state, stream = seed, np.empty(n * p + 2 * n)
    for i in range(len(stream)):
        state = (state * 16807) % 2147483647
        stream[i] = state / 2147483647
    X = stream[: n * p].reshape(n, p)
    # Neighbouring features are made to correlate.
    X[:, 1:] += 0.5 * X[:, :-1]
    noise = stream[n * p : n * p + n]
    y = np.minimum(
        (k * (0.5 * (X[:, 0] + X[:, 2] - X[:, 4] + 0.5) + 0.4 * noise)).astype(int), k - 1
    )
    y = np.maximum(y, 0)
    y[:k] = np.arange(k)
    weights = np.floor(1 + 3 * stream[n * p + n :])
    return X, y.astype(np.int64), weights
