"""Splits of whole groups: no patient, author or scene on two sides.

The same drawing serves examples with several labels, each then a group of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from clearhead._types import BoolArray, IntArray, SplitName, StrArray

__all__ = ["draw_groups", "strata_of"]

_WORTH_A_STRATUM = 20


def strata_of(labels: IntArray) -> IntArray:
    """Number by which examples are stratified, (n,) int64 from 0.

    One label: the class. Several, (n, K) of 0 and 1: the combination where at least 20
    examples share it, otherwise the rarest of the example's labels.
    """
    if labels.ndim == 1:
        return np.asarray(labels, dtype=np.int64)
    rare_first = np.argsort(labels.sum(axis=0), kind="stable")
    has = labels[:, rare_first] != 0
    rarest = np.where(has.any(axis=1), has.argmax(axis=1), labels.shape[1])
    combinations, which, counts = np.unique(labels, axis=0, return_inverse=True, return_counts=True)
    which = which.reshape(-1)
    often = counts >= _WORTH_A_STRATUM
    codes = np.where(often[which], which, len(combinations) + rarest)
    return np.unique(codes, return_inverse=True)[1].reshape(-1)


def draw_groups(
    groups: IntArray,
    ranks: IntArray,
    labels: IntArray,
    shares: Mapping[SplitName, int],
) -> StrArray:
    """Draw splits of whole groups; what is left is ``"train"``.

    One group of every class is set aside for training. From the others, class by class,
    a group is drawn when that brings the split nearer to its share of the examples seen so
    far: in all, a split is within half a group of its share, or training has no group left
    to give.

    Parameters
    ----------
    groups : (n,) int array
        Group of each example, from 0 to G - 1, each with an example.
    ranks : (G,) int array
        The order in which groups are drawn.
    labels : (n,) or (n, K) int array
    shares : mapping of split to int
        How many examples each split is to have.

    Returns
    -------
    split : (G,) object array of str
        A split that no group could be spared for is absent.
    """
    n = len(groups)
    sizes = np.bincount(groups)
    kept = _one_of_every_class(groups, ranks, labels)
    stratum = _main_stratum(groups, strata_of(labels))
    drawn = np.full(len(sizes), "train", dtype=object)
    have = dict.fromkeys(shares, 0)

    def draw(candidates: Sequence[int], reach: int) -> None:
        for name, share in shares.items():
            for g in candidates:
                nearer = (2 * have[name] + int(sizes[g])) * n <= 2 * share * reach
                if nearer and drawn[g] == "train":
                    drawn[g] = name
                    have[name] += int(sizes[g])

    free = np.flatnonzero(~kept)
    free = free[np.argsort(ranks[free])]
    spare = np.bincount(stratum[free], minlength=int(stratum.max()) + 1)
    reach = 0
    # Those with the most to spare come last and make up for the others.
    for s in np.argsort(spare, kind="stable").tolist():
        reach += int(sizes[stratum == s].sum())
        draw(free[stratum[free] == s].tolist(), reach)
    draw(free.tolist(), n)
    for name in shares:
        left = free[drawn[free] == "train"]
        if have[name] == 0 and len(left):
            drawn[left[np.argmin(sizes[left])]] = name
    return drawn


def _one_of_every_class(groups: IntArray, ranks: IntArray, labels: IntArray) -> BoolArray:
    """Mark groups that together have every class, the classes of few groups first."""
    if labels.ndim == 1:
        pairs = np.column_stack([labels, groups])
    else:
        rows, columns = np.nonzero(labels)
        pairs = np.column_stack([columns, groups[rows]])
    pairs = np.unique(pairs, axis=0)
    having = {int(k): pairs[pairs[:, 0] == k, 1] for k in np.unique(pairs[:, 0])}
    kept: BoolArray = np.zeros(len(ranks), dtype=np.bool_)
    for k in sorted(having, key=lambda k: (len(having[k]), k)):
        if not kept[having[k]].any():
            kept[having[k][np.argmin(ranks[having[k]])]] = True
    return kept


def _main_stratum(groups: IntArray, strata: IntArray) -> IntArray:
    """The stratum of most of each group's examples, (G,)."""
    pairs, counts = np.unique(np.column_stack([groups, strata]), axis=0, return_counts=True)
    order = np.lexsort((pairs[:, 1], -counts, pairs[:, 0]))
    first = np.unique(pairs[order, 0], return_index=True)[1]
    return pairs[order][first, 1]
