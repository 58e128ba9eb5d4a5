"""Deep features on disk, with ids, labels, splits and metadata beside them."""

from __future__ import annotations

import html
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from clearhead._types import SPLITS, BoolArray, FloatArray, IntArray, StrArray
from clearhead.errors import CorruptFileError, InputError
from clearhead.features.manifest import Manifest
from clearhead.features.problems import CountedProblem, ProblemLog, Skipped
from clearhead.features.shard import META, Shard, features_of, outputs_of, read_shard

__all__ = ["FeatureStore", "StoreRows", "check_shards"]

_BLOCK_ROWS = 8192


class StoreRows:
    """The rows of one split, in the order of the dataset, block by block.

    Parameters
    ----------
    shape : (int, int)
        Rows and features.
    """

    def __init__(self, store: FeatureStore, split: str | None, block_rows: int) -> None:
        self._store, self._split, self._block_rows = store, split, block_rows
        n = store.n if split is None else int(np.count_nonzero(store.split == split))
        self.shape = (n, store.p)

    def blocks(self) -> Iterator[FloatArray]:
        """Yield (m, p) float32 blocks; views of the mapped file where rows are neighbours."""
        at = 0
        for index, shard in enumerate(self._store.shards):
            features = self._store.features_of_shard(index)
            if self._split is None:
                wanted = np.arange(shard.rows)
            else:
                wanted = np.flatnonzero(self._store.split[at : at + shard.rows] == self._split)
            at += shard.rows
            for first in range(0, len(wanted), self._block_rows):
                rows = wanted[first : first + self._block_rows]
                if rows[-1] - rows[0] + 1 == len(rows):
                    yield features[rows[0] : rows[-1] + 1]
                else:
                    yield features[rows]

    def __repr__(self) -> str:
        return f"StoreRows(split={self._split!r}, shape={self.shape})"


