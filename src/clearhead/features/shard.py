"""One file of features: Arrow IPC, a single record batch, and its sidecar.

The sidecar is written last, so a shard counts only when both are there; it holds
the size and the xxh3-128 checksum of the file. Both are compared before the file
is mapped, since a file that is cut short while mapped ends the process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import xxhash

from clearhead._files import storable, whole_or_absent
from clearhead._types import FloatArray, IntArray, StrArray
from clearhead.errors import CorruptFileError
from clearhead.features.problems import ProblemLog
from clearhead.features.sealed import read_sealed, write_sealed

__all__ = [
    "Columns",
    "Rows",
    "Shard",
    "features_of",
    "outputs_of",
    "read_shard",
    "remove_shard",
    "sidecar_of",
    "write_shard",
]

META = "meta."


@dataclass(frozen=True, eq=False)
class Rows:
    """What was computed of some rows.

    Parameters
    ----------
    row_ids : (m,) int64 array
        Rows of the dataset.
    features : (m, p) float32 array
    outputs : (m, C) float32 array or None
        The network's own logits, where it has a head.
    """

    row_ids: IntArray
    features: FloatArray
    outputs: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.row_ids)

    @classmethod
    def of(cls, batch: Any) -> Rows:
        """Read them from a record batch; the arrays share its memory."""
        row_ids = batch.column("row_id").to_numpy()
        return cls(row_ids, features_of(batch), outputs_of(batch))

    @classmethod
    def sorted(cls, parts: Sequence[Rows]) -> Rows:
        """Put parts together, in the order of the dataset."""
        row_ids = np.concatenate([part.row_ids for part in parts])
        order = np.argsort(row_ids, kind="stable")
        features = [part.features for part in parts]
        outputs = [part.outputs for part in parts if part.outputs is not None]
        return cls(
            row_ids[order],
            _gathered(features, order),
            _gathered(outputs, order) if outputs else None,
        )


def _gathered(parts: Sequence[FloatArray], order: IntArray) -> FloatArray:
    """Rows of the stacked `parts` in a new order, with one copy in memory beside them."""
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    gathered = np.empty((len(order), parts[0].shape[1]), dtype=np.float32)
    at = 0
    for part in parts:
        gathered[place[at : at + len(part)]] = part
        at += len(part)
    return gathered


class Columns:
    """What stands beside the features: id, label, split and metadata of every row."""

    def __init__(
        self,
        ids: StrArray,
        labels: IntArray,
        split: StrArray,
        metadata: pd.DataFrame,
    ) -> None:
        columns: dict[str, Any] = {
            "id": pa.array([storable(str(one)) for one in ids], pa.string()),
            "label": _label_column(labels),
            "split": pa.array([str(one) for one in split], pa.string()),
        }
        for name in metadata.columns:
            columns[f"{META}{name}"] = _arrow(metadata[name])
        self._table = pa.table(columns)

    def batch(self, rows: Rows) -> Any:
        """Record batch of some rows."""
        # copied, so that the file holds no unused bytes of the whole table
        beside = self._table.take(pa.array(rows.row_ids)).combine_chunks()
        arrays = {
            "row_id": pa.array(np.asarray(rows.row_ids, dtype=np.int64)),
            **{name: _one(beside.column(name)) for name in beside.column_names},
            "features": _lists(rows.features),
        }
        if rows.outputs is not None:
            arrays["outputs"] = _lists(rows.outputs)
        return pa.RecordBatch.from_pydict(arrays)


def _lists(matrix: FloatArray) -> Any:
    flat = pa.array(np.ascontiguousarray(matrix, dtype=np.float32).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, matrix.shape[1])


def _label_column(labels: IntArray) -> Any:
    """Classes as int32, or a list of K int8 of 0 and 1 for each row."""
    if labels.ndim == 1:
        return pa.array(np.asarray(labels, dtype=np.int32))
    flags = pa.array(np.ascontiguousarray(labels, dtype=np.int8).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flags, labels.shape[1])


def _one(column: Any) -> Any:
    """The only chunk of a column."""
    if column.num_chunks == 0:
        return pa.array([], column.type)
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)


def _arrow(column: pd.Series[Any]) -> Any:
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    try:
        return pa.array(column, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):  # mixed types, odd text
        texts = [None if pd.isna(one) else storable(str(one)) for one in column]
        return pa.array(texts, pa.string())


class _Hashed:
    """A file that counts and hashes what is written to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = xxhash.xxh3_128()
        self.size = 0
        self.closed = False

    def write(self, data: Any) -> int:
        self._file.write(data)
        self._digest.update(data)
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        self._file.flush()

    def tell(self) -> int:
        return self.size

    def close(self) -> None:
        self.closed = True

    @property
    def checksum(self) -> str:
        return self._digest.hexdigest()


