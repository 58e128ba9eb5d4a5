"""Texts or images, and labels, as arrays, tensors or lists."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

import numpy as np
import pandas as pd

from clearhead.data.frame import table_of
from clearhead.data.image_source import Pixels, top_of
from clearhead.data.source import Source
from clearhead.errors import DataError

__all__ = ["as_array", "images_of", "labels_of", "read"]


def read(spec: Sequence[Any]) -> Source:
    """Read a pair (X, y).

    X are n texts or paths of images, n images, or an array (n, H, W), (n, H, W, C) or
    (n, C, H, W); y are n labels, n lists of labels, or an array (n, K) of 0 and 1.

    Raises
    ------
    DataError
        They are no pair, of different lengths, or X is a table of features.
    """
    if len(spec) != 2:
        raise DataError(
            f"A {type(spec).__name__} of {len(spec)} was given; it must be a pair (X, y) of n "
            "texts or images and n labels."
        )
    X, y = spec
    kind, examples = _examples_of(X)
    labels, names = labels_of(y)
    if len(examples) != len(labels):
        raise DataError(
            f"X holds {len(examples):,} examples and y {len(labels):,} labels; give one each."
        )
    table = table_of(
        "X",
        {kind: examples, "label": labels},
        roles={kind: kind, "label": "label"},
        class_names={} if names is None else {"label": names},
    )
    return Source("arrays", [table], no_columns="a pair (X, y)")


def as_array(values: Any) -> Any:
    """A tensor, Series or array as a numpy array; anything else as it is."""
    if hasattr(values, "detach") and hasattr(values, "numpy"):
        return values.detach().cpu().numpy()
    if type(values).__module__.partition(".")[0] in ("pandas", "polars"):
        return values.to_numpy()
    return values


def _examples_of(X: Any) -> tuple[str, Sequence[Any]]:
    """What the examples are, ``"text"`` or ``"image"``, and each of them."""
    values = as_array(X)
    if isinstance(values, np.ndarray) and values.dtype.kind in "biuf":
        return "image", images_of(values)
    items = list(values)
    if not items:
        raise DataError("X is empty. Give at least one text or image.")
    first = next((item for item in items if item is not None), None)
    if isinstance(first, str):
        return "text", items
    if isinstance(first, bool | int | float | np.number):
        raise DataError(
            "X is a list of numbers; it must hold texts or images. For features, use "
            "clearhead.fit_path(X, y)."
        )
    if isinstance(first, PurePath | bytes | dict) or hasattr(first, "shape"):
        return "image", items
    return ("image", items) if hasattr(first, "getexif") else ("text", items)


def images_of(array: np.ndarray[Any, Any], top: float | None = None) -> list[Pixels]:
    """Cut an array (n, H, W), (n, H, W, C) or (n, C, H, W) into images.

    Parameters
    ----------
    array : array of numbers
    top : float or None
        The value that is white; found from all the images together where None.

    Raises
    ------
    DataError
        It has another shape, or values that are no pixels.
    """
    if array.ndim not in (3, 4) or 0 in array.shape:
        hint = (
            " An array (n, p) holds features: give them to clearhead.fit_path(X, y)."
            if array.ndim == 2
            else ""
        )
        raise DataError(
            f"X has the shape {array.shape}; images are (n, H, W) or (n, H, W, C).{hint}"
        )
    if array.ndim == 4 and array.shape[3] > 4 and array.shape[1] in (1, 3, 4):
        array = array.transpose(0, 2, 3, 1)
    try:
        white = top_of(array) if top is None else top
    except DataError as error:
        raise DataError(f"X: {error}.") from error
    return [Pixels(image, white) for image in array]


def labels_of(y: Any) -> tuple[list[Any], tuple[str, ...] | None]:
    """Labels as a list; those of an array (n, K) as flags. Names of its columns, if known."""
    names = tuple(map(str, y.columns)) if isinstance(y, pd.DataFrame) else None
    values = as_array(y)
    if not isinstance(values, np.ndarray):
        return list(values), None
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim == 1:
        return values.tolist(), None
    if values.ndim != 2:
        raise DataError(f"y has the shape {values.shape}; labels are (n,) or (n, K) of 0 and 1.")
    bad = np.argwhere((values != 0) & (values != 1))
    if len(bad):
        row, column = (int(i) for i in bad[0])
        raise DataError(
            f"y holds {values[row, column]} in row {row}, column {column}; labels (n, K) are 0 or "
            "1. Mend or drop such rows."
        )
    if (values.sum(axis=1) == 1).all():
        raise DataError(
            f"y of shape {values.shape} has a single 1 in each row: these are classes. Give "
            "y.argmax(axis=1)."
        )
    return [[bool(flag) for flag in row] for row in values.tolist()], names
