"""Two runs, or two layers of one run, side by side."""

from __future__ import annotations

from functools import partial

import numpy as np

from clearhead._types import FloatArray, IntArray
from clearhead.debug import bin_metadata
from clearhead.debug.comparison.compare import MIN_CORRELATION, Compared
from clearhead.debug.comparison.compare import compare as compare_sides
from clearhead.debug.comparison.comparison import Comparison
from clearhead.errors import InputError
from clearhead.features import FeatureStore
from clearhead.layer import DecisionLayer
from clearhead.report.compare_card import CompareCard, compare_card
from clearhead.run.run import Run

__all__ = ["compare", "compared", "comparisons"]


def compare(
    a: Run,
    b: Run | None = None,
    *,
    layer: str | DecisionLayer = "sparse",
    min_correlation: float = MIN_CORRELATION,
    signed: bool = False,
    seed: int = 0,
) -> Comparison:
    """Compare two runs on the examples they have in common.

    Parameters
    ----------
    a : Run
        Its selected sparse layer is the one to compare with.
    b : Run, optional
        Another run, of the same data; left out, another layer of `a` itself.
    layer : {"sparse", "dense", "edited"} or DecisionLayer
        Which layer of `b` (or of `a`, without `b`).
    min_correlation, signed, seed
        As in :func:`clearhead.debug.comparison.compare`.

    Raises
    ------
    StepMissingError
        A run has no layer yet, or no edited one.
    InputError
        Both are one and the same layer; or the runs cannot be compared.
    """
    if b is None and layer == "sparse":
        raise InputError(
            "There is nothing to compare: name a second run, or another layer of this one with "
            "layer='edited' or 'dense' (--layer)."
        )
    other = a if b is None else b
    first, second = compared(a), compared(other, layer)
    return compare_sides(first, second, min_correlation=min_correlation, signed=signed, seed=seed)


def comparisons(run: Run, other: Run | None = None) -> list[CompareCard]:
    """Compare the selected layer with the edited one, if there are edits, and with another run.

    Parameters
    ----------
    run : Run
    other : Run, optional
        Of the same data.
    """
    found = []
    if run.edit_log.done:
        found.append(compare_card(compare(run, layer="edited"), own=True))
    if other is not None:
        found.append(compare_card(compare(run, other), own=False))
    return found


def compared(run: Run, layer: str | DecisionLayer = "sparse") -> Compared:
    """Take from a run what a comparison needs.

    Findings are those of its selected layer, so another layer comes without.
    """
    selected = layer == "sparse"
    if isinstance(layer, DecisionLayer):
        found, suffix = layer, "given layer"
    else:
        found, suffix = run.layer(layer), f"{layer} layer"
    store = run.store
    network = {name: store.fingerprints[name] for name in ("weights", "preprocessing", "split")}
    return Compared(
        name=run.name if selected else f"{run.name}, {suffix}",
        layer=found,
        ids=store.ids,
        split=store.split,
        labels=store.labels(),
        features=partial(_columns, store),
        network=network,
        metadata=bin_metadata(store.metadata, store.split == "train"),
        names=_names(run),
        findings=run.findings if selected and "debug" in run.file.steps else None,
    )


def _names(run: Run) -> dict[int, str]:
    if "explain" not in run.file.steps:
        return dict(run.given_names)
    return {one.feature: one.name for one in run.explained.names}


def _columns(store: FeatureStore, rows: IntArray, columns: IntArray) -> FloatArray:
    """Some columns of some rows of a store, (m, u) float32; the others stay on disk."""
    order = np.argsort(rows, kind="stable")
    ascending = rows[order]
    found = np.empty((len(rows), len(columns)), dtype=np.float32)
    at = 0
    for block in store.rows().blocks():
        first, stop = np.searchsorted(ascending, [at, at + len(block)])
        found[order[first:stop]] = block[ascending[first:stop] - at][:, columns]
        at += len(block)
    return found
