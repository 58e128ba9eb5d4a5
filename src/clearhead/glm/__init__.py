"""The optimal sparse layer for given features, at every lam, and how sure that is.

Arrays or an iterable of row blocks go in, a :class:`Path` comes out. Nothing here knows
of networks, of examples or of files other than a path's own.
"""

from __future__ import annotations

from clearhead.glm.accuracy import Accuracy, wilson_interval
from clearhead.glm.cross_validation import CrossValidation, cross_validate
from clearhead.glm.fit import ConvergenceWarning, fit_path
from clearhead.glm.path import Path, PathPoint, SelectionRule
from clearhead.glm.refit import refit
from clearhead.glm.rows import Rows, SplitRows
from clearhead.glm.saga import SagaPath, read_saga

__all__ = [
    "Accuracy",
    "ConvergenceWarning",
    "CrossValidation",
    "Path",
    "PathPoint",
    "Rows",
    "SagaPath",
    "SelectionRule",
    "SplitRows",
    "cross_validate",
    "fit_path",
    "read_saga",
    "refit",
    "wilson_interval",
]
