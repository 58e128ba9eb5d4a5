"""How sure the predictions are, and how often they should be wrong by that."""

from __future__ import annotations

import numpy as np

from clearhead._types import FloatArray
from clearhead.debug.view import SplitView

__all__ = ["expected_errors", "margin_of"]

SHRINK = 20
"""Examples of a predicted class that weigh as much as what is expected of all."""


def expected_errors(validation: SplitView, test: SplitView) -> tuple[FloatArray, FloatArray]:
    """Probability of an error by margin and predicted class, learnt on validation.

    It never rises with the margin; the mean excess of each predicted class is added, drawn
    to 0 for rare ones.
    """
    from sklearn.isotonic import IsotonicRegression

    wrong = (~validation.right).astype(np.float64)
    falling = IsotonicRegression(increasing=False, out_of_bounds="clip", y_min=0.0, y_max=1.0)
    falling.fit(margin_of(validation), wrong)
    known = [np.asarray(falling.predict(margin_of(view))) for view in (validation, test)]
    k = validation.layer.n_classes
    counts = np.bincount(validation.predicted, minlength=k)
    excess = np.bincount(validation.predicted, wrong - known[0], k) / (counts + SHRINK)

    def of(view: SplitView, share: FloatArray) -> FloatArray:
        return np.asarray(np.clip(share + excess[view.predicted], 0.01, 0.99))

    return of(validation, known[0]), of(test, known[1])


def margin_of(view: SplitView) -> FloatArray:
    """Best score less the second best, (n,)."""
    top = np.sort(view.logits, axis=1)
    margin: FloatArray = top[:, -1] - top[:, -2] if top.shape[1] > 1 else top[:, -1]
    return margin
