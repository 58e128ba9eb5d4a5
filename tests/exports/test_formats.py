"""Independent labels, pictures, networks that a format cannot hold, and the proof itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from transformers import ViTConfig, ViTForImageClassification

import clearhead
from clearhead.backbones import Backbone
from clearhead.backbones.encoders import SentenceEncoder
from clearhead.backbones.images import ImagePreprocessing
from clearhead.errors import ExportError, InputError
from clearhead.exports import ExportInputs, Prediction, load
from clearhead.exports.proof import compare
from tests.exports.small import bert, layer_of, pictures, run_without, texts

SMALL = ImagePreprocessing(size=32, crop_fraction=0.875, mean=(120.0,) * 3, std=(60.0,) * 3)
TEXTS = tuple(texts()[0][:4])


def vit() -> Backbone:
    torch.manual_seed(0)
    config = ViTConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=24,
        image_size=32,
        patch_size=16,
        num_labels=5,
    )
    return Backbone.from_module(
        ViTForImageClassification(config).eval(),
        prepare=SMALL,
        name="tiny-vit",
        modality="image",
        example_batch=SMALL(pictures()),
    )


def convolutional() -> Backbone:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4)
    )
    return Backbone.from_module(
        network.eval(),
        prepare=SMALL,
        name="convolutions",
        modality="image",
        example_batch=SMALL(pictures()),
    )


def wanted(inputs: ExportInputs) -> np.ndarray:
    assert inputs.backbone is not None
    batch = inputs.backbone.prepare(inputs.examples)
    return inputs.layer.logits(inputs.backbone.features(batch).numpy())


@pytest.mark.parametrize("name", ["torch", "hf", "onnx"])
def test_pictures(name: str, tmp_path: Path) -> None:
    backbone = vit() if name == "hf" else convolutional()
    layer = layer_of(backbone.n_features, ("a", "b", "c"))
    inputs = ExportInputs("pictures", layer, backbone, examples=tuple(pictures()))
    out = clearhead.export(inputs, name, tmp_path / "out")
    files = []
    for i, picture in enumerate(pictures()):
        files.append(tmp_path / f"{i}.png")
        picture.save(files[-1])
    model = load(out, backbone=backbone if name == "torch" else None)
    assert (name == "torch") == (out / "model.pt2").is_file()
    for given_so in (pictures(), files, [str(path) for path in files]):
        prediction = model.predict(given_so, explain=True, batch_size=2)
        np.testing.assert_allclose(prediction.logits, wanted(inputs), atol=1e-4)
    assert len(model.predict(files[0])) == 1
    with pytest.raises(InputError, match="takes pictures"):
        model.predict([3])


def test_independent_labels(tmp_path: Path) -> None:
    backbone = bert()
    layer = layer_of(32, ("toxic", "insult", "threat"), family="multilabel")
    inputs = ExportInputs("labels", layer, backbone, examples=TEXTS)
    scores = wanted(inputs)
    out = clearhead.export(inputs, "hf", tmp_path / "hf")
    code = f"""
from transformers import AutoModelForSequenceClassification, pipeline
model = AutoModelForSequenceClassification.from_pretrained({str(out)!r})
assert model.config.problem_type == "multi_label_classification"
classify = pipeline("text-classification", model={str(out)!r})
said = classify({list(TEXTS)!r}, truncation=True, top_k=None)
print([[{{one["label"]: one["score"] for one in row}}[name] for name in
       ("toxic", "insult", "threat")] for row in said])
"""
    said = np.array(eval(run_without(code).splitlines()[-1]))
    np.testing.assert_allclose(said, 1 / (1 + np.exp(-scores)), atol=1e-4)
    prediction = load(out).predict(list(TEXTS))
    assert (prediction.predicted == (scores > 0)).all()
    assert prediction.labels[0] == tuple(
        name for name, true in zip(layer.class_names, scores[0] > 0, strict=True) if true
    )
    assert "any number of which may be true" in (out / "README.md").read_text()

    alone = clearhead.export(ExportInputs("labels", layer), "sklearn", tmp_path / "sklearn")
    X = np.random.default_rng(0).normal(size=(20, 32))
    assert (load(alone).model.predict(X) == layer.predict(X)).all()
    with pytest.raises(InputError, match="none was given"):
        clearhead.export(ExportInputs("labels", layer), "onnx", tmp_path / "onnx")


def test_two_classes_are_one_row_in_scikit_learn(tmp_path: Path) -> None:
    layer = layer_of(6, ("no", "yes"), family="binomial")
    model = load(clearhead.export(ExportInputs("two", layer), "sklearn", tmp_path / "out")).model
    X = np.random.default_rng(0).normal(size=(30, 6))
    assert model[1].coef_.shape == (1, 6)
    np.testing.assert_allclose(model.predict_proba(X), layer.probabilities(X), atol=1e-12)
    assert (model.predict(X) == np.array(["no", "yes"])[layer.predict(X)]).all()


def encoder() -> Backbone:
    whole = bert()
    return Backbone.from_module(
        SentenceEncoder(whole.module.bert, "mean", True).eval(),
        prepare=whole.preprocessing,
        name="tiny-encoder",
        modality="text",
        example_batch=whole.example,
        encoder=True,
    )


def without_bias() -> Backbone:
    whole = bert()
    whole.module.classifier.register_parameter("bias", None)
    return whole


@pytest.mark.parametrize(
    ("backbone", "why"),
    [(encoder, "not one of transformers' classifiers"), (without_bias, "has no bias")],
)
def test_hf_says_what_it_cannot_hold(backbone, why: str, tmp_path: Path) -> None:
    inputs = ExportInputs("x", layer_of(32, ("a", "b")), backbone(), examples=TEXTS)
    with pytest.raises(ExportError, match=f"{why}.*onnx and torch hold the whole network"):
        clearhead.export(inputs, "hf", tmp_path / "out")
    assert not list(tmp_path.iterdir())
    # ... and the formats that it names do hold it
    out = clearhead.export(inputs, "onnx", tmp_path / "out")
    np.testing.assert_allclose(load(out).predict(list(TEXTS)).logits, wanted(inputs), atol=1e-4)


class Wayward(nn.Module):
    """Takes a way that depends on the values, which no tracer can follow."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(3, 4), nn.Linear(4, 2)

    def forward(self, x):
        x = x.mean(dim=(2, 3))
        if float(x.abs().max()) > 1e6:
            x = -x
        return self.head(torch.tanh(self.body(x)))


