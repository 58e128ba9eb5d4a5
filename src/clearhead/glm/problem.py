"""What is to be fitted: features, labels, weights and classes, gathered and checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clearhead._files import checksum
from clearhead._types import FloatArray, IntArray
from clearhead.errors import DataError, InputError
from clearhead.glm.checks import check_factors, check_weights
from clearhead.glm.families import Target
from clearhead.glm.rows import Rows, SplitRows, as_rows
from clearhead.glm.targets import Classes, check_support, encode_targets, read_targets

__all__ = ["LabelledRows", "Problem", "gather"]


@dataclass(frozen=True)
class LabelledRows:
    """Features of a split, and what each row should be: (n,) classes or a matrix (K, n)."""

    rows: Rows
    y: Target


@dataclass(frozen=True)
class Problem:
    """A checked problem.

    Parameters
    ----------
    splits : dict of split to LabelledRows
        ``"train"`` and those to measure on.
    weights : (n,) float64
        Of training rows; they sum to n.
    factors : (p,) float64
    classes : Classes
    family : str
        Never ``"auto"``.
    """

    splits: dict[str, LabelledRows]
    weights: FloatArray
    factors: FloatArray
    classes: Classes
    family: str

    @property
    def labels_digest(self) -> str:
        """Fingerprint of labels and weights."""
        train = self.splits["train"]
        return checksum(train.y.tobytes() + self.weights.tobytes() + self.factors.tobytes())


def gather(
    X: Any,
    y: Any,
    *,
    family: str,
    validation: Any,
    test: Any,
    sample_weight: Any,
    penalty_factor: Any,
    class_names: Sequence[str] | None,
) -> Problem:
    """Gather a problem from arrays or from a feature store, and check that it fits together.

    Raises
    ------
    InputError, DataError
        Naming what is wrong, where, and the mend.
    """
    given, class_names = _given(X, y, validation, test, class_names)
    rows, labels = given["train"]
    if family == "auto" and y is None and np.ndim(labels) == 2:  # of a store
        family = "multilabel"
    n, p = rows.shape
    if n == 0 or p == 0:
        raise DataError(f"X is empty: it has shape ({n}, {p}).")
    weights = check_weights(sample_weight, n)
    classes, target, family = read_targets(labels, family, class_names, "the training split")
    _check_length(target, rows, "train")
    check_support(target, weights, family, classes)
    splits = {"train": LabelledRows(rows, target)}
    for split, (part, part_labels) in given.items():
        if split != "train":
            splits[split] = _measured(part, part_labels, split, p=p, family=family, classes=classes)
    return Problem(splits, weights, check_factors(penalty_factor, p), classes, family)


def _given(
    X: Any, y: Any, validation: Any, test: Any, class_names: Sequence[str] | None
) -> tuple[dict[str, tuple[Rows, Any]], Sequence[str] | None]:
    """Features and labels of each split, from a store or from what was passed."""
    given: dict[str, tuple[Rows, Any]] = {}
    if isinstance(X, SplitRows):
        for split in ("train", "validation", "test"):
            if split in X.splits:
                given[split] = (X.rows(split), X.labels(split))
        if "train" not in given:
            raise DataError(f"The store has no training split; it has {', '.join(X.splits)}.")
        if y is not None:
            given["train"] = (given["train"][0], y)
        elif class_names is None:
            class_names = tuple(X.class_names)
            _check_present(given, class_names)
    else:
        if y is None:
            raise InputError("y is missing: give one label for each row of X.")
        given["train"] = (as_rows(X, "X"), y)
    for split, pair in (("validation", validation), ("test", test)):
        if pair is not None:
            given[split] = _pair(pair, split)
    return given, class_names


def _measured(
    rows: Rows, labels: Any, split: str, *, p: int, family: str, classes: Classes
) -> LabelledRows:
    """A split to measure on, checked against the training split."""
    if rows.shape[1] != p:
        raise InputError(
            f"The {split} split has {rows.shape[1]} features and the training split {p}; "
            "they must come from the same network."
        )
    encoded = encode_targets(labels, family, classes, f"the {split} split")
    _check_length(encoded, rows, split)
    return LabelledRows(rows, encoded)


def _check_present(given: dict[str, tuple[Rows, Any]], names: Sequence[str]) -> None:
    """Refuse a store in which a class has no training example, naming it and where it is."""
    present = {split: _classes_in(np.asarray(y)) for split, (_, y) in given.items()}
    for i, name in enumerate(names):
        if i not in present["train"]:
            elsewhere = [split for split in given if i in present[split]]
            where = f"only in {' and '.join(elsewhere)}" if elsewhere else "nowhere"
            raise DataError(
                f"Class {name!r} has no training example; it occurs {where}. Add training "
                "examples of it, or drop the class."
            )


def _classes_in(y: IntArray) -> set[int]:
    """Classes, or labels of (n, K), that some row has."""
    return set((y if y.ndim == 1 else np.flatnonzero(y.any(axis=0))).tolist())


def _pair(pair: Any, split: str) -> tuple[Rows, Any]:
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise InputError(f"{split} must be a pair (features, labels); got {type(pair).__name__}.")
    return as_rows(pair[0], f"the features of {split}"), pair[1]


def _check_length(y: Target, rows: Rows, split: str) -> None:
    if y.shape[-1] != rows.shape[0]:
        raise DataError(
            f"The {split} split has {rows.shape[0]} rows of features and {y.shape[-1]} labels; "
            "give one label a row."
        )
