"""Residual networks whose checkpoint has torchvision's names (``layer1.0.conv1`` …).

So do the robustness library's and most training scripts' checkpoints. The network is that of
transformers, its tensors under torchvision's names; docs/design/backbones.md says why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from clearhead.backbones.backbone import Activation, Backbone
from clearhead.backbones.checkpoint import read_checkpoint
from clearhead.backbones.images import image_preprocessing, noise
from clearhead.errors import BackboneError, MissingDependencyError

__all__ = ["RESNETS", "open_resnet", "torchvision_name"]

RESNETS: dict[str, tuple[str, list[int]]] = {
    "resnet18": ("basic", [2, 2, 2, 2]),
    "resnet34": ("basic", [3, 4, 6, 3]),
    "resnet50": ("bottleneck", [3, 4, 6, 3]),
    "resnet101": ("bottleneck", [3, 4, 23, 3]),
    "resnet152": ("bottleneck", [3, 8, 36, 3]),
}


def open_resnet(
    name: str,
    *,
    checkpoint: Path | str | None = None,
    preprocessing: Mapping[str, Any] | None = None,
    layer: str | None = None,
    class_names: Sequence[str] | None = None,
    activation: Activation | None = None,
) -> Backbone:
    """Open a ResNet-18, 34, 50, 101 or 152 from a checkpoint.

    Parameters
    ----------
    name : str
        ``"resnet50"`` and so on.
    checkpoint : Path or str
        Its weights; the number of classes is that of its ``fc.weight``. A normaliser beside
        the network (the robustness library's) becomes part of the preprocessing.
    preprocessing, layer, class_names, activation
        As in :func:`clearhead.backbones.module_factory.open_factory`.

    References
    ----------
    He et al., Deep Residual Learning for Image Recognition, CVPR 2016.
    """
    if checkpoint is None:
        raise BackboneError(
            f"{name!r} is built and filled from a checkpoint: give checkpoint= (--checkpoint). A "
            f"trained one from the Hugging Face hub is opened as 'microsoft/{name[:6]}-{name[6:]}'."
        )
    try:
        from transformers import ResNetConfig, ResNetForImageClassification
    except ImportError as error:
        raise MissingDependencyError(
            f"{name} needs the package transformers ({error}). Install it with "
            "pip install 'clearhead[hf]'"
        ) from error
    weights = read_checkpoint(checkpoint)
    head = weights.shape("fc.weight")
    if head is None or len(head) != 2:
        raise BackboneError(
            f"{weights.path} is no {name} with torchvision's names: it has no fc.weight. A network "
            "of your own is opened as file.py:factory with this checkpoint."
        )
    kind, depths = RESNETS[name]
    widths = [64, 128, 256, 512]
    # torchvision's initial pass over a random network is the slow part of building it
    with torch.device("meta"):
        network = ResNetForImageClassification(
            ResNetConfig(
                layer_type=kind,
                depths=depths,
                hidden_sizes=widths if kind == "basic" else [4 * width for width in widths],
                num_labels=head[0],
            )
        )
    network = network.to_empty(device="cpu")
    network.apply(_uncounted)
    weights.load_into(network, rename=torchvision_name)
    prepare = image_preprocessing(preprocessing, **weights.normaliser)
    return Backbone.from_module(
        network.to(memory_format=torch.channels_last).eval(),
        prepare=prepare,
        name=f"{name} ({weights.path.name})",
        modality="image",
        example_batch=prepare(noise()),
        layer=layer,
        class_names=class_names,
        activation=activation,
        batch_size=8,
    )


def _uncounted(part: torch.nn.Module) -> None:
    """Old checkpoints do not count batches; a memory that was never written must not be kept."""
    if isinstance(part, torch.nn.BatchNorm2d) and part.num_batches_tracked is not None:
        part.num_batches_tracked.zero_()


def torchvision_name(name: str) -> str:
    """Name in torchvision's ResNets of a tensor of transformers' ResNet.

    Examples
    --------
    >>> torchvision_name("resnet.encoder.stages.0.layers.1.layer.2.convolution.weight")
    'layer1.1.conv3.weight'
    """
    name = name.replace("classifier.1.", "fc.")
    name = name.replace("resnet.embedder.embedder.convolution.", "conv1.")
    name = name.replace("resnet.embedder.embedder.normalization.", "bn1.")
    name = name.replace("shortcut.convolution.", "downsample.0.")
    name = name.replace("shortcut.normalization.", "downsample.1.")
    name = re.sub(
        r"resnet\.encoder\.stages\.(\d+)\.layers\.",
        lambda found: f"layer{int(found[1]) + 1}.",
        name,
    )
    return re.sub(
        r"\.layer\.(\d+)\.(convolution|normalization)\.",
        lambda found: f".{_SHORT[found[2]]}{int(found[1]) + 1}.",
        name,
    )


_SHORT = {"convolution": "conv", "normalization": "bn"}
