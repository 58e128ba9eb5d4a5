"""The two paths of a run: the sparse one, and the ridge path that stands for a dense layer."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from clearhead.errors import InputError, NotConvergedError
from clearhead.events import EventCallback, emit
from clearhead.features import FeatureStore
from clearhead.glm import Path as SparsePath
from clearhead.glm import fit_path

__all__ = ["check_proven", "fit_both", "forget_checkpoints", "weighting"]

DENSE: Mapping[str, float] = {"l1_ratio": 0.0, "n_lambdas": 25, "lambda_min_ratio": 1e-7}
"""A ridge path starts far above the λ of any use (its λ_max stands for l1_ratio = .001)."""
KINDS = ("dense", "sparse")


def weighting(store: FeatureStore, ban: Sequence[int], *, balanced: bool) -> dict[str, Any]:
    """Give the penalty factors and example weights that :func:`clearhead.fit_path` takes."""
    weights: dict[str, Any] = {}
    if ban:
        wrong = [j for j in ban if not 0 <= j < store.p]
        if wrong:
            raise InputError(
                f"ban: there is no feature {wrong[0]}; features are 0 to {store.p - 1}."
            )
        factors = np.ones(store.p)
        factors[list(ban)] = np.inf
        weights["penalty_factor"] = factors
    if balanced:
        labels = store.labels("train")
        weights["sample_weight"] = 1.0 / np.bincount(labels)[labels]
    return weights


def fit_both(
    store: FeatureStore,
    folder: Path,
    grid: Mapping[str, Any],
    common: Mapping[str, Any],
    on_event: EventCallback | None,
) -> dict[str, SparsePath]:
    """Fit both paths, or go on with them from their checkpoints in `folder`.

    Nothing else in `folder` is touched: what is there stays valid until the new paths are
    saved over it. Checkpoints stay until :func:`forget_checkpoints`.

    Returns
    -------
    dict
        The paths ``"dense"`` and ``"sparse"``.
    """
    return {
        kind: fit_path(
            store,
            **{**(DENSE if kind == "dense" else grid), **common},
            checkpoint=folder / f"{kind}.unfinished",
            on_event=_named(kind, on_event),
        )
        for kind in KINDS
    }


def forget_checkpoints(folder: Path) -> None:
    """Delete what was kept in case the fit was interrupted."""
    for kind in KINDS:
        shutil.rmtree(folder / f"{kind}.unfinished", ignore_errors=True)


def check_proven(path: SparsePath, folder: Path) -> None:
    """Raise if a point of a path that was fitted before is not optimal."""
    for i in np.flatnonzero(~path.optimal):
        raise NotConvergedError(
            f"strict: point {i} of the path in {folder} is not proven optimal "
            f"({path.status[i]}). Fit again with a larger --tol or fewer lambdas."
        )


def _named(kind: str, on_event: EventCallback | None) -> EventCallback:
    """Say in each event's message which path it is about."""
    return lambda event: emit(on_event, replace(event, message=f"{kind} path: {event.message}"))
