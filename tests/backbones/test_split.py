"""The decision layer is found by what runs, and proven."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional

from clearhead.backbones import Backbone, Batch, split_module
from clearhead.errors import SplitError


def hooks_of(module):
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in module.modules())


def batch(n=4, p=6):
    return torch.randn(n, p, generator=torch.Generator().manual_seed(1))


class LastIsNotLastByName(nn.Module):
    """The classifier is declared first and called last."""

    def __init__(self):
        super().__init__()
        self.a_classifier = nn.Linear(5, 3)
        self.z_body = nn.Linear(6, 5)

    def forward(self, x):
        return self.a_classifier(torch.relu(self.z_body(x)))


class Auxiliary(nn.Module):
    """A second head runs after the classifier, its output comes second."""

    def __init__(self):
        super().__init__()
        self.body, self.fc, self.auxiliary = nn.Linear(6, 5), nn.Linear(5, 3), nn.Linear(5, 3)

    def forward(self, x):
        h = torch.relu(self.body(x))
        return self.fc(h), self.auxiliary(h)


class Shared(nn.Module):
    """One layer, under two names, called three times; the second call decides."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 6)
        self.same = self.fc

    def forward(self, x):
        out = self.same(torch.relu(self.fc(x)))
        self.fc(x)
        return out


class Returns(nn.Module):
    def __init__(self, wrap):
        super().__init__()
        self.body, self.fc, self.wrap = nn.Linear(6, 5), nn.Linear(5, 3), wrap

    def forward(self, x):
        return self.wrap(self.fc(torch.tanh(self.body(x))))


class SubclassedLinear(nn.Linear):
    pass


class NotQuiteLinear(nn.Linear):
    def forward(self, x):
        return super().forward(x) * 2


@pytest.mark.parametrize(
    ("module", "layer", "output"),
    [
        (LastIsNotLastByName(), "a_classifier", ""),
        (Auxiliary(), "fc", "0"),
        (Shared(), "fc", ""),
        (nn.Sequential(nn.Linear(6, 4), nn.ReLU(), SubclassedLinear(4, 2, bias=False)), "2", ""),
        (nn.Sequential(nn.Linear(6, 4), nn.Linear(4, 2), nn.Dropout(0.9), nn.Identity()), "1", ""),
        (nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 1), nn.Flatten(0)), "2", ""),
        (Returns(lambda z: (z, None)), "fc", "0"),
        (Returns(lambda z: {"hidden": z * 2, "logits": z}), "fc", "logits"),
        (Returns(lambda z: (torch.zeros(len(z), 3), z)), "fc", "1"),
        (nn.Linear(6, 2), "", ""),
    ],
)
def test_the_decision_layer_is_found_and_proven(module, layer, output):
    split = split_module(module, batch())
    assert (split.layer, split.output) == (layer, output)
    assert split.error <= 1e-5
    assert split.last
    features, logits = split.features(module.eval(), Batch((batch(),)))
    out = module(batch())
    wanted = out if output == "" else out[int(output) if output.isdigit() else output]
    torch.testing.assert_close(logits, wanted.reshape(logits.shape))
    fc = module.get_submodule(layer)
    torch.testing.assert_close(functional.linear(features, fc.weight, fc.bias), logits)


def test_the_call_that_decides_is_the_one_captured():
    module = Shared()
    split = split_module(module, batch())
    assert (split.call, split.n_calls) == (1, 3)
    features, _ = split.features(module, Batch((batch(),)))
    torch.testing.assert_close(features, torch.relu(module.fc(batch())))


def test_the_module_is_left_as_it_was():
    module = nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Dropout(0.5), nn.Linear(5, 2))
    module.train()
    module[1].eval()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    split_module(module, batch())
    assert [part.training for part in module] == [True, False, True, True]
    assert module.training
    assert hooks_of(module) == 0
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name])


def test_hooks_come_off_when_the_network_fails():
    module = nn.Sequential(nn.Linear(6, 5), nn.Linear(4, 2)).train()
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        split_module(module, batch())
    assert hooks_of(module) == 0
    assert module.training


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (nn.Softmax(-1), "softmax"),
        (nn.LogSoftmax(-1), "log-softmax"),
        (nn.Sigmoid(), "sigmoid"),
        (nn.LayerNorm(3), "differs from the network's by up to"),
    ],
)
def test_what_follows_the_last_layer_is_named_and_can_be_left_out(after, said):
    module = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3), after)
    with pytest.raises(SplitError) as caught:
        split_module(module, batch())
    text = str(caught.value)
    assert said in text
    assert "'2' (5 → 3)" in text
    assert "'0' (6 → 5): its output has the shape (4, 5)" in text
    assert "layer='2'" in text
    split = split_module(module, batch(), layer="2")
    assert (split.layer, split.last) == ("2", False)


def test_a_layer_that_is_not_there_or_does_not_run_is_refused():
    module = LastIsNotLastByName()
    module.unused = nn.Linear(6, 3)
    with pytest.raises(SplitError, match=r"there is no such layer.*'a_classifier', 'z_body'"):
        split_module(module, batch(), layer="head")
    with pytest.raises(SplitError, match="did not run"):
        split_module(module, batch(), layer="unused")
    sequence = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))
    with pytest.raises(SplitError, match="it is a ReLU"):
        split_module(sequence, batch(), layer="1")


