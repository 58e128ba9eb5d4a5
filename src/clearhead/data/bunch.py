"""Bunches, as scikit-learn's loaders return them: digits, faces, news groups, ``load_files``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from clearhead.data.arrays import as_array, images_of, labels_of
from clearhead.data.frame import table_of
from clearhead.data.source import Source
from clearhead.errors import DataError

__all__ = ["read"]

_TOPS = (1.0, 16.0, 255.0, 65_535.0)
"""What may be white; the digits that come with scikit-learn go up to 16."""


def read(spec: Any) -> Source:
    """Read a bunch of images (``images``) or of texts (``data``), with ``target``.

    Raises
    ------
    DataError
        It has neither, or no target.
    """
    if not isinstance(spec, dict) or spec.get("target") is None:
        raise DataError(
            f"A scikit-learn {type(spec).__name__} without targets cannot be opened. Give a bunch "
            "with images or texts and their targets."
        )
    notes = []
    images = as_array(spec.get("images"))
    columns: dict[str, Sequence[Any]]
    if isinstance(images, np.ndarray):
        top = next(white for white in (*_TOPS, float(images.max())) if images.max() <= white)
        if images.dtype != np.uint8:
            notes.append(f"Pixels from 0 to {top:g} were scaled to 0 to 255.")
        kind, columns = "image", {"image": images_of(images, top)}
    elif _holds_texts(spec.get("data")):
        kind, columns = "text", {"text": [_decoded(text, i) for i, text in enumerate(spec["data"])]}
    else:
        raise DataError(
            "The bunch holds neither images nor texts. If its data are features, give them to "
            "clearhead.fit_path(bunch.data, bunch.target)."
        )
    labels, names = labels_of(spec["target"])
    known = spec.get("target_names")
    if known is not None and names is None and not any(isinstance(k, list) for k in labels):
        names = tuple(str(name) for name in known)
        labels = [_named(label, names, i) for i, label in enumerate(labels)]
    table = table_of(
        "the bunch",
        {**columns, "label": labels},
        roles={kind: kind, "label": "label"},
        class_names={} if names is None else {"label": names},
    )
    return Source("bunch", [table], notes=notes, no_columns="a bunch")


def _holds_texts(data: Any) -> bool:
    return data is not None and len(data) > 0 and isinstance(as_array(data)[0], str | bytes)


def _decoded(text: str | bytes, i: int) -> str:
    try:
        return text if isinstance(text, str) else text.decode()
    except UnicodeDecodeError as error:
        raise DataError(
            f"Text {i} of the bunch is not UTF-8. Load it with its own encoding, such as "
            "load_files(folder, encoding='latin-1')."
        ) from error


def _named(label: Any, names: tuple[str, ...], i: int) -> str:
    if isinstance(label, str):
        return label
    if label != int(label) or not 0 <= label < len(names):
        raise DataError(
            f"The target {label} of row {i} is outside the classes: target_names has {len(names)}."
        )
    return names[int(label)]
