"""One fold: a path fitted to its training rows, and what it does on the rows held out."""

from __future__ import annotations

from typing import Any

import numpy as np

from clearhead._types import FloatArray
from clearhead.glm.evaluate import evaluate
from clearhead.glm.families import family_of
from clearhead.glm.fit import fit_path
from clearhead.glm.folds import Fold
from clearhead.glm.problem import Problem
from clearhead.glm.standardize import Standardization

__all__ = ["fit_fold"]

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
    losses, right = evaluate(
        train,
        "train",
        family_of(problem.family),
        Standardization(path.center, path.scale, path.dead, ""),
        coefficients=path.coefficients,
        intercepts=path.intercepts,
        weights=weights,
    )
    return losses, None if right is None else right / weights.sum(), path.gaps
