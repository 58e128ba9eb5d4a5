"""The two paths of a run: the sparse one, and the ridge path that stands for a dense layer.

They are fitted to the labels of the data, or to the predictions of the network itself.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from clearhead._types import Targets
from clearhead.errors import InputError, NotConvergedError
from clearhead.events import EventCallback, emit
from clearhead.features import FeatureStore, own_predictions
from clearhead.glm import Accuracy, fit_path
from clearhead.glm import Path as SparsePath
from clearhead.glm.evaluate import evaluate
from clearhead.glm.families import family_of
from clearhead.glm.problem import LabelledRows
from clearhead.glm.standardize import Standardization

__all__ = [
    "check_proven",
    "fit_both",
    "fitted_to",
    "forget_checkpoints",
    "judged_by_labels",
    "targets_of",
    "weighting",
]

DENSE: Mapping[str, float] = {"l1_ratio": 0.0, "n_lambdas": 25, "lambda_min_ratio": 1e-7}
"""A ridge path starts far above the λ of any use (its λ_max stands for l1_ratio = .001)."""
KINDS = ("dense", "sparse")


def targets_of(store: FeatureStore, targets: Targets) -> dict[str, Any]:
    """Give what :func:`clearhead.fit_path` takes beside the store.

    Nothing for the labels, which the store holds. The network's own predictions are the
    probabilities of the training rows; validation and test keep their labels, so that
    accuracy on them is accuracy.

    Raises
    ------
    InputError
        The network has no head over the data's classes.
    """
    if targets == "labels":
        return {}
    own = own_predictions(store)
    if own is None:
        what = "has no head of its own" if store.head is None else "predicts other classes"
        if store.head is not None and store.head[2] is not None:
            what += f" ({_some(store.head[2])})"
        raise InputError(
            f"targets='predictions' fits the layer to what the network predicts, but "
            f"{store.backbone_name} {what}: the data's classes are {_some(store.class_names)}. Use "
            "targets='labels', or name the data's classes as the network's are (class_names, "
            "--class-names; of one of several labels 'not LABEL,LABEL')."
        )
    return {
        "y": own.of(store.split == "train").probabilities,
        "family": "binomial" if len(store.class_names) == 2 else "multinomial",
        "class_names": store.class_names,
    }


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (" …" if len(names) > 6 else "")


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
    options: Mapping[str, Any],
    *,
    strict: bool,
    on_event: EventCallback | None,
) -> dict[str, SparsePath]:
    """Fit both paths, or go on with them from their checkpoints in `folder`.

    Nothing else in `folder` is touched: what is there stays valid until the new paths are
    saved over it. Checkpoints stay until :func:`forget_checkpoints`.

    Parameters
    ----------
    options : mapping
        Of :meth:`clearhead.Run.fit`, as they are kept with the step.
    strict : bool
        A point that is not proven optimal is an error.

    Returns
    -------
    dict
        The paths ``"dense"`` and ``"sparse"``.
    """
    grid = {name: options[name] for name in DENSE} | {"grouped": options.get("grouped", False)}
    common = {
        **weighting(store, options["ban"], balanced=options["balanced"]),
        **targets_of(store, options.get("targets", "labels")),
        "tol": options["tol"],
        "seed": options["seed"],
        "strict": strict,
    }
    paths = {
        kind: fit_path(
            store,
            **{**(DENSE if kind == "dense" else grid), **common},
            checkpoint=folder / f"{kind}.unfinished",
            on_event=_named(kind, on_event),
        )
        for kind in KINDS
    }
    if "y" in common:
        return {kind: judged_by_labels(path, store) for kind, path in paths.items()}
    return paths


def fitted_to(store: FeatureStore, options: Mapping[str, Any]) -> dict[str, Any]:
    """Give what :func:`clearhead.layer.analyze` takes beside layers: rows, weights, grouping.

    `options` are those of the fit, of whatever version.
    """
    y = targets_of(store, options.get("targets", "labels")).get("y", store.labels("train"))
    return {
        "train": (store.matrix("train"), y),
        "validation": (store.matrix("validation"), store.labels("validation")),
        "grouped": options.get("grouped", False),
        **weighting(store, options.get("ban", ()), balanced=options.get("balanced", False)),
    }


def judged_by_labels(path: SparsePath, store: FeatureStore) -> SparsePath:
    """Take the training accuracy of a path on labels, too, where it was fitted to predictions."""
    labels = store.labels("train")
    _, right = evaluate(
        LabelledRows(store.rows("train"), labels),
        "train",
        family_of(path.family),
        Standardization(path.center, path.scale, path.dead, ""),
        coefficients=path.coefficients,
        intercepts=path.intercepts,
    )
    assert right is not None  # labels are right or wrong
    train = tuple(Accuracy.of(int(count), len(labels)) for count in right)
    return replace(path, accuracies={**path.accuracies, "train": train})


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
