"""The examples of a run, changed at will, and what network and layer make of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from clearhead._types import FloatArray, IntArray
from clearhead.backbones import Backbone
from clearhead.data import Dataset
from clearhead.errors import InputError
from clearhead.events import Event, EventCallback, emit
from clearhead.explain import LimeExplanations
from clearhead.features import FeatureStore
from clearhead.layer import DecisionLayer

__all__ = ["LONGEST_SIDE", "Inputs"]

LONGEST_SIDE = 640
"""Larger pictures are shrunk to so many pixels before they are changed: networks see fewer."""

_KEPT_BYTES = 512 << 20

T = TypeVar("T")


class Inputs:
    """The examples behind the rows of a store, and the network and the layers that see them.

    Parameters
    ----------
    backbone : Backbone
    dataset : Dataset
        What `store` was extracted from.
    store : FeatureStore
    layer, dense : DecisionLayer
        The sparse layer to debug, and the dense one to compare with.
    seed : int
        Of every sample that is drawn.
    batch_size : int, optional
        The network's own if not given.
    lime : LimeExplanations, optional
        Of some of the examples, where they have been explained already.
    on_event : callable, optional
    """

    def __init__(
        self,
        backbone: Backbone,
        dataset: Dataset,
        store: FeatureStore,
        layer: DecisionLayer,
        dense: DecisionLayer,
        *,
        seed: int = 0,
        batch_size: int | None = None,
        lime: LimeExplanations | None = None,
        on_event: EventCallback | None = None,
    ) -> None:
        if backbone.n_features != layer.weight.shape[1]:
            raise InputError(
                f"{backbone.name} has {backbone.n_features} deep features, the layer was fitted "
                f"on {layer.weight.shape[1]}. Take the network whose features it was fitted on."
            )
        self.backbone, self.dataset, self.store = backbone, dataset, store
        self.layer, self.dense, self.seed, self.on_event = layer, dense, seed, on_event
        self.lime = lime
        self.batch_size = batch_size or backbone.batch_size
        self.labels: IntArray = store.labels()
        self.split = store.split.astype(str)
        self.evaluations = 0
        self._kept: OrderedDict[int, Any] = OrderedDict()
        self._bytes = 0
        self._shrunk: set[int] = set()
        self._row_of: dict[str, int] | None = None

    @property
    def modality(self) -> str:
        """``"text"`` or ``"image"``."""
        return self.dataset.modality

    @property
    def class_names(self) -> tuple[str, ...]:
        """Of the K classes."""
        return self.layer.class_names

    def rows(
        self,
        *splits: str,
        label: int | None = None,
        other_than: int | None = None,
        most: int | None = None,
        salt: int = 0,
    ) -> IntArray:
        """Draw rows of the store, ascending: of these splits, of a class or of all others.

        The same arguments always give the same rows; another `salt` gives another sample.
        """
        wanted = np.isin(self.split, splits)
        if label is not None:
            wanted &= self.labels == label
        if other_than is not None:
            wanted &= self.labels != other_than
        rows = np.flatnonzero(wanted)
        if most is not None and rows.size > most:
            rng = np.random.default_rng([self.seed, salt])
            rows = np.sort(rng.choice(rows, most, replace=False))
        return rows

    def example(self, row: int) -> Any:
        """Load the example behind one row of the store; pictures are at most 640 pixels long."""
        row = int(row)
        if row in self._kept:
            self._kept.move_to_end(row)
            return self._kept[row]
        example = self.dataset.load(int(self.store.row_id[row]))
        if isinstance(example, Image.Image) and max(example.size) > LONGEST_SIDE:
            example.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.BICUBIC)
            self._shrunk.add(row)
        self._kept[row] = example
        self._bytes += _size(example)
        while self._bytes > _KEPT_BYTES and len(self._kept) > 1:
            self._bytes -= _size(self._kept.popitem(last=False)[1])
        return example

    def examples(self, rows: Iterable[int]) -> list[Any]:
        """Load several."""
        return [self.example(row) for row in rows]

    def named(self, *keys: str) -> list[Any]:
        """Load examples by their ids."""
        if self._row_of is None:
            self._row_of = {str(key): row for row, key in enumerate(self.store.ids)}
        return [self.example(self._row_of[key]) for key in keys]

    def features_of(self, rows: IntArray) -> FloatArray:
        """Features of unchanged examples, (m, p): the stored ones wherever they are the same."""
        self.examples(rows)
        found = self.stored(rows)
        shrunk = [i for i, row in enumerate(rows) if int(row) in self._shrunk]
        if shrunk:
            found = found.copy()
            found[shrunk] = self.features([self.example(rows[i]) for i in shrunk])
        return found

    def stored(self, rows: IntArray) -> FloatArray:
        """Features in the store, (m, p) float32."""
        matrix = self._matrix
        found: FloatArray = matrix[rows]
        return found

    @property
    def _matrix(self) -> FloatArray:
        if not hasattr(self, "_loaded"):
            self._loaded: FloatArray = self.store.matrix()
        return self._loaded

    def features(self, examples: Sequence[Any]) -> FloatArray:
        """Run the network on changed examples; (m, p) float32. Equal texts are run once."""
        if not len(examples):
            return np.zeros((0, self.backbone.n_features), dtype=np.float32)
        unique, back = _unique(examples)
        lengths = np.array([self.backbone.length(one) for one in unique])
        order = np.argsort(lengths, kind="stable")
        found = np.empty((len(unique), self.backbone.n_features), dtype=np.float32)
        for first in range(0, len(unique), self.batch_size):
            at = order[first : first + self.batch_size]
            batch = self.backbone.prepare([unique[i] for i in at])
            found[at] = self.backbone.features(batch).numpy()
            self.evaluations += len(at)
            emit(
                self.on_event,
                Event("debug", "progress", f"{self.evaluations:,} changed examples run"),
            )
        result: FloatArray = found[back]
        return result

    def changed(
        self, rows: IntArray, change: Callable[[Any, int], T | None]
    ) -> tuple[IntArray, list[T]]:
        """Change examples; give the rows that `change` did not leave alone, and the results.

        `change` is called with the example and a seed of its own; None is "not applicable".
        """
        kept, found = [], []
        for row in rows:
            made = change(self.example(row), int(row) + 1_000_003 * self.seed)
            if made is not None:
                kept.append(int(row))
                found.append(made)
        return np.array(kept, dtype=np.int64), found


def _unique(examples: Sequence[Any]) -> tuple[list[Any], IntArray]:
    if not isinstance(examples[0], str):
        return list(examples), np.arange(len(examples))
    places: dict[str, int] = {}
    back = [places.setdefault(text, len(places)) for text in examples]
    return list(places), np.array(back)


def _size(example: Any) -> int:
    if isinstance(example, Image.Image):
        return int(np.prod(example.size)) * 3
    return len(example)
