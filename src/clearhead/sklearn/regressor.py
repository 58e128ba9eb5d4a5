"""Sparse regressors."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import validate_data

from clearhead._types import FloatArray
from clearhead.glm import Path, fit_path
from clearhead.sklearn.base import SparsePath, cross_validated

__all__ = ["SparseLinearPath", "SparseLinearPathCV"]


class _Regressor(RegressorMixin, MultiOutputMixin, SparsePath):  # type: ignore[misc]
    """Numbers, one output or several."""

    def _read(
        self, X: Any, y: Any, sample_weight: Any
    ) -> tuple[FloatArray, FloatArray, FloatArray | None]:
        X, y = validate_data(
            self, X, y, dtype="numeric", multi_output=True, y_numeric=True, ensure_min_samples=2
        )
        return X, np.asarray(y, np.float64), self._weights(sample_weight, X)

    def _keep_numbers(self, path: Path, index: int, y: FloatArray) -> None:
        self._keep(path, index)
        if y.ndim == 1:
            self.coef_, self.intercept_ = self.coef_[0], float(self.intercept_[0])

    def predict(self, X: Any) -> FloatArray:
        """Predicted numbers, shaped like the targets that were fitted."""
        scores = self._scores(X)
        return scores[:, 0] if np.ndim(self.coef_) == 1 else scores


class SparseLinearPath(_Regressor):
    """Sparse linear regression with an elastic-net penalty, each point of its path proven.

    Minimises half the mean squared error, summed over outputs, plus the penalty; with
    ``standardize=False`` that is scikit-learn's ``ElasticNet`` of the same strength.

    Parameters
    ----------
    lam : float, optional
        Strength of the penalty at which the model is taken; only this strength is fitted.
        None fits the whole path and takes its last point, the smallest lambda.
    l1_ratio, n_lambdas, lambda_min_ratio, lambdas, penalty_factor, grouped, tol, standardize, \
strict, device
        As for :func:`clearhead.fit_path`.

    Attributes
    ----------
    coef_ : (p,) or (K, p) float64
        For features as they come.
    intercept_ : float or (K,) float64
    lambda_, lambdas_, gaps_, path_, n_features_in_, feature_names_in_
        As of :class:`SparseLogisticPath`.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = SparseLinearPath(lam=1.0).fit(X, y)
    >>> model.coef_.shape, bool(model.gaps_[0] <= 1e-4)
    ((10,), True)
    """

    def __init__(
        self,
        *,
        lam: float | None = None,
        l1_ratio: float = 0.99,
        n_lambdas: int = 100,
        lambda_min_ratio: float = 1e-3,
        lambdas: Any = None,
        penalty_factor: Any = None,
        grouped: bool = False,
        tol: float = 1e-4,
        standardize: bool = True,
        strict: bool = False,
        device: str | None = None,
    ) -> None:
        self.lam = lam
        self.l1_ratio = l1_ratio
        self.n_lambdas = n_lambdas
        self.lambda_min_ratio = lambda_min_ratio
        self.lambdas = lambdas
        self.penalty_factor = penalty_factor
        self.grouped = grouped
        self.tol = tol
        self.standardize = standardize
        self.strict = strict
        self.device = device

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the path to features (n, p) and numbers (n,) or (n, K)."""
        X, y, weights = self._read(X, y, sample_weight)
        path = fit_path(X, y, family="gaussian", sample_weight=weights, **self._settings())
        self._keep_numbers(path, len(path) - 1, y)
        return self


class SparseLinearPathCV(_Regressor):
    """Sparse linear regression whose strength is chosen by cross-validation.

    Parameters
    ----------
    cv : int, splitter or iterable of (train, test)
        As everywhere in scikit-learn.
    select : {"best", "one-standard-error"}
        The least mean loss over folds, or the sparsest point within one standard error of it.
    l1_ratio, n_lambdas, lambda_min_ratio, lambdas, penalty_factor, grouped, tol, standardize, \
strict, device
        As for :func:`clearhead.fit_path`.

    Attributes
    ----------
    cross_validation_ : clearhead.CrossValidation
    coef_, intercept_, lambda_, lambdas_, gaps_, path_, n_features_in_
        As of :class:`SparseLinearPath`.
    """

    def __init__(
        self,
        *,
        cv: Any = 5,
        select: str = "best",
        l1_ratio: float = 0.99,
        n_lambdas: int = 100,
        lambda_min_ratio: float = 1e-3,
        lambdas: Any = None,
        penalty_factor: Any = None,
        grouped: bool = False,
        tol: float = 1e-4,
        standardize: bool = True,
        strict: bool = False,
        device: str | None = None,
    ) -> None:
        self.cv = cv
        self.select = select
        self.l1_ratio = l1_ratio
        self.n_lambdas = n_lambdas
        self.lambda_min_ratio = lambda_min_ratio
        self.lambdas = lambdas
        self.penalty_factor = penalty_factor
        self.grouped = grouped
        self.tol = tol
        self.standardize = standardize
        self.strict = strict
        self.device = device

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> Self:
        """Fit the path and its folds; `groups` (n,) go to the splitter."""
        X, y, weights = self._read(X, y, sample_weight)
        settings = {**self._settings(), "family": "gaussian", "sample_weight": weights}
        self.cross_validation_, index = cross_validated(
            self, X, y, groups=groups, classifies=False, by="loss", settings=settings
        )
        self._keep_numbers(self.cross_validation_.path, index, y)
        return self
