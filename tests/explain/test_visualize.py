"""Pictures made for features, on small networks where the right picture is known."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from clearhead.backbones import Backbone, open_backbone
from clearhead.errors import BackboneError, CorruptFileError, InputError, StepMissingError
from clearhead.explain.visualization import (
    FeatureVisualization,
    load_visualizations,
    save_visualizations,
    visualize,
)
from clearhead.explain.visualization.fourier import (
    Fourier,
    decorrelate,
    pixels_of,
    recorrelate,
    signals_of,
)
from clearhead.explain.visualization.maco import Maco
from clearhead.explain.visualization.pixels import measure_pixels
from clearhead.explain.visualization.redirected import RedirectedRectifiers
from clearhead.layer import Certificate, DecisionLayer

RED, VERTICAL, HORIZONTAL, DEAD, CONSTANT = range(5)


class Planted(nn.Module):
    """Five features of pictures in [-1, 1]: redness, stripes both ways, a rare one, nothing."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        wave = torch.cos(torch.arange(8) * torch.pi / 2) / 8.0  # a period of 4 pixels
        stripes = torch.stack([wave.expand(8, 8), wave[:, None].expand(8, 8)])
        self.stripes = nn.Conv2d(channels, 2, 8, bias=False)
        self.stripes.weight = nn.Parameter(
            stripes[:, None].expand(-1, channels, -1, -1).contiguous() / channels
        )
        self.relu = nn.ReLU()
        self.head = nn.Linear(5, 2)

    def forward(self, pixel_values: Tensor) -> Tensor:
        mean = pixel_values.mean((2, 3))
        red = mean[:, 0] - mean[:, 1:].sum(1) / 2.0
        waves = self.relu(self.stripes(pixel_values)).mean((2, 3))
        # On grey, and on noise, three in four pixels short of firing.
        rare = self.relu(mean[:, 0] - 0.3)
        features = torch.stack([red, waves[:, 0], waves[:, 1], rare, 0.0 * rare], 1)
        return self.head(features)


def prepared(
    size: tuple[int, int] = (32, 32),
    *,
    order: Sequence[int] = (0, 1, 2),
    grey: bool = False,
    keyword: bool = False,
) -> Callable[[Sequence[Any]], Any]:
    def prepare(pictures: Sequence[Any]) -> Any:
        mode = "L" if grey else "RGB"
        shown = [
            one.convert(mode).resize(size[::-1], Image.Resampling.BILINEAR) for one in pictures
        ]
        pixels = np.stack([np.asarray(one, np.float32).reshape(*size, -1) for one in shown])
        tensor = torch.from_numpy(pixels).permute(0, 3, 1, 2) / 127.5 - 1.0
        tensor = tensor if grey else tensor[:, list(order)]
        return {"pixel_values": tensor} if keyword else tensor

    return prepare


def planted(size: tuple[int, int] = (32, 32), channels: int = 3, **options: Any) -> Backbone:
    torch.manual_seed(0)
    prepare = prepared(size, grey=channels == 1, **options)
    noise = np.random.default_rng(0).integers(0, 256, (2, *size, 3), dtype=np.uint8)
    return Backbone.from_module(
        Planted(channels),
        prepare=prepare,
        name="planted",
        modality="image",
        example_batch=prepare([Image.fromarray(one) for one in noise]),
    )


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return planted()


@pytest.fixture(scope="module")
def real(backbone: Backbone) -> np.ndarray:
    """Features of 200 smooth pictures."""
    rng = np.random.default_rng(1)
    small = rng.integers(0, 256, (200, 6, 6, 3), dtype=np.uint8)
    pictures = [Image.fromarray(one).resize((32, 32), Image.Resampling.BICUBIC) for one in small]
    return backbone.features(backbone.prepare(pictures)).numpy()


