"""Which examples train, validate and test, where the data do not say.

An example's place follows from a hash of the seed and its content (or id), not
from a random stream: the same example goes the same way on every machine, with
every version of numpy, and in every order of the rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xxhash

from clearhead._types import SPLITS, BoolArray, IntArray, SplitName, StrArray
from clearhead.data.dataset import as_bytes
from clearhead.data.grouped import draw_groups, strata_of
from clearhead.errors import DataError

__all__ = [
    "HELD_OUT",
    "SPLIT_NAMES",
    "balance_rows",
    "check_splits",
    "complete_splits",
    "limit_rows",
    "split_order",
]

HELD_OUT = 0.15
"""Share of the examples that goes to a validation or test split that is made, if not told."""

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
    validation: float = HELD_OUT,
    test: float = HELD_OUT,
    groups: Sequence[str] | None = None,
) -> tuple[StrArray, tuple[str, ...]]:
    """Make the splits that are missing.

    Each missing split takes its share of the training examples (70/15/15 where neither
    splits nor shares are given). In all, its size is exactly that, rounded; in each class it
    is within one example of that; and every class keeps one example for
    training. Examples of one class with equal keys go the same way together and
    count as one.

    With `groups`, whole groups are drawn, and a split is within half a group of its share
    where training has groups to spare.

    Parameters
    ----------
    labels : (n,) int array, or (n, K) of 0 and 1
        Indices into `class_names`, or which of these labels each example has.
    keys : sequence of n str
        What each example is known by: its content, or its id.
    given : (n,) object array of split names, or None
        The splits of the data themselves; None where there are none.
    class_names : sequence of str
        For the messages.
    seed : int
        Another seed makes other splits.
    validation, test : float
        Shares of the training examples, between 0 and 1.
    groups : sequence of n str, or None
        Examples of the same group stay on one side.

    Returns
    -------
    split : (n,) object array of str
    notes : tuple of str
        What was done, in sentences.

    Raises
    ------
    DataError
        There is no training split, a given group is on two sides, or there are too few
        examples or groups to make a split.
    """
    held_out: dict[SplitName, float] = {"validation": validation, "test": test}
    _check_shares(held_out)
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
        if groups is not None:
            _require_whole_groups(groups, split)
    if not missing:
        return split, ()
    shares = {name: held_out[name] for name in missing}
    pool = np.flatnonzero(split == "train")
    members = (
        [keys[i] for i in pool.tolist()] if groups is None else [groups[i] for i in pool.tolist()]
    )
    if groups is None and labels.ndim == 1:
        # Only the first of equal examples is drawn; the others follow it.
        first, leader = _first_of_equals(labels[pool], members)
        drawn = _draw(labels[pool[first]], [members[i] for i in first.tolist()], shares, seed)
    else:
        names, leader = np.unique(_objects(members), return_inverse=True)
        leader = leader.reshape(-1)
        order = _by_class_then_hash(np.zeros(len(names), np.int64), list(names), f"split {seed}")
        sizes = {name: _share(len(pool), part) for name, part in shares.items()}
        drawn = draw_groups(leader, np.argsort(order), labels[pool], sizes)
    for name in missing:
        if name not in drawn:
            raise DataError(_too_few(name, len(drawn), len(class_names), groups is not None))
    split[pool] = drawn[leader]
    how = _how(labels, grouped=groups is not None, seed=seed)
    return split, (_describe(given is None, shares, how),)


def _check_shares(held_out: Mapping[SplitName, float]) -> None:
    for name, share in held_out.items():
        if not 0 < share < 1:
            raise DataError(
                f"{name}={share:g}: it must be a share between 0 and 1, such as {HELD_OUT}."
            )
    if sum(held_out.values()) >= 1:
        raise DataError(
            f"{' and '.join(f'{name}={share:g}' for name, share in held_out.items())} leave "
            "nothing to train on. Their sum must be below 1."
        )


def _require_whole_groups(groups: Sequence[str], split: StrArray) -> None:
    """Refuse given splits that part a group."""
    seen: dict[str, str] = {}
    parted: dict[str, str] = {}
    for group, name in zip(groups, split.tolist(), strict=True):
        if seen.setdefault(group, name) != name:
            parted.setdefault(group, f"{group!r} ({seen[group]} and {name})")
    if parted:
        shown = list(parted.values())
        more = f" and {len(shown) - 5:,} more" if len(shown) > 5 else ""
        raise DataError(
            f"{len(parted):,} of the {len(seen):,} groups are on two sides of the given splits: "
            f"{', '.join(shown[:5])}{more}. Put each group into one split, or leave the splits "
            "out: they are then made by group."
        )


def _too_few(name: SplitName, units: int, n_classes: int, grouped: bool) -> str:
    what = "groups" if grouped else "different training examples"
    return (
        f"There are too few {'groups' if grouped else 'examples'} to make a {name} split: "
        f"{units:,} {what} of {n_classes} classes, and each class keeps one for "
        "training. Add examples, or give the splits."
    )


def _how(labels: IntArray, *, grouped: bool, seed: int) -> str:
    by = "class" if labels.ndim == 1 else "combination of labels"
    return f"(stratified by {by}{', whole groups' if grouped else ''}, seed {seed})"


def _describe(none_given: bool, shares: Mapping[SplitName, float], how: str) -> str:
    parts = [f"{100 * share:.4g}%" for share in shares.values()]
    if none_given:
        rest = f"{100 * (1 - sum(shares.values())):.4g}%"
        return (
            f"The data came without splits: {rest} of the examples train, {parts[0]} validate, "
            f"{parts[1]} test {how}."
        )
    if len(shares) == 2:
        each = f"{parts[0]} of it each" if len(set(parts)) == 1 else f"{' and '.join(parts)} of it"
        return f"Validation and test were drawn from train, {each} {how}."
    return f"{next(iter(shares)).capitalize()} was drawn from train, {parts[0]} of it {how}."


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
    labels: IntArray, keys: Sequence[str], shares: Mapping[SplitName, float], seed: int
) -> StrArray:
    """Draw the splits that have `shares`; what is left is ``"train"``."""
    n = len(labels)
    order = _by_class_then_hash(labels, keys, f"split {seed}")
    ends = np.cumsum(np.bincount(labels[order]))
    drawn = np.full(n, "train", dtype=object)
    start = 0
    for end in ends.tolist():
        at = start
        for i, (name, part) in enumerate(shares.items()):
            share = _share(n, part)
            # Rounding the running total makes the sum exact and each class right within one.
            # One split rounds half up and the next down, or tiny classes would give to both.
            quotas = [(2 * share * reach + (1 - i) * n) // (2 * n) for reach in (start, end)]
            size = min(quotas[1] - quotas[0], end - at - 1)
            drawn[order[at : at + size]] = name
            at += size
        start = end
    return drawn


def _share(n: int, part: float) -> int:
    """How many of `n` examples a share is, at least one."""
    return max(1, _round_half_up(round(part * 10_000) * n, 10_000))


def _objects(values: Sequence[str]) -> StrArray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


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
    """Raise :class:`DataError` if a class, or one of several labels, has no training example."""
    trained: BoolArray = np.zeros(len(class_names), dtype=np.bool_)
    if labels.ndim == 1:
        trained[np.unique(labels[split == "train"])] = True
    else:
        trained |= labels[split == "train"].any(axis=0)
    if trained.all():
        return
    lacking = []
    for k in np.flatnonzero(~trained).tolist():
        rows = np.flatnonzero(labels == k if labels.ndim == 1 else labels[:, k])
        found = " and ".join(name for name in SPLITS if name in set(split[rows]))
        lacking.append(
            f"'{class_names[k]}' ({len(rows):,} in {found or 'no split'}"
            + (f", the first is {ids[int(rows[0])]})" if len(rows) else ")")
        )
    what = "classes" if labels.ndim == 1 else "labels"
    shown = ", ".join(lacking[:5]) + (f" and {len(lacking) - 5} more" if len(lacking) > 5 else "")
    raise DataError(
        f"{len(lacking)} of the {len(class_names)} {what} have no training example: {shown}. "
        f"A {'class' if labels.ndim == 1 else 'label'} that was never trained cannot be "
        "predicted: add training examples of it, or remove its examples from the other splits."
    )


def balance_rows(
    labels: IntArray,
    split: StrArray,
    keys: Sequence[str],
    class_names: Sequence[str],
    *,
    seed: int = 0,
) -> tuple[IntArray, str]:
    """Positions that are left when validation and test are drawn down to classes of equal size.

    Training examples all stay.

    Returns
    -------
    rows : (m,) int64, ascending
    note : str
        How many examples of each class are left.

    Raises
    ------
    DataError
        A class has no example in one of the splits.
    """
    order = _by_class_then_hash(labels, keys, f"balance {seed}")
    rows = [np.flatnonzero(split == "train")]
    parts = []
    for name in SPLITS[1:]:
        inside = order[split[order] == name]
        if not len(inside):
            continue
        counts = np.bincount(labels[inside], minlength=len(class_names))
        if not counts.all():
            lacking = class_names[int(np.argmin(counts))]
            raise DataError(
                f"balance: class '{lacking}' has no {name} example, so {name} cannot be balanced. "
                "Add examples of it, or leave balance_held_out (--balance-held-out) out."
            )
        least = int(counts.min())
        rows += [inside[labels[inside] == k][:least] for k in range(len(class_names))]
        parts.append(f"{name} {least:,}")
    note = (
        "Validation and test were drawn down to classes of equal size (examples a class: "
        f"{', '.join(parts)}; seed {seed})."
    )
    return np.sort(np.concatenate(rows)), note


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
    labels = strata_of(labels)
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
