"""Correlated, skewed features, as deep features are, for growth in n, p and K."""

from __future__ import annotations

import numpy as np


def deep_features(
    n: int, p: int, n_classes: int, *, active: int = 20, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Make rectified, correlated features (n, p) float32 and labels of `n_classes` classes.

    The true layer uses about `active` features a class. More rows of the same seed are more rows
    of the same population: what does not depend on n is drawn first.
    """
    random = np.random.default_rng(seed)
    rank = max(10, p // 8)
    mix = random.standard_normal((rank, p)) / np.arange(1, rank + 1)[:, None] ** 0.7
    W = random.standard_normal((n_classes, p)) * (random.random((n_classes, p)) < active / p)
    X = np.empty((n, p), np.float32)
    y = np.empty(n, np.int64)
    center = scale = np.zeros(p)
    for start in range(0, n, 8192):
        rows = slice(start, min(n, start + 8192))
        size = rows.stop - start
        block = random.standard_normal((size, rank)) @ mix
        block = np.maximum(block + 0.7 * random.standard_normal((size, p)), -0.3)
        if start == 0:
            center, scale = block.mean(axis=0), block.std(axis=0)
        scores = 0.8 * ((block - center) / scale) @ W.T
        X[rows] = block
        y[rows] = (scores + random.gumbel(size=scores.shape)).argmax(axis=1)
    return X, y
