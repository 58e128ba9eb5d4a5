"""Features that were computed elsewhere: arrays, or a file of them."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import xxhash

from clearhead._types import FloatArray, Modality
from clearhead.data import Dataset, TextDataset
from clearhead.errors import DataError

__all__ = ["FEATURE_FILES", "PrecomputedFeatures", "is_feature_file", "read_features"]

FEATURE_FILES = (".npz", ".npy", ".parquet", ".arrow", ".feather")
# The usual names of each part of a file.
_NAMES = {
    "features": ("features", "X", "x", "embeddings", "embedding", "arr_0"),
    "labels": ("labels", "label", "y", "target", "targets", "class"),
    "split": ("split", "splits"),
    "ids": ("ids", "id"),
    "texts": ("texts", "text", "sentence"),
    "outputs": ("outputs", "logits"),
    "weight": ("weight", "head_weight"),
    "bias": ("bias", "head_bias"),
    "class_names": ("class_names", "classes"),
}


@dataclass(frozen=True, eq=False)
class PrecomputedFeatures:
    """Deep features that were computed elsewhere, and what is known beside them.

    Stands in the place of the network in :func:`clearhead.new_run`.

    Parameters
    ----------
    features : (n, p) array
        Finite; kept as float32.
    labels : (n,) sequence, optional
        Class of each row, a name or a number; not needed where data are given beside it.
    split : (n,) sequence of str, optional
        train, validation or test; made (stratified) where it is missing.
    ids : (n,) sequence of str, optional
        By them the rows find their examples where data are given beside; by their order else.
    texts : (n,) sequence of str, optional
        What a person sees of each row; its id else.
    metadata : DataFrame of n rows, optional
    outputs : (n, C) array, optional
        The network's own logits.
    head : (weight (C, p), bias (C,)), optional
        The network's own decision layer.
    class_names : sequence of str, optional
        Names of the classes, in the order of the labels' numbers and of the outputs.
    name : str
        For people.

    Raises
    ------
    DataError
        The parts do not fit together, or a feature is not finite.
    """

    features: FloatArray
    labels: Sequence[Any] | None = None
    split: Sequence[str] | None = None
    ids: Sequence[str] | None = None
    texts: Sequence[str] | None = None
    metadata: pd.DataFrame | None = None
    outputs: FloatArray | None = None
    head: tuple[FloatArray, FloatArray] | None = None
    class_names: tuple[str, ...] | None = None
    name: str = "features"
    modality: Modality = "text"
    layer: str | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        features = _matrix(self.features, "features", self.name)
        object.__setattr__(self, "features", features)
        if self.outputs is not None:
            object.__setattr__(self, "outputs", _matrix(self.outputs, "outputs", self.name))
        for part in ("labels", "split", "ids", "texts", "metadata", "outputs"):
            values = getattr(self, part)
            if values is not None and len(values) != len(features):
                raise DataError(
                    f"{self.name}: {part} has {len(values):,} rows and features {len(features):,}."
                )
        if self.head is not None:
            weight, bias = (np.asarray(part, dtype=np.float32) for part in self.head)
            if weight.ndim != 2 or weight.shape[1] != self.n_features or len(bias) != len(weight):
                raise DataError(
                    f"{self.name}: the head has a weight {weight.shape} and a bias {bias.shape}; "
                    f"expected are (C, {self.n_features}) and (C,)."
                )
            object.__setattr__(self, "head", (weight, bias))

    @property
    def n_features(self) -> int:
        """P."""
        return int(self.features.shape[1])

    @property
    def n_outputs(self) -> int | None:
        """C, of the network's own logits; None without them."""
        return None if self.outputs is None else int(self.outputs.shape[1])

    def __len__(self) -> int:
        return len(self.features)

    @cached_property
    def fingerprints(self) -> dict[str, str]:
        """What the features are: ``weights`` stands for the numbers themselves."""
        digest = xxhash.xxh3_128()
        for part in (self.features, self.outputs, *(self.head or ())):
            if part is not None:
                digest.update(str(part.shape).encode())
                digest.update(np.ascontiguousarray(part).data)
        return {"weights": digest.hexdigest(), "preprocessing": "precomputed", "split": ""}

    def dataset(self, *, seed: int = 0, validation: float = 0.15, test: float = 0.15) -> Dataset:
        """Make a data set of the rows, which are shown by their texts or ids.

        Parameters
        ----------
        seed, validation, test
            Of the splits that are made where there are none.

        Raises
        ------
        DataError
            There are no labels.
        """
        if self.labels is None:
            raise DataError(
                f"{self.name} has no labels. Add them to the file (labels), or give the data that "
                "the features were computed from."
            )
        n = len(self)
        ids = [str(one) for one in self.ids] if self.ids is not None else [
            f"row {row}" for row in range(n)
        ]  # fmt: skip
        return TextDataset.from_texts(
            ids if self.texts is None else list(self.texts),
            self._named_labels(),
            name=self.name,
            ids=ids,
            split=None if self.split is None else [str(one) for one in self.split],
            metadata=self.metadata,
            class_names=self.class_names,
            seed=seed,
            validation=validation,
            test=test,
        )

    def _named_labels(self) -> list[Any]:
        labels = np.asarray(self.labels).tolist()
        names = self.class_names
        if names is None or not all(isinstance(label, int) for label in labels):
            return list(labels)
        if min(labels) < 0 or max(labels) >= len(names):
            wrong = next(label for label in labels if not 0 <= label < len(names))
            raise DataError(
                f"{self.name}: the label {wrong} is outside the {len(names)} class_names; labels "
                f"count from 0 to {len(names) - 1}."
            )
        return [names[label] for label in labels]

    def __repr__(self) -> str:
        return f"PrecomputedFeatures({self.name!r}, {len(self):,} × {self.n_features:,})"


