"""What each row should be: its class, probabilities, labels or numbers, read and checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clearhead._types import FloatArray, IntArray
from clearhead.errors import DataError, InputError
from clearhead.glm.families import Target
from clearhead.glm.rows import column_names, refuse_text, to_array
from clearhead.glm.soft import is_soft

__all__ = ["Classes", "check_support", "encode_targets", "read_targets"]

_MATRICES = ("multilabel", "gaussian")
_HUGE = 1e140
"""Squares of larger numbers leave float64."""
_OFF = 1e-3
"""Probabilities whose sum is further from 1 are none; nearer ones are divided by it, as those of
a network in half precision must be."""


@dataclass(frozen=True)
class Classes:
    """The classes of a problem, or its outputs: as given, in order, and what people call them."""

    labels: tuple[Any, ...]
    names: tuple[str, ...]


def read_targets(
    y: Any, family: str, class_names: Sequence[str] | None, where: str
) -> tuple[Classes, Target, str]:
    """Read the training targets of a family.

    Parameters
    ----------
    y : array-like
        (n,) classes, or for a binomial or multinomial family that is named (n, K)
        probabilities; for the multilabel family (n, K) of 0 and 1, or of probabilities
        between them; for the gaussian (n,) or (n, K) numbers.
    family : str
        ``"auto"`` chooses between binomial and multinomial.
    class_names : sequence of str, optional
    where : str
        How errors call the rows.

    Returns
    -------
    classes : Classes
    target : (n,) int or (K, n)
        As :mod:`clearhead.glm.families` wants it.
    family : str
        Never ``"auto"``.

    Raises
    ------
    InputError, DataError
        Naming what is wrong, where, and the mend.
    """
    if family in _MATRICES:
        Y = _matrix(y, family, where)
        return _outputs(y, class_names, len(Y), where), Y, family
    if family != "auto" and _columns(y, where) > 1:
        P = _probabilities(y, family, where)
        return _outputs(y, class_names, len(P), where), P, family
    classes, index = _find_classes(y, class_names, where)
    if family == "binomial" and len(classes.labels) > 2:
        raise InputError(
            f"family='binomial' is for two classes; the labels have {len(classes.labels)}. "
            "Use family='multinomial' or 'auto'."
        )
    if family == "auto":
        family = "binomial" if len(classes.labels) == 2 else "multinomial"
    return classes, index, family


def encode_targets(
    y: Any, family: str, classes: Classes, where: str, *, soft: bool = False
) -> Target:
    """Targets of rows that are only measured; they must be like those of training.

    Where training was on probabilities (`soft`), these may be classes or probabilities.

    Raises
    ------
    DataError
        For a class that the training labels do not have, or another number of outputs.
    """
    if family in _MATRICES:
        Y = _matrix(y, family, where)
    elif soft and _columns(y, where) > 1:
        Y = _probabilities(y, family, where)
    else:
        return _encode_labels(y, classes, where)
    if len(Y) != len(classes.names):
        raise DataError(
            f"The targets of {where} have {len(Y)} column(s); those of the training split have "
            f"{len(classes.names)}: {_some(classes.names)}. Give the same columns."
        )
    return Y


def check_support(target: Target, weights: FloatArray, family: str, classes: Classes) -> None:
    """Refuse a class, label or output of which rows of positive weight have nothing to tell.

    Raises
    ------
    DataError
        Naming it and the mend.
    """
    if family == "gaussian":
        used = target[:, weights > 0]
        if (used.max(axis=1) == used.min(axis=1)).all():
            raise DataError(
                "Every target is the same in all rows of the training split, so there is nothing "
                "to explain. Check that y is the column you meant."
            )
        return
    if family == "multilabel":
        for k, name in enumerate(classes.names):
            for kind, other in (("positive", 0), ("negative", 1)):
                if not ((target[k] != other) & (weights > 0)).any():
                    raise DataError(
                        f"Label {name!r} has no {kind} example of positive weight in the training "
                        "split, so it cannot be learned. Add one, or drop the label."
                    )
        return
    if is_soft(target, classes=True):
        _check_probabilities(target[:, weights > 0], classes)
        return
    mass = np.bincount(target, weights, len(classes.labels))
    if (mass == 0).any():
        name = classes.names[int(np.flatnonzero(mass == 0)[0])]
        raise DataError(
            f"Every training example of class {name!r} has weight 0. Give one of them a positive "
            "weight, or drop the class."
        )


def _check_probabilities(P: FloatArray, classes: Classes) -> None:
    """Refuse a class that no row gives any probability, and rows that all say the same."""
    never = np.flatnonzero(P.max(axis=1) == 0.0)
    if len(never):
        raise DataError(
            f"Class {classes.names[int(never[0])]!r} has probability 0 in every training example "
            "of positive weight, so it cannot be learned. Drop its column."
        )
    if (P.max(axis=1) == P.min(axis=1)).all():
        raise DataError(
            "Every row of the training split has the same probabilities, so there is nothing to "
            "explain. Check that they are the network's predictions for these rows."
        )


def _columns(y: Any, where: str) -> int:
    """Numbers a row; 1 unless there are two dimensions."""
    shape = to_array(y, f"the targets of {where}").shape
    return int(shape[1]) if len(shape) == 2 else 1


def _probabilities(y: Any, family: str, where: str) -> Target:
    """Probabilities (K, n) of the classes, float64; they sum to 1 in each row."""
    refuse_text(y, f"the targets of {where}")
    values = to_array(y, f"the targets of {where}")
    if family == "binomial" and values.shape[1] != 2:
        raise InputError(
            f"family='binomial' is for two classes; the probabilities of {where} have "
            f"{values.shape[1]} columns. Use family='multinomial'."
        )
    values = _as_floats(values, family, where)
    names = column_names(y) or tuple(str(k) for k in range(values.shape[1]))
    # NaN is neither.
    wrong = ~((values >= 0.0) & (values <= 1.0 + _OFF))
    if wrong.any():
        row, column = (int(i) for i in np.argwhere(wrong)[0])
        raise DataError(
            f"family={family!r} wants a class for each row, (n,), or probabilities, (n, K); the "
            f"targets of {where} hold {values[row, column]:g} at row {row}, column "
            f"{names[column]!r}. Probabilities lie in [0, 1]: logits become so by softmax."
        )
    total = values.sum(axis=1)
    off = np.abs(total - 1.0) > _OFF
    if off.any():
        row = int(np.flatnonzero(off)[0])
        raise DataError(
            f"The probabilities of {where} must sum to 1 in each row; row {row} sums to "
            f"{total[row]:g} ({int(off.sum())} such row(s)). Labels that are independent of each "
            "other are family='multilabel'."
        )
    return np.ascontiguousarray((values / total[:, None]).T)


def _matrix(y: Any, family: str, where: str) -> Target:
    """Targets (K, n): float64 numbers, or int8 of 0 and 1 where there are only those."""
    refuse_text(y, f"the targets of {where}")
    values = to_array(y, f"the targets of {where}")
    if values.ndim == 1 and family == "gaussian":
        values = values[:, None]
    if values.ndim != 2 or values.shape[1] == 0:
        wanted = (
            "a matrix (n, K) of 0 and 1, one column a label"
            if family == "multilabel"
            else "numbers (n,) or (n, K), one column an output"
        )
        hint = " Use y.reshape(-1, 1) for one label." if values.ndim == 1 else ""
        raise DataError(
            f"family={family!r} wants {wanted}; the targets of {where} have shape "
            f"{values.shape}.{hint}"
        )
    values = _as_floats(values, family, where)
    names = column_names(y) or tuple(str(k) for k in range(values.shape[1]))
    missing = ~np.isfinite(values)
    if missing.any():
        row, column = (int(i) for i in np.argwhere(missing)[0])
        raise DataError(
            f"The targets of {where} hold {values[row, column]} at row {row}, column "
            f"{names[column]!r} ({int(missing.any(axis=1).sum())} such row(s)). Fill or drop "
            "those rows."
        )
    if family == "multilabel":
        other = (values < 0) | (values > 1)
        if other.any():
            row, column = (int(i) for i in np.argwhere(other)[0])
            raise DataError(
                f"family='multilabel' wants labels of 0 and 1, or probabilities between them; the "
                f"targets of {where} hold {values[row, column]:g} at row {row}, column "
                f"{names[column]!r}. Use family='gaussian' for numbers, or make labels of them: "
                "(y > threshold)."
            )
        hard = ((values == 0) | (values == 1)).all()
        return np.ascontiguousarray(values.T, np.int8 if hard else np.float64)
    size = np.abs(values).max(axis=0, initial=0.0)
    if (size > _HUGE).any():
        column = int(size.argmax())
        raise DataError(
            f"The targets of {where} reach {size[column]:.3g} in column {names[column]!r}, too "
            "large to be squared in float64. Rescale them."
        )
    return np.ascontiguousarray(values.T)


def _as_floats(values: np.ndarray[Any, Any], family: str, where: str) -> FloatArray:
    """The same as float64; None becomes NaN."""
    if values.dtype.kind not in "fiub":
        try:
            if values.dtype.kind != "O":
                raise TypeError
            return np.where([[_missing(v) for v in row] for row in values], np.nan, values).astype(
                np.float64
            )
        except (TypeError, ValueError):
            raise DataError(
                f"family={family!r} wants numbers; the targets of {where} have dtype "
                f"{values.dtype}. Use family='auto' for classes."
            ) from None
    return values.astype(np.float64)


def _outputs(y: Any, class_names: Sequence[str] | None, n_outputs: int, where: str) -> Classes:
    """Outputs by the columns' names, or numbered."""
    labels: tuple[Any, ...] = column_names(y) or tuple(range(n_outputs))
    names = tuple(str(v) for v in (labels if class_names is None else class_names))
    if len(names) != n_outputs:
        raise DataError(
            f"class_names has {len(names)} names, but the targets of {where} have {n_outputs} "
            "column(s). Give one name a column."
        )
    return Classes(labels, names)