def test_a_network_that_cannot_be_traced_keeps_its_code(tmp_path: Path) -> None:
    backbone = Backbone.from_module(
        Wayward().eval(),
        prepare=SMALL,
        name="wayward",
        modality="image",
        example_batch=SMALL(pictures()),
    )
    inputs = ExportInputs("x", layer_of(4, ("a", "b")), backbone, examples=tuple(pictures()))
    with pytest.raises(ExportError, match=r"cannot be traced.*torch and sklearn need no trace"):
        clearhead.export(inputs, "onnx", tmp_path / "onnx")
    out = clearhead.export(inputs, "torch", tmp_path / "torch")
    assert not (out / "model.pt2").exists()
    assert "torch.export cannot trace this network" in (out / "README.md").read_text()
    got = load(out, backbone=backbone).predict(pictures()).logits
    np.testing.assert_allclose(got, wanted(inputs), atol=1e-4)


def test_the_proof_fails_where_it_must() -> None:
    layer = layer_of(4, ("a", "b"))
    scores = np.array([[1.0, 2.0], [3.0, -1.0]])
    said = {"on": "two rows", "what": "it"}
    assert compare(scores + 1e-5, scores, layer, **said).error == pytest.approx(1e-5)
    for wrong in (scores + 1e-3, scores[:, ::-1], scores * np.nan, scores[:1]):
        with pytest.raises(ExportError, match="Nothing was written"):
            compare(wrong, scores, layer, **said)
    # nearly equal scores may be decided either way
    near = np.array([[1.0, 1.00001]])
    compare(near[:, ::-1], near, layer, **said)


def test_a_layer_of_another_width_is_refused() -> None:
    with pytest.raises(InputError, match="has 32 deep features, the layer was fitted on 31"):
        ExportInputs("x", layer_of(31, ("a", "b")), bert())


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(0, 5),
    p=st.integers(1, 12),
    k=st.integers(2, 5),
    size=st.sampled_from([1e-6, 1.0, 1e6]),
    family=st.sampled_from(["multinomial", "multilabel"]),
)
def test_contributions_sum_to_the_score_exactly(n, p, k, size, family) -> None:
    layer = layer_of(p, tuple(f"c{i}" for i in range(k)), family)
    X = (size * np.random.default_rng(n).normal(size=(n, p))).astype(np.float32)
    prediction = Prediction.of(layer, X, explain=True)
    plain = Prediction.of(layer, X, explain=False)
    np.testing.assert_allclose(plain.logits, prediction.logits, rtol=1e-9, atol=1e-9 * size)
    for i in range(n):
        added = prediction.contributions(i)
        assert (added.sum(axis=1) + prediction.bias == prediction.logits[i]).all()
        for c in range(k):
            for place, j in enumerate(prediction.used):
                z = (float(X[i, j]) - layer.center[j]) / layer.scale[j]
                assert added[c, place] == pytest.approx(layer.weight[c, j] * z, rel=1e-12)


def test_prediction_is_shown() -> None:
    pytest.importorskip("matplotlib")
    layer = layer_of(12, ("<i>", "b", "c"))
    X = np.random.default_rng(0).normal(size=(3, 12))
    prediction = Prediction.of(layer, X, explain=True)
    frame = prediction.to_frame()
    assert list(frame.columns) == ["predicted", "<i>", "b", "c"]
    assert frame["predicted"].tolist() == prediction.labels
    reasons = prediction.reasons(1, class_index=2)
    assert (reasons["contribution"].abs().diff().dropna() <= 0).all()
    assert reasons["contribution"].sum() + layer.bias[2] == pytest.approx(prediction.logits[1, 2])
    assert len(prediction.plot(1, k=2).patches) == 2
    assert "<i>" not in prediction._repr_html_()
    with pytest.raises(InputError, match="explain=True"):
        Prediction.of(layer, X, explain=False).reasons()
    with pytest.raises(InputError, match="examples 0 to 2"):
        prediction.reasons(3)
    with pytest.raises(InputError, match="classes 0 to 2"):
        prediction.reasons(0, 3)
