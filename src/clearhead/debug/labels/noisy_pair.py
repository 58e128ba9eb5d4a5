"""One pair of classes whose labels are mixed up: how many, and what mending them does on test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from clearhead._types import BoolArray, FloatArray, IntArray
from clearhead.debug.finding import Effect, Finding
from clearhead.debug.labels.lapse import Lapses
from clearhead.debug.statistics import share_above
from clearhead.debug.train import TrainView
from clearhead.debug.view import SplitView
from clearhead.glm import Accuracy

__all__ = ["SUSPECT", "NoisyPair", "confirm_pair", "depth"]

SUSPECT = 0.5
"""An example is a suspect where its label is more likely wrong than right."""
MIN_DEEP = 10
"""Examples of the test split on which a floor can be seen at all."""
CLEAN_RATE = 0.06
"""Half of the least rate that is reported: what the test split has to exceed for certain."""


@dataclass(frozen=True)
class NoisyPair:
    """Examples of class `true` that carry the label `given`.

    Parameters
    ----------
    true, given : int
    rate : float
        Share of the examples of `true` that carry the label `given` by mistake.
    share, low, high : float
        Share of the examples labelled `given` that are of class `true`, and its 95% interval.
    p_value : float
        That confusion alone explains them.
    n_suspects : int
        Rows that carry the label and are more likely wrong than right.
    sure : bool
        Whether it is a finding.
    """

    true: int
    given: int
    rate: float
    share: float
    low: float
    high: float
    p_value: float
    n_suspects: int
    sure: bool = False

    @classmethod
    def of(
        cls,
        pair: tuple[int, int],
        lapses: Lapses,
        logits: FloatArray,
        labels: IntArray,
        *,
        n_suspects: int,
    ) -> Self:
        """Measure a pair on the rows that its curve was fitted to."""
        counted = _count(pair, lapses, logits, labels)
        share, low, high = counted.share
        return cls(*pair, lapses.floor, share, low, high, lapses.p_value, n_suspects)


def depth(
    logits: FloatArray, labels: IntArray, pair: tuple[int, int]
) -> tuple[IntArray, FloatArray]:
    """Rows labelled as one of the pair that look like one of the two, and how deep they are.

    Returns
    -------
    rows : ndarray of shape (m,)
    d : ndarray of shape (m,)
        Score of the first class less that of the second.
    """
    true, given = pair
    rows = np.flatnonzero((labels == true) | (labels == given))
    scores = logits[rows]
    ours = np.maximum(scores[:, true], scores[:, given])
    rows = rows[ours >= scores.max(axis=1)]
    return rows, logits[rows, true] - logits[rows, given]


@dataclass(frozen=True)
class _Counted:
    """Deep examples of a pair, of which `hits` carry the given label."""

    hits: int
    n: int
    expected: float
    n_true: int
    n_given: int

    @property
    def p_value(self) -> float:
        """That confusion, and as much noise as clean data have, explains the hits."""
        return share_above(self.hits, self.n, min(self.expected + CLEAN_RATE, 1.0))

    @property
    def share(self) -> tuple[float, float, float]:
        """Share of the examples labelled `given` that are of class `true`, with its interval.

        A rate r among the deep examples means r / (1 - r) mislabelled ones for each that kept
        its label.
        """
        counted = Accuracy.of(self.hits, self.n)
        per = self.n_true / max(self.n_given, 1)

        def of(rate: float) -> float:
            beyond = float(np.clip(rate - self.expected, 0.0, 0.99))
            return min(beyond / (1.0 - beyond) * per, 1.0)

        value = of(counted.value) if self.n else 0.0
        return value, of(counted.low), of(counted.high)


def _count(pair: tuple[int, int], lapses: Lapses, logits: FloatArray, labels: IntArray) -> _Counted:
    """Count where an example with the given label would be a suspect."""
    rows, d = depth(logits, labels, pair)
    deep = lapses.wrong(d) > SUSPECT
    hits = int((labels[rows[deep]] == pair[1]).sum())
    return _Counted(
        hits=hits,
        n=int(deep.sum()),
        expected=float(lapses.confused(d[deep]).mean()) if deep.any() else 0.0,
        n_true=int((labels == pair[0]).sum()),
        n_given=int((labels == pair[1]).sum()),
    )


def confirm_pair(
    pair: NoisyPair, lapses: Lapses, train: TrainView, test: SplitView, dropped: IntArray
) -> Finding | None:
    """Measure on test what a pair's labels are, and what the layer is without the suspects.

    None where too few test examples look like the class.

    Parameters
    ----------
    pair : NoisyPair
    lapses : Lapses
        Its curve, from training and validation.
    train : TrainView
    test : SplitView
    dropped : ndarray of int
        Training rows that are suspects.
    """
    both = (pair.true, pair.given)
    counted = _count(both, lapses, test.logits, test.labels)
    if counted.n < MIN_DEEP:
        return None
    true, given = (test.layer.class_names[c] for c in both)
    share, low, high = counted.share
    rows, d = depth(test.logits, test.labels, both)
    suspects = np.zeros(test.n, dtype=bool)
    suspects[rows] = (lapses.wrong(d) > SUSPECT) & (test.labels[rows] == pair.given)
    return Finding(
        kind="label_noise",
        title=f"about {100 * share:.0f}% of the examples labelled {given} look like {true}",
        suspicion=f"examples of {true} may be labelled {given}",
        where=f"class {given}, examples that look like {true}",
        evidence=(
            f"In training and validation the share labelled {given} among what looks like {true} "
            f"does not fade with depth as confusion does: {100 * pair.rate:.0f}% stay, "
            f"{pair.n_suspects} examples are suspects. "
            + _mended(train, test, suspects, both, dropped)
        ),
        effect=Effect(
            f"test examples labelled {given} that are {true} beyond what confusion explains",
            share,
            low,
            high,
            counted.n_given,
            "share",
        ),
        p_value=counted.p_value,
        mend=(
            f"Look at the suspects. Give those that are {true} that label, or leave them out, and "
            "fit again."
        ),
        classes=(pair.given, pair.true),
        examples=tuple(str(i) for i in test.ids[suspects][:8]),
    )


def _mended(
    train: TrainView,
    test: SplitView,
    suspects: BoolArray,
    pair: tuple[int, int],
    dropped: IntArray,
) -> str:
    """Say what a layer solved without the training suspects does on the test split.

    The test labels carry the same noise, so it is measured where they are not suspected; of
    the test suspects only how many now get the label they look like.
    """
    layer = train.without_rows(dropped)
    after = layer.predict(test.features)
    true = test.layer.class_names[pair[0]]
    trusted = np.isin(test.labels, pair) & ~suspects
    of_true = trusted & (test.labels == pair[0])

    def share(hits: BoolArray) -> str:
        return f"{100 * hits.mean():.0f}%" if hits.size else "none"

    right = after == test.labels
    return (
        f"Solved again without {len(dropped)} suspects of training, on test examples of the two "
        f"classes whose own label is not suspected: {share(test.right[trusted])} right before, "
        f"{share(right[trusted])} after; recall of {true} {share(test.right[of_true])} before, "
        f"{share(right[of_true])} after; {share(after[suspects] == pair[0])} of the "
        f"{int(suspects.sum())} test suspects are called {true}, "
        f"{share(test.predicted[suspects] == pair[0])} before."
    )
