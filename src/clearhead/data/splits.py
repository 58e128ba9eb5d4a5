"""Which examples train, validate and test, where the data do not say.

An example's place follows from a hash of the seed and its content (or id), not
from a random stream: the same example goes the same way on every machine, with
every version of numpy, and in every order of the rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xxhash

from clearhead._types import SPLITS, BoolArray, IntArray, SplitName, StrArray
from clearhead.data.dataset import as_bytes
from clearhead.errors import DataError

__all__ = [
    "HELD_OUT",
    "SPLIT_NAMES",
    "check_splits",
    "complete_splits",
    "limit_rows",
    "split_order",
]

HELD_OUT = 0.15
"""Share of the examples that goes to a validation or test split that is made."""

SPLIT_NAMES: dict[str, SplitName] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "validate": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "development": "validation",
    "test": "test",
    "testing": "test",
}
"""The usual names of the splits, in lower case."""


def split_order(name: SplitName | None) -> int:
    """Sorting key: train, validation, test, then what is no split."""
    return len(SPLITS) if name is None else SPLITS.index(name)


def complete_splits(
    labels: IntArray,
    keys: Sequence[str],
    given: StrArray | None,
    class_names: Sequence[str],
    *,
    seed: int = 0,
) -> tuple[StrArray, tuple[str, ...]]:
    """Make the splits that are missing.

    Each missing split takes 15% of the training examples (70/15/15 where no
    split is given). In all, its size is exactly that, rounded; in each class it
    is within one example of that; and every class keeps one example for
    training. Examples of one class with equal keys go the same way together and
    count as one.

    Parameters
    ----------
    labels : (n,) int array
        Indices into `class_names`.
    keys : sequence of n str
        What each example is known by: its content, or its id.
    given : (n,) object array of split names, or None
        The splits of the data themselves; None where there are none.
    class_names : sequence of str
        For the messages.
    seed : int
        Another seed makes other splits.

    Returns
    -------
    split : (n,) object array of str
    notes : tuple of str
        What was done, in sentences.

    Raises
    ------
    DataError
        There is no training split, or there are too few examples to make one.
    """
    present = set(SPLITS) if given is None else set(given)
    if given is None:
        split = np.full(len(labels), "train", dtype=object)
        missing: tuple[SplitName, ...] = ("validation", "test")
    elif "train" not in present:
        raise DataError(
            f"There is no training split, only {' and '.join(sorted(present))}. Add a split "
            "named 'train', or give the data without splits: they are then made."
        )
    else:
        split = given.copy()
        missing = tuple(name for name in SPLITS if name not in present)
    if not missing:
        return split, ()
    # Only the first of equal examples is drawn; the others follow it.
    pool = np.flatnonzero(split == "train")
    first, leader = _first_of_equals(labels[pool], [keys[i] for i in pool.tolist()])
    drawn = _draw(labels[pool[first]], [keys[i] for i in pool[first].tolist()], missing, seed)
    for name in missing:
        if name not in drawn:
            raise DataError(
                f"There are too few examples to make a {name} split: {len(first):,} different "
                f"training examples of {len(class_names)} classes, and each class keeps one for "
                "training. Add examples, or give the splits."
            )
    split[pool] = drawn[leader]
    return split, (_describe(given is None, missing, seed),)


def _describe(none_given: bool, missing: tuple[SplitName, ...], seed: int) -> str:
    how = f"(stratified by class, seed {seed})"
    if none_given:
        return (
            "The data came without splits: 70% of the examples train, 15% validate, "
            f"15% test {how}."
        )
    if len(missing) == 2:
        return f"Validation and test were drawn from train, 15% of it each {how}."
    return f"{missing[0].capitalize()} was drawn from train, 15% of it {how}."


def _first_of_equals(labels: IntArray, keys: Sequence[str]) -> tuple[IntArray, IntArray]:
    """Positions of the different examples, and for each example which of them it equals."""
    seen: dict[tuple[int, str], int] = {}
    first: list[int] = []
    leader = np.empty(len(labels), dtype=np.int64)
    for i, example in enumerate(zip(labels.tolist(), keys, strict=True)):
        at = seen.setdefault(example, len(first))
        if at == len(first):
            first.append(i)
        leader[i] = at
    return np.array(first, dtype=np.int64), leader


def _draw(
    labels: IntArray, keys: Sequence[str], missing: tuple[SplitName, ...], seed: int
) -> StrArray:
    """Draw the `missing` splits; what is left is ``"train"``."""
    n = len(labels)
    share = max(1, _round_half_up(int(HELD_OUT * 100) * n, 100))
    order = _by_class_then_hash(labels, keys, f"split {seed}")
    ends = np.cumsum(np.bincount(labels[order]))
    drawn = np.full(n, "train", dtype=object)
    start = 0
    for end in ends.tolist():
        at = start
        for i, name in enumerate(missing):
            # Rounding the running total makes the sum exact and each class right within one.
            # One split rounds half up and the next down, or tiny classes would give to both.
            quotas = [(2 * share * reach + (1 - i) * n) // (2 * n) for reach in (start, end)]
            size = min(quotas[1] - quotas[0], end - at - 1)
            drawn[order[at : at + size]] = name
            at += size
        start = end
    return drawn


def _round_half_up(numerator: int, denominator: int) -> int:
    """Integers only: the result must not hang on a float's last digit."""
    return (2 * numerator + denominator) // (2 * denominator)


