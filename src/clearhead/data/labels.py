"""From labels as they are written to classes, ids and splits that are checked.

Every source of data goes through :func:`assemble`, so that the same mistake
gets the same message wherever it comes from.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from clearhead._files import storable
from clearhead._types import IntArray, StrArray
from clearhead.data.dataset import Problem
from clearhead.data.multilabel import read_matrix
from clearhead.data.nearest import did_you_mean
from clearhead.data.splits import HELD_OUT, SPLIT_NAMES, check_splits, complete_splits
from clearhead.errors import DataError

__all__ = [
    "Assembled",
    "assemble",
    "check_strict",
    "is_matrix",
    "is_missing",
    "listed",
    "require_labels",
]

_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]+)?")


@dataclass(frozen=True)
class Assembled:
    """What all data sets have in common, checked; the fields are those of ``Dataset``."""

    ids: StrArray
    labels: IntArray
    class_names: tuple[str, ...]
    split: StrArray
    metadata: pd.DataFrame
    notes: tuple[str, ...]


def assemble(
    *,
    ids: Sequence[str],
    labels: Sequence[Any] | IntArray,
    split: Sequence[str] | None,
    metadata: pd.DataFrame | None,
    class_names: Sequence[str] | None,
    keys: Sequence[str],
    seed: int,
    where: Sequence[str] | None = None,
    groups: Sequence[Any] | None = None,
    validation: float = HELD_OUT,
    test: float = HELD_OUT,
    whole: bool = False,
) -> Assembled:
    """Check labels, ids and splits, and make the splits that are missing.

    Parameters
    ----------
    ids, keys, where : sequences of n str
        Names of the examples: for good, for drawing the splits, and for people
        (`ids` where None).
    labels : sequence of n, or (n, K) array of 0 and 1
        The name of each example's class; numbers are taken as names. Or which of K labels
        each example has.
    split : sequence of n str, or None
        Names of splits, as usual (``"dev"`` is validation); None where there are none.
    metadata : DataFrame of n rows, or None
    class_names : sequence of str, or None
        The order of the classes, sorted where None; or the names of the K labels.
    seed : int
        For the splits that are made.
    groups : sequence of n, or None
        Examples of one group stay on one side.
    validation, test : float
        Shares of the training examples that the splits take where they are made.
    whole : bool
        All examples are for training: nothing is held out, and one class is enough.
    """
    where = ids if where is None else where
    n = len(ids)
    counted = (("labels", labels), ("keys", keys), ("where", where), ("groups", groups))
    for name, found in ((name, n if given is None else len(given)) for name, given in counted):
        if found != n:
            raise DataError(f"There are {found:,} {name} for {n:,} examples; give one for each.")
    if split is not None and len(split) != n:
        raise DataError(f"There are {len(split):,} splits for {n:,} examples; give one for each.")
    if metadata is not None and len(metadata) != n:
        raise DataError(f"The metadata have {len(metadata):,} rows for {n:,} examples.")
    if not is_matrix(labels):
        require_labels(labels, where)
    clean = [storable(str(identity)) for identity in ids]
    _require_unique(clean, where)
    if is_matrix(labels):
        codes, names = read_matrix(np.asarray(labels), class_names, where)
    else:
        codes, names = _encode(labels, class_names, whole=whole)
    if whole:  # whatever the labels are
        train = np.full(n, "train", dtype=object)
        return Assembled(_strings(clean), codes, names, train, _clean_metadata(metadata, n), ())
    splits, notes = complete_splits(
        codes,
        keys,
        None if split is None else _read_splits(split, where),
        names,
        seed=seed,
        validation=validation,
        test=test,
        groups=None if groups is None else _read_groups(groups, where),
    )
    check_splits(codes, splits, names, where)
    return Assembled(
        ids=_strings(clean),
        labels=codes,
        class_names=names,
        split=splits,
        metadata=_clean_metadata(metadata, n),
        notes=notes,
    )


def is_matrix(labels: Any) -> bool:
    """Whether these are several labels an example, (n, K) of 0 and 1."""
    return isinstance(labels, np.ndarray) and labels.ndim == 2


def listed(items: Sequence[str], most: int = 5) -> str:
    """``a, b, c and 12 more``."""
    shown = ", ".join(items[:most])
    return shown if len(items) <= most else f"{shown} and {len(items) - most:,} more"


def check_strict(strict: bool, problems: Sequence[Problem]) -> None:
    """Raise :class:`DataError` for the first problems, if `strict` and there are any."""
    if not strict or not problems:
        return
    counts = Counter(problem.kind for problem in problems)
    kinds = ", ".join(f"{count:,} x {kind}" for kind, count in counts.items())
    raise DataError(
        f"{len(problems):,} problems in the data ({kinds}), and strict was asked for. "
        f"First: {' '.join(problem.message for problem in problems[:3])} "
        "Mend them, or leave strict=True (--strict) out: they are then counted and left out."
    )


def require_labels(labels: Sequence[Any] | IntArray, where: Sequence[str]) -> None:
    """Raise :class:`DataError` if a label is missing (None, NaN or empty)."""
    missing = [place for label, place in zip(labels, where, strict=True) if is_missing(label)]
    if missing:
        raise DataError(
            f"{len(missing):,} of the {len(labels):,} labels are missing (empty or NaN): "
            f"{listed(missing)}. Fill them in, or remove these examples."
        )


def is_missing(label: Any) -> bool:
    """Whether a value is missing: None, NaN, or a string of nothing but spaces."""
    if label is None or label is pd.NA or label is pd.NaT:
        return True
    if isinstance(label, float | np.floating):
        return math.isnan(label)
    return isinstance(label, str) and not label.strip()


def _require_unique(ids: Sequence[str], where: Sequence[str]) -> None:
    empty = [place for identity, place in zip(ids, where, strict=True) if not identity]
    if empty:
        raise DataError(f"{len(empty):,} ids are empty: {listed(empty)}. Give each example one.")
    counts = Counter(ids)
    if len(counts) == len(ids):
        return
    repeated = [identity for identity, count in counts.items() if count > 1]
    first = [place for identity, place in zip(ids, where, strict=True) if identity == repeated[0]]
    at = f" (the first of them at {listed(first, 3)})" if first[0] != repeated[0] else ""
    raise DataError(
        f"{len(repeated):,} ids are used more than once: {listed([repr(r) for r in repeated])}"
        f"{at}. Ids must be unique: rename them, or remove the id column to number the rows."
    )


def _encode(
    labels: Sequence[Any] | IntArray, class_names: Sequence[str] | None, *, whole: bool
) -> tuple[IntArray, tuple[str, ...]]:
    """Labels as indices into the names of the classes."""
    written = [storable(str(label).strip()) for label in labels]
    if class_names is None:
        written, names = _sorted_names(written)
    else:
        names = tuple(storable(str(name)) for name in class_names)
        written = _among(written, names)
    if not whole:
        _check_classes(written, names)
    index = {name: k for k, name in enumerate(names)}
    return np.array([index[label] for label in written], dtype=np.int64), names


def _check_classes(written: Sequence[str], names: Sequence[str]) -> None:
    """Raise where there is one class, or so many that they are none."""
    if len(set(written)) < 2:
        only = f"All {len(written):,} labels are '{written[0]}'" if written else "No example"
        raise DataError(
            f"{only}: a classifier needs examples of at least two classes. "
            "Check that the right labels were given."
        )
    if len(names) > 20 and len(names) > len(written) / 2:
        raise DataError(
            f"The labels have {len(names):,} different values in {len(written):,} examples, such "
            f"as {listed(names, 3)}: these look like numbers or names, not classes. Choose the "
            "column of the classes (label_column, or --label-column)."
        )


def _among(written: list[str], names: tuple[str, ...]) -> list[str]:
    """The names of the labels, all among `names`; 0, 1, … may stand for the names in order."""
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise DataError(f"class_names holds {listed(repeated)} more than once. Name each once.")
    different = set(written)
    if not different & set(names) and all(_NUMBER.fullmatch(label) for label in different):
        numbers = {label: float(label) for label in different}
        outside = sorted(
            (label for label, k in numbers.items() if k not in range(len(names))), key=float
        )
        if outside:
            raise DataError(
                f"The labels {listed(outside)} are outside the classes: there are {len(names)}, "
                f"numbered from 0 ({listed(names, 10)}). Name every class in class_names "
                "(--class-names), or mend these labels."
            )
        return [names[int(numbers[label])] for label in written]
    unknown = sorted(different - set(names))
    if unknown:
        raise DataError(
            f"The labels {listed(unknown)} are not among the classes {listed(names, 10)}."
            f"{did_you_mean(unknown[0], names)} Mend them, or name every class in class_names "
            "(--class-names)."
        )
    return written


def _sorted_names(written: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """Sort the names; whole numbers by size, with 1.0 and 1 as the same class."""
    different = set(written)
    if not all(_NUMBER.fullmatch(label) for label in different):
        return written, tuple(sorted(different))
    if not all(float(label).is_integer() for label in different):
        return written, tuple(sorted(different, key=lambda label: (float(label), label)))
    whole = {label: str(int(label.partition(".")[0])) for label in different}
    return [whole[label] for label in written], tuple(sorted(set(whole.values()), key=int))


def _read_groups(groups: Sequence[Any], where: Sequence[str]) -> list[str]:
    lacking = [place for group, place in zip(groups, where, strict=True) if is_missing(group)]
    if lacking:
        raise DataError(
            f"{len(lacking):,} examples have no group: {listed(lacking)}. Fill the column in, or "
            "leave it out (group_column, or --group-column)."
        )
    return [str(group) for group in groups]


def _read_splits(split: Sequence[str], where: Sequence[str]) -> StrArray:
    names = [SPLIT_NAMES.get(str(name).strip().lower()) for name in split]
    unknown = [
        f"{str(name)!r} at {place}"
        for name, known, place in zip(split, names, where, strict=True)
        if known is None
    ]
    if unknown:
        raise DataError(
            f"{len(unknown):,} examples have a split with an unknown name: {listed(unknown)}. "
            "Splits are named train, validation (or val, valid, dev) and test."
        )
    return _strings([str(name) for name in names])


def _strings(values: Sequence[str]) -> StrArray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _clean_metadata(metadata: pd.DataFrame | None, n: int) -> pd.DataFrame:
    """Copy with rows numbered from 0 and text that can be written to any file."""
    if metadata is None:
        return pd.DataFrame(index=pd.RangeIndex(n))
    columns: dict[str, Any] = {}
    for name in metadata.columns:
        column = metadata[name]
        if not pd.api.types.is_numeric_dtype(column):
            column = pd.Series(
                [storable(v) if isinstance(v, str) else v for v in column], dtype=object
            )
        columns[storable(str(name))] = column.reset_index(drop=True)
    return pd.DataFrame(columns, index=pd.RangeIndex(n))
