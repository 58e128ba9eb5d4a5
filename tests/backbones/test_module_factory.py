"""Networks that a user's function makes."""

import sys
import textwrap

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from clearhead.backbones import open_backbone
from clearhead.errors import BackboneError, SplitError

NETWORK = """
    import torch
    from torch import nn
    from neighbour import WIDTH


    def make(classes=3):
        return nn.Sequential(
            nn.Conv2d(3, WIDTH, 3, stride=2), nn.BatchNorm2d(WIDTH), nn.ReLU(),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(WIDTH, classes),
        )


    class Normalised(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("new_mean", torch.zeros(3, 1, 1))
            self.register_buffer("new_std", torch.ones(3, 1, 1))
            self.net = make()

        def forward(self, x):
            return self.net((x - self.new_mean) / self.new_std)


    class Letters(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(256, WIDTH)
            self.fc = nn.Linear(WIDTH, 2)

        def forward(self, codes):
            return self.fc(self.table(codes).mean(1))


    def prepare(texts):
        return torch.stack([torch.tensor([ord(t[0]) % 256, len(t) % 256]) for t in texts])


    prepare.modality = "text"


    def of_texts():
        return Letters(), prepare


    def with_softmax():
        return nn.Sequential(make(), nn.Softmax(-1))


    def fails():
        raise RuntimeError("no luck")


    def returns_nothing():
        return None


    ready = make(5)
    number = 3
"""


@pytest.fixture
def file(tmp_path):
    (tmp_path / "neighbour.py").write_text("WIDTH = 8\n")
    path = tmp_path / "networks.py"
    path.write_text(textwrap.dedent(NETWORK))
    return path


def pictures(n=3):
    pixels = np.random.default_rng(1).integers(0, 256, (n, 40, 50, 3), dtype=np.uint8)
    return [Image.fromarray(one) for one in pixels]


def saved(module, path):
    torch.save(module.state_dict(), path)
    return path


def test_a_function_in_a_file_with_weights(file, tmp_path):
    torch.manual_seed(0)
    other = open_backbone(f"{file}:make").module
    weights = saved(other, tmp_path / "w.pt")
    backbone = open_backbone(f"{file}:make", checkpoint=weights, class_names=("a", "b", "c"))
    assert backbone.name == "networks:make (w.pt)"
    assert (backbone.layer, backbone.n_features) == ("5", 8)
    batch = backbone.prepare(pictures())
    torch.testing.assert_close(backbone.forward(batch), other.eval()(*batch.args).detach())
    assert not [name for name in sys.path if name == str(tmp_path)]


