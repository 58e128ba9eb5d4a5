"""Gradients on networks whose right answer is known, and how far LIME agrees with them."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from clearhead.backbones import Backbone, open_backbone
from clearhead.errors import BackboneError, InputError, MissingDependencyError
from clearhead.explain import (
    Agreement,
    agreement,
    explain_gradients,
    explain_images,
    explain_texts,
)
from tests.explain.planted import (
    N_FEATURES,
    image_network,
    layer_for,
    text_network,
)

TEXTS = [("t", "a good film , bad !!! a film"), ("u", "not a good film"), ("one", "good")]


@pytest.fixture(scope="module")
def network():
    return text_network()


@pytest.fixture(scope="module")
def lime(network):
    return explain_texts(network, layer_for(N_FEATURES), TEXTS, ridge=1e-6)


@pytest.mark.parametrize("method", ["integrated", "input"])
def test_words_of_an_additive_network(network, lime, method):
    pytest.importorskip("captum")
    layer = layer_for(N_FEATURES, center=0.3, scale=0.5)
    found = explain_gradients(network, layer, TEXTS, lime, features=[1, 0], method=method)
    np.testing.assert_array_equal(found[0].features, [1, 0])
    expected = np.zeros((8, 2))
    expected[4, 0], expected[1, 1] = -4.0, 3.0
    np.testing.assert_allclose(found[0].weight, expected, atol=1e-5)
    np.testing.assert_allclose(found[0].gap, 0.0, atol=1e-5)


def test_a_product_is_shared_by_integrated_gradients(network, lime):
    """Both factors get half of not × good = 1.5; the gradient at the example gives each all."""
    pytest.importorskip("captum")
    options = {"features": [7], "layer": layer_for(N_FEATURES)}
    both = explain_gradients(network, examples=TEXTS[1:2], explanations=lime, **options)
    np.testing.assert_allclose(both[0].weight[[0, 2], 0], 0.75, atol=1e-5)
    alone = explain_gradients(
        network, examples=TEXTS[1:2], explanations=lime, method="input", **options
    )
    np.testing.assert_allclose(alone[0].weight[[0, 2], 0], 1.5, atol=1e-5)
    np.testing.assert_allclose(alone[0].gap, 1.5, atol=1e-5)


def test_hooks_come_off(network, lime):
    before = [len(part._forward_hooks) for part in network.module.modules()]
    with pytest.raises(IndexError):
        explain_gradients(
            network, layer_for(N_FEATURES), TEXTS, lime, features=[99], method="input"
        )
    explain_gradients(network, layer_for(N_FEATURES), TEXTS, lime, features=[0], method="input")
    assert [len(part._forward_hooks) for part in network.module.modules()] == before
    assert all(value.grad is None for value in network.module.parameters())


def test_regions_of_an_additive_network():
    picture = Image.new("RGB", (16, 16), (60, 60, 60))
    picture.paste((255, 0, 0), (0, 0, 8, 8))
    network, layer = image_network(), layer_for(4)
    lime = explain_images(network, layer, [("p", picture)], n_regions=4, method="grid", ridge=1e-6)
    found = explain_gradients(
        network, layer, [("p", picture)], lime, features=[0, 3], method="input"
    )
    np.testing.assert_allclose(found[0].weight, lime[0].weight[:, [0, 3]], atol=1e-3)
    score = agreement(lime, found)
    assert score.pearson > 0.99
    assert score.n_pairs == 2


def test_agreement(network, lime):
    layer = layer_for(N_FEATURES)
    found = explain_gradients(network, layer, TEXTS, lime, features=[0, 1, 3], method="input")
    score = agreement(lime, found)
    # Feature 3 never moves, feature 1 only in the first text; one word says no order.
    assert (score.n_examples, score.n_pairs, score.n_left_out) == (2, 3, 6)
    assert score.pearson == pytest.approx(1.0, abs=1e-3)
    low, high = score.pearson_interval
    assert low <= score.pearson <= high
    assert Agreement.from_dict(score.to_dict()) == score
    assert "Pearson" in score._repr_html_()
    opposite = [SimpleNamespace(id=o.id, features=o.features, weight=-o.weight) for o in found]
    assert agreement(lime, opposite).pearson == pytest.approx(-1.0, abs=1e-3)
    nothing = agreement(lime, found[2:])
    assert nothing.spearman is None
    assert "nothing" in nothing._repr_html_()
    with pytest.raises(InputError, match="'t'"):
        agreement(lime[1:], found)


def test_what_is_refused(network, lime, monkeypatch):
    layer = layer_for(N_FEATURES)
    with pytest.raises(InputError, match="method='saliency'"):
        explain_gradients(network, layer, TEXTS, lime, features=[0], method="saliency")
    with pytest.raises(InputError, match="n_steps=0"):
        explain_gradients(network, layer, TEXTS, lime, features=[0], n_steps=0)
    with pytest.raises(InputError, match="'new'"):
        explain_gradients(network, layer, [("new", "a")], lime, features=[0])
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    with pytest.raises(MissingDependencyError, match=r"clearhead\[explain\]"):
        explain_gradients(network, layer, TEXTS, lime, features=[0])


def test_a_text_network_that_does_not_say_where_its_tokens_are(network, lime):
    plain = Backbone.from_module(
        network.module,
        prepare=network.prepare,
        name="plain",
        modality="text",
        example_batch=network.example,
    )
    with pytest.raises(BackboneError, match="offsets"):
        explain_gradients(plain, layer_for(N_FEATURES), TEXTS, lime, features=[0], method="input")


def test_an_onnx_network_has_lime_but_no_gradients(tmp_path):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from onnx import TensorProto, helper, numpy_helper

    shapes = [("pixels", ["n", 3, 16, 16]), ("logits", ["n", 2])]
    inputs, outputs = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)] for name, shape in shapes
    )
    random = np.random.default_rng(0)
    weights = [("w", (4, 3, 1, 1)), ("h", (2, 4)), ("b", (2,))]
    made = [numpy_helper.from_array(random.random(shape, np.float32), n) for n, shape in weights]
    nodes = [
        helper.make_node("Conv", ["pixels", "w"], ["c"]),
        helper.make_node("GlobalAveragePool", ["c"], ["g"]),
        helper.make_node("Flatten", ["g"], ["f"]),
        helper.make_node("Gemm", ["f", "h", "b"], ["logits"], transB=1),
    ]
    graph = helper.make_graph(nodes, "colours", inputs, outputs, made)
    path = tmp_path / "colours.onnx"
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    backbone = open_backbone(path, preprocessing={"mean": 0.5, "std": 0.5})
    picture = Image.new("RGB", (16, 16), (255, 200, 220))
    lime = explain_images(
        backbone, layer_for(4), [("p", picture)], n_regions=4, method="grid", n_perturbations=16
    )
    assert lime[0].weight[:, 0].min() > 0
    with pytest.raises(BackboneError, match="no gradients"):
        explain_gradients(
            backbone, layer_for(4), [("p", picture)], lime, features=[0], method="input"
        )


def test_words_of_a_real_network():
    """MiniLM: tokens fall on words, attributions add up, and both ways point the same way."""
    pytest.importorskip("captum")
    backbone = open_backbone("minilm")
    text = "A thoroughly unwatchable, deathly dull film."
    layer = layer_for(384, scale=0.05)
    lime = explain_texts(backbone, layer, [("m", text)], n_perturbations=128)
    features = np.argsort(-np.abs(lime[0].activation))[:3]
    found = explain_gradients(backbone, layer, [("m", text)], lime, features=features)
    np.testing.assert_allclose(found[0].gap, 0.0, atol=0.05)
    assert np.count_nonzero(np.abs(found[0].weight).max(axis=1)) == len(found[0].parts)
    assert agreement(lime, found).n_pairs == 3
    masked = explain_texts(backbone, layer, [("m", text)], n_perturbations=32, fill="mask")
    assert np.isfinite(masked[0].weight).all()
