"""What a model card says beside the model: data, point of the path, accuracy, findings, edits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from clearhead._types import SPLITS
from clearhead.glm import Accuracy
from clearhead.layer import DecisionLayer
from clearhead.report.predictions import predict_all
from clearhead.run import Run

__all__ = ["AccuracyRow", "Background"]


@dataclass(frozen=True)
class AccuracyRow:
    """How often one layer is right, or agrees with the network, on one split."""

    what: str
    split: str
    share: Accuracy


@dataclass(frozen=True)
class Background:
    """What is known of an exported model, in words and numbers.

    Parameters
    ----------
    data : tuple of str
        Sentences about the data.
    point : str
        Which point of the path the layer is, and by which rule it was chosen.
    accuracies : tuple of AccuracyRow
    findings : tuple of str or None
        None where nobody has looked.
    edits : tuple of str
        What was changed since the path point.
    limits : tuple of str
    """

    data: tuple[str, ...]
    point: str
    accuracies: tuple[AccuracyRow, ...]
    findings: tuple[str, ...] | None
    edits: tuple[str, ...]
    limits: tuple[str, ...]

    @classmethod
    def of_run(cls, run: Run, layer: DecisionLayer) -> Self:
        """Collect it from a run, for its selected layer or another one."""
        selected, path = run.layer(), run.path()
        selection = run.selection
        edits = _logged(run, layer) or _edits(selected, layer)
        point = f"point {selection['index']} of {len(path)}, chosen by: {selection['rule']}"
        other = layer.certificate.lam != selected.certificate.lam
        if edits:
            point += " (then changed, see Edits)"
        elif other:
            point = "a point of the path that was chosen by hand"
        looked = "debug" in run.file.steps
        limits = []
        if looked and (edits or other):
            limits.append("Findings are of the selected layer, not of this one.")
        if run.file.model.get("options", {}).get("precision") == "bfloat16":
            limits.append(
                "The layer was fitted to features in bfloat16; this model computes in float32."
            )
        if run.store.head is None:
            limits.append("The network has no classifier of its own to compare with.")
        limits.append(
            "Accuracies hold for data like those it was tested on, and say nothing of others."
        )
        return cls(
            data=_data(run),
            point=point,
            accuracies=_accuracies(run, layer),
            findings=tuple(str(finding) for finding in run.findings) if looked else None,
            edits=edits,
            limits=tuple(limits),
        )


def _data(run: Run) -> tuple[str, ...]:
    store = run.store
    sizes = ", ".join(f"{np.count_nonzero(store.split == name):,} {name}" for name in store.splits)
    return (f"{run.file.data['name']}: {store.n:,} examples ({sizes}).", *run.file.data["notes"])


def _accuracies(run: Run, layer: DecisionLayer) -> tuple[AccuracyRow, ...]:
    predictions = predict_all(run.store, layer, run.layer("dense"))
    rows = []
    named = [
        ("this layer", predictions.refitted["sparse"]),
        ("dense layer (ridge) on the same features", predictions.refitted["dense"]),
    ]
    if predictions.network is not None:
        named.append(("the network's own layer", predictions.network.predicted))
    for what, predicted in named:
        shares = predictions.accuracies(predicted)
        rows += [AccuracyRow(what, split, shares[split]) for split in SPLITS if split in shares]
    rows += [
        AccuracyRow("agreement of this layer with the network's own", split, share)
        for split, share in predictions.agreements("sparse").items()
    ]
    return tuple(row for row in rows if row.split != "train")


def _logged(run: Run, layer: DecisionLayer) -> tuple[str, ...]:
    """Edits of the run's log in words, if they are what made this layer."""
    edits = run.edits
    if not edits or run.layer("edited").fingerprint != layer.fingerprint:
        return ()
    return tuple(f"{edit.describe()}." for edit in edits)


def _edits(before: DecisionLayer, after: DecisionLayer) -> tuple[str, ...]:
    """Say what differs between two layers of the same path point."""
    if after.certificate.status != "edited":
        return ()
    if (after.weight == before.weight).all() and (after.bias == before.bias).all():
        return ()
    lines = []
    removed = np.setdiff1d(before.used, after.used)
    if removed.size:
        names = ", ".join(map(str, removed[:20])) + (" …" if removed.size > 20 else "")
        lines.append(f"{removed.size} features are no longer used by any class: {names}.")
    changed = int(np.count_nonzero(after.weight != before.weight))
    lines.append(f"{changed} weights differ from those of the selected layer.")
    if not np.array_equal(after.bias, before.bias):
        lines.append("The intercepts differ, too.")
    return tuple(lines)
