"""Any torch module as a backbone."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from clearhead.backbones import Backbone
from clearhead.errors import BackboneError, SplitError

from .test_split import Returns, Shared, batch


def make(module, **options):
    options.setdefault("example_batch", batch())
    return Backbone.from_module(
        module,
        prepare=lambda rows: torch.stack([torch.as_tensor(row) for row in rows]),
        name="tiny",
        modality="image",
        **options,
    )


def classifier(*after):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 5), nn.Dropout(0.5), nn.ReLU(), nn.Linear(5, 3), *after)


NETWORKS = {
    "plain": (classifier, {}),
    "tuple": (lambda: Returns(lambda z: (z, z * 0)), {}),
    "dict": (lambda: Returns(lambda z: {"logits": z}), {}),
    "shared": (Shared, {}),
    "only a layer": (lambda: nn.Linear(6, 4), {}),
    "softmax, named": (lambda: classifier(nn.Softmax(-1)), {"layer": "3"}),
    "counts on its classes": (
        lambda: classifier(nn.Unflatten(1, (3, 1)), nn.Flatten()),
        {},
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_head_on_features_is_the_network(name):
    build, options = NETWORKS[name]
    backbone = make(build(), **options)
    x = batch(9)
    features, (weight, bias) = backbone.features(x), backbone.head
    assert features.shape == (9, backbone.n_features)
    assert features.dtype == torch.float32
    torch.testing.assert_close(functional.linear(features, weight, bias), backbone.forward(x))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("outputs", [2, 7])
def test_a_replaced_head_decides_on_the_same_features(name, outputs):
    build, options = NETWORKS[name]
    module = build()
    backbone = make(module, **options)
    before = {key: value.clone() for key, value in module.state_dict().items()}
    linear = nn.Linear(backbone.n_features, outputs)
    changed = backbone.replace_head(linear)
    x = batch(5)
    with torch.no_grad():
        out = changed(x)
        out = out[0] if isinstance(out, tuple) else out["logits"] if isinstance(out, dict) else out
        torch.testing.assert_close(out, linear(backbone.features(x)))
    for key, value in module.state_dict().items():  # the original is untouched
        assert torch.equal(value, before[key])
    assert not changed.training


def test_a_replaced_head_keeps_the_network_where_it_can():
    assert type(make(Returns(lambda z: (z,))).replace_head(nn.Linear(5, 2))) is Returns
    assert type(make(Shared()).replace_head(nn.Linear(6, 2))) is not Shared


def test_an_encoder_has_no_head():
    encoder = make(nn.Sequential(nn.Linear(6, 5), nn.Tanh()), encoder=True)
    assert encoder.head is None
    assert encoder.layer is None
    assert encoder.n_features == 5
    torch.testing.assert_close(encoder.forward(batch()), encoder.features(batch()))
    linear = nn.Linear(5, 2)
    with torch.no_grad():
        torch.testing.assert_close(
            encoder.replace_head(linear)(batch()), linear(encoder.features(batch()))
        )
    assert "encoder" in repr(encoder)


def test_an_encoder_must_give_one_row_an_example():
    with pytest.raises(SplitError, match="pools"):
        make(nn.Unflatten(1, (2, 3)), encoder=True)
    with pytest.raises(BackboneError, match="leave layer= out"):
        make(nn.Linear(6, 5), encoder=True, layer="")


def test_features_are_the_same_in_training_mode_and_leave_it_on():
    module = classifier().train()
    backbone = make(module)
    assert torch.equal(backbone.features(batch()), backbone.features(batch()))
    assert module.training


def test_class_names_must_fit_the_head():
    assert make(classifier(), class_names=["a", "b", "c"]).class_names == ("a", "b", "c")
    with pytest.raises(BackboneError, match=r"2 names.*3 outputs"):
        make(classifier(), class_names=["a", "b"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"class_names": ["a", "a", "b"]}, "class_names holds 'a' more than once"),
        ({"batch_size": 0}, "batch_size=0: it must be at least 1"),
        ({"modality": "audio"}, "modality='audio': it must be one of 'text', 'image'"),
        ({"module": "minilm"}, r"must be a torch.nn.Module, got str.*open_backbone"),
        ({"example_batch": batch(0)}, "example_batch holds no example"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    given = {
        "module": classifier(),
        "prepare": torch.stack,
        "name": "tiny",
        "modality": "image",
        "example_batch": batch(),
    }
    with pytest.raises(BackboneError, match=message):
        Backbone.from_module(**{**given, **options})


def test_a_new_head_must_fit_the_features():
    with pytest.raises(BackboneError, match="takes 4 features, but tiny has 5"):
        make(classifier()).replace_head(nn.Linear(4, 2))


def test_fingerprints_follow_weights_preprocessing_and_layer():
    first, same = make(classifier()), make(classifier())
    assert first.fingerprints == same.fingerprints
    changed = classifier()
    with torch.no_grad():
        changed[0].weight[0, 0] += 1e-6
    assert make(changed).fingerprints["weights"] != first.fingerprints["weights"]
    assert make(changed).fingerprints["preprocessing"] == first.fingerprints["preprocessing"]
    halved = make(classifier().bfloat16(), example_batch=batch().bfloat16())
    assert halved.fingerprints["weights"] != first.fingerprints["weights"]
    described = make(classifier(), description={"size": 224})
    assert described.fingerprints["preprocessing"] != first.fingerprints["preprocessing"]
    encoder = make(classifier(), encoder=True)
    assert encoder.fingerprints["split"] != first.fingerprints["split"]


def test_fingerprint_does_not_depend_on_the_memory_layout():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4, 2))
    x = torch.randn(2, 3, 3, 3)
    plain = make(module, example_batch=x).fingerprints["weights"]
    module.to(memory_format=torch.channels_last)
    assert make(module, example_batch=x).fingerprints["weights"] == plain


def test_batches_of_every_kind():
    class Keywords(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(6, 2)

        def forward(self, left, *, right):
            return self.fc(left + right)

    x = batch()
    backbone = make(Keywords(), example_batch={"left": x, "right": x})
    torch.testing.assert_close(backbone.features({"left": x, "right": x}), x + x)
    with pytest.raises(BackboneError, match="A batch is"):
        backbone.features(3)


@pytest.mark.parametrize("training", [False, True])
def test_a_network_whose_features_depend_on_the_rest_of_the_batch_is_refused(training):
    def network(norm):
        return nn.Sequential(nn.Linear(6, 5), norm, nn.Linear(5, 3)).train(training)

    def opened(module):
        return Backbone.from_module(
            module,
            prepare=lambda x: x,
            name="net",
            modality="text",
            example_batch=torch.randn(4, 6, generator=torch.Generator().manual_seed(0)),
        )

    with pytest.raises(BackboneError, match=r"^net: .*change by up to .*track_running_stats"):
        opened(network(nn.BatchNorm1d(5, track_running_stats=False)))
    assert opened(network(nn.BatchNorm1d(5))).layer == "2"


def test_what_makes_probabilities_of_the_outputs():
    def opened(n_outputs, **options):
        return Backbone.from_module(
            nn.Linear(6, n_outputs),
            prepare=lambda x: x,
            name="net",
            modality="text",
            example_batch=torch.randn(2, 6),
            **options,
        )

    assert opened(3).activation == "softmax"
    assert opened(3, activation="sigmoid").activation == "sigmoid"
    assert opened(1, activation="none").activation is None
    one = opened(1, class_names=("bad", "good"))
    assert (one.activation, one.class_names) == ("sigmoid", ("bad", "good"))
    with pytest.raises(BackboneError, match=r"has one output.*Leave it out"):
        opened(1, activation="softmax")
    with pytest.raises(BackboneError, match=r"activation='relu': it must be one of"):
        opened(3, activation="relu")