def test_a_function_in_a_module(file, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    backbone = open_backbone("networks:make", preprocessing={"size": 32})
    assert backbone.prepare(pictures()).args[0].shape == (3, 3, 32, 32)
    monkeypatch.delitem(sys.modules, "networks")
    monkeypatch.delitem(sys.modules, "neighbour")


def test_a_class_a_module_and_a_pair_do_as_well(file):
    assert open_backbone(f"{file}:ready").split.n_outputs == 5
    letters = open_backbone(f"{file}:of_texts")
    assert letters.modality == "text"
    assert letters.features(letters.prepare(["abc", "d"])).shape == (2, 8)


def test_preprocessing_is_as_said(file):
    wanted = {"size": 16, "crop": 1.0, "mean": 0.5, "std": (0.25, 0.5, 1.0)}
    backbone = open_backbone(f"{file}:make", preprocessing=wanted)
    grey = Image.new("RGB", (20, 30), (255, 255, 0))
    pixels = backbone.prepare([grey]).args[0]
    torch.testing.assert_close(pixels[0, :, 0, 0], torch.tensor([2.0, 1.0, -0.5]))
    plain = open_backbone(f"{file}:make")
    assert plain.fingerprints["preprocessing"] != backbone.fingerprints["preprocessing"]


def test_a_normaliser_in_the_checkpoint_is_used_once(file, tmp_path):
    outside = open_backbone(f"{file}:make").module
    inside = open_backbone(f"{file}:Normalised").module
    inside.net.load_state_dict(outside.state_dict())
    mean, std = torch.tensor([0.3, 0.4, 0.5]), torch.tensor([0.2, 0.3, 0.4])
    inside.new_mean.copy_(mean.view(3, 1, 1))
    inside.new_std.copy_(std.view(3, 1, 1))
    torch.save(
        {
            "model": {
                "module.normalizer.new_mean": mean.view(3, 1, 1),
                "module.normalizer.new_std": std.view(3, 1, 1),
                **{f"module.model.{k}": v for k, v in outside.state_dict().items()},
            }
        },
        tmp_path / "robust.pt",
    )
    one = open_backbone(f"{file}:Normalised", checkpoint=saved(inside, tmp_path / "w.pt"))
    two = open_backbone(f"{file}:make", checkpoint=tmp_path / "robust.pt")
    given = [backbone.forward(backbone.prepare(pictures())) for backbone in (one, two)]
    torch.testing.assert_close(*given, rtol=1e-4, atol=1e-5)
    plain = open_backbone(f"{file}:make", checkpoint=saved(outside, tmp_path / "p.pt"))
    assert (plain.forward(plain.prepare(pictures())) - given[0]).abs().max() > 1e-3


def test_a_softmax_at_the_end_is_refused_until_the_layer_is_named(file):
    with pytest.raises(SplitError, match=r"layer='0\.5'"):
        open_backbone(f"{file}:with_softmax")
    assert open_backbone(f"{file}:with_softmax", layer="0.5").layer == "0.5"


@pytest.mark.parametrize(
    ("spec", "options", "said"),
    [
        ("{}:mkae", {}, "no 'mkae'. Did you mean 'make'"),
        ("{}:fails", {}, "no luck"),
        ("{}:returns_nothing", {}, "it returned NoneType"),
        ("{}:number", {}, "is a int, not a function"),
        ("{}x.py:make", {}, "is not a file"),
        ("no.such.module:make", {}, "cannot be imported"),
        ("{}:make", {"preprocessing": {"sise": 3}}, "Did you mean 'size'"),
        ("{}:make", {"preprocessing": {"mean": 127.5}}, "are for values 0…1"),
        ("{}:make", {"preprocessing": {"mean": (1, 2)}}, "Expected is e.g."),
        ("{}:make", {"preprocessing": {"interpolation": "cubic"}}, "bicubic"),
        ("{}:of_texts", {"preprocessing": {"size": 3}}, "returns its own preprocessing"),
        ("{}:make", {"pooling": "mean"}, "pooling= does nothing"),
        ("{}:make", {"device": "cuda:9"}, "device='cuda:9' cannot be used"),
        ("{}:make", {"device": "gpu"}, "device='gpu' cannot be used"),
        ("{}:make", {"precision": "fp8"}, "precision='fp8'"),
    ],
)
def test_wrong_arguments_are_named(file, spec, options, said):
    with pytest.raises(BackboneError, match=said):
        open_backbone(spec.format(file), **options)


def test_a_file_that_fails_is_named(tmp_path):
    (tmp_path / "bad.py").write_text("import nothing_of_this_name\n")
    with pytest.raises(BackboneError, match=r"bad\.py failed.*nothing_of_this_name"):
        open_backbone(f"{tmp_path / 'bad.py'}:make")


class TestPrecision:
    def test_half_precision_is_near_and_has_a_fingerprint_of_its_own(self, file):
        torch.manual_seed(0)
        full = open_backbone(f"{file}:make")
        half = full.to("cpu", "bfloat16")
        batch = full.prepare(pictures())
        features = half.features(batch)
        assert features.dtype == torch.float32
        assert 0 < (features - full.features(batch)).abs().max() < 0.05
        # the decision layer stays in full precision
        torch.testing.assert_close(
            half.forward(batch), nn.functional.linear(features, *half.head), rtol=0, atol=0
        )
        assert half.fingerprints == {**full.fingerprints, "precision": "bfloat16"}
        assert full.to("cpu").fingerprints == full.fingerprints
        assert half.to("cpu", "float32").precision == "float32"