def layer_of(real: np.ndarray) -> DecisionLayer:
    scale = real.std(axis=0)
    return DecisionLayer(
        weight=np.ones((2, real.shape[1])) * (scale > 0),
        bias=np.zeros(2),
        center=real.mean(axis=0).astype(np.float64),
        scale=scale.astype(np.float64),
        dead=scale == 0,
        class_names=("no", "yes"),
        certificate=Certificate("binomial", 0.1, 0.99, 1e-5, 1e-4, "optimal"),
    )


def stripes(picture: np.ndarray) -> tuple[float, float]:
    """Power of a picture's lightness at a period of 4 pixels, along rows and along columns."""
    light = picture.mean(2) - picture.mean()
    power = np.abs(np.fft.fft2(light)) ** 2
    rows, columns = light.shape
    return float(power[0, columns // 4]), float(power[rows // 4, 0])


def test_the_right_picture_is_found(backbone: Backbone, real: np.ndarray) -> None:
    layer = layer_of(real)
    found = visualize(
        backbone,
        [RED, VERTICAL, HORIZONTAL],
        layer=layer,
        activations=real,
        directions=("max",),
    )
    red, vertical, horizontal = found
    across, down = stripes(vertical.picture)
    assert across > 5 * down
    across, down = stripes(horizontal.picture)
    assert down > 5 * across
    assert red.picture[:, :, 0].mean() > red.picture[:, :, 1:].mean() + 50
    for one in found:  # what anybody measures who opens the picture
        assert not one.failed
        raw = backbone.features(backbone.prepare([one.image()])).numpy()
        z = layer.standardize(raw, np.array([one.feature]))[0, 0]
        assert one.activation == pytest.approx(z, rel=1e-4, abs=1e-4)
        share = 100 * np.mean(layer.standardize(real)[:, one.feature] < z)
        assert one.percentile == pytest.approx(share, abs=0.51)


def test_phases_alone_activate_more_than_chance(backbone: Backbone) -> None:
    """A fixed spectrum has fixed stripes on the whole; they can be put in step."""
    options: dict[str, Any] = {"method": "maco", "directions": ("max",)}
    random = visualize(backbone, [VERTICAL], seeds=20, steps=1, **options)
    found = visualize(backbone, [VERTICAL], seeds=3, **options)
    chance = max(one.activation for one in random)
    assert all(one.activation > chance for one in found)


def test_minimising_is_the_opposite(backbone: Backbone, real: np.ndarray) -> None:
    low, high = visualize(backbone, [RED], activations=real, directions=("min", "max"))
    assert (low.direction, low.failed, low.percentile) == ("min", False, 0.0)
    assert low.activation < -0.25 < 0.25 < high.activation
    assert low.picture[:, :, 0].mean() < low.picture[:, :, 1:].mean() - 30


def test_the_floor_of_a_relu_is_reached_together_with_real_pictures(backbone: Backbone) -> None:
    """At 0, as half of the real pictures: none is below."""
    real = np.zeros((10, 5))
    real[5:] = 1.0
    (low,) = visualize(backbone, [DEAD], activations=real, directions=("min",), steps=2)
    assert (low.activation, low.percentile, low.failed) == (0.0, 0.0, False)


def test_a_dead_start_is_overcome(backbone: Backbone) -> None:
    """Its gradient is zero on every picture that is not very red already."""
    mapped = measure_pixels(backbone)
    begun = torch.full((1, 3, 32, 32), 0.5, requires_grad=True)
    plain = backbone.differentiable_features(mapped.batch(begun))[0, DEAD]
    assert torch.autograd.grad(plain, begun)[0].abs().max() == 0
    (found,) = visualize(backbone, [DEAD], directions=("max",))
    assert found.activation > 0.2


def test_what_cannot_be_activated_is_said(backbone: Backbone, real: np.ndarray) -> None:
    events: list[Any] = []
    (found,) = visualize(
        backbone, [CONSTANT], activations=real, directions=("max",), steps=2, on_event=events.append
    )
    assert found.failed
    assert "failed to activate" in found.describe()
    assert next(e.message for e in events if e.kind == "warning").startswith("1 of 1 pictures")
    with pytest.raises(InputError, match="4 are constant"):
        visualize(backbone, [CONSTANT], layer=layer_of(real))


def test_redirection_changes_no_gradient_that_is_there() -> None:
    x = torch.tensor([[-1.0, 2.0], [-1.0, -2.0], [7.0, 9.0]])
    down = torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0]])  # the loss's gradient

    def gradient(rectifier: Callable[[Tensor], Tensor]) -> list[list[float]]:
        leaf = x.clone().requires_grad_(True)
        with RedirectedRectifiers():
            result = rectifier(leaf)
        return torch.autograd.grad((result * down).sum(), leaf)[0].tolist()

    assert gradient(nn.ReLU()) == [[0, -1], [-1, 0], [1, -1]]
    assert gradient(nn.ReLU6()) == [[0, -1], [-1, 0], [1, 0]]
    assert gradient(torch.relu) == [[0, -1], [-1, 0], [1, -1]]
    assert gradient(nn.Hardtanh()) == [[0, 0], [0, 0], [0, 0]]  # no rectifier: as it is
    leaf = x.clone().requires_grad_(True)
    assert torch.autograd.grad((torch.relu(leaf) * down).sum(), leaf)[0].tolist()[1] == [0, 0]


