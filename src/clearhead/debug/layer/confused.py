"""Which class is mostly taken for another?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from clearhead.debug.finding import Effect, Finding
from clearhead.debug.statistics import share_above
from clearhead.debug.view import SplitView
from clearhead.glm import Accuracy

__all__ = ["find_confused"]

MIN_SHARE = 0.4
"""Fewer are a weakness of the class, which the table of classes shows."""
TYPICAL = 0.25
"""How far the class's recall must be below the middle one: in a hard problem all are confused."""
MIN_EXAMPLES = 15
MOST = 3


def find_confused(validation: SplitView, test: SplitView) -> Iterator[Finding]:
    """Propose a class of which most of what is lost goes to one other class.

    Proposed, at most three, where on validation the layer calls at least 40% of the class one
    other class, and finds at least 25 points less of it than of the middle class. The effect is
    that share on test, tested against half of the 40%.
    """
    recalls = _recalls(validation)
    middle = float(np.nanmedian(recalls)) if np.isfinite(recalls).any() else 0.0
    candidates = []
    for c in np.flatnonzero(recalls <= middle - TYPICAL).tolist():
        other, share = _rival(validation, int(c))
        # What the dense layer tells apart is the sparse layer's: see given_up.
        if share >= MIN_SHARE and _dense_share(validation, int(c), other) >= MIN_SHARE / 2:
            candidates.append((share, int(c), other))
    for share, c, other in sorted(candidates, reverse=True)[:MOST]:
        rows = test.labels == c
        if rows.sum() < MIN_EXAMPLES:
            continue
        lost = rows & (test.predicted == other)
        hits, n = int(lost.sum()), int(rows.sum())
        found = Accuracy.of(hits, n)
        name, taken = test.layer.class_names[c], test.layer.class_names[other]
        yield Finding(
            kind="confusion",
            title=f"{100 * found.value:.0f}% of {name} are called {taken}",
            suspicion=f"class {name} may mostly be called {taken}",
            where=f"class {name}, called {taken}",
            evidence=(
                f"On validation {100 * share:.0f}% of {name}, and {100 * recalls[c]:.0f}% are "
                f"found; of the middle class {100 * middle:.0f}% are. The dense layer calls "
                f"{100 * _dense_share(test, c, other):.0f}% of them {taken} on test: the network "
                "itself hardly tells the two apart, or their labels are mixed up."
            ),
            effect=Effect(
                f"test examples of {name} called {taken}",
                found.value,
                found.low,
                found.high,
                n,
                "share",
            ),
            p_value=share_above(hits, n, MIN_SHARE / 2),
            mend=(
                f"Compare examples of {name} and {taken} that are confused: are their labels "
                "right? If so, let the class count more: `clearhead edit RUN --finding NUMBER`."
            ),
            classes=(c, other),
            examples=tuple(str(i) for i in test.ids[lost][:8]),
        )


def _recalls(view: SplitView) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Recall of each class, NaN for those of too few examples."""
    found = np.full(view.layer.n_classes, np.nan)
    for c in range(view.layer.n_classes):
        rows = view.labels == c
        if rows.sum() >= MIN_EXAMPLES:
            found[c] = view.right[rows].mean()
    return found


def _rival(view: SplitView, c: int) -> tuple[int, float]:
    """The other class that most examples of class c are called, and the share of them."""
    rows = view.labels == c
    counts = np.bincount(view.predicted[rows], minlength=view.layer.n_classes)
    counts[c] = 0
    other = int(counts.argmax())
    return other, float(counts[other] / rows.sum())


def _dense_share(view: SplitView, c: int, other: int) -> float:
    """Share of class c that the dense layer calls `other`."""
    return float((view.dense[view.labels == c] == other).mean())
