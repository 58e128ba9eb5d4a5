"""The path as scikit-learn's users expect it: estimators that fit, predict and score.

``coef_`` and ``intercept_`` are for features as they come: ``X @ coef_.T + intercept_`` are
the scores. ``path_`` holds every point, with its certificate.
"""

from __future__ import annotations

from clearhead.sklearn.classifier import SparseLogisticPath, SparseLogisticPathCV
from clearhead.sklearn.regressor import SparseLinearPath, SparseLinearPathCV

__all__ = [
    "SparseLinearPath",
    "SparseLinearPathCV",
    "SparseLogisticPath",
    "SparseLogisticPathCV",
]
