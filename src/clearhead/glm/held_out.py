"""One fold: a path fitted to its training rows, and what it does on the rows held out."""

from __future__ import annotations

from typing import Any

import numpy as np

from clearhead._types import FloatArray
from clearhead.glm.families import Family, family_of
from clearhead.glm.fit import fit_path
from clearhead.glm.folds import Fold
from clearhead.glm.path import Path
from clearhead.glm.problem import LabelledRows, Problem
from clearhead.glm.standardize import Standardization

__all__ = ["fit_fold"]

_CHUNK = 4096
_NOT_A_FOLDS = ("lambdas", "n_lambdas", "lambda_min_ratio", "validation", "test")


def fit_fold(
    problem: Problem, fold: Fold, lambdas: FloatArray, settings: dict[str, Any]
) -> tuple[FloatArray, FloatArray | None, FloatArray]:
    """Fit a path to a fold's training rows and measure it on the others.

    Rows that are held out get weight 0, so that the features are not copied.

    Returns
    -------
    losses, accuracies, gaps : (L,) float64
        Accuracies are None for numbers.
    """
    train = problem.splits["train"]
    given = {key: value for key, value in settings.items() if key not in _NOT_A_FOLDS}
    given |= {"family": problem.family, "class_names": problem.classes.names}
    path = fit_path(
        train.rows,
        train.y if train.y.ndim == 1 else train.y.T,
        # A last point lam = 0 is added by its own setting, unpenalised.
        lambdas=lambdas[lambdas > 0],
        sample_weight=problem.weights * fold.train,
        **given,
    )
    weights = np.where(fold.held_out, problem.weights, 0.0)
    losses, accuracies = _measure(train, weights, family_of(problem.family), path)
    return losses, accuracies, path.gaps


def _measure(
    rows: LabelledRows, weights: FloatArray, family: Family, path: Path
) -> tuple[FloatArray, FloatArray | None]:
    """Weighted mean loss and accuracy (L,) of every point over rows of positive weight."""
    how = Standardization(path.center, path.scale, path.dead, "")
    losses, right, classifies, start = np.zeros(len(path)), np.zeros(len(path)), True, 0
    share = weights / weights.sum()
    layers = [path.coef(i) for i in range(len(path))]
    used = [np.flatnonzero(W.any(axis=0)) for W in layers]
    for block in rows.rows.blocks():
        for offset in range(0, len(block), _CHUNK):
            first, start = start, start + len(block[offset : offset + _CHUNK])
            here = np.flatnonzero(share[first:start] > 0)
            if len(here) == 0:
                continue
            y, v = rows.y[..., first + here], share[first + here]
            features = how.apply(block[offset + here], np.arange(path.n_features))
            for i, W in enumerate(layers):
                Z = W[:, used[i]] @ features[:, used[i]].T + path.intercepts[i][:, None]
                losses[i] += family.loss(Z, y, v)
                hits = family.hits(Z, y)
                classifies = hits is not None
                right[i] += 0.0 if hits is None else float(v[hits].sum())
    return losses, right if classifies else None
