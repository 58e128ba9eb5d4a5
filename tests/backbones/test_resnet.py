"""ResNets from checkpoints with torchvision's names."""

import numpy as np
import pytest
import torch
from PIL import Image

from clearhead.backbones import open_backbone
from clearhead.backbones.resnet import torchvision_name
from clearhead.errors import BackboneError

transformers = pytest.importorskip("transformers")

# As torchvision's resnet50 has them: (stage, blocks, width), by its documentation.
STAGES = ((1, 3, 64), (2, 4, 128), (3, 6, 256), (4, 3, 512))


def torchvision_state(classes=4, seed=0):
    """Names and shapes of torchvision's resnet50, small random numbers in them."""
    generator = torch.Generator().manual_seed(seed)
    state = {}

    def conv(name, out, inside, size):
        scale = (2 / (inside * size * size)) ** 0.5
        state[f"{name}.weight"] = torch.randn(out, inside, size, size, generator=generator) * scale

    def norm(name, width):
        state[f"{name}.weight"] = torch.rand(width, generator=generator) + 0.5
        state[f"{name}.bias"] = torch.randn(width, generator=generator) * 0.1
        state[f"{name}.running_mean"] = torch.randn(width, generator=generator) * 0.1
        state[f"{name}.running_var"] = torch.rand(width, generator=generator) + 0.5
        state[f"{name}.num_batches_tracked"] = torch.tensor(3)

    conv("conv1", 64, 3, 7)
    norm("bn1", 64)
    inside = 64
    for stage, blocks, width in STAGES:
        for block in range(blocks):
            name = f"layer{stage}.{block}"
            conv(f"{name}.conv1", width, inside, 1)
            norm(f"{name}.bn1", width)
            conv(f"{name}.conv2", width, width, 3)
            norm(f"{name}.bn2", width)
            conv(f"{name}.conv3", 4 * width, width, 1)
            norm(f"{name}.bn3", 4 * width)
            if block == 0:
                conv(f"{name}.downsample.0", 4 * width, inside, 1)
                norm(f"{name}.downsample.1", 4 * width)
            inside = 4 * width
    state["fc.weight"] = torch.randn(classes, 2048, generator=generator) * 0.02
    state["fc.bias"] = torch.randn(classes, generator=generator)
    return state


def forward(state, x):
    """He et al.'s network, version 1.5, written out: the obvious way to compute it."""
    functional = torch.nn.functional

    def norm(x, name):
        kinds = ("running_mean", "running_var", "weight", "bias")
        return functional.batch_norm(x, *(state[f"{name}.{kind}"] for kind in kinds))

    def conv(x, name, stride=1):
        weight = state[f"{name}.weight"]
        return functional.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2)

    x = torch.relu(norm(conv(x, "conv1", 2), "bn1"))
    x = functional.max_pool2d(x, 3, 2, 1)
    for stage, blocks, _ in STAGES:
        for block in range(blocks):
            name, stride = f"layer{stage}.{block}", 2 if block == 0 and stage > 1 else 1
            y = torch.relu(norm(conv(x, f"{name}.conv1"), f"{name}.bn1"))
            y = torch.relu(norm(conv(y, f"{name}.conv2", stride), f"{name}.bn2"))
            y = norm(conv(y, f"{name}.conv3"), f"{name}.bn3")
            if block == 0:
                x = norm(conv(x, f"{name}.downsample.0", stride), f"{name}.downsample.1")
            x = torch.relu(x + y)
    return functional.linear(x.mean((2, 3)), state["fc.weight"], state["fc.bias"])


@pytest.fixture(scope="module")
def robust(tmp_path_factory):
    """A ResNet-50 in the robustness library's layout, and its plain state."""
    state = torchvision_state()
    normaliser = {
        "new_mean": torch.tensor([0.4, 0.5, 0.6]).view(3, 1, 1),
        "new_std": torch.tensor([0.2, 0.25, 0.3]).view(3, 1, 1),
    }
    path = tmp_path_factory.mktemp("weights") / "robust.pt"
    torch.save(
        {
            "model": {
                **{f"module.normalizer.{name}": value for name, value in normaliser.items()},
                **{f"module.model.{name}": value for name, value in state.items()},
                **{f"module.attacker.normalize.{name}": v for name, v in normaliser.items()},
                **{f"module.attacker.model.{name}": value for name, value in state.items()},
            },
            "epoch": 90,
        },
        path,
    )
    return path, state


def test_the_robustness_librarys_layout(robust):
    path, state = robust
    backbone = open_backbone("resnet50", checkpoint=path, preprocessing={"size": 64})
    assert (backbone.n_features, backbone.n_outputs) == (2048, 4)
    picture = Image.fromarray(
        np.random.default_rng(0).integers(0, 256, (80, 90, 3), dtype=np.uint8)
    )
    batch = backbone.prepare([picture])
    assert batch.args[0].shape == (1, 3, 64, 64)
    raw = open_backbone(
        "resnet50", checkpoint=path, preprocessing={"size": 64, "mean": 0.0, "std": 1.0}
    ).prepare([picture]).args[0]  # fmt: skip
    mean, std = torch.tensor([0.4, 0.5, 0.6]), torch.tensor([0.2, 0.25, 0.3])
    pixels = (raw - mean.view(3, 1, 1)) / std.view(3, 1, 1)
    torch.testing.assert_close(batch.args[0], pixels, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(
        backbone.forward(batch), forward(state, pixels), rtol=1e-3, atol=1e-3
    )


def test_wrong_checkpoints_are_named(robust, tmp_path):
    path, _ = robust
    with pytest.raises(BackboneError, match=r"'microsoft/resnet-50'"):
        open_backbone("resnet50")
    with pytest.raises(BackboneError, match=r"names are missing: .*layer3\.6\.conv1"):
        open_backbone("resnet101", checkpoint=path)
    torch.save({"classifier.weight": torch.zeros(3, 2)}, tmp_path / "other.pt")
    with pytest.raises(BackboneError, match=r"has no fc\.weight"):
        open_backbone("resnet50", checkpoint=tmp_path / "other.pt")


def test_names_of_a_basic_network():
    config = transformers.ResNetConfig(
        layer_type="basic", depths=[1, 1], hidden_sizes=[8, 16], embedding_size=8
    )
    names = transformers.ResNetForImageClassification(config).state_dict()
    said = {torchvision_name(name).rpartition(".")[0] for name in names}
    assert said == {
        "conv1", "bn1", "fc", "layer1.0.conv1", "layer1.0.bn1", "layer1.0.conv2", "layer1.0.bn2",
        "layer2.0.conv1", "layer2.0.bn1", "layer2.0.conv2", "layer2.0.bn2",
        "layer2.0.downsample.0", "layer2.0.downsample.1",
    }  # fmt: skip