def test_seeds(backbone: Backbone) -> None:
    options: dict[str, Any] = {"directions": ("max",), "steps": 3}
    first = visualize(backbone, [VERTICAL, RED], seeds=2, **options)
    assert [(one.feature, one.seed) for one in first] == [(1, 0), (1, 1), (0, 0), (0, 1)]
    assert not np.array_equal(first[0].picture, first[1].picture)
    again = visualize(backbone, [VERTICAL], seeds=2, batch_size=1, **options)
    for one, other in zip(first, again, strict=False):  # whatever is beside it in the batch
        assert np.abs(one.picture.astype(int) - other.picture).max() <= 1
    other = visualize(backbone, [VERTICAL], seed=1, **options)
    assert not np.array_equal(first[0].picture, other[0].picture)


def test_nothing_global_changes(backbone: Backbone) -> None:
    module = backbone.module
    module.stripes.weight.requires_grad_(False)
    module.train()
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()  # noqa: NPY002
    visualize(backbone, [RED], steps=2, transforms=None)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]  # noqa: NPY002

    def stop(_: Any) -> None:
        raise KeyboardInterrupt

    handle = module.relu.register_forward_hook(lambda *_: stop(None))
    with pytest.raises(KeyboardInterrupt):
        visualize(backbone, [RED], steps=2)
    handle.remove()
    assert module.training
    assert not module.stripes.weight.requires_grad
    assert module.head.weight.requires_grad
    assert all(one.grad is None for one in module.parameters())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())
    assert torch.relu(torch.tensor(-1.0, requires_grad=True)).grad_fn.name() == "ReluBackward0"
    module.stripes.weight.requires_grad_(True)
    module.eval()


@pytest.mark.parametrize("size", [(24, 40), (33, 47)])
@pytest.mark.parametrize("keyword", [False, True])
def test_sizes_and_keywords(size: tuple[int, int], keyword: bool) -> None:
    backbone = planted(size, keyword=keyword)
    assert measure_pixels(backbone).explained > 0.999999
    (found,) = visualize(backbone, [RED], directions=("max",), steps=20)
    assert found.picture.shape == (*size, 3)
    assert found.activation > 0.25


def test_colours_in_another_order() -> None:
    backbone = planted(order=(2, 1, 0))  # the network's first channel is blue
    (found,) = visualize(backbone, [RED], directions=("max",), steps=20)
    assert found.picture[:, :, 2].mean() > found.picture[:, :, :2].mean() + 30


def test_a_network_of_one_channel() -> None:
    backbone = planted(channels=1)
    mapped = measure_pixels(backbone)
    assert mapped.grey
    assert mapped.explained > 0.999
    (found,) = visualize(backbone, [VERTICAL], directions=("max",))
    assert found.picture.shape == (32, 32, 1)
    across, down = stripes(found.picture)
    assert across > 5 * down