@dataclass(frozen=True, eq=False)
class Shard:
    """A verified shard; nothing is mapped until it is read.

    Parameters
    ----------
    path : Path
    start, stop : int
        Positions of the plan that it covers.
    rows : int
        Rows in it: fewer than stop − start where examples could not be read.
    problems : ProblemLog
    """

    path: Path
    start: int
    stop: int
    rows: int
    problems: ProblemLog

    def batch(self) -> Any:
        """The record batch, mapped into memory."""
        with pa.memory_map(str(self.path)) as source:
            return pa.ipc.open_file(source).get_batch(0)


def features_of(batch: Any) -> FloatArray:
    """Features of a record batch as a (m, p) float32 array that shares its memory."""
    return _matrix(batch.column("features"))


def outputs_of(batch: Any) -> FloatArray | None:
    """The network's own logits, (m, C) float32; None where they were not kept."""
    if "outputs" not in batch.schema.names:
        return None
    return _matrix(batch.column("outputs"))


def _matrix(column: Any) -> FloatArray:
    flat: FloatArray = column.flatten().to_numpy(zero_copy_only=True)
    return flat.reshape(len(column), column.type.list_size)


def sidecar_of(path: Path) -> Path:
    """Where the sidecar of a shard is."""
    return path.with_suffix(".json")


def write_shard(
    path: Path,
    batch: Any,
    *,
    start: int,
    stop: int,
    problems: ProblemLog,
    fingerprints: Mapping[str, str],
) -> None:
    """Write one record batch and its sidecar, whole or not at all."""
    with whole_or_absent(path) as raw:
        file = _Hashed(raw)
        with pa.ipc.new_file(file, batch.schema) as writer:
            writer.write_batch(batch)
    write_sealed(
        sidecar_of(path),
        {
            "file": path.name,
            "bytes": file.size,
            "xxh3_128": file.checksum,
            "rows": batch.num_rows,
            "start": start,
            "stop": stop,
            "fingerprints": dict(fingerprints),
            "problems": problems.to_json(),
        },
    )


def read_shard(path: Path, fingerprints: Mapping[str, str], *, verify: bool = True) -> Shard:
    """Check a shard against its sidecar.

    Raises
    ------
    CorruptFileError
        Says in a few words what is wrong, starting with the file's name.
    """
    sidecar = sidecar_of(path)
    if not sidecar.is_file():
        raise CorruptFileError(f"{path.name} (its sidecar is missing)")
    try:
        facts = read_sealed(sidecar)
    except CorruptFileError as error:
        raise CorruptFileError(f"{path.name} (its sidecar is damaged)") from error
    if not path.is_file():
        raise CorruptFileError(f"{path.name} (missing)")
    size = path.stat().st_size
    if size != facts["bytes"]:
        raise CorruptFileError(f"{path.name} ({size:,} bytes, {facts['bytes']:,} were written)")
    if facts["fingerprints"] != dict(fingerprints):
        raise CorruptFileError(f"{path.name} (of another network or other data)")
    if verify and _checksum(path) != facts["xxh3_128"]:
        raise CorruptFileError(f"{path.name} (its checksum differs)")
    return Shard(
        path,
        int(facts["start"]),
        int(facts["stop"]),
        int(facts["rows"]),
        ProblemLog.from_json(facts["problems"]),
    )


def remove_shard(path: Path) -> None:
    """Delete a shard; the sidecar first, so that it never vouches for what is gone."""
    sidecar_of(path).unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def _checksum(path: Path) -> str:
    digest = xxhash.xxh3_128()
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            digest.update(block)
    return digest.hexdigest()
