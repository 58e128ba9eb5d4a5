"""Which examples make each feature fire most, least and in between? One pass answers for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from clearhead._types import BoolArray, FloatArray, IntArray, StrArray
from clearhead.errors import InputError
from clearhead.events import Event, EventCallback, emit
from clearhead.explain.examples import FeatureExamples
from clearhead.explain.extremes import find_extremes
from clearhead.explain.index import ExampleIndex
from clearhead.explain.spread import Spread
from clearhead.features import FeatureStore
from clearhead.glm.rows import Rows, as_rows
from clearhead.layer import DecisionLayer

__all__ = ["build_index", "find_examples", "index_examples"]

_SAMPLE = 8192


def index_examples(
    store: FeatureStore,
    layer: DecisionLayer,
    *,
    splits: Sequence[str] = ("train", "validation"),
    k: int = 16,
    n_bands: int = 8,
    seed: int = 0,
    on_event: EventCallback | None = None,
) -> ExampleIndex:
    """Index the examples of every feature of a store; see :func:`build_index`.

    Parameters
    ----------
    splits : sequence of str
        Where to look; the test split is kept for confirming what is found.
    """
    # Whole blocks are read, as they lie in the file; rows of other splits do not count.
    return build_index(
        store.rows(),
        store.ids_of,
        layer,
        keep=store.is_in(*splits),
        k=k,
        n_bands=n_bands,
        seed=seed,
        on_event=on_event,
    )


def build_index(
    rows: Rows,
    ids: StrArray | Callable[[IntArray], StrArray],
    layer: DecisionLayer,
    *,
    keep: BoolArray | None = None,
    k: int = 16,
    n_bands: int = 8,
    seed: int = 0,
    on_event: EventCallback | None = None,
) -> ExampleIndex:
    """Index the examples of every feature in one pass over row blocks.

    The result is the same whatever the size of the blocks and the number of threads. Memory
    does not grow with n: it is that of the index, of a sample of 8,192 rows, and of a few
    blocks.

    Parameters
    ----------
    rows : Rows
        Raw deep features, (n, p), all finite.
    ids : (n,) array of str, or callable
        A callable is given row numbers in ascending order.
    layer : DecisionLayer
        Gives the standardisation, and the weights of contributions.
    keep : (n,) bool array, optional
        Rows that count; all by default.
    k : int
        Examples at each end of a feature.
    n_bands : int
        Quantile bands.
    seed : int
        Of the sample of rows that quantiles, bars and the examples of bands come from.
    on_event : callable, optional

    Raises
    ------
    InputError
        The features are not those of the layer, a value is not finite, or no row counts.
    """
    n, p = rows.shape
    if p != layer.weight.shape[1]:
        raise InputError(
            f"features: expected {layer.weight.shape[1]} columns, those that the layer was fitted "
            f"on, got {p}. Index the features of the network that the layer belongs to."
        )
    for name, value in (("k", k), ("n_bands", n_bands)):
        if value < 1:
            raise InputError(f"{name}: expected at least 1 {_UNITS[name]}, got {value}.")
    kept = np.arange(n) if keep is None else np.flatnonzero(keep)
    if len(kept) == 0:
        raise InputError("features: there is no example to index. Choose splits that have some.")
    rng = np.random.default_rng(seed)
    drawn = np.sort(rng.choice(kept, min(len(kept), _SAMPLE), replace=False, shuffle=False))
    k = min(k, len(kept))
    emit(on_event, Event("explain", "start", total=n, unit="examples"))
    largest, smallest, sample = find_extremes(
        rows,
        k,
        keep=keep,
        sample=drawn,
        progress=lambda done: emit(
            on_event, Event("explain", "progress", done=done, total=n, unit="examples")
        ),
    )
    dead = layer.dead
    for extreme in (largest, smallest):  # a constant is the same everywhere: the first rows
        extreme.rows[dead], extreme.values[dead] = kept[:k], 0.0
    sample[:, dead] = 0.0
    scale = np.where(dead, 1.0, layer.scale)
    spread = Spread.of(
        sample, smallest.values[:, 0], largest.values[:, 0], scale=scale, n_bands=n_bands, rng=rng
    )
    members = spread.band_members
    band_rows = np.where(members < 0, -1, drawn[members])
    named = np.unique(np.concatenate([largest.rows, smallest.rows, band_rows.reshape(p, -1)], 1))
    named = named[named >= 0]
    return ExampleIndex(
        n=len(kept),
        n_sampled=len(drawn),
        class_names=layer.class_names,
        ids=ids(named) if callable(ids) else np.asarray(ids)[named],
        rows=named,
        center=np.where(dead, 0.0, layer.center),
        scale=scale,
        weight=layer.weight,
        highest=largest.values,
        highest_at=np.searchsorted(named, largest.rows),
        lowest=smallest.values,
        lowest_at=np.searchsorted(named, smallest.rows),
        ranks=spread.ranks,
        table=spread.table,
        bars=spread.bars,
        band_edges=spread.band_edges,
        band_values=sample[members, np.arange(p)[:, None, None]],
        band_at=np.where(members < 0, -1, np.searchsorted(named, band_rows)),
    )


_UNITS = {"k": "example", "n_bands": "band"}


def find_examples(
    layer: DecisionLayer,
    features: FloatArray | Any,
    ids: StrArray,
    *,
    chosen: Sequence[int] | IntArray | None = None,
    k: int = 8,
) -> list[FeatureExamples]:
    """Find the k most and least activating examples of each feature.

    For many features or many questions make an index, once, with :func:`build_index`.

    Parameters
    ----------
    layer : DecisionLayer
        Gives the standardisation.
    features : ndarray of shape (n, p)
        Raw deep features.
    ids : ndarray of shape (n,), str
    chosen : sequence of int, optional
        Feature indices; by default the features that the layer uses.
    k : int

    Returns
    -------
    list of FeatureExamples
        In the order of `chosen`.
    """
    index = build_index(as_rows(features, "features"), ids, layer, k=k)
    return [index.examples(int(j)) for j in (layer.used if chosen is None else chosen)]