def test_a_window_is_found() -> None:
    """Pictures of 36 px, of which the middle 32 are seen: nothing is resized then."""
    whole = prepared((36, 36))

    def cut(pictures: Sequence[Any]) -> Tensor:
        return whole(pictures)[:, :, 2:34, 2:34]

    backbone = Backbone.from_module(
        Planted(),
        prepare=cut,
        name="cut",
        modality="image",
        example_batch=torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)),
    )
    mapped = measure_pixels(backbone)
    assert (mapped.size, mapped.window) == ((36, 36), (2, 2, 32, 32))
    assert mapped.explained > 0.999999


def test_preprocessing_that_is_not_affine_is_refused() -> None:
    plain = prepared()

    def scaled(pictures: Sequence[Any]) -> Tensor:
        values = plain(pictures)
        return values / values.flatten(1).std(dim=1).clamp(min=0.01).view(-1, 1, 1, 1)

    def flat(pictures: Sequence[Any]) -> Tensor:
        return plain(pictures).mean((2, 3))

    example = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    for prepare, why in ((scaled, "explains"), (flat, r"one tensor \(n, channels")):
        backbone = Backbone.from_module(
            Planted(), prepare=prepare, name="odd", modality="image", example_batch=example
        )
        with pytest.raises(BackboneError, match=why):
            visualize(backbone, [RED])


def test_bad_input(backbone: Backbone, real: np.ndarray) -> None:
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("features: 5 is not", {"features": [5]}),
        ("features: -1 is not", {"features": [-1]}),
        ("method=", {"method": "deep dream"}),
        ("directions=", {"directions": "max"}),
        ("directions=", {"directions": ("up",)}),
        ("seeds=0", {"seeds": 0}),
        ("steps=0", {"steps": 0}),
        ("size=0", {"size": 0}),
        ("batch_size=0", {"batch_size": 0}),
        ("activations: expected", {"activations": real[:, :2]}),
        ("layer: it was fitted", {"layer": layer_of(real[:, :3])}),
    ]
    for message, options in wrong:
        with pytest.raises(InputError, match=message):
            visualize(backbone, **{"features": [RED], **options})


def test_networks_without_pictures_or_gradients() -> None:
    class Opaque(Planted):
        def forward(self, pixel_values: Tensor) -> Tensor:
            return super().forward(torch.from_numpy(pixel_values.detach().numpy()))

    example = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    opaque = Backbone.from_module(
        Opaque(), prepare=prepared(), name="opaque", modality="image", example_batch=example
    )
    with pytest.raises(BackboneError, match="needs gradients, and opaque gives none"):
        visualize(opaque, [RED])
    text = Backbone.from_module(
        nn.Linear(3, 2),
        prepare=lambda texts: torch.zeros(len(texts), 3),
        name="words",
        modality="text",
        example_batch=torch.zeros(2, 3),
    )
    with pytest.raises(BackboneError, match="takes texts"):
        visualize(text, [0])


def test_onnx_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    path = str(tmp_path / "net.onnx")
    network = Planted().eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            network, (torch.rand(2, 3, 32, 32),), path, dynamo=False, dynamic_axes={"x": {0: "n"}},
            input_names=["x"],
        )  # fmt: skip
    backbone = open_backbone(path, preprocessing={"size": 32})
    with pytest.raises(BackboneError, match="examples and LIME work"):
        visualize(backbone, [RED])


def test_start_from_a_picture(backbone: Backbone) -> None:
    ramp = np.tile(np.linspace(60, 190, 64, dtype=np.uint8)[:, None, None], (1, 64, 3))
    start = Image.fromarray(ramp)
    options: dict[str, Any] = {"directions": ("max",), "steps": 1}
    both = visualize(backbone, [RED, VERTICAL], start={RED: start}, **options)
    wanted = np.asarray(start.resize((32, 32)), float).mean(2).ravel()

    def likeness(one: FeatureVisualization) -> float:
        return float(np.corrcoef(one.picture.mean(2).ravel(), wanted)[0, 1])

    assert likeness(both[0]) > 0.9 > likeness(both[1])
    all_of_them = visualize(backbone, [VERTICAL], start=start, **options)
    assert likeness(all_of_them[0]) > 0.9