def test_a_layer_with_arithmetic_of_its_own_is_not_taken_for_linear():
    module = nn.Sequential(nn.Linear(6, 5), NotQuiteLinear(5, 3))
    with pytest.raises(SplitError, match=r"'1' \(5 → 3\)"):
        split_module(module, batch())
    with pytest.raises(SplitError, match=r"not input @ weight\.T"):
        split_module(module, batch(), layer="1")


class PerPosition(nn.Module):
    """A layer on every position of (n, positions, 6) or (n, 6, positions…), then `after`."""

    def __init__(self, layer, after):
        super().__init__()
        self.score, self.after = layer, after

    def forward(self, x):
        return self.after(self.score(torch.tanh(x)))


TOKENS = torch.randn(4, 7, 6, generator=torch.Generator().manual_seed(2))
IMAGE = torch.randn(4, 6, 3, 5, generator=torch.Generator().manual_seed(3))
SUM = lambda z: z.sum(1)  # noqa: E731
PICKED = torch.tensor([6, 2, 0, 3])


@pytest.mark.parametrize(
    ("layer", "after", "x", "features"),
    [
        (nn.Linear(6, 3), lambda z: z[:, -1], TOKENS, TOKENS.tanh()[:, -1]),
        (
            nn.Linear(6, 3, bias=False),
            lambda z: z[torch.arange(len(z)), PICKED[: len(z)]],
            TOKENS,
            TOKENS.tanh()[torch.arange(4), PICKED],
        ),
        (nn.Linear(6, 3), lambda z: {"logits": z.mean(1)}, TOKENS, TOKENS.tanh().mean(1)),
        (nn.Linear(6, 3, bias=False), SUM, TOKENS, TOKENS.tanh().sum(1)),
        (nn.Conv2d(6, 3, 1), lambda z: z.mean((2, 3)), IMAGE, IMAGE.tanh().mean((2, 3))),
        (nn.Conv2d(6, 3, 1), nn.Flatten(), IMAGE[:, :, :1, :1], IMAGE.tanh()[:, :, 0, 0]),
        (nn.Conv2d(6, 3, 1), nn.Identity(), IMAGE[:, :, :1, :1], IMAGE.tanh()[:, :, 0, 0]),
        (nn.Linear(6, 1), lambda z: z.squeeze(-1)[:, 0], TOKENS, TOKENS.tanh()[:, 0]),
    ],
)
def test_a_layer_on_every_position_is_split_where_what_follows_is_linear(layer, after, x, features):
    module = PerPosition(layer, after)
    split = split_module(module, x)
    assert (split.layer, split.positions, split.n_features) == ("score", True, 6)
    got, logits = split.features(module, Batch((x,)))
    torch.testing.assert_close(got, features, rtol=1e-5, atol=1e-6)
    wanted = module(x)
    wanted = wanted["logits"] if isinstance(wanted, dict) else wanted
    torch.testing.assert_close(logits, wanted.reshape(logits.shape))
    backbone = Backbone.from_module(
        module, prepare=lambda x: x, name="n", modality="image", example_batch=x
    )
    weight, bias = backbone.head
    torch.testing.assert_close(backbone.features(x) @ weight.T + bias, backbone.forward(x))
    new = nn.Linear(6, 5)
    changed = backbone.replace_head(new)
    # a sum would count a bias once a position, so there the head goes behind the sum
    assert (type(changed) is PerPosition) == (after is not SUM)
    out = changed(x)
    out = out["logits"] if isinstance(out, dict) else out
    torch.testing.assert_close(out.reshape(4, 5), new(features), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "after",
    [
        lambda z: z.amax(1),
        SUM,  # seven times the bias
        lambda z: z.softmax(-1)[:, -1],
        lambda z: z[:, -1].view(-1, 3)[:4],
        lambda z: z,
    ],
)
def test_a_layer_on_every_position_that_is_not_provably_the_last_is_refused(after):
    with pytest.raises(SplitError, match=r"works on each position of an input of shape \(4, 7, 6"):
        split_module(PerPosition(nn.Linear(6, 3), after), TOKENS)
    with pytest.raises(SplitError, match="cannot be the decision layer"):
        split_module(PerPosition(nn.Linear(6, 3), after), TOKENS, layer="score")


def test_no_linear_layer_at_all():
    with pytest.raises(SplitError, match=r"1×1 convolution.*encoder=True"):
        split_module(nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten()), torch.randn(2, 3, 3, 3))


def test_outputs_of_no_tensor_are_an_error_not_a_crash():
    with pytest.raises(SplitError, match="returned no tensor"):
        split_module(Returns(lambda z: SimpleNamespace(logits=z)), batch())


def test_a_network_whose_way_depends_on_its_input_is_caught():
    class Sometimes(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(6, 6)

        def forward(self, x):
            return self.fc(self.fc(x)) if x.sum() > 0 else self.fc(x)

    module = Sometimes()
    split = split_module(module, torch.ones(2, 6))
    with pytest.raises(SplitError, match="ran 1 times"):
        split.features(module, Batch((-torch.ones(2, 6),)))


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_precisions(dtype):
    module = LastIsNotLastByName().to(dtype)
    assert split_module(module, batch().to(dtype)).layer == "a_classifier"
