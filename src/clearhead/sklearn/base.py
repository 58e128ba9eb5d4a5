"""What the estimators share."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import check_cv
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from clearhead._types import FloatArray
from clearhead.errors import InputError
from clearhead.glm import CrossValidation, Path, cross_validate
from clearhead.layer import OneStandardError

__all__ = ["SparsePath", "cross_validated"]


class SparsePath(BaseEstimator):  # type: ignore[misc]
    """What all of them share: settings of the path, and scores from one of its points."""

    path_: Path
    coef_: FloatArray
    intercept_: Any

    def _settings(self) -> dict[str, Any]:
        """Arguments of fit_path, under their own names."""
        if self.standardize not in (True, False):
            raise InputError(f"standardize must be True or False; got {self.standardize!r}.")
        return {
            "l1_ratio": self.l1_ratio,
            "penalty_factor": self.penalty_factor,
            "grouped": self.grouped,
            "tol": self.tol,
            "standardize": bool(self.standardize),
            "strict": self.strict,
            "device": self.device,
            "n_lambdas": self.n_lambdas,
            "lambda_min_ratio": self.lambda_min_ratio,
            "lambdas": self._lambdas(),
        }

    def _lambdas(self) -> Any:
        """The grid: one's own, or a single strength, or None."""
        lam = getattr(self, "lam", None)
        if lam is None:
            return self.lambdas
        if isinstance(lam, bool) or not isinstance(lam, Real) or not 0.0 < float(lam) < np.inf:
            raise InputError(
                f"lam must be a positive number, or None for the last point of a path; got {lam!r}."
            )
        if self.lambdas is not None:
            raise InputError("Give either lam, one strength, or lambdas, a path; got both.")
        return [float(lam)]

    def _keep(self, path: Path, index: int) -> None:
        """Take a point of the path as the model."""
        self.path_ = path
        self.lambdas_ = path.lambdas
        self.gaps_ = path.gaps
        self.lambda_ = float(path.lambdas[index])
        self.coef_ = path.coef(index, original_scale=True)
        self.intercept_ = path.intercept(index, original_scale=True)

    def _scores(self, X: Any) -> FloatArray:
        """Scores (n, O) of raw features."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype="numeric")
        coef = np.atleast_2d(self.coef_)
        return np.asarray(X.astype(np.float64, copy=False) @ coef.T + self.intercept_)

    def _weights(self, sample_weight: Any, X: FloatArray) -> FloatArray | None:
        if sample_weight is None:
            return None
        weights: FloatArray = _check_sample_weight(
            sample_weight, X, dtype=np.float64, ensure_non_negative=True
        )
        return weights


def cross_validated(
    estimator: SparsePath,
    X: FloatArray,
    y: Any,
    *,
    groups: Any,
    classifies: bool,
    by: str,
    settings: dict[str, Any],
) -> tuple[CrossValidation, int]:
    """Cross-validate on the splits of the estimator's ``cv``, and choose a point by its rule.

    Returns
    -------
    CrossValidation
    index : int
        Of the chosen point.
    """
    rules: dict[str, Callable[[CrossValidation], int]] = {
        "best": lambda cv: int(np.nanargmin(cv.loss if by == "loss" else -cv.accuracy)),
        "one-standard-error": OneStandardError(by).index,
    }
    if estimator.select not in rules:
        raise InputError(f"select must be one of {', '.join(rules)}; got {estimator.select!r}.")
    splitter = check_cv(estimator.cv, y, classifier=classifies)
    found = cross_validate(X, y, splits=splitter.split(X, y, groups), **settings)
    return found, rules[estimator.select](found)