def test_the_folder_keeps_what_is_finished(backbone: Backbone, tmp_path: Path, real: Any) -> None:
    options: dict[str, Any] = {"directions": ("max",), "steps": 2, "folder": tmp_path}
    first = visualize(backbone, [RED], **options)
    calls: list[int] = []
    handle = backbone.module.register_forward_hook(lambda *_: calls.append(1))
    again = visualize(backbone, [RED], activations=real, **options)
    handle.remove()
    assert len(calls) == 1  # the check of gradients
    assert np.array_equal(first[0].picture, again[0].picture)
    assert (first[0].percentile, again[0].percentile is None) == (None, False)
    visualize(backbone, [VERTICAL], **options)
    assert [one.feature for one in load_visualizations(tmp_path)] == [RED, VERTICAL]
    more = visualize(backbone, [RED], **{**options, "steps": 3})  # takes its forerunner's place
    kept = load_visualizations(tmp_path)
    assert [(one.feature, one.steps) for one in kept] == [(RED, 3), (VERTICAL, 2)]
    assert np.array_equal(kept[0].picture, more[0].picture)
    name = kept[0].to_dict()["picture"]
    (tmp_path / name).write_bytes(b"something else")
    with pytest.raises(CorruptFileError, match="damaged"):
        load_visualizations(tmp_path)
    with pytest.raises(StepMissingError):
        load_visualizations(tmp_path / "nowhere")


def test_results_show_themselves(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 1), dtype=np.uint8)
    one = FeatureVisualization(3, "max", 0, "maco", 8, picture, 2.5, 99.5, False, "key")
    save_visualizations([one], tmp_path)
    (read,) = load_visualizations(tmp_path)
    assert read.to_dict() == one.to_dict()
    assert np.array_equal(read.picture, picture)
    assert "data:image/png;base64," in one._repr_html_()
    assert one.plot().get_title() == "feature 3, max: +2.50, percentile 99.5 of real examples"


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(8, 8), (9, 12), (7, 5)])
def test_parametrisations_undo_themselves(channels: int, size: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(0)
    pixels = 0.1 + 0.8 * torch.rand(1, channels, *size, generator=generator)
    torch.testing.assert_close(recorrelate(decorrelate(pixels)), pixels)
    torch.testing.assert_close(pixels_of(signals_of(pixels)), pixels)
    fourier = Fourier(size)
    torch.testing.assert_close(fourier.pixels(fourier.inverse(pixels)[None]), pixels)
    assert fourier.start(channels, generator).shape == fourier.inverse(pixels).shape


def test_decorrelated_signals_are_those_of_natural_colours() -> None:
    """The first is lightness: grey pictures have no other."""
    grey = torch.linspace(0, 1, 16).view(1, 1, 4, 4).expand(1, 3, 4, 4)
    light, *others = decorrelate(grey)[0]
    assert light.std() > 5 * max(one.std() for one in others)


def test_maco_changes_phases_only() -> None:
    generator = torch.Generator().manual_seed(0)
    real = torch.rand(4, 3, 12, 16, generator=generator)
    for pictures in (None, real):
        maco = Maco((12, 16), 3, pictures)
        drawn = [maco.start(3, generator)[None] for _ in range(2)]
        for phases in drawn:
            signals = signals_of(maco.pixels(phases).clamp(0.021, 0.979))
            assert signals.std() > 0.1
            assert torch.equal(maco.magnitude[:, 0, 0], torch.zeros(3))
            torch.testing.assert_close(maco.spectrum(phases)[0].abs(), maco.magnitude)
        assert (maco.pixels(drawn[0]) - maco.pixels(drawn[1])).abs().max() > 0.1
    inner = Maco((12, 16), 3).magnitude[0, 1:6, 1:8]
    assert inner[0, 0] > inner[-1, -1] > 0  # falls with frequency
