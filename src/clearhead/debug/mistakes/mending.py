r"""The fewest features without which a mistake would be a right answer.

Taking feature j out of an example (putting it at its mean, z = 0) moves the lead of the true
class y over class k by :math:`D_{kj} = (w_{kj} - w_{yj}) z_j`. A set S mends the mistake if for
every k the sum of :math:`D_{kj}` over S exceeds how far k is ahead. Whether one or two features
are enough is answered exactly; beyond, features are taken greedily.
"""

from __future__ import annotations

import numpy as np

from clearhead._types import FloatArray, IntArray
from clearhead.debug.view import SplitView

__all__ = ["MOST_REMOVED", "mend_by_one", "smallest_set"]

MOST_REMOVED = 10
"""A mistake that needs more features out is not the fault of any of them."""
_CELLS = 4_000_000
_PAIRS = 512


def mend_by_one(view: SplitView, rows: IntArray) -> list[IntArray]:
    """Columns of ``layer.used`` each of which alone mends the mistake, for each row.

    The one that leaves the true class furthest ahead comes first.
    """
    weight = view.weight
    found: list[IntArray] = []
    k, u = weight.shape
    step = max(1, _CELLS // max(k * u, 1))
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        labels, z = view.labels[part], view.z[part]
        # Only what speaks more for the predicted class than for the true one can mend it.
        pull = (weight[view.predicted[part]] - weight[labels]) * z
        behind = view.logits[part, view.predicted[part]] - view.logits[part, labels]
        i, j = np.nonzero(pull > behind[:, None])
        left = view.logits[part[i]] - z[i, j][:, None] * weight[:, j].T
        own = left[np.arange(len(i)), labels[i]].copy()
        left[np.arange(len(i)), labels[i]] = -np.inf
        lead = own - left.max(axis=1, initial=-np.inf)
        for one in range(len(part)):
            here = np.flatnonzero((i == one) & (lead > 0))
            found.append(j[here[np.argsort(-lead[here], kind="stable")]])
    return found


def smallest_set(view: SplitView, row: int, alone: IntArray) -> tuple[int, ...]:
    """Columns of the fewest features that mend the mistake; empty if ten do not.

    Parameters
    ----------
    view : SplitView
    row : int
        A mistake.
    alone : ndarray of int
        What :func:`mend_by_one` found for it.
    """
    if alone.size:
        return (int(alone[0]),)
    y = int(view.labels[row])
    others = np.arange(view.layer.n_classes) != y
    gains = ((view.weight - view.weight[y]) * view.z[row])[others]
    behind = (view.logits[row] - view.logits[row, y])[others]
    worst = int(np.argmax(behind))
    pair = _pair(gains, behind, worst)
    return pair if pair else _greedy(gains, behind)


def _pair(gains: FloatArray, behind: FloatArray, worst: int) -> tuple[int, ...]:
    """Two features that mend it, those that lift it most over its rival; () if there are none."""
    if gains.shape[1] < 2:
        return ()
    two_best = np.partition(gains, -2, axis=1)[:, -2:].sum(axis=1)
    if (two_best <= behind).any():
        return ()
    order = np.argsort(-gains[worst], kind="stable")
    lift = gains[worst][order]
    # Columns that come second to each first; beyond `ends` the two are not enough.
    ends = np.searchsorted(-lift, lift - behind[worst], side="left")
    counts = np.maximum(ends - np.arange(len(lift)) - 1, 0)
    first = np.repeat(np.arange(len(lift)), counts)
    second = np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts) + first + 1
    by_lift = np.argsort(-(lift[first] + lift[second]), kind="stable")
    for start in range(0, len(by_lift), _PAIRS):
        i = order[first[by_lift[start : start + _PAIRS]]]
        j = order[second[by_lift[start : start + _PAIRS]]]
        mends = (gains[:, i] + gains[:, j] > behind[:, None]).all(axis=0)
        if mends.any():
            at = int(np.argmax(mends))
            return tuple(sorted((int(i[at]), int(j[at]))))
    return ()


def _greedy(gains: FloatArray, behind: FloatArray) -> tuple[int, ...]:
    """Take the feature that leaves the true class least behind, again and again."""
    left, taken = behind.copy(), []
    free = np.ones(gains.shape[1], dtype=bool)
    for _ in range(min(MOST_REMOVED, gains.shape[1])):
        after = np.where(free, (left[:, None] - gains).max(axis=0), np.inf)
        best = int(np.argmin(after))
        if after[best] >= left.max():
            return ()
        taken.append(best)
        free[best] = False
        left = left - gains[:, best]
        if left.max() < 0:
            return tuple(sorted(taken))
    return ()