def is_feature_file(spec: object) -> bool:
    """Whether `spec` is a path that ends as a file of features does."""
    return isinstance(spec, (str, Path)) and Path(spec).suffix.lower() in FEATURE_FILES


def read_features(path: Path | str) -> PrecomputedFeatures:
    """Read features from a file.

    Parameters
    ----------
    path : Path or str
        ``.npz`` with an array ``features`` (or ``X``) and perhaps ``labels`` (or ``y``),
        ``split``, ``ids``, ``texts``, ``outputs``, ``weight``, ``bias`` and ``class_names``;
        ``.npy`` with the features alone; ``.parquet``, ``.arrow`` or ``.feather`` with a
        column of lists ``features``, or one column a feature, and columns of the same names,
        all others being metadata. Nothing in it is unpickled.

    Raises
    ------
    DataError
        It is missing or damaged, or holds no features.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise DataError(f"{path} is not a file: there are no features to read.")
    read = {".npz": _read_npz, ".npy": _read_npy}.get(path.suffix.lower(), _read_table)
    try:
        parts = read(path)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, pa.ArrowException) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{path} cannot be read as features ({error}). Write it again, e.g. with "
            "numpy.savez(file, features=X, labels=y)."
        ) from error
    weight, bias = parts.pop("weight", None), parts.pop("bias", None)
    if weight is not None:
        parts["head"] = (weight, np.zeros(len(weight)) if bias is None else bias)
    names = parts.get("class_names")
    if names is not None:
        parts["class_names"] = tuple(str(one) for one in names)
    return PrecomputedFeatures(name=path.name, **parts)


def _read_npz(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as file:
        found = _by_names({name: name for name in file.files}, path)
        return {part: file[name] for part, name in found.items()}


def _read_npy(path: Path) -> dict[str, Any]:
    return {"features": np.load(path, allow_pickle=False)}


def _read_table(path: Path) -> dict[str, Any]:
    if path.suffix.lower() == ".parquet":
        from pyarrow import parquet

        table = parquet.read_table(path)
    else:
        from pyarrow import feather

        table = feather.read_table(path, memory_map=True)
    columns = {name.removeprefix("meta."): name for name in table.column_names}
    lists = [
        name
        for name in table.column_names
        if pa.types.is_list(table.schema.field(name).type)
        or pa.types.is_large_list(table.schema.field(name).type)
        or pa.types.is_fixed_size_list(table.schema.field(name).type)
    ]
    found = _by_names(columns, path, wide=not lists)
    parts: dict[str, Any] = {}
    for part, name in found.items():
        column = table.column(name)
        parts[part] = _stacked(column, part, path) if name in lists else column.to_pylist()
    rest = [name for name in table.column_names if name not in found.values()]
    if "features" not in parts:
        wide = [name for name in rest if pa.types.is_floating(table.schema.field(name).type)]
        parts["features"] = np.column_stack([table.column(name).to_numpy() for name in wide])
        rest = [name for name in rest if name not in wide]
    rest = [name for name in rest if name not in lists and name != "row_id"]
    if rest:
        frame = table.select(rest).to_pandas()
        parts["metadata"] = frame.rename(columns=lambda name: str(name).removeprefix("meta."))
    return parts


def _by_names(names: Mapping[str, str], path: Path, *, wide: bool = False) -> dict[str, str]:
    """Which array or column is which part."""
    found = {}
    for part, usual in _NAMES.items():
        name = next((names[one] for one in usual if one in names), None)
        if name is not None:
            found[part] = name
    if "features" not in found and not wide:
        raise DataError(
            f"{path} has no features: it holds {', '.join(names) or 'nothing'}. Name the (n, p) "
            "array 'features'."
        )
    return found


def _stacked(column: Any, part: str, path: Path) -> Any:
    """A column of lists of one length as a matrix."""
    flat = column.combine_chunks()
    if isinstance(flat, pa.ChunkedArray):
        flat = flat.chunk(0)
    values = flat.flatten().to_numpy(zero_copy_only=False)
    if flat.null_count or len(flat) == 0 or len(values) % len(flat):
        raise DataError(f"{path}: the lists in {part!r} are not all of one length.")
    matrix = values.reshape(len(flat), -1)
    if pa.types.is_fixed_size_list(flat.type):
        return matrix
    if (flat.value_lengths().to_numpy() != matrix.shape[1]).any():
        raise DataError(f"{path}: the lists in {part!r} are not all of one length.")
    return matrix


def _matrix(values: Any, part: str, name: str) -> FloatArray:
    try:
        matrix = np.ascontiguousarray(values, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name}: {part} must be numbers ({error}).") from error
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise DataError(
            f"{name}: {part} has the shape {matrix.shape}; expected is (examples, {part})."
        )
    finite = np.isfinite(matrix)
    if not finite.all():
        row, column = (int(i) for i in np.argwhere(~finite)[0])
        raise DataError(
            f"{name}: {part} holds {matrix[row, column]} in row {row}, column {column}. They must "
            "be finite: compute that row again, or leave it out."
        )
    return matrix
