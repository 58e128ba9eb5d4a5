"""Networks of the torchvision library, with the transforms of their weights."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from clearhead.backbones.backbone import Activation, Backbone
from clearhead.backbones.checkpoint import Checkpoint, read_checkpoint
from clearhead.backbones.images import Transform, image_preprocessing, noise
from clearhead.errors import BackboneError, MissingDependencyError

__all__ = ["open_torchvision"]


def open_torchvision(
    spec: str,
    *,
    checkpoint: Path | str | None = None,
    preprocessing: Mapping[str, Any] | None = None,
    layer: str | None = None,
    class_names: Sequence[str] | None = None,
    activation: Activation | None = None,
) -> Backbone:
    """Open ``torchvision:NAME``.

    Parameters
    ----------
    spec : str
        ``"torchvision:"`` and the name of a classifier of torchvision: ``resnet50``.
    checkpoint : Path or str, optional
        Weights; without it torchvision's default ones are downloaded, with their class
        names. The number of classes is the file's. A normaliser beside the network (the
        robustness library's) becomes part of the preprocessing.
    preprocessing : mapping, optional
        In place of the transforms of the weights: see
        :func:`clearhead.backbones.images.image_preprocessing`.
    layer, class_names, activation
        As in :meth:`Backbone.from_module`.

    Raises
    ------
    MissingDependencyError
        torchvision is not installed, or does not fit the torch that is.
    BackboneError
        torchvision has no such network, or its weights cannot be had.
    """
    name = spec.partition(":")[2]
    try:
        from torchvision import models
    except (ImportError, RuntimeError) as error:
        raise MissingDependencyError(
            f"{spec} needs the package torchvision ({error}). Install the one that belongs to "
            "your torch: pip install torchvision"
        ) from error
    if name not in models.list_models(models):
        near = difflib.get_close_matches(name, models.list_models(models), n=3)
        hint = f" Near are {', '.join(near)}." if near else ""
        raise BackboneError(f"torchvision has no classifier {name!r}.{hint}")
    described = models.get_model_weights(name).DEFAULT
    weights = None if checkpoint is None else read_checkpoint(checkpoint)
    if weights is None:
        try:
            network = models.get_model(name, weights=described)
        except Exception as error:  # whatever the download raises
            raise BackboneError(
                f"The weights of torchvision's {name} cannot be had ({type(error).__name__}: "
                f"{error}). Without a network give a file: checkpoint={name}.pth (--checkpoint)."
            ) from error
        if class_names is None:
            class_names = _distinct(described.meta.get("categories"))
    else:
        network = models.get_model(name, weights=None, num_classes=_classes(name, weights, models))
        weights.load_into(network)
    normaliser = {} if weights is None else weights.normaliser
    if preprocessing is not None or normaliser:
        prepare: Any = image_preprocessing(preprocessing, **normaliser)
    else:
        transforms = described.transforms()
        prepare = Transform(transforms, {"torchvision": str(transforms)})
    return Backbone.from_module(
        network.eval(),
        prepare=prepare,
        name=spec if weights is None else f"{spec} ({weights.path.name})",
        modality="image",
        example_batch=prepare(noise()),
        layer=layer,
        class_names=class_names,
        activation=activation,
        batch_size=8,
    )


def _classes(name: str, weights: Checkpoint, models: Any) -> int:
    """Outputs of the checkpoint's last linear layer; torchvision's 1,000 where it has none."""
    network = models.get_model(name, weights=None)
    linear = [key for key, part in network.named_modules() if isinstance(part, nn.Linear)]
    shape = weights.shape(f"{linear[-1]}.weight") if linear else None
    return shape[0] if shape else 1000


def _distinct(names: Sequence[str] | None) -> tuple[str, ...] | None:
    """Name every class apart: ImageNet has two "crane" and two "maillot"."""
    if names is None:
        return None
    seen: dict[str, int] = {}
    distinct = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        distinct.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(distinct)
