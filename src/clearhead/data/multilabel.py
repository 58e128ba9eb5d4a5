"""Several labels an example: from columns, lists or a matrix to (n, K) of 0 and 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from clearhead._files import storable
from clearhead._types import IntArray
from clearhead.data.nearest import did_you_mean
from clearhead.errors import DataError

__all__ = ["from_columns", "from_lists", "is_list", "pick_label", "read_matrix"]

_YES = {"1", "1.0", "true", "yes"}
_NO = {"0", "0.0", "false", "no"}


def from_columns(columns: Mapping[str, Sequence[Any]], where: Sequence[str]) -> IntArray:
    """Read columns of 0 and 1 (also true and false), one a label, as (n, K) int8.

    Raises
    ------
    DataError
        Names a value that is neither, its column and place.
    """
    return np.column_stack([_read_flags(name, values, where) for name, values in columns.items()])


def _read_flags(name: str, values: Sequence[Any], where: Sequence[str]) -> IntArray:
    flags = np.empty(len(values), dtype=np.int8)
    for i, value in enumerate(values):
        said = str(value).strip().lower()
        if said not in _YES and said not in _NO:
            what = "nothing" if value is None or said in ("", "nan") else repr(value)
            raise DataError(
                f"The label column '{name}' holds {what} at {where[i]}: where several columns are "
                "labels, each holds 0 or 1. Mend or drop such rows, or name one column."
            )
        flags[i] = said in _YES
    return flags


def is_list(value: Any) -> bool:
    """Whether a label is a list of labels."""
    return isinstance(value, list | tuple | set | frozenset | np.ndarray)


def from_lists(
    values: Sequence[Any], where: Sequence[str], class_names: Sequence[str] | None
) -> tuple[IntArray, tuple[str, ...]]:
    """Read lists of names of labels; an empty list is an example without any.

    Lists of numbers, all of one length, of which some repeat a number or all are 0.0 or 1.0
    or booleans, are taken as flags of the labels in order.

    Parameters
    ----------
    values : sequence of n lists
    where : sequence of n str
    class_names : sequence of str, or None
        The labels; those that occur, sorted, where None.

    Returns
    -------
    labels : (n, K) int8
    class_names : tuple of str
    """
    other = [place for value, place in zip(values, where, strict=True) if not is_list(value)]
    if other:
        raise DataError(
            f"{len(other):,} labels are no lists where others are, the first at {other[0]}. Give "
            "each example a list of labels, an empty one where it has none."
        )
    lists = [list(value) for value in values]
    if _are_flags(lists):
        matrix = np.array(lists, dtype=np.float64)
        names = _numbered(matrix.shape[1]) if class_names is None else tuple(class_names)
        return read_matrix(matrix, names, where)
    named = [[storable(str(label).strip()) for label in labels] for labels in lists]
    found = {label for labels in named for label in labels}
    names = tuple(sorted(found)) if class_names is None else tuple(class_names)
    if class_names is not None and not found & set(names) and all(f.isdigit() for f in found):
        named = [
            [_nth(label, names, place) for label in labels]
            for labels, place in zip(named, where, strict=True)
        ]
        found = set(names)
    unknown = sorted(found - set(names))
    if unknown:
        raise DataError(
            f"The labels {', '.join(unknown[:5])} are not among the labels "
            f"{', '.join(names[:10])}. Mend them, or name every label in class_names "
            "(--class-names)."
        )
    index = {name: k for k, name in enumerate(names)}
    matrix = np.zeros((len(named), len(names)), dtype=np.int8)
    for row, labels in enumerate(named):
        matrix[row, [index[label] for label in labels]] = 1
    return matrix, names


def _nth(label: str, names: tuple[str, ...], place: str) -> str:
    if int(label) >= len(names):
        raise DataError(
            f"The label {label} at {place} is outside the labels: there are {len(names)}, "
            "numbered from 0. Name every label in class_names (--class-names)."
        )
    return names[int(label)]


def _are_flags(lists: Sequence[list[Any]]) -> bool:
    widths = {len(labels) for labels in lists}
    items = [item for labels in lists for item in labels]
    if len(widths) != 1 or widths == {1} or not all(_is_number(item) for item in items):
        return False
    if not all(item in (0, 1) for item in items):
        return False
    named_twice = any(len(set(labels)) < len(labels) for labels in lists)
    return named_twice or all(isinstance(item, bool | float | np.floating) for item in items)


def _is_number(item: Any) -> bool:
    return isinstance(item, bool | int | float | np.number | np.bool_)


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(str(k) for k in range(count))


def read_matrix(
    matrix: np.ndarray[Any, Any], class_names: Sequence[str] | None, where: Sequence[str]
) -> tuple[IntArray, tuple[str, ...]]:
    """Check a matrix (n, K) of 0 and 1 and the names of its K labels.

    Raises
    ------
    DataError
        Names a value that is neither, and where.
    """
    n, count = matrix.shape
    names = _numbered(count) if class_names is None else class_names
    names = tuple(storable(str(name)) for name in names)
    if len(names) != count or len(set(names)) != count:
        raise DataError(
            f"The labels have {count} columns, and class_names has {len(set(names))} different "
            f"names: {', '.join(names[:10])}. Give one name a column."
        )
    if n == 0 or count == 0:
        raise DataError(f"The labels are empty: their shape is ({n}, {count}).")
    bad = np.argwhere((matrix != 0) & (matrix != 1))
    if len(bad):
        row, column = (int(i) for i in bad[0])
        raise DataError(
            f"The label '{names[column]}' is {matrix[row, column]} at {where[row]}; it must be 0 "
            f"or 1 ({len(np.unique(bad[:, 0])):,} such rows). Mend or drop these rows."
        )
    return matrix.astype(np.int8), names


def pick_label(
    matrix: IntArray, names: Sequence[str], label: str, what: str
) -> tuple[IntArray, tuple[str, str]]:
    """Make two classes of one of several labels: ``"not toxic"`` (0) and ``"toxic"`` (1).

    Raises
    ------
    DataError
        `what`, the data, have no such label.
    """
    if label not in names:
        raise DataError(
            f"{what} has no label '{label}'.{did_you_mean(label, names)} There are: "
            f"{', '.join(names)}."
        )
    return matrix[:, list(names).index(label)].astype(np.int64), (f"not {label}", label)
