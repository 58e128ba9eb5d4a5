"""Examples of every feature, found in one pass over the features and kept for quick questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Self

import numpy as np

from clearhead._files import load_arrays, read_json, save_arrays, storable, write_json
from clearhead._types import FloatArray, IntArray, StrArray
from clearhead.errors import CorruptFileError, InputError, SchemaVersionError, StepMissingError
from clearhead.explain.contributions import ClassContributions, Contribution
from clearhead.explain.examples import FeatureBand, FeatureExamples
from clearhead.explain.spread import bar_edges

__all__ = ["ExampleIndex"]

_SCHEMA = 1
_JSON, _ARRAYS = "index.json", "index.safetensors"


@dataclass(frozen=True, eq=False)
class ExampleIndex:
    """The examples at both ends of every feature, those between, and how activations spread.

    Made by :func:`index_examples` or :func:`build_index`. Questions take milliseconds and need
    neither the features nor the network. Values are raw deep features; what methods return is
    standardised by the layer: 2.0 is two standard deviations of the training split above its
    mean.

    Parameters
    ----------
    n : int
        Examples that were looked at.
    n_sampled : int
        Of them, those in the uniform sample that the spread comes from.
    class_names : tuple of str, length K
    ids : (u,) array of str
        Ids of the examples that are named below by their place in it.
    rows : (u,) int64 array
        Their rows in the features; ascending.
    center, scale : (p,) float64 arrays
        0 and 1 for features that are constant on the training split.
    weight : (K, p) float64 array
        Of the layer.
    highest, lowest : (p, k) arrays
        Most extreme first; among equal values the earlier row is first.
    highest_at, lowest_at : (p, k) int64 arrays
        Places in `ids`.
    ranks, table, bars, band_edges
        See :class:`clearhead.explain.spread.Spread`.
    band_values, band_at : (p, B, 4) arrays
        A few examples of each quantile band; −1 for none.
    """

    n: int
    n_sampled: int
    class_names: tuple[str, ...]
    ids: StrArray
    rows: IntArray
    center: FloatArray
    scale: FloatArray
    weight: FloatArray
    highest: FloatArray
    highest_at: IntArray
    lowest: FloatArray
    lowest_at: IntArray
    ranks: IntArray
    table: FloatArray
    bars: IntArray
    band_edges: FloatArray
    band_values: FloatArray
    band_at: IntArray

    @property
    def p(self) -> int:
        """Features."""
        return len(self.center)

    @property
    def k(self) -> int:
        """Examples at each end of a feature."""
        return int(self.highest.shape[1])

    def examples(self, feature: int, k: int | None = None) -> FeatureExamples:
        """Return the examples of one feature: the `k` at each end, and its quantile bands.

        Raises
        ------
        InputError
            There is no such feature, or `k` is more than the index holds.
        """
        j, k = self._feature(feature), self._count(k)
        edges = bar_edges(self.lowest[[j], 0], self.highest[[j], 0], self.scale[[j]])[0]
        return FeatureExamples(
            feature=j,
            highest=self._pairs(j, self.highest[j, :k], self.highest_at[j, :k]),
            lowest=self._pairs(j, self.lowest[j, :k], self.lowest_at[j, :k]),
            edges=tuple(self._z(j, edges).tolist()),
            counts=tuple(self.bars[j].tolist()),
            bands=self._bands(j),
        )

    def contributions(
        self, class_index: int, k: int | None = None, *, per_feature: int | None = None
    ) -> ClassContributions:
        """Return the k strongest contributions of a feature of an example to a class's score.

        A contribution is weight · activation. The examples at the end of a feature that its
        weight points to are those to which it contributes most, so these are the strongest of
        all examples and features.

        Parameters
        ----------
        class_index : int
        k : int, optional
            At most what the index holds at each end of a feature, which is the default.
        per_feature : int, optional
            At most so many of one feature, that others are seen beside a strong one.

        Raises
        ------
        InputError
            There is no such class, or `k` is more than the index holds.
        """
        if not 0 <= class_index < len(self.class_names):
            raise InputError(
                f"class_index={class_index}: classes count from 0 to {len(self.class_names) - 1}."
            )
        k = self._count(k)
        each = k if per_feature is None else min(k, self._count(per_feature))
        weight = self.weight[class_index]
        used = np.flatnonzero(weight)
        positive = (weight[used] > 0)[:, None]
        raw = np.where(positive, self.highest[used, :each], self.lowest[used, :each])
        at = np.where(positive, self.highest_at[used, :each], self.lowest_at[used, :each])
        z = (raw.astype(np.float64) - self.center[used, None]) / self.scale[used, None]
        values = z * weight[used, None]
        strongest = np.argsort(-values, axis=None, kind="stable")[:k]
        return ClassContributions(
            class_index=int(class_index),
            class_name=self.class_names[class_index],
            contributions=tuple(
                Contribution(
                    feature=int(used[i]),
                    id=str(self.ids[at[i, rank]]),
                    activation=float(z[i, rank]),
                    weight=float(weight[used[i]]),
                    value=float(values[i, rank]),
                )
                for i, rank in zip(*np.unravel_index(strongest, values.shape), strict=True)
            ),
        )

    def percentile(self, feature: int, activation: float) -> float:
        """Share of the examples whose activation is at most `activation`, in percent.

        It is exact for up to 1,024 examples, and beyond the k-th example from either end of
        any number. Between, it comes from a uniform sample of 8,192: its standard error is
        0.55 points at the median and 0.11 at the 99th percentile.

        Raises
        ------
        InputError
            There is no such feature, or the activation is NaN.
        """
        j = self._feature(feature)
        if np.isnan(activation):
            raise InputError("activation: expected a number, got nan.")
        above = int(np.count_nonzero(self._z(j, self.highest[j]) > activation))
        below = int(np.count_nonzero(self._z(j, self.lowest[j]) <= activation))
        if above < self.k:
            return 100.0 * (self.n - above) / self.n
        if below < self.k:
            return 100.0 * below / self.n
        share = self._share(self._z(j, self.table[j]), activation)
        return 100.0 * min(max(share, self.k / self.n), 1 - self.k / self.n)

    def _share(self, table: FloatArray, activation: float) -> float:
        shares = (self.ranks + 1) / self.n_sampled
        i = int(np.searchsorted(table, activation, side="right"))
        if i in (0, len(table)):
            return float(i > 0)
        low, high = shares[i - 1], shares[i]
        if self.ranks[i] - self.ranks[i - 1] == 1:  # nothing of the sample lies between
            return float(low)
        return float(low + (high - low) * (activation - table[i - 1]) / (table[i] - table[i - 1]))

    def save(self, folder: Path | str) -> None:
        """Write ``index.safetensors`` and ``index.json`` into `folder`."""
        folder = Path(folder)
        texts = [storable(str(one)).encode() for one in self.ids]
        arrays: dict[str, Any] = {
            name: value for name, value in vars(self).items() if isinstance(value, np.ndarray)
        }
        arrays["ids"] = np.frombuffer(b"".join(texts), np.uint8)
        arrays["id_ends"] = np.cumsum([len(one) for one in texts], dtype=np.int64)
        digest = save_arrays(folder / _ARRAYS, arrays)
        meta = {
            "schema_version": _SCHEMA,
            "n": self.n,
            "n_sampled": self.n_sampled,
            "class_names": list(self.class_names),
            "files": {_ARRAYS: digest},
        }
        write_json(folder / _JSON, meta)

    @classmethod
    def load(cls, folder: Path | str) -> Self:
        """Read an index that :meth:`save` wrote; checksums must match.

        Raises
        ------
        StepMissingError
            There is none.
        CorruptFileError, SchemaVersionError
            It is damaged, or a newer clearhead wrote it.
        """
        folder = Path(folder)
        if not (folder / _JSON).exists():
            raise StepMissingError(f"There is no index of examples in {folder}: run explain first.")
        meta = read_json(folder / _JSON)
        try:
            if meta["schema_version"] > _SCHEMA:
                raise SchemaVersionError(
                    f"{folder / _JSON} has schema version {meta['schema_version']}; this "
                    f"clearhead reads up to {_SCHEMA}. Upgrade clearhead to open it."
                )
            arrays = load_arrays(folder / _ARRAYS, meta["files"][_ARRAYS])
            return cls(
                n=int(meta["n"]),
                n_sampled=int(meta["n_sampled"]),
                class_names=tuple(meta["class_names"]),
                **_with_ids(arrays),
            )
        except (KeyError, TypeError) as error:
            raise CorruptFileError(
                f"{folder / _JSON} is damaged ({error!r}). Run explain again (with --force)."
            ) from error

    def __repr__(self) -> str:
        return (
            f"ExampleIndex({self.p:,} features of {self.n:,} examples, {self.k} at each end, "
            f"{self.band_at.shape[1]} bands)"
        )

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>"

    def _bands(self, j: int) -> tuple[FeatureBand, ...]:
        edges = self._z(j, self.band_edges[j])
        n_bands = len(edges) - 1
        bands = []
        for b in range(n_bands):
            there = self.band_at[j, b] >= 0
            bands.append(
                FeatureBand(
                    quantiles=(b / n_bands, (b + 1) / n_bands),
                    low=float(edges[b]),
                    high=float(edges[b + 1]),
                    examples=self._pairs(
                        j, self.band_values[j, b, there], self.band_at[j, b, there]
                    ),
                )
            )
        return tuple(bands)

    def _pairs(self, j: int, raw: FloatArray, at: IntArray) -> tuple[tuple[str, float], ...]:
        return tuple(zip(map(str, self.ids[at]), self._z(j, raw).tolist(), strict=True))

    def _z(self, j: int, raw: FloatArray) -> FloatArray:
        z: FloatArray = (raw.astype(np.float64) - self.center[j]) / self.scale[j]
        return z

    def _feature(self, feature: int) -> int:
        if not 0 <= feature < self.p:
            raise InputError(f"feature={feature}: features count from 0 to {self.p - 1}.")
        return int(feature)

    def _count(self, k: int | None) -> int:
        if k is None:
            return self.k
        if k < 1:
            raise InputError(f"k: expected at least 1 example, got {k}.")
        if k > self.k < self.n:
            raise InputError(
                f"k={k}: the index holds {self.k} examples at each end of a feature. Build it "
                f"with k={k}."
            )
        return min(k, self.k)


def _with_ids(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Make ids of their bytes."""
    found = dict(arrays)
    data, ends = found["ids"].tobytes(), found.pop("id_ends").tolist()
    texts = [data[start:end].decode() for start, end in zip([0, *ends], ends, strict=False)]
    found["ids"] = np.array(texts, dtype=object)
    return found
