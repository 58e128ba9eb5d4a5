"""Which errors vanish when one feature is set to zero?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from clearhead._types import BoolArray
from clearhead.debug.finding import Effect, Finding
from clearhead.debug.statistics import mcnemar_greater, paired_difference
from clearhead.debug.view import SplitView
from clearhead.glm import Accuracy
from clearhead.layer import share_of

__all__ = ["find_blame", "share_mended_by_one"]

MIN_NET = 2
MAX_P = 0.1
MOST = 3


def find_blame(validation: SplitView, test: SplitView) -> Iterator[Finding]:
    """Propose a feature whose removal mends more errors than it breaks right answers.

    Proposed, at most three, where on validation at least two more errors are mended
    than right answers broken, with p ≤ .1. The effect is the gain in accuracy on test.

    References
    ----------
    Wong, Santurkar, Madry (2021), section 5.3: a feature is problematic for an error
    if setting it alone to its mean removes the error.
    """
    candidates = []
    for column, without in validation.switched_off():
        mended, broken = _changes(validation, without == validation.labels)
        if mended - broken >= MIN_NET and mcnemar_greater(mended, broken) <= MAX_P:
            candidates.append((mended - broken, -broken, column))
    for net, minus_broken, column in sorted(candidates, reverse=True)[:MOST]:
        feature = int(test.layer.used[column])
        now_right = test.predicted_without(column) == test.labels
        mended, broken = _changes(test, now_right)
        value, low, high = paired_difference(mended, broken, test.n)
        yield Finding(
            kind="blame",
            title=_title(test, now_right, feature, (mended, broken)),
            suspicion=f"feature {feature} may cause more errors than it prevents",
            where=f"feature {feature}",
            evidence=(
                f"On validation switching feature {feature} off mends {net - minus_broken} errors "
                f"and breaks {-minus_broken} right answers."
            ),
            effect=Effect(
                f"accuracy gained without feature {feature} ({mended} errors mended, "
                f"{broken} right answers broken)",
                value,
                low,
                high,
                test.n,
            ),
            p_value=mcnemar_greater(mended, broken),
            mend=f"Fit again without it: `clearhead fit RUN --ban {feature}`.",
            features=(feature,),
            examples=tuple(str(i) for i in test.ids[now_right & ~test.right][:8]),
        )


def share_mended_by_one(view: SplitView) -> Accuracy | None:
    """Share of the errors that some single feature's removal mends; None without errors."""
    mended = np.zeros(view.n, dtype=bool)
    for _, without in view.switched_off():
        mended |= without == view.labels
    return share_of(mended[~view.right])


def _changes(view: SplitView, now_right: BoolArray) -> tuple[int, int]:
    """Count errors mended and right answers broken."""
    return int((now_right & ~view.right).sum()), int((~now_right & view.right).sum())


def _title(view: SplitView, now_right: BoolArray, feature: int, changed: tuple[int, int]) -> str:
    """Say what is mended and broken, and name the confusion where most of it is mended."""
    n_errors = int((~view.right).sum())
    title = (
        f"{100 * changed[0] / max(n_errors, 1):.0f}% of the errors disappear if feature {feature} "
        f"is off ({changed[0]} mended, {changed[1]} right answers broken)"
    )
    mended = now_right & ~view.right
    pairs = Counter(zip(view.labels[mended], view.predicted[mended], strict=True))
    if not pairs or len(view.layer.class_names) == 2:
        return title
    (true, called), count = pairs.most_common(1)[0]
    names = view.layer.class_names
    return f"{title}, {count} of them {names[true]} called {names[called]}"
