"""Which rows are held out, fold by fold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from clearhead._types import BoolArray, FloatArray, IntArray
from clearhead.errors import DataError, InputError
from clearhead.glm.rows import to_array
from clearhead.glm.targets import Classes

__all__ = ["Fold", "check_classes_learned", "given_folds", "make_folds"]


@dataclass(frozen=True)
class Fold:
    """One division of the rows.

    Parameters
    ----------
    train : (n,) float64
        How often each row is trained on; 0 leaves it out.
    held_out : (n,) bool
    """

    train: FloatArray
    held_out: BoolArray


def make_folds(
    classes: Classes | None,
    target: IntArray | None,
    present: BoolArray,
    *,
    k: int,
    groups: Any,
    seed: int,
) -> list[Fold]:
    """Divide the rows into k folds at random; each row is held out once.

    Parameters
    ----------
    classes, target : Classes and (n,) int, optional
        Folds are stratified by them: each holds its share of every class.
    present : (n,) bool
        Rows that count (their weight is positive).
    k : int
    groups : (n,) array-like, optional
        Rows of one group stay together.
    seed : int

    Raises
    ------
    InputError, DataError
        Where there are too few rows, groups or examples of a class for k folds.
    """
    from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

    rows = np.flatnonzero(present)
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 2:
        raise InputError(f"k must be a whole number of folds, 2 or more; got {k!r}.")
    if k > len(rows):
        raise InputError(f"k={k} folds need {k} rows of positive weight; there are {len(rows)}.")
    ids = None if groups is None else _group_ids(groups, present, k)
    if target is not None and classes is not None:
        _check_classes(target[rows], classes, None if ids is None else ids[rows], k)
    kind: Any
    if target is None:
        kind = KFold if ids is None else GroupKFold
    else:
        kind = StratifiedKFold if ids is None else StratifiedGroupKFold
    splitter = kind(n_splits=int(k), shuffle=True, random_state=seed)
    parts = splitter.split(
        np.zeros((len(rows), 1)),
        None if target is None else target[rows],
        None if ids is None else ids[rows],
    )
    return [_fold(rows[train], rows[held_out], len(present)) for train, held_out in parts]


def check_classes_learned(folds: list[Fold], target: IntArray, classes: Classes) -> None:
    """Refuse a fold whose training rows lack a class.

    Raises
    ------
    DataError
        Naming class, fold and the mend.
    """
    for number, fold in enumerate(folds, start=1):
        counts = np.bincount(target, fold.train, len(classes.names))
        if (counts == 0).any():
            name = classes.names[int(np.flatnonzero(counts == 0)[0])]
            raise DataError(
                f"Every row of class {name!r} is held out in fold {number} of {len(folds)}, so it "
                "could not be learned there. Use fewer folds, stratified ones, or finer groups; "
                "or add examples of it."
            )


def given_folds(splits: Iterable[Any], present: BoolArray) -> list[Fold]:
    """Read divisions as scikit-learn's splitters give them: pairs of row indices.

    Raises
    ------
    InputError
        Naming the pair, what is wrong and the mend.
    """
    n, folds = len(present), []
    for number, pair in enumerate(splits, start=1):
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise InputError(
                f"splits must yield pairs (training rows, held-out rows); pair {number} is "
                f"{type(pair).__name__}."
            )
        train, held_out = (_indices(part, n, number) for part in pair)
        both = np.intersect1d(train, held_out)
        if len(both):
            raise InputError(
                f"Row {both[0]} is both trained on and held out in pair {number} of splits; "
                "a row that was trained on measures nothing."
            )
        fold = _fold(train, held_out, n)
        fold = Fold(fold.train * present, fold.held_out & present)
        if not fold.train.any() or not fold.held_out.any():
            raise InputError(f"Pair {number} of splits has an empty part (or one of weight 0).")
        folds.append(fold)
    if len(folds) < 2:
        raise InputError(f"splits yields {len(folds)} pair(s); standard errors need two or more.")
    return folds


def _fold(train: IntArray, held_out: IntArray, n: int) -> Fold:
    mask = np.zeros(n, np.bool_)
    mask[held_out] = True
    return Fold(np.bincount(train, minlength=n).astype(np.float64), mask)


def _indices(part: Any, n: int, number: int) -> IntArray:
    values = to_array(part, f"pair {number} of splits")
    if values.dtype.kind == "b" and values.shape == (n,):
        return np.flatnonzero(values)
    if values.ndim != 1 or (values.dtype.kind not in "iu" and len(values)):
        raise InputError(
            f"Pair {number} of splits must hold row indices; got an array of shape "
            f"{values.shape} and dtype {values.dtype}."
        )
    wrong = values[(values < 0) | (values >= n)]
    if len(wrong):
        raise InputError(
            f"Pair {number} of splits names row {wrong[0]}; there are rows 0 to {n - 1}."
        )
    return values.astype(np.int64)


def _group_ids(groups: Any, present: BoolArray, k: int) -> IntArray:
    values = to_array(groups, "groups")
    if values.ndim != 1 or len(values) != len(present):
        raise InputError(
            f"groups must name one group a row, {len(present)} in all; got shape {values.shape}."
        )
    ids = np.unique(values.astype(str) if values.dtype.kind == "O" else values, return_inverse=True)
    found = len(np.unique(ids[1][present]))
    if found < k:
        what = "a single group" if found == 1 else f"{found} groups"
        raise DataError(
            f"groups holds {what}; k={k} folds need at least {k}. Use fewer folds, or finer groups."
        )
    return np.asarray(ids[1], np.int64)


def _check_classes(target: IntArray, classes: Classes, ids: IntArray | None, k: int) -> None:
    """Refuse a class that cannot be in every fold's training rows, or in every fold."""
    for c, name in enumerate(classes.names):
        mine = target == c
        if ids is None and mine.sum() < k:
            raise DataError(
                f"Class {name!r} has {int(mine.sum())} row(s), fewer than k={k} folds. Use "
                "fewer folds, add examples, drop the class, or pass stratified=False."
            )
        if ids is not None and len(np.unique(ids[mine])) < 2:
            raise DataError(
                f"Class {name!r} occurs in one group only, so the fold that holds it out has no "
                "training example of it. Use finer groups, add examples, or drop the class."
            )
