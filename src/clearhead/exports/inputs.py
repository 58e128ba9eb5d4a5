"""What an export is made from: a layer, its network, and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from clearhead._types import FloatArray
from clearhead.backbones import Backbone
from clearhead.errors import (
    ClearheadError,
    ExportError,
    FingerprintMismatchError,
    InputError,
    StorageError,
)
from clearhead.exports.background import Background
from clearhead.layer import DecisionLayer
from clearhead.run import Run

__all__ = ["ExportInputs"]

PROOF_EXAMPLES = 16
_RECORDED = ("name", "modality", "layer", "fingerprints")


@dataclass(frozen=True, eq=False)
class ExportInputs:
    """A layer and the network that it belongs to, without a run directory.

    Parameters
    ----------
    name : str
        What the model is called.
    layer : DecisionLayer
    backbone : Backbone or None
        The network whose features the layer was fitted on; only the format sklearn can do
        without.
    examples : tuple
        A few texts or RGB pictures; what is written must decide on them as the network with
        the layer does. Without any, the network's own example batch takes their place.
    examples_from : str
        Where they are from, in words.
    features : ndarray of shape (n, p), optional
        Deep features, for the proof of the format sklearn.
    spec : str or None
        How :func:`clearhead.open_backbone` opens the network again.
    options : mapping
        With which options.
    background : Background or None
        What the model card says of data, accuracy and findings.
    recorded : mapping or None
        What a run says of its network, where it was not opened.
    """

    name: str
    layer: DecisionLayer
    backbone: Backbone | None = None
    examples: tuple[Any, ...] = ()
    examples_from: str = "examples given"
    features: FloatArray | None = field(default=None, repr=False)
    spec: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    background: Background | None = field(default=None, repr=False)
    recorded: Mapping[str, Any] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        p = self.layer.weight.shape[1]
        if self.backbone is not None and self.backbone.n_features != p:
            raise InputError(
                f"export: {self.backbone.name} has {self.backbone.n_features} deep features, the "
                f"layer was fitted on {p}. Export it with the network whose features it was "
                "fitted on."
            )

    @property
    def named(self) -> bool:
        """Whether the network can be opened again by a name."""
        return self.spec is not None

    @property
    def network(self) -> dict[str, Any] | None:
        """Which network it is, and how to open it again."""
        if self.backbone is not None:
            known: Mapping[str, Any] = {
                "name": self.backbone.name,
                "modality": self.backbone.modality,
                "layer": self.backbone.layer,
                "fingerprints": dict(self.backbone.fingerprints),
            }
        elif self.recorded is not None:
            known = {name: self.recorded[name] for name in _RECORDED}
        else:
            return None
        p = int(self.layer.weight.shape[1])
        return {"spec": self.spec, "options": dict(self.options), "n_features": p, **known}

    @classmethod
    def of_run(cls, run: Run, layer: DecisionLayer | None = None, *, network: bool) -> Self:
        """Collect what an export of `run` needs.

        Parameters
        ----------
        run : Run
            With a selected layer.
        layer : DecisionLayer, optional
            Instead of the selected one: an edited one, or another point of the path.
        network : bool
            Open the network, and a few examples of the data.

        Raises
        ------
        ExportError
            The network cannot be opened again.
        FingerprintMismatchError
            It is no longer the network that the layer was fitted on.
        InputError
            `layer` is of other classes or features.
        """
        selected = run.layer()
        chosen = selected if layer is None else layer
        _check_layer(run, chosen)
        backbone = _network(run) if network else None
        examples, where = _examples(run) if network else ((), "")
        rows = run.store.matrix(run.store.splits[-1])
        return cls(
            name=run.name,
            layer=chosen,
            backbone=backbone,
            examples=examples,
            examples_from=where,
            features=rows[:: max(1, len(rows) // PROOF_EXAMPLES)][:PROOF_EXAMPLES],
            spec=run.file.model["spec"],
            options=dict(run.file.model.get("options") or {}),
            background=Background.of_run(run, chosen),
            recorded=run.file.model,
        )


def _check_layer(run: Run, layer: DecisionLayer) -> None:
    store = run.store
    if layer.weight.shape[1] != store.p or layer.class_names != store.class_names:
        raise InputError(
            f"layer: expected one on {store.p} features for the classes "
            f"{', '.join(store.class_names[:10])}, got {layer.weight.shape[1]} features for "
            f"{', '.join(layer.class_names[:10])}. Give a layer of this run: run.layer() or "
            "run.path().select(rule), edited or not."
        )


def _network(run: Run) -> Backbone:
    try:
        backbone = run.backbone
    except (InputError, StorageError, OSError) as error:
        raise ExportError(
            f"{run.folder}: its network cannot be opened again, so only the format sklearn, which "
            f"holds the layer alone, can be written. {error}"
        ) from error
    before, now = run.file.model["fingerprints"], backbone.fingerprints
    differ = [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
    if differ:
        raise FingerprintMismatchError(
            f"{backbone.name} is not the network that {run.folder} was made from: its "
            f"{' and '.join(differ)} differ. Open the run with that network: "
            "clearhead.new_run(folder, backbone, dataset), or start a new run with this one."
        )
    return backbone


def _examples(run: Run) -> tuple[tuple[Any, ...], str]:
    """A few examples that the layer was not fitted on; none if the data have gone."""
    try:
        dataset = run.dataset
    except (ClearheadError, OSError):
        return (), ""
    split = dataset.splits[-1]
    rows = dataset.indices(split)
    chosen = rows[np.unique(np.linspace(0, len(rows) - 1, PROOF_EXAMPLES).astype(int))]
    examples = []
    for row in chosen:
        try:
            examples.append(dataset.load(int(row)))
        except (ClearheadError, OSError):
            continue  # extraction has counted it already
    return tuple(examples), f"the {split} split of {dataset.name}"
