"""Try an input of one's own: what do its features do, and what follows?"""

from __future__ import annotations

import base64
import binascii
import contextlib
from typing import Any

import numpy as np

from clearhead.app.requests import TryJob
from clearhead.data.pixels import read_rgb
from clearhead.errors import InputError, StepMissingError
from clearhead.events import Event, EventCallback, emit
from clearhead.layer import DecisionLayer
from clearhead.report.pictures import picture_uri
from clearhead.run import Run

__all__ = ["try_input"]


def try_input(run: Run, wanted: TryJob, on_event: EventCallback) -> dict[str, Any]:
    """Run the network on one input; give the features in use, and each layer's decision.

    Returns
    -------
    dict
        ``features``: ``[[feature, standardised activation], ...]`` of the sparse layer's and the
        edited one's features, exact; ``layers``: by name ``logits``, ``probabilities`` and
        ``predicted``. ``image``: the picture as a thumbnail.
    """
    modality = run.file.model["modality"]
    if (wanted.text is None) == (wanted.image is None):
        raise InputError("try: send a text or an image, one of them.")
    if (wanted.text is None) != (modality == "image"):
        raise InputError(f"try: the network of this run reads {modality}s.")
    example: Any = wanted.text
    if wanted.image is not None:
        example = read_rgb(_decoded(wanted.image), "the image")
    emit(on_event, Event("try", "start", "opening the network"))
    backbone = run.backbone
    emit(on_event, Event("try", "progress", "running the network"))
    raw = backbone.features(backbone.prepare([example])).numpy()
    layers = _layers(run)
    used = np.unique(np.concatenate([layers[name].used for name in layers if name != "dense"]))
    z = layers["sparse"].standardize(raw, used)[0]
    return {
        "features": [[int(j), float(a)] for j, a in zip(used, z, strict=True)],
        "layers": {name: _decision(layer, raw) for name, layer in layers.items()},
        "image": None if wanted.image is None else picture_uri(example),
    }


def _layers(run: Run) -> dict[str, DecisionLayer]:
    layers = {"sparse": run.layer(), "dense": run.layer("dense")}
    with contextlib.suppress(StepMissingError):
        layers["edited"] = run.layer("edited")
    return layers


def _decision(layer: DecisionLayer, raw: Any) -> dict[str, Any]:
    logits = layer.logits(raw)
    return {
        "logits": logits[0].tolist(),
        "probabilities": layer.probabilities_of(logits)[0].tolist(),
        "predicted": int(np.argmax(logits[0])),
    }


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError("image: expected the base64 of an image file.") from error