def _find_classes(
    y: Any, class_names: Sequence[str] | None, where: str
) -> tuple[Classes, IntArray]:
    """Find the classes of the training labels, sorted, and each row's index into them.

    Raises
    ------
    DataError
        For labels that are missing, of one class only, or of another length of names.
    """
    values = _labels(y, where)
    if values.dtype.kind == "O" and len({type(v) for v in values}) > 1:
        kinds = ", ".join(sorted({type(v).__name__ for v in values}))
        raise DataError(f"The labels of {where} mix types ({kinds}); convert them to one.")
    found, index = np.unique(values, return_inverse=True)
    if len(found) < 2:
        what = f"only the class {found.tolist()[0]!r}" if len(found) else "no label at all"
        raise DataError(f"The labels of {where} hold {what}; two classes or more are needed.")
    labels = tuple(found.tolist())
    names = tuple(str(v) for v in (labels if class_names is None else class_names))
    if len(names) != len(labels):
        raise DataError(
            f"class_names has {len(names)} names, but the labels of {where} are of "
            f"{len(labels)} classes: {_some(labels)}. Each class needs a training example."
        )
    return Classes(labels, names), index.astype(np.int64)


def _encode_labels(y: Any, classes: Classes, where: str) -> IntArray:
    """Index of each label among the classes.

    Raises
    ------
    DataError
        For a class that the training labels do not have.
    """
    values = _labels(y, where)
    index = {label: i for i, label in enumerate(classes.labels)}
    items = values.tolist()
    unknown = sorted({str(v) for v in items if v not in index})
    if unknown:
        first = next(i for i, v in enumerate(items) if v not in index)
        raise DataError(
            f"The labels of {where} hold {len(unknown)} class(es) that no training example has: "
            f"{_some(unknown)} (first in row {first}). Add training examples of them, or drop "
            "those rows."
        )
    return np.array([index[v] for v in items], np.int64)


def _labels(y: Any, where: str) -> np.ndarray[Any, Any]:
    values = to_array(y, f"the labels of {where}")
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise DataError(
            f"The labels of {where} must be one a row; they have shape {values.shape}. "
            "One-hot labels become classes with y.argmax(axis=1); probabilities of the classes are "
            "family='multinomial', several labels a row family='multilabel', numbers "
            "family='gaussian'."
        )
    if values.dtype.kind == "f":
        missing = np.flatnonzero(~np.isfinite(values))
    elif values.dtype.kind == "O":
        missing = np.flatnonzero([_missing(v) for v in values])
    else:
        missing = np.zeros(0, np.int64)
    if len(missing):
        raise DataError(
            f"The labels of {where} are missing (NaN or None) in {len(missing)} row(s), the first "
            f"is row {missing[0]}. Label those rows or drop them."
        )
    return values


def _missing(label: Any) -> bool:
    """Whether a label is None, NaN or what pandas has in their place."""
    if label is None or type(label).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(label, float) and label != label  # noqa: PLR0124


def _some(labels: Sequence[Any], most: int = 6) -> str:
    shown = ", ".join(repr(v) for v in labels[:most])
    return shown + (f" and {len(labels) - most} more" if len(labels) > most else "")
