"""Sparse classifiers."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d, validate_data

from clearhead._types import FloatArray, IntArray
from clearhead.errors import InputError
from clearhead.glm import fit_path
from clearhead.sklearn.base import SparsePath, cross_validated

__all__ = ["SparseLogisticPath", "SparseLogisticPathCV"]


class _Classifier(ClassifierMixin, SparsePath):  # type: ignore[misc]
    """Classes, or with a label matrix several labels a row."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def _read(
        self, X: Any, y: Any, sample_weight: Any
    ) -> tuple[FloatArray, IntArray, FloatArray | None, str]:
        """Checked features, class numbers or label matrix, weights, and the family."""
        X, y = validate_data(self, X, y, dtype="numeric", multi_output=True)
        check_classification_targets(y)
        weights = self._weights(sample_weight, X)
        if type_of_target(y).startswith("multilabel"):
            self.classes_ = np.arange(y.shape[1])
            if self.class_weight is not None:
                raise InputError("class_weight is for classes; y holds several labels a row.")
            return X, np.asarray(y, np.int64), weights, "multilabel"
        y = column_or_1d(y, warn=True)
        self.classes_, index = np.unique(y, return_inverse=True)
        if self.class_weight is not None:
            factor = compute_sample_weight(self.class_weight, y)
            weights = factor if weights is None else weights * factor
        present = self.classes_ if weights is None else np.unique(y[weights > 0])
        if len(present) < 2:
            raise InputError(
                f"y holds {len(present)} class in rows of positive weight; a classifier needs two "
                "classes or more."
            )
        if len(present) < len(self.classes_):
            # A class of weight 0 counts for nothing, as if its rows were not there.
            kept = np.isin(y, present)
            self.classes_, index = np.unique(y[kept], return_inverse=True)
            X, weights = X[kept], weights[kept] if weights is not None else None
        return X, index.astype(np.int64), weights, str(self.family)

    def decision_function(self, X: Any) -> FloatArray:
        """Scores of raw features.

        Returns
        -------
        (n,) float64 for two classes, else (n, K)
        """
        scores = self._scores(X)
        return scores[:, 0] if scores.shape[1] == 1 and self.path_.family == "binomial" else scores

    def predict_proba(self, X: Any) -> FloatArray:
        """Probabilities (n, K) of the classes, in the order of ``classes_``, or of the labels."""
        scores = self._scores(X)
        family = self.path_.family
        if family == "multinomial":
            odds = np.exp(scores - scores.max(axis=1, keepdims=True))
            return np.asarray(odds / odds.sum(axis=1, keepdims=True))
        yes = 1.0 / (1.0 + np.exp(-np.clip(scores, -700, 700)))
        return yes if family == "multilabel" else np.column_stack([1.0 - yes, yes])

    def predict(self, X: Any) -> Any:
        """Most probable classes (n,), or labels (n, K) of 0 and 1."""
        scores = self._scores(X)
        family = self.path_.family
        if family == "multilabel":
            return (scores > 0).astype(np.int64)
        index = (scores[:, 0] > 0).astype(int) if family == "binomial" else scores.argmax(axis=1)
        return self.classes_[index]


class SparseLogisticPath(_Classifier):
    """Sparse classifier with an elastic-net penalty, each point of its path proven optimal.

    Parameters
    ----------
    lam : float, optional
        Strength of the penalty at which the model is taken; only this strength is fitted.
        None fits the whole path and takes its last point, the smallest lambda.
    l1_ratio, n_lambdas, lambda_min_ratio, lambdas, penalty_factor, grouped, tol, standardize, \
strict, device
        As for :func:`clearhead.fit_path`.
    family : {"auto", "binomial", "multinomial"}
        A label matrix (n, K) of 0 and 1 is fitted as independent labels.
    class_weight : dict or "balanced", optional
        As everywhere in scikit-learn; multiplied with `sample_weight`.

    Attributes
    ----------
    coef_ : (1, p) or (K, p) float64
        For features as they come; one row, for the second class, where there are two.
    intercept_ : (1,) or (K,) float64
    classes_ : (K,) array
    lambda_ : float
        Strength of the point that was taken.
    lambdas_, gaps_ : (L,) float64
        Of the path: strengths, and relative duality gaps.
    path_ : clearhead.Path
    n_features_in_ : int
    feature_names_in_ : (p,) array of str
        Where X has names.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = SparseLogisticPath(lam=0.05).fit(X, y)
    >>> model.coef_.shape, bool(model.gaps_[0] <= 1e-4), model.score(X, y) > 0.9
    ((3, 4), True, True)
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
        family: str = "auto",
        grouped: bool = False,
        class_weight: Any = None,
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
        self.family = family
        self.grouped = grouped
        self.class_weight = class_weight
        self.tol = tol
        self.standardize = standardize
        self.strict = strict
        self.device = device

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the path to features (n, p) and labels (n,), or (n, K) of 0 and 1."""
        X, y, weights, family = self._read(X, y, sample_weight)
        path = fit_path(X, y, family=family, sample_weight=weights, **self._settings())
        self._keep(path, len(path) - 1)
        return self


class SparseLogisticPathCV(_Classifier):
    """Sparse classifier whose strength is chosen by cross-validation.

    Folds share one grid of lambdas; the model is then fitted to all rows.

    Parameters
    ----------
    cv : int, splitter or iterable of (train, test)
        As everywhere in scikit-learn.
    select : {"best", "one-standard-error"}
        The best mean over folds, or the sparsest point within one standard error of it.
    by : {"loss", "accuracy"}
        What is measured on held-out rows.
    l1_ratio, n_lambdas, lambda_min_ratio, lambdas, penalty_factor, grouped, tol, standardize, \
strict, device
        As for :func:`clearhead.fit_path`.
    family, class_weight
        As for :class:`SparseLogisticPath`.

    Attributes
    ----------
    cross_validation_ : clearhead.CrossValidation
        Held-out loss and accuracy of every point, with standard errors.
    coef_, intercept_, classes_, lambda_, lambdas_, gaps_, path_, n_features_in_
        As of :class:`SparseLogisticPath`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = SparseLogisticPathCV(n_lambdas=20, select="one-standard-error").fit(X, y)
    >>> model.cross_validation_.k, model.score(X, y) > 0.9
    (5, True)
    """

    def __init__(
        self,
        *,
        cv: Any = 5,
        select: str = "best",
        by: str = "loss",
        l1_ratio: float = 0.99,
        n_lambdas: int = 100,
        lambda_min_ratio: float = 1e-3,
        lambdas: Any = None,
        penalty_factor: Any = None,
        family: str = "auto",
        grouped: bool = False,
        class_weight: Any = None,
        tol: float = 1e-4,
        standardize: bool = True,
        strict: bool = False,
        device: str | None = None,
    ) -> None:
        self.cv = cv
        self.select = select
        self.by = by
        self.l1_ratio = l1_ratio
        self.n_lambdas = n_lambdas
        self.lambda_min_ratio = lambda_min_ratio
        self.lambdas = lambdas
        self.penalty_factor = penalty_factor
        self.family = family
        self.grouped = grouped
        self.class_weight = class_weight
        self.tol = tol
        self.standardize = standardize
        self.strict = strict
        self.device = device

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> Self:
        """Fit the path and its folds; `groups` (n,) go to the splitter."""
        X, y, weights, family = self._read(X, y, sample_weight)
        settings = {**self._settings(), "family": family, "sample_weight": weights}
        self.cross_validation_, index = cross_validated(
            self, X, y, groups=groups, classifies=True, by=self.by, settings=settings
        )
        self._keep(self.cross_validation_.path, index)
        return self
