"""Networks of timm and torchvision, with small or random weights of the real classes."""

import numpy as np
import pytest
import torch
from PIL import Image

from clearhead.backbones import open_backbone
from clearhead.errors import BackboneError

PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (70, 90, 3), dtype=np.uint8))


def saved(network, path):
    torch.save({"state_dict": {f"module.{k}": v for k, v in network.state_dict().items()}}, path)
    return path


def seeded(make):
    torch.manual_seed(0)
    return make().eval()


# name, features; five classes each
TIMM = [
    ("resnet18", 512),
    ("mobilenetv3_small_050", 1024),
    ("vit_tiny_patch16_224", 192),
    ("convnext_atto", 320),
    ("efficientnet_lite0", 1280),
    ("regnetx_002", 368),
    ("swin_tiny_patch4_window7_224", 768),
    ("mixer_s32_224", 512),
    ("densenet121", 1024),
]


@pytest.mark.parametrize(("name", "p"), TIMM)
def test_timm(tmp_path, name, p):
    import timm
    import timm.data

    network = seeded(lambda: timm.create_model(name, num_classes=5))
    backbone = open_backbone(f"timm:{name}", checkpoint=saved(network, tmp_path / "w.pt"))
    assert (backbone.n_features, backbone.n_outputs) == (p, 5)
    config = timm.data.resolve_model_data_config(network)
    pixels = timm.data.create_transform(**config)(PICTURE).unsqueeze(0)
    batch = backbone.prepare([PICTURE])
    torch.testing.assert_close(batch.args[0], pixels, rtol=0, atol=0)
    with torch.no_grad():
        torch.testing.assert_close(backbone.forward(batch), network(pixels), rtol=1e-4, atol=1e-4)
    weight, bias = backbone.head
    torch.testing.assert_close(
        backbone.features(batch) @ weight.T + bias, backbone.forward(batch), rtol=1e-4, atol=1e-4
    )


TORCHVISION = [
    ("resnet18", 512),
    ("mobilenet_v3_small", 1024),
    ("squeezenet1_1", 512),
    ("shufflenet_v2_x0_5", 1024),
    ("vit_b_32", 768),
    ("alexnet", 4096),
]


@pytest.mark.parametrize(("name", "p"), TORCHVISION)
def test_torchvision(tmp_path, name, p):
    from torchvision import models

    classes = 1000 if name == "squeezenet1_1" else 7  # its last layer is a convolution
    network = seeded(lambda: models.get_model(name, weights=None, num_classes=classes))
    backbone = open_backbone(f"torchvision:{name}", checkpoint=saved(network, tmp_path / "w.pt"))
    assert (backbone.n_features, backbone.n_outputs) == (p, classes)
    pixels = models.get_model_weights(name).DEFAULT.transforms()(PICTURE).unsqueeze(0)
    with torch.no_grad():
        wanted = network(pixels)
    torch.testing.assert_close(
        backbone.forward(backbone.prepare([PICTURE])), wanted, rtol=1e-4, atol=1e-4
    )


def test_our_resnet50_is_torchvisions(tmp_path):
    from torchvision import models

    network = seeded(lambda: models.resnet50(num_classes=10))
    path = saved(network, tmp_path / "w.pt")
    options = {"checkpoint": path, "preprocessing": {"size": 64}}
    ours = open_backbone("resnet50", **options)
    theirs = open_backbone("torchvision:resnet50", **options)
    batch = ours.prepare([PICTURE])
    torch.testing.assert_close(ours.features(batch), theirs.features(batch), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(ours.forward(batch), theirs.forward(batch), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("spec", "options", "said"),
    [
        ("timm:resnett18", {}, r"no network 'resnett18'\. Near are .*resnet18"),
        ("torchvision:resnet20", {}, "no classifier .resnet20.. Near are"),
        ("timm:resnet18", {"pooling": "mean"}, "pooling= does nothing"),
    ],
)
def test_wrong_names(spec, options, said):
    with pytest.raises(BackboneError, match=said):
        open_backbone(spec, **options)


def test_weights_that_cannot_be_had_say_how_to_pass_a_file(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(BackboneError, match=r"cannot be had.*checkpoint="):
        open_backbone("timm:vit_tiny_patch16_224")
