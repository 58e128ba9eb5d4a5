"""Is a slice hard, or are its labels wrong?

Where labels are right, predictions that are sure err far less often than the others. In a
mislabelled slice they err as often: the label has nothing to do with how clear the example is. To
be sure a prediction must be as far from its rival as the right answers elsewhere are, and the
examples nearest to it outside the slice must carry the label it predicts: noise in the inputs
makes a layer sure as well, but of things that are like nothing.
"""

from __future__ import annotations

import numpy as np

from clearhead._types import BoolArray, FloatArray, IntArray
from clearhead.debug.neighbours import directions, nearest
from clearhead.debug.slices.expectation import margin_of
from clearhead.debug.view import SplitView
from clearhead.glm import Accuracy

__all__ = ["look_mislabelled"]

SHARE = 0.5
"""Of the slice's share of errors, what must at least be left among the sure predictions."""
MIN_SURE = 10
NEIGHBOURS = 10
LIKE = 0.7
"""Of the agreement of neighbours that sure and right answers elsewhere have."""
MOST = 200
MIN_RIGHT = 5


def look_mislabelled(view: SplitView, rows: BoolArray) -> tuple[bool, str]:
    """Tell a mislabelled slice from a hard one; whether it is, and why, in words."""
    sure = _sure(view, rows)
    inside = rows & sure
    errors = Accuracy.of(int((inside & ~view.right).sum()), int(inside.sum()))
    if errors.n < MIN_SURE:
        return False, "The model is sure of too few there to tell hard examples from wrong labels."
    share = (
        f"{100 * errors.value:.0f}% of the {errors.n} predictions it is sure of there are errors"
    )
    if errors.low < SHARE * float((~view.right[rows]).mean()):
        return False, f"{share}, fewer than of the others: the slice looks hard, not mislabelled."
    agreed = _agreement(view, np.flatnonzero(inside & ~view.right), ~rows)
    usual = _agreement(view, np.flatnonzero(sure & ~rows & view.right), ~rows)
    if agreed < LIKE * usual:
        return False, (
            f"{share}, but they are like nothing elsewhere: {100 * agreed:.0f}% of their nearest "
            f"examples are of the class predicted, {100 * usual:.0f}% is usual. The slice looks "
            "hard, not mislabelled."
        )
    return True, (
        f"{share}, about as many as of the others, and the examples nearest to them elsewhere "
        f"are of the class predicted ({100 * agreed:.0f}%): the labels look wrong."
    )


def _sure(view: SplitView, rows: BoolArray) -> BoolArray:
    """Where both layers agree, as far from the rival as half of the right answers elsewhere."""
    margin = margin_of(view)
    elsewhere = view.right & ~rows
    least = np.full(view.layer.n_classes, _middle(margin[elsewhere]))
    for c in range(view.layer.n_classes):
        right = elsewhere & (view.predicted == c)
        if right.sum() >= MIN_RIGHT:
            least[c] = _middle(margin[right])
    sure: BoolArray = (margin >= least[view.predicted]) & (view.dense == view.predicted)
    return sure


def _middle(values: FloatArray) -> float:
    return float(np.median(values)) if values.size else 0.0


def _agreement(view: SplitView, rows: IntArray, bank: BoolArray) -> float:
    """Mean share of the nearest examples that carry the label predicted."""
    places = np.flatnonzero(bank)
    rows = rows[:MOST]
    if not rows.size or len(places) <= NEIGHBOURS:
        return 0.0
    own = np.full(len(rows), -1)
    own[bank[rows]] = np.searchsorted(places, rows[bank[rows]])
    known = directions(view.layer, view.features[places])
    found, _ = nearest(directions(view.layer, view.features[rows]), known, NEIGHBOURS, own=own)
    return float((view.labels[places][found] == view.predicted[rows][:, None]).mean())
