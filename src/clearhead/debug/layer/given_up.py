"""Which class did the sparse layer give up to be sparse?"""

from __future__ import annotations

from collections.abc import Iterator

from clearhead.debug.finding import Effect, Finding
from clearhead.debug.statistics import mcnemar_greater, paired_difference
from clearhead.debug.view import SplitView

__all__ = ["find_given_up"]

MIN_LOSS = 0.15
MAX_P = 0.01
MIN_EXAMPLES = 10
MOST = 3


def find_given_up(validation: SplitView, test: SplitView) -> Iterator[Finding]:
    """Propose a class of which the dense layer finds many more than the sparse one.

    A rule that selects by accuracy can pay with one class, most often a rare one.
    Proposed, at most three, where on validation the class loses at least 15 points of
    recall, with p ≤ .01. The effect is that loss on test.
    """
    candidates = []
    for c in range(validation.layer.n_classes):
        lost, won, n = _compare(validation, c)
        enough = min(n, _compare(test, c)[2]) >= MIN_EXAMPLES
        if enough and lost - won >= MIN_LOSS * n and mcnemar_greater(lost, won) <= MAX_P:
            candidates.append(((lost - won) / n, c))
    for loss, c in sorted(candidates, reverse=True)[:MOST]:
        name = test.layer.class_names[c]
        lost, won, n = _compare(test, c)
        value, low, high = paired_difference(lost, won, n)
        of_class = test.labels == c
        missed = of_class & ~test.right & (test.dense == c)
        yield Finding(
            kind="given_up",
            title=(
                f"the sparse layer finds class {name} less often: "
                f"{100 * test.right[of_class].mean():.0f}% of its examples, against the dense "
                f"layer's {100 * (test.dense[of_class] == c).mean():.0f}%"
            ),
            suspicion=f"the sparse layer may find class {name} less often than the dense one",
            where=f"class {name}",
            evidence=f"On validation {100 * loss:.0f} points of its recall are lost.",
            effect=Effect(f"recall of {name} lost to sparsity", value, low, high, n),
            p_value=mcnemar_greater(lost, won),
            mend=(
                "Select a point of the path with more features (`clearhead select RUN --rule "
                "best`), or let the class count more (`clearhead edit RUN --finding NUMBER`)."
            ),
            classes=(c,),
            examples=tuple(str(i) for i in test.ids[missed][:8]),
        )


def _compare(view: SplitView, c: int) -> tuple[int, int, int]:
    """Count examples of class `c` that only the dense, only the sparse layer finds, and all."""
    of_class = view.labels == c
    sparse, dense = view.predicted[of_class] == c, view.dense[of_class] == c
    return int((dense & ~sparse).sum()), int((sparse & ~dense).sum()), int(of_class.sum())
