"""Pictures made to activate features: right where the right picture is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from clearhead.backbones import Backbone, open_backbone
from clearhead.errors import BackboneError, CorruptFileError, InputError, StepMissingError
from clearhead.explain import load_visualizations, visualize
from clearhead.explain.visualization.fourier import Fourier, decorrelate, recorrelate
from clearhead.explain.visualization.maco import Maco
from clearhead.explain.visualization.pixels import measure_pixels
from clearhead.explain.visualization.redirected import RedirectedRectifiers
from clearhead.explain.visualization.transforms import Transforms, look

from .planted import image_network, layer_for, text_network
from .seeing import BRIGHT, CYCLES, GREEN, NEVER, RED, SHY, STRIPES, seeing

STEPS = 24
STILL = Transforms(jitter=0.0, scale=0.0, degrees=0.0)


@pytest.fixture(scope="module")
def network():
    return seeing()


def make(backbone, features, **options):
    return visualize(backbone, features, **{"steps": STEPS, "directions": ("max",), **options})


def noise_features(backbone, n=200):
    random = np.random.default_rng(0)
    pictures = [
        Image.fromarray(random.integers(0, 256, (32, 32, 3), dtype=np.uint8)) for _ in range(n)
    ]
    return backbone.features(backbone.prepare(pictures)).numpy()


def colours(found):
    return found.picture.reshape(-1, found.picture.shape[2]).mean(0)


@pytest.mark.parametrize("size", [(32, 32), (32, 48)])
def test_red_is_red_and_green_is_green(size):
    red, green = make(seeing(size), [RED, GREEN], steps=200)
    assert red.picture.shape == (*size, 3)
    assert colours(red)[0] > colours(red)[1:].max() + 50
    assert colours(green)[1] > colours(green)[[0, 2]].max() + 30


@pytest.mark.parametrize("size", [(32, 32), (32, 48)])
def test_stripes_have_the_frequency_that_was_planted(size):
    (found,) = make(seeing(size), [STRIPES], transforms=STILL, steps=200)
    line = found.picture.mean((0, 2))
    spectrum = np.abs(np.fft.rfft(line - line.mean()))
    assert spectrum.argmax() == CYCLES
    assert spectrum[CYCLES] > 1.2 * np.delete(spectrum, CYCLES).max()


def test_phases_alone_find_the_stripes(network):
    (found,) = make(network, [STRIPES], method="maco", transforms=STILL)
    (start,) = make(network, [STRIPES], method="maco", transforms=STILL, steps=1)
    assert found.activation > 1.2 * start.activation


def test_the_least_is_the_opposite_of_the_most(network):
    most, least = make(network, [BRIGHT], directions=("max", "min"), steps=100)
    assert (most.direction, least.direction) == ("max", "min")
    assert most.activation > 0.2
    assert least.activation < -0.2
    assert most.picture.mean() > 150
    assert least.picture.mean() < 105


def test_a_network_of_one_channel():
    backbone = seeing(channels=1)
    (found,) = make(backbone, [STRIPES], transforms=STILL, steps=200)
    assert found.picture.shape == (32, 32, 1)
    line = found.picture.mean((0, 2))
    assert np.abs(np.fft.rfft(line - line.mean())).argmax() == CYCLES
    assert found.image().mode == "RGB"


def test_arguments_and_keywords_give_the_same_pictures(network):
    (one,) = make(network, [RED], steps=4)
    (other,) = make(seeing(keyword=True), [RED], steps=4)
    np.testing.assert_array_equal(one.picture, other.picture)


def test_the_activation_is_what_any_user_would_measure(network):
    layer = layer_for(6, center=0.25, scale=0.5)
    for found in make(network, [RED, STRIPES], layer=layer, steps=4):
        raw = network.features(network.prepare([found.image()]))[0, found.feature]
        assert found.activation == pytest.approx((float(raw) - 0.25) / 0.5, rel=1e-5)


def test_a_picture_depends_on_its_seed_not_on_the_batch(network):
    together = make(network, [RED, STRIPES], steps=4, seeds=2)
    alone = make(network, [RED, STRIPES], steps=4, seeds=2, batch_size=1)
    assert [(one.feature, one.seed) for one in together] == [
        (RED, 0), (RED, 1), (STRIPES, 0), (STRIPES, 1)
    ]  # fmt: skip
    for one, other in zip(together, alone, strict=True):
        worst = np.abs(one.picture.astype(int) - other.picture).max()
        assert worst <= 1, "only rounding may differ"
    assert (together[2].picture != together[3].picture).any()
    again = make(network, [RED, STRIPES], steps=4, seeds=2)
    assert [one.png() for one in again] == [one.png() for one in together]
    other = make(network, [STRIPES], steps=4, seed=1)[0]
    assert (other.picture != together[2].picture).any()


def test_kept_pictures_are_not_made_again_and_others_join_them(network, tmp_path):
    first = make(network, [RED], steps=3, folder=tmp_path)
    events = []
    both = make(network, [RED, GREEN], steps=3, folder=tmp_path, on_event=events.append)
    assert events[0].done == 1
    assert events[0].total == 2
    assert both[0].png() == first[0].png()
    held = load_visualizations(tmp_path)
    assert [one.key for one in held] == [one.key for one in both]
    assert held[1].activation == both[1].activation
    make(network, [RED, GREEN], steps=4, folder=tmp_path, on_event=events.append)
    assert [one.done for one in events if one.kind == "start"] == [1, 0]


def test_an_interrupted_call_resumes_to_the_same_bytes(network, tmp_path):
    def contents(folder):
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    def stop(event):
        if event.kind == "progress":
            raise KeyboardInterrupt

    options = {"steps": 3, "batch_size": 2}
    make(network, range(5), folder=tmp_path / "whole", **options)
    with pytest.raises(KeyboardInterrupt):
        make(network, range(5), folder=tmp_path / "cut", on_event=stop, **options)
    assert len(load_visualizations(tmp_path / "cut")) == 2
    make(network, range(5), folder=tmp_path / "cut", **options)
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


def test_a_damaged_picture_is_found_and_made_again(network, tmp_path):
    (made,) = make(network, [RED], steps=3, folder=tmp_path)
    (path,) = tmp_path.glob("*.png")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(CorruptFileError, match="checksum"):
        load_visualizations(tmp_path)
    make(network, [RED], steps=3, folder=tmp_path)
    assert load_visualizations(tmp_path)[0].png() == made.png()
    with pytest.raises(StepMissingError, match="no feature visualizations"):
        load_visualizations(tmp_path / "elsewhere")


class Fragile(nn.Module):
    """Fails when it is called once too often."""

    def __init__(self):
        super().__init__()
        self.body, self.left = nn.Conv2d(3, 4, 3), 10**9
        self.head = nn.Linear(4, 2)
        self.body.bias.requires_grad_(False)

    def forward(self, x):
        self.left -= 1
        if self.left < 0:
            raise ValueError("the network broke")
        return self.head(self.body(x).relu().mean((2, 3)))


def fragile():
    whole = image_network()
    return Backbone.from_module(
        Fragile(),
        prepare=whole.preprocessing,
        name="fragile",
        modality="image",
        example_batch=torch.rand(2, 3, 12, 12),
    )


@pytest.mark.parametrize("breaks", [False, True])
def test_the_network_and_the_global_seed_are_left_as_they_were(breaks):
    backbone = fragile()
    module = backbone.module
    module.train()
    module.head.eval()

    def state():
        modules = list(module.modules())
        return (
            [one.training for one in modules],
            [len(one._forward_hooks) + len(one._forward_pre_hooks) for one in modules],
            [(one.requires_grad, one.grad) for one in module.parameters()],
            torch.is_grad_enabled(),
        )

    before, drawn = state(), torch.get_rng_state()
    if breaks:
        module.left = 5
        with pytest.raises(ValueError, match="broke"):
            make(backbone, [0, 1])
    else:
        with torch.no_grad():
            make(backbone, [0, 1], steps=2)
    assert state() == before
    torch.testing.assert_close(torch.get_rng_state(), drawn, rtol=0, atol=0)


def test_a_start_behind_a_dead_relu_is_overcome(network):
    grey = Image.new("RGB", (32, 32), (128, 128, 128))
    assert float(network.features(network.prepare([grey]))[0, SHY]) == 0.0
    (found,) = make(network, [SHY], start=grey, steps=64)
    assert found.activation > 0.05


def test_rectifiers_that_let_something_through_are_left_alone():
    x = torch.tensor([[-1.0, 2.0], [-1.0, -2.0]], requires_grad=True)
    with RedirectedRectifiers():
        (-nn.ReLU()(x).sum()).backward()
    torch.testing.assert_close(x.grad, torch.tensor([[0.0, -1.0], [-1.0, -1.0]]))
    y = torch.tensor([[7.0], [3.0]], requires_grad=True)
    with RedirectedRectifiers():
        nn.ReLU6()(y).sum().backward()
    torch.testing.assert_close(y.grad, torch.ones(2, 1))


def test_a_feature_that_cannot_be_activated_says_so(network):
    events = []
    real = noise_features(network)
    real[::8, NEVER] = 1.0
    never, red = make(network, [NEVER, RED], activations=real, on_event=events.append, steps=64)
    assert never.failed
    assert "failed to activate" in never.describe()
    assert never.percentile == 0.0
    assert not red.failed
    assert red.percentile > 99.0
    (warning,) = [one for one in events if one.kind == "warning"]
    assert warning.message.startswith("1 of 2 pictures failed")
    assert make(network, [RED], steps=2)[0].failed is None


class AtMost:
    """As the index of examples counts: activations that are at most so large."""

    def percentile(self, feature, activation):
        return 100.0 * float(np.mean(np.repeat([0.0, 1.0], 5) <= activation))


def test_the_floor_of_a_relu_is_reached_together_with_real_pictures(network):
    """At 0, as half of the real pictures: none is below, so it has not failed."""
    for real in (np.repeat([0.0, 1.0], 5)[:, None] * np.ones(6), AtMost()):
        (low,) = make(network, [NEVER], activations=real, directions=("min",), steps=2)
        assert (low.activation, low.percentile, low.failed) == (0.0, 0.0, False)


class Index:
    """Of real activations; counts how many are lower."""

    def __init__(self, real):
        self.real = real

    def percentile(self, feature, activation):
        return 100.0 * float(np.mean(self.real[:, feature] < activation))


def test_percentiles_of_an_array_and_of_an_index_agree(network):
    layer = layer_for(6, center=0.5, scale=2.0)
    raw = noise_features(network)
    options = {"layer": layer, "steps": 2, "directions": ("max", "min")}
    array = make(network, [STRIPES, BRIGHT], activations=raw, **options)
    index = make(network, [STRIPES, BRIGHT], activations=Index((raw - 0.5) / 2.0), **options)
    assert [one.percentile for one in array] == [one.percentile for one in index]
    assert [one.failed for one in array] == [one.failed for one in index]
    with pytest.raises(InputError, match=r"\(n, 6\), got \(200, 5\)"):
        make(network, [RED], activations=raw[:, :5])


@pytest.mark.parametrize(
    ("features", "options", "message"),
    [
        ([6], {}, "numbered 0 … 5"),
        ([-1], {}, "-1 is not one of the 6"),
        ([2], {"layer": replace(layer_for(6), dead=np.arange(6) == 2)}, "2 are constant"),
        ([0], {"layer": layer_for(5)}, "fitted on 5 features"),
        ([0], {"method": "pixels"}, "'fourier' or 'maco'"),
        ([0], {"directions": "max"}, "sequence of 'max' and 'min'"),
        ([0], {"directions": ("up",)}, "sequence of 'max' and 'min'"),
        ([0], {"steps": 0}, "steps=0"),
        ([0], {"seeds": 0}, "seeds=0"),
        ([0], {"size": -1}, "size=-1"),
    ],
)
def test_wrong_arguments_are_named(network, features, options, message):
    with pytest.raises(InputError, match=message):
        make(network, features, **options)


def test_networks_that_cannot_be_visualized_are_refused(tmp_path):
    with pytest.raises(BackboneError, match=r"takes texts.*Words"):
        make(text_network(), [0])
    with pytest.raises(BackboneError, match="could not be proven that the preprocessing cuts"):
        make(seeing(affine=False), [0])


def test_an_onnx_network_is_refused(tmp_path):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from onnx import TensorProto, helper, numpy_helper

    ends = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)]
        for name, shape in (("pixels", ["n", 3, 16, 16]), ("logits", ["n", 2]))
    ]
    random = np.random.default_rng(0)
    weights = [
        numpy_helper.from_array(random.random(shape, np.float32), name)
        for name, shape in (("w", (4, 3, 1, 1)), ("h", (2, 4)), ("b", (2,)))
    ]
    nodes = [
        helper.make_node("Conv", ["pixels", "w"], ["c"]),
        helper.make_node("GlobalAveragePool", ["c"], ["g"]),
        helper.make_node("Flatten", ["g"], ["f"]),
        helper.make_node("Gemm", ["f", "h", "b"], ["logits"], transB=1),
    ]
    model = helper.make_model(
        helper.make_graph(nodes, "colours", *ends, weights),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    onnx.save(model, tmp_path / "colours.onnx")
    backbone = open_backbone(tmp_path / "colours.onnx", preprocessing={"mean": 0.5, "std": 0.5})
    with pytest.raises(BackboneError, match=r"needs gradients.*Open the network in torch"):
        make(backbone, [0])


def test_the_pixels_of_a_picture_reach_the_network_as_the_preprocessing_gives_them(network):
    mapped = measure_pixels(network)
    assert mapped.size == (32, 32)
    assert mapped.window == (0, 0, 32, 32)
    assert mapped.explained == pytest.approx(1.0, abs=1e-6)
    assert not mapped.grey
    assert measure_pixels(seeing(channels=1)).grey
    pixels = np.random.default_rng(1).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    view = torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255.0
    given = network.prepare([Image.fromarray(pixels)]).args[0]
    torch.testing.assert_close(mapped.input(view), given, rtol=0, atol=1e-5)


def test_maco_changes_phases_only():
    generator = torch.Generator().manual_seed(0)
    pictures = torch.rand(3, 3, 16, 20, generator=generator)
    for maco in (Maco((16, 20), 3), Maco((16, 20), 3, pictures)):
        one, other = (maco.start(3, generator) for _ in range(2))
        spectra = maco.spectrum(torch.stack([one, other]))
        torch.testing.assert_close(spectra.abs()[0], maco.magnitude)
        torch.testing.assert_close(spectra.abs()[1], maco.magnitude)
        assert (maco.magnitude[:, 0, 0] == 0).all(), "the mean colour is grey"
        # of the picture itself, too: what the sigmoid is given has these magnitudes
        signals = decorrelate(torch.logit(maco.pixels(one[None])))
        found = torch.fft.rfft2(signals, norm="ortho")[0].abs()
        inner = np.s_[:, :, 1:-1]  # first and last column lose what has no conjugate
        torch.testing.assert_close(
            found[inner], maco.magnitude[inner].expand_as(found[inner]), rtol=0, atol=1e-3
        )


def test_pictures_and_spectra_undo_each_other():
    generator = torch.Generator().manual_seed(0)
    picture = 0.1 + 0.8 * torch.rand(1, 3, 16, 21, generator=generator)
    fourier = Fourier((16, 21))
    again = fourier.pixels(fourier.inverse(picture)[None])
    torch.testing.assert_close(again, picture, rtol=0, atol=1e-5)
    torch.testing.assert_close(recorrelate(decorrelate(picture)), picture, rtol=0, atol=1e-5)


def test_colours_are_decorrelated_as_in_natural_pictures():
    # one unit of each signal: lightness moves all channels alike, and most
    mixed = recorrelate(torch.eye(3).view(3, 3, 1, 1))[:, :, 0, 0]
    assert (mixed[0] > 0).all()
    assert mixed[0].max() / mixed[0].min() < 1.1
    norms = mixed.norm(dim=1)
    assert norms[0] == norms.max() == pytest.approx(1.0)
    assert (norms[1:] < 0.5).all()


def test_a_real_picture_can_be_the_start(network):
    blue = Image.new("RGB", (64, 64), (20, 20, 230))
    kept = make(network, [STRIPES], steps=1, start={STRIPES: blue})[0]
    assert colours(kept)[2] > 180 > 100 > colours(kept)[:2].max()
    free = make(network, [STRIPES], steps=1, start={RED: blue})[0]
    assert colours(free)[2] < 180


def test_a_still_look_is_the_picture_itself():
    picture = torch.rand(2, 3, 10, 12, generator=torch.Generator().manual_seed(0))
    drawn = STILL.draw(2, torch.Generator().manual_seed(0))
    seen = look(picture, drawn, (1, 2, 8, 8), (8, 8))
    torch.testing.assert_close(seen, picture[:, :, 1:9, 2:10], rtol=0, atol=1e-5)
    moved = look(
        picture, Transforms().draw(2, torch.Generator().manual_seed(0)), (1, 2, 8, 8), (8, 8)
    )
    assert (moved - seen).abs().max() > 0.05