def _by_class_then_hash(cells: IntArray, keys: Sequence[str], salt: str) -> IntArray:
    """Order that sorts by `cells` and shuffles within each by the hash of the keys."""
    seed = xxhash.xxh3_64_intdigest(salt.encode())
    hashes = np.fromiter(
        (xxhash.xxh3_64_intdigest(as_bytes(key), seed) for key in keys),
        dtype=np.uint64,
        count=len(keys),
    )
    return np.lexsort((hashes, cells))


def check_splits(
    labels: IntArray, split: StrArray, class_names: Sequence[str], ids: Sequence[str]
) -> None:
    """Raise :class:`DataError` if a class has no training example."""
    trained: BoolArray = np.zeros(len(class_names), dtype=np.bool_)
    trained[np.unique(labels[split == "train"])] = True
    if trained.all():
        return
    lacking = []
    for k in np.flatnonzero(~trained).tolist():
        rows = np.flatnonzero(labels == k)
        found = " and ".join(name for name in SPLITS if name in set(split[rows]))
        lacking.append(
            f"'{class_names[k]}' ({len(rows):,} in {found or 'no split'}"
            + (f", the first is {ids[int(rows[0])]})" if len(rows) else ")")
        )
    shown = ", ".join(lacking[:5]) + (f" and {len(lacking) - 5} more" if len(lacking) > 5 else "")
    raise DataError(
        f"{len(lacking)} of the {len(class_names)} classes have no training example: {shown}. "
        "A class that was never trained cannot be predicted: add training examples of it, or "
        "remove its examples from the other splits."
    )


def limit_rows(
    labels: IntArray, split: StrArray, keys: Sequence[str], limit: int, *, seed: int = 0
) -> IntArray:
    """Positions of `limit` examples, drawn evenly from every class and split, ascending.

    Every class keeps a training example and every split an example.

    Raises
    ------
    DataError
        `limit` is too small for that.
    """
    n = len(labels)
    k = int(labels.max()) + 1
    splits = [name for name in SPLITS if name in set(split)]
    least = k + len(splits) - 1
    if limit < least:
        raise DataError(
            f"limit={limit} is too small: {k} classes and {len(splits)} splits need at least "
            f"{least} examples. Give limit={least} or more."
        )
    if limit >= n:
        return np.arange(n, dtype=np.int64)
    cells = np.array([splits.index(name) for name in split], dtype=np.int64) * k + labels
    order = _by_class_then_hash(cells, keys, f"limit {seed}")
    sizes = np.bincount(cells, minlength=k * len(splits))
    reserved = np.zeros_like(sizes)
    reserved[:k] = 1
    for s in range(1, len(splits)):
        reserved[s * k + int(np.argmax(sizes[s * k : (s + 1) * k]))] = 1
    rest, spare = sizes - reserved, limit - int(reserved.sum())
    total = int(rest.sum())
    quotas = [0, *(_round_half_up(spare * end, total) for end in np.cumsum(rest).tolist())]
    takes = np.diff(np.array(quotas)) + reserved
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    rows = [order[start : start + take] for start, take in zip(starts, takes, strict=True)]
    return np.sort(np.concatenate(rows))
