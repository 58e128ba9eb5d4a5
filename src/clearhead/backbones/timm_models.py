"""Networks of the timm library, with the preprocessing that they were trained with."""

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

__all__ = ["open_timm"]


def open_timm(
    spec: str,
    *,
    checkpoint: Path | str | None = None,
    preprocessing: Mapping[str, Any] | None = None,
    layer: str | None = None,
    class_names: Sequence[str] | None = None,
    activation: Activation | None = None,
) -> Backbone:
    """Open ``timm:NAME``.

    Parameters
    ----------
    spec : str
        ``"timm:"`` and the name of a network of timm, perhaps with the tag of its weights:
        ``"timm:resnet18.a1_in1k"``.
    checkpoint : Path or str, optional
        Weights; without it timm's own are downloaded. The number of classes is the file's.
    preprocessing : mapping, optional
        In place of timm's evaluation transform: see
        :func:`clearhead.backbones.images.image_preprocessing`.
    layer, class_names, activation
        As in :meth:`Backbone.from_module`.

    Raises
    ------
    MissingDependencyError
        timm is not installed, or does not fit the torch that is.
    BackboneError
        timm has no such network, or its weights cannot be had.
    """
    name = spec.partition(":")[2]
    try:
        import timm
        import timm.data
    except (ImportError, RuntimeError) as error:
        raise MissingDependencyError(
            f"{spec} needs the package timm ({error}). Install timm and the torchvision that "
            "belongs to your torch: pip install timm torchvision"
        ) from error
    if not timm.is_model(name):
        near = difflib.get_close_matches(name, timm.list_models(), n=3)
        hint = f" Near are {', '.join(near)}." if near else ""
        raise BackboneError(f"timm {timm.__version__} has no network {name!r}.{hint}")
    weights = None if checkpoint is None else read_checkpoint(checkpoint)
    if weights is None:
        try:
            network = timm.create_model(name, pretrained=True)
        except Exception as error:  # whatever the download raises
            raise BackboneError(
                f"The weights of timm's {name} cannot be had ({type(error).__name__}: "
                f"{str(error).splitlines()[0]}). Without a network give a file: checkpoint="
                f"{name}.safetensors (--checkpoint)."
            ) from error
    else:
        network = timm.create_model(name)
        classes = _classes(network, weights)
        if classes is not None:
            network = timm.create_model(name, num_classes=classes)
        weights.load_into(network)
    if preprocessing is not None:
        prepare: Any = image_preprocessing(preprocessing)
    else:
        config = timm.data.resolve_model_data_config(network)
        prepare = Transform(
            timm.data.create_transform(**config, is_training=False),
            {"timm": {key: str(value) for key, value in sorted(config.items())}},
        )
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


def _classes(network: nn.Module, weights: Checkpoint) -> int | None:
    """Outputs of the checkpoint's classifier, where that is one layer."""
    classifier = getattr(network, "pretrained_cfg", {}).get("classifier")
    shape = weights.shape(f"{classifier}.weight") if isinstance(classifier, str) else None
    return shape[0] if shape else None
