"""Loss, accuracy and R² of every point of a path, on rows it was fitted to or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clearhead._types import FloatArray, IntArray
from clearhead.errors import DataError
from clearhead.glm.accuracy import Accuracy
from clearhead.glm.families import Family, family_of
from clearhead.glm.path import SparseCoefficients
from clearhead.glm.problem import LabelledRows, Problem
from clearhead.glm.rows import check_block
from clearhead.glm.standardize import Standardization

__all__ = ["Measures", "evaluate", "measure"]

_CHUNK = 4096


@dataclass(frozen=True)
class Measures:
    """What L points do on each split, under the names of :class:`Path`'s own fields.

    Parameters
    ----------
    losses : dict of split to (L,) float64
        Mean loss, without penalty; NaN for a split without rows.
    accuracies : dict of split to tuple of L Accuracy
        Empty where targets are numbers.
    r2 : dict of split to (L,) float64
        Empty where they are not.
    n_samples : dict of split to int
        Rows that count.
    """

    losses: dict[str, FloatArray]
    accuracies: dict[str, tuple[Accuracy, ...]]
    r2: dict[str, FloatArray]
    n_samples: dict[str, int]


def measure(
    problem: Problem,
    how: Standardization,
    *,
    coefficients: Sequence[SparseCoefficients],
    intercepts: FloatArray,
    losses: Sequence[float],
    right: Sequence[int | None],
) -> Measures:
    """Measure all L points on all splits; of the training rows, `losses` and `right` are known."""
    family = family_of(problem.family)
    found = Measures({}, {}, {}, {})
    for split, rows in problem.splits.items():
        weights = problem.weights if split == "train" else np.ones(rows.rows.shape[0])
        n = int(np.count_nonzero(weights))
        mean_losses: FloatArray = np.array(losses)
        counts: Sequence[int | None] = right
        if split != "train":
            mean_losses, hits = evaluate(
                rows, split, family, how, coefficients=coefficients, intercepts=intercepts
            )
            counts = [None if hits is None else int(hits[i]) for i in range(len(coefficients))]
        found.losses[split], found.n_samples[split] = mean_losses, n
        accuracies = tuple(Accuracy.of(count, n) for count in counts if count is not None)
        if accuracies:
            found.accuracies[split] = accuracies
        else:
            found.r2[split] = _r2(mean_losses, rows, weights, family)
    return found


def evaluate(
    split: LabelledRows,
    name: str,
    family: Family,
    how: Standardization,
    *,
    coefficients: Sequence[SparseCoefficients],
    intercepts: FloatArray,
    weights: FloatArray | None = None,
) -> tuple[FloatArray, FloatArray | None]:
    """Measure all L points in one pass over the rows.

    Parameters
    ----------
    split : LabelledRows
    name : str
        How errors call the split.
    family : Family
    how : Standardization
    coefficients : L SparseCoefficients
    intercepts : (L, O) float64
    weights : (n,) float64, optional
        Ones by default. Rows of weight 0 cost next to nothing.

    Returns
    -------
    losses : (L,) float64
        Weighted mean loss, without penalty; NaN for a split without rows.
    right : (L,) float64 or None
        Weight of the rows that are predicted right; None for targets of numbers.
    """
    n, points = split.rows.shape[0], len(coefficients)
    weights = np.ones(n) if weights is None else weights
    losses, right = np.zeros(points), np.zeros(points)
    nothing: FloatArray = np.zeros((intercepts.shape[1], 0))
    classifies = family.hits(nothing, split.y[..., :0]) is not None
    alive = np.flatnonzero(~how.dead)
    start = 0
    for block in split.rows.blocks():
        for offset in range(0, len(block), _CHUNK):
            piece = np.asarray(block[offset : offset + _CHUNK])
            check_block(piece, start, f"The {name} split", split.rows.shape)
            here = np.flatnonzero(weights[start : start + len(piece)])
            y, v = split.y[..., start + here], weights[start + here]
            start += len(piece)
            features = how.apply(piece[here], alive)
            for i, sparse in enumerate(coefficients):
                Z = _scores(sparse, alive, features, intercepts[i])
                losses[i] += family.loss(Z, y, v)
                hits = family.hits(Z, y)
                right[i] += 0.0 if hits is None else float(v[hits].sum())
    if start != n:
        raise DataError(f"The {name} split yielded {start} rows; its shape says {n}.")
    total = float(weights.sum())
    return losses / total if total else np.full(points, np.nan), right if classifies else None


def _scores(
    sparse: SparseCoefficients, alive: IntArray, features: FloatArray, b: FloatArray
) -> FloatArray:
    W = sparse.dense()[:, alive]
    used = np.flatnonzero(W.any(axis=0))
    if 2 * len(used) < len(alive):
        return np.asarray(W[:, used] @ features[:, used].T + b[:, None])
    return np.asarray(W @ features.T + b[:, None])


def _r2(losses: FloatArray, rows: LabelledRows, weights: FloatArray, family: Family) -> FloatArray:
    """Share (L,) of the variance that is explained; NaN where there is none to explain."""
    if not weights.any():
        return np.full(len(losses), np.nan)
    v, outputs = weights / weights.sum(), len(rows.y)
    mean = family.null_intercept(rows.y, v, outputs)
    left = family.loss(np.repeat(mean[:, None], len(v), axis=1), rows.y, v)
    return 1.0 - losses / left if left > 0.0 else np.full(len(losses), np.nan)
