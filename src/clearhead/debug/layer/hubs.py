"""Does one feature decide many classes?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from clearhead.debug.finding import Effect, Finding
from clearhead.debug.statistics import share_above
from clearhead.debug.view import SplitView
from clearhead.glm import Accuracy

__all__ = ["find_hubs"]

MIN_CLASSES = 3
MIN_CLASS_SHARE = 0.4
MIN_FLIPS = 0.10
MOST = 3


def find_hubs(validation: SplitView, test: SplitView) -> Iterator[Finding]:
    """Propose a feature with a weight for many classes whose absence changes predictions.

    Proposed, at most three, where at least three classes and 40% of them use the
    feature and 10% of the validation predictions change without it. The effect is
    the share of test predictions that change.
    """
    layer = validation.layer
    users = np.count_nonzero(validation.weight, axis=0)
    needed = max(MIN_CLASSES, MIN_CLASS_SHARE * layer.n_classes)
    candidates = []
    for column in (
        np.flatnonzero(users >= needed).tolist() if layer.n_classes >= MIN_CLASSES else ()
    ):
        changed = validation.predicted_without(column) != validation.predicted
        if changed.mean() >= MIN_FLIPS:
            candidates.append((float(changed.mean()), column))
    for flips, column in sorted(candidates, reverse=True)[:MOST]:
        feature = int(layer.used[column])
        changed = test.predicted_without(column) != test.predicted
        share = Accuracy.of(int(changed.sum()), test.n)
        yield Finding(
            kind="hub",
            title=f"feature {feature} decides {users[column]} of {layer.n_classes} classes",
            suspicion=f"feature {feature} may decide many classes",
            where=f"feature {feature}",
            evidence=(
                f"{users[column]} classes give it a weight; on validation "
                f"{100 * flips:.0f}% of the predictions change without it."
            ),
            effect=Effect(
                f"predictions that change without feature {feature}",
                share.value,
                share.low,
                share.high,
                test.n,
                "share",
            ),
            p_value=share_above(int(changed.sum()), test.n, MIN_FLIPS / 2),
            mend=(
                f"Look at what feature {feature} responds to: a property of the picture or text "
                "as a whole (brightness, length, source) should not decide between so many "
                "classes. If it is one, `clearhead edit RUN --finding NUMBER` solves the layer "
                "again without it."
            ),
            features=(feature,),
            classes=tuple(int(c) for c in np.flatnonzero(validation.weight[:, column])),
            examples=tuple(str(i) for i in test.ids[changed][:8]),
        )
