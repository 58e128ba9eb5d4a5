"""Does a class lean on a single feature?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from clearhead.debug.finding import Effect, Finding
from clearhead.debug.statistics import mcnemar_greater, paired_difference
from clearhead.debug.view import SplitView

__all__ = ["find_leaning"]

MIN_SHARE = 0.5
MIN_DROP = 0.4
MIN_FEATURES = 3
"""A class of fewer features leans on one of them by being sparse, and a layer is meant to be."""
MIN_EXAMPLES = 10


def find_leaning(validation: SplitView, test: SplitView) -> Iterator[Finding]:
    """Propose a class that loses much of its recall without its strongest feature.

    Proposed where, on validation, one feature of at least three gives half of the class's
    positive evidence and switching it off costs at least 40 points of its recall.
    The effect is that loss on test.
    """
    shares = validation.evidence_shares()
    layer = validation.layer
    for c, name in enumerate(layer.class_names):
        rows = validation.labels == c
        test_rows = test.labels == c
        if min(rows.sum(), test_rows.sum()) < MIN_EXAMPLES or not shares.shape[1]:
            continue
        column = int(np.argmax(shares[c]))
        share = float(shares[c, column])
        if layer.n_nonzero[c] < MIN_FEATURES or share < MIN_SHARE:
            continue
        drop = _recall_loss(validation, column, c)
        if drop[0] - drop[1] < MIN_DROP * rows.sum():
            continue
        feature = int(layer.used[column])
        on_test = float(test.evidence_shares()[c, column])
        lost, won = _recall_loss(test, column, c)
        n = int(test_rows.sum())
        value, low, high = paired_difference(lost, won, n)
        now_right = test.right & test_rows & (test.predicted_without(column) != c)
        yield Finding(
            kind="leaning",
            title=f"class {name} leans {100 * on_test:.0f}% on one feature ({feature})",
            suspicion=f"class {name} may lean on one feature ({feature})",
            where=f"class {name}, feature {feature}",
            evidence=(
                f"On validation feature {feature} gives {100 * share:.0f}% of the evidence for "
                f"{name}; without it {drop[0] - drop[1]} of {int(rows.sum())} examples more are "
                "missed."
            ),
            effect=Effect(f"recall of {name} lost without feature {feature}", value, low, high, n),
            p_value=mcnemar_greater(lost, won),
            mend=(
                f"Look at what feature {feature} responds to. If it is not what makes a {name}, "
                "`clearhead edit RUN --finding NUMBER` solves the layer again without it; if it "
                "is, the class needs more varied examples."
            ),
            features=(feature,),
            classes=(c,),
            examples=tuple(str(i) for i in test.ids[now_right][:8]),
        )


def _recall_loss(view: SplitView, column: int, c: int) -> tuple[int, int]:
    """Count examples of class `c` that are lost, and won, without a feature."""
    without = view.predicted_without(column)[view.labels == c] == c
    before = view.predicted[view.labels == c] == c
    return int((before & ~without).sum()), int((~before & without).sum())
