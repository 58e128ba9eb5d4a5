"""Labelled examples from elsewhere, as an edit of a run's layer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from clearhead._types import FloatArray, IntArray
from clearhead.backbones import Backbone
from clearhead.data import Dataset, open_examples
from clearhead.data.nearest import did_you_mean
from clearhead.errors import DataError, InputError
from clearhead.layer import Counterexamples

if TYPE_CHECKING:
    from clearhead.run.run import Run

__all__ = ["read_counterexamples"]


def read_counterexamples(
    run: Run, given: Any, weight: float = 1.0, **columns: str | None
) -> Counterexamples:
    """Make features of labelled examples, with the run's own network where they are inputs.

    Parameters
    ----------
    given : path, Dataset, or (features, labels)
        Labels are class names or indices. All of them are added: no part of a file is held out,
        and they may be of one class.
    weight : float
        How much each counts; 1 is as much as a training example.
    **columns
        ``text_column``, ``image_column``, ``label_column`` of a file, where they are not named as
        usual.

    Raises
    ------
    InputError
        They are of classes that the run does not have, or not what its network takes; or
        columns are named of what is no file.
    DataError
        The file cannot be read, or holds no examples.
    """
    names = run.layer().class_names
    named = {option: column for option, column in columns.items() if column is not None}
    if named and isinstance(given, (tuple, Dataset)):
        raise InputError(
            f"{', '.join(named)}: for counterexamples in a file, and these are opened already. "
            "Leave it out."
        )
    if isinstance(given, tuple):
        features, labels = given
        found = np.asarray(features, dtype=np.float32)
        edit = Counterexamples("features given", found, _indices(labels, names), weight)
    else:
        dataset = given if isinstance(given, Dataset) else _open(given, names, named)
        if dataset.multilabel:
            raise InputError(
                f"counterexamples: {dataset.name} has several labels an example, and the run has "
                f"classes: {', '.join(names[:10])}. Give each example one of them."
            )
        labels = [dataset.class_names[int(c)] for c in dataset.labels]
        indices = _indices(labels, names)
        edit = Counterexamples(dataset.name, _features(run.backbone, dataset), indices, weight)
    edit.check(run.layer())
    return edit


def _open(given: Any, names: tuple[str, ...], columns: Mapping[str, str]) -> Dataset:
    """Open a file or folder; what it lacks is said as a lack of the counterexamples."""
    try:
        return open_examples(str(given) if isinstance(given, Path) else given, names, **columns)
    except DataError as error:
        raise DataError(f"counterexamples: {error}") from error


def _features(backbone: Backbone, dataset: Dataset) -> FloatArray:
    """Deep features (m, p) of all examples."""
    if dataset.modality != backbone.modality:
        raise InputError(
            f"counterexamples: {dataset.name} holds {dataset.modality}s, and the network takes "
            f"{backbone.modality}s."
        )
    parts = [np.zeros((0, backbone.n_features), dtype=np.float32)]
    for first in range(0, len(dataset), backbone.batch_size):
        rows = range(first, min(first + backbone.batch_size, len(dataset)))
        batch = backbone.prepare([dataset.load(row) for row in rows])
        parts.append(backbone.features(batch).numpy())
    return np.concatenate(parts)


def _indices(labels: Any, names: tuple[str, ...]) -> IntArray:
    """Class names or indices as indices; other numbers stay what they are, to be refused."""
    found = []
    for label in np.asarray(labels).tolist():
        if isinstance(label, str) and label not in names:
            shown = ", ".join(names[:10]) + (" …" if len(names) > 10 else "")
            raise InputError(
                f"counterexamples: {label!r} is no class of the run; classes are {shown}."
                f"{did_you_mean(label, names)}"
            )
        found.append(names.index(label) if isinstance(label, str) else int(label))
    return np.array(found, dtype=np.int64)