class FeatureStore:
    """Deep features of a dataset, opened from a folder.

    Rows are in the order of the dataset; examples that could not be read are missing
    (see :attr:`skipped`), and :attr:`row_id` tells which row of the dataset each one is.
    The features stay on disk and are mapped into memory when they are read.

    Examples
    --------
    >>> store = FeatureStore.open("runs/demo-text/features")  # doctest: +SKIP
    >>> store.matrix("train").shape  # doctest: +SKIP
    (5970, 384)
    """

    def __init__(self, manifest: Manifest, shards: list[Shard]) -> None:
        self._manifest = manifest
        self.shards = tuple(shards)
        self._mapped: dict[int, Any] = {}
        self._log = ProblemLog.total(shard.problems for shard in shards)

    @classmethod
    def open(cls, folder: Path | str, *, verify: bool = True) -> FeatureStore:
        """Open the store in `folder`.

        Parameters
        ----------
        folder : Path or str
        verify : bool
            Compare the checksum of every file (about 10 GB/s); sizes are always compared.

        Raises
        ------
        CorruptFileError
            Lists the shards that are damaged or missing.
        StepMissingError
            There is no store.
        """
        manifest = Manifest.read(Path(folder))
        shards, bad = check_shards(manifest, verify=verify)
        if bad:
            raise CorruptFileError(
                f"{len(bad)} of {len(bad) + len(shards)} shards in {folder} are damaged or "
                f"missing: {', '.join(bad.values())}. If the extraction was interrupted, run the "
                "same command again: it goes on from there. Else add repair=True (--repair): "
                "only these are computed again."
            )
        manifest.head()  # checked, too
        return cls(manifest, shards)

    @property
    def path(self) -> Path:
        """The folder."""
        return self._manifest.folder

    @property
    def n(self) -> int:
        """Rows with features."""
        return sum(shard.rows for shard in self.shards)

    @property
    def p(self) -> int:
        """Features a row."""
        return self._manifest.p

    def __len__(self) -> int:
        return self.n

    @property
    def name(self) -> str:
        """Name of the dataset."""
        return str(self._manifest.value["data"]["name"])

    @property
    def backbone_name(self) -> str:
        """Name of the network."""
        return str(self._manifest.value["backbone"]["name"])

    @property
    def modality(self) -> str:
        """``"text"`` or ``"image"``."""
        return str(self._manifest.value["backbone"]["modality"])

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes of the data; labels count into them, or are flags of them."""
        return self._manifest.class_names

    @property
    def multilabel(self) -> bool:
        """Whether a row may have several of the labels that `class_names` names."""
        return bool(pa.types.is_fixed_size_list(self._schema.field("label").type))

    @property
    def fingerprints(self) -> dict[str, str]:
        """Of ``weights``, ``preprocessing``, ``split`` (the decision layer) and ``data``."""
        return self._manifest.fingerprints

    @property
    def head(self) -> tuple[FloatArray, FloatArray, tuple[str, ...] | None] | None:
        """The network's own decision layer: weight (C, p), bias (C,), class names if known."""
        return self._manifest.head()

    @property
    def activation(self) -> str | None:
        """What makes probabilities of the network's logits: ``"softmax"`` or ``"sigmoid"``.

        None where that is not known.
        """
        found: str | None = self._manifest.value.get("activation")
        return found

    @property
    def problems(self) -> tuple[CountedProblem, ...]:
        """What was counted while extracting: unreadable, truncated and empty examples."""
        return self._log.summary(self._manifest.plan(with_order=False).n)

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """Examples without features, and why."""
        return tuple(self._log.skipped)

    @cached_property
    def row_id(self) -> IntArray:
        """Row of the dataset, (n,) int64, ascending."""
        return np.asarray(self._column("row_id"), dtype=np.int64)

    @cached_property
    def ids(self) -> StrArray:
        """Ids of the examples, (n,) str."""
        return np.asarray(self._column("id"), dtype=object)

    @cached_property
    def split(self) -> StrArray:
        """Split of each row, (n,) str."""
        return np.asarray(self._column("split"), dtype=object)

    def ids_of(self, rows: IntArray) -> StrArray:
        """Ids of some rows of the store, given in ascending order; the others stay on disk."""
        found, at = [], 0
        for index, shard in enumerate(self.shards):
            first, stop = np.searchsorted(rows, [at, at + shard.rows])
            column = self._batch(index).column("id")
            found.append(
                column.take(pa.array(rows[first:stop] - at)).to_numpy(zero_copy_only=False)
            )
            at += shard.rows
        return np.concatenate(found)

    def is_in(self, *splits: str) -> BoolArray:
        """Whether each row is of one of `splits`, (n,) bool."""
        wanted = pa.array([self._checked(split) for split in splits])
        parts = [
            pc.is_in(self._batch(index).column("split"), value_set=wanted).to_numpy(
                zero_copy_only=False
            )
            for index in range(len(self.shards))
        ]
        flags: BoolArray = np.concatenate(parts)
        return flags

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that have rows."""
        present = set(self.split)
        return tuple(name for name in SPLITS if name in present)

    def labels(self, split: str | None = None) -> IntArray:
        """Class of each row of `split` (all rows by default), (n,) int64.

        For multi-label data (n, K) int8 of 0 and 1: which of the labels each row has.
        """
        labels = self._labels
        return labels if split is None else labels[self.split == self._checked(split)]

    @cached_property
    def metadata(self) -> pd.DataFrame:
        """Metadata of each row, n rows."""
        names = [name for name in self._schema.names if name.startswith(META)]
        tables = [pa.Table.from_batches([self._batch(i)]) for i in range(len(self.shards))]
        frame: pd.DataFrame
        if not names:
            return pd.DataFrame(index=pd.RangeIndex(self.n))
        frame = pa.concat_tables([table.select(names) for table in tables]).to_pandas()
        return frame.rename(columns={name: name.removeprefix(META) for name in names})

    def matrix(self, split: str | None = None) -> FloatArray:
        """Features of `split` (all rows by default) in memory, (n, p) float32, dataset order."""
        rows = self.rows(split)
        matrix = np.empty(rows.shape, dtype=np.float32)
        at = 0
        for block in rows.blocks():
            matrix[at : at + len(block)] = block
            at += len(block)
        return matrix

    def outputs(self, split: str | None = None) -> FloatArray | None:
        """The network's own logits of `split` (all rows by default), (n, C) float32.

        They come from the same pass as the features. None for a network without a head,
        and in a store that an earlier version wrote.
        """
        wanted = slice(None) if split is None else self.split == self._checked(split)
        if not self._manifest.n_outputs:
            return None
        parts = [outputs_of(self._batch(index)) for index in range(len(self.shards))]
        found: FloatArray = np.concatenate([part for part in parts if part is not None])[wanted]
        return found

    def rows(self, split: str | None = None, *, block_rows: int = _BLOCK_ROWS) -> StoreRows:
        """Features of `split` (all rows by default), block by block, never all in memory."""
        return StoreRows(self, None if split is None else self._checked(split), block_rows)

    def features_of_shard(self, index: int) -> FloatArray:
        """Features of one shard, a (rows, p) view of the mapped file."""
        return features_of(self._batch(index))

    def close(self) -> None:
        """Let go of the mapped files; reading again maps them again."""
        self._mapped.clear()

    def __enter__(self) -> FeatureStore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @cached_property
    def _labels(self) -> IntArray:
        if not self.multilabel:
            return np.asarray(self._column("label"), dtype=np.int64)
        flags = [
            self._batch(index).column("label").flatten().to_numpy()
            for index in range(len(self.shards))
        ]
        return np.concatenate(flags).reshape(-1, len(self.class_names))

    @property
    def _schema(self) -> Any:
        return self._batch(0).schema

    def _batch(self, index: int) -> Any:
        if index not in self._mapped:
            self._mapped[index] = self.shards[index].batch()
        return self._mapped[index]

    def _column(self, name: str) -> Any:
        parts = [
            self._batch(index).column(name).to_numpy(zero_copy_only=False)
            for index in range(len(self.shards))
        ]
        return np.concatenate(parts)

    def _checked(self, split: str) -> str:
        if split not in SPLITS:
            raise InputError(f"split={split!r} is not one of {', '.join(SPLITS)}.")
        return split

    def __repr__(self) -> str:
        sizes = ", ".join(
            f"{name} {np.count_nonzero(self.split == name):,}" for name in self.splits
        )
        return (
            f"FeatureStore({self.backbone_name!r} on {self.name!r}: {self.n:,} × {self.p:,} "
            f"float32; {sizes}; {len(self.class_names)} classes)"
        )

    def _sizes(self) -> dict[str, int]:
        return {name: int(np.count_nonzero(self.split == name)) for name in self.splits}

    def _repr_html_(self) -> str:
        rows = [
            ("network", self.backbone_name),
            ("data", self.name),
            ("examples", f"{self.n:,}"),
            ("features", f"{self.p:,}"),
            ("classes", ", ".join(self.class_names[:10])),
            *((name, f"{size:,}") for name, size in self._sizes().items()),
            *((problem.kind, problem.message) for problem in self.problems),
        ]
        body = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
            f"<td style='text-align:left'>{html.escape(value)}</td></tr>"
            for name, value in rows
        )
        return f"<table><caption>FeatureStore</caption>{body}</table>"


def check_shards(manifest: Manifest, *, verify: bool) -> tuple[list[Shard], dict[int, str]]:
    """Check every shard of the plan; return the sound ones and, by number, what is wrong."""
    plan = manifest.plan(with_order=False)
    sound: list[Shard] = []
    bad: dict[int, str] = {}
    for number, (path, where) in enumerate(
        zip(manifest.shard_paths(plan), plan.shards, strict=True)
    ):
        try:
            shard = read_shard(path, manifest.fingerprints, verify=verify)
        except CorruptFileError as error:
            bad[number] = str(error)
            continue
        if (shard.start, shard.stop) != where:
            bad[number] = f"{path.name} (holds other rows than planned)"
        else:
            sound.append(shard)
    return sound, bad
