"""Classifiers in folders, as transformers saves them, and pipelines of them."""

import json
from pathlib import Path

import pytest
import torch
import transformers
from torch import nn
from transformers import BertModel

import clearhead
from clearhead.backbones import open_backbone
from clearhead.errors import BackboneError

from .checkpoints import TEXTS, WORDS, byte_tokenizer, make, save, text_config, word_tokenizer
from .huggingface_folders import bert, check_classifier, names, pictures, processor
from .test_architectures import IMAGES, TEXT

# --- classifiers of texts


@pytest.mark.parametrize("kind", ["Bert", "Roberta", "DistilBert", "DebertaV2", "MPNet", "Electra"])
def test_a_classifier_of_texts_from_a_folder(kind, tmp_path):
    layer, config = TEXT[kind]
    network = make(f"{kind}ForSequenceClassification", config(**names("bad", "so-so", "good")))
    save(tmp_path / "my-net", network, word_tokenizer())
    backbone = open_backbone(tmp_path / "my-net")
    assert (backbone.name, backbone.modality, backbone.layer) == ("my-net", "text", layer)
    assert backbone.class_names == ("bad", "so-so", "good")
    assert backbone.activation == "softmax"
    check_classifier(backbone, network, TEXTS)
    assert backbone.prepare(["very " * 99]).truncated == (0,)
    assert torch.isfinite(backbone.features(backbone.prepare(["very " * 99]))).all()


@pytest.mark.parametrize("kind", ["GPT2", "Llama", "Mistral", "Qwen2", "OPT", "GPTNeoX"])
def test_a_decoder_that_decides_by_its_last_token(kind, tmp_path):
    layer, config = TEXT[kind]
    network = make(f"{kind}ForSequenceClassification", config(pad_token_id=None, num_labels=3))
    save(tmp_path, network, byte_tokenizer())
    backbone = open_backbone(tmp_path)
    assert (backbone.layer, backbone.split.positions) == (layer, True)
    assert backbone.class_names is None  # LABEL_0 is no name
    batch = backbone.prepare(TEXTS)
    assert batch.kwargs["attention_mask"][2, 0] == 1  # padded on the right
    network.config.pad_token_id = 0  # the end of text, which the tokenizer pads with
    check_classifier(backbone, network, TEXTS)
    only_empty = backbone.features(backbone.prepare(["", ""]))
    torch.testing.assert_close(only_empty[0], backbone.features(batch)[3], rtol=1e-4, atol=1e-5)


def test_several_sigmoids_and_names_that_occur_twice(tmp_path):
    many = names("crane", "crane", "maillot")
    bert(tmp_path / "m", **many, problem_type="multi_label_classification")
    backbone = open_backbone(tmp_path / "m")
    assert backbone.activation == "sigmoid"
    assert backbone.class_names == ("crane (0)", "crane (1)", "maillot")
    asked = open_backbone(tmp_path / "m", activation="softmax", class_names=["a", "b", "c"])
    assert (asked.activation, asked.class_names) == ("softmax", ("a", "b", "c"))
    bert(tmp_path / "r", num_labels=1, problem_type="regression")
    assert open_backbone(tmp_path / "r").activation is None
    with pytest.raises(BackboneError, match="2 names, but the decision layer 'classifier' has 3"):
        open_backbone(tmp_path / "m", class_names=["a", "b"])


# --- the text heads of the reference


TOXIC = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")


def test_toxic_bert_six_sigmoids_on_the_pooled_vector(tmp_path):
    _, network = bert(tmp_path, **names(*TOXIC), problem_type="multi_label_classification")
    keys = set(network.state_dict())
    assert {"bert.pooler.dense.weight", "classifier.weight", "classifier.bias"} <= keys
    backbone = open_backbone(tmp_path)
    assert (backbone.layer, backbone.activation) == ("classifier", "sigmoid")
    assert backbone.class_names == TOXIC
    check_classifier(backbone, network, TEXTS)
    batch = backbone.prepare(TEXTS)
    with torch.no_grad():
        pooled = network.bert(**batch.kwargs).pooler_output
    torch.testing.assert_close(backbone.features(batch), pooled, rtol=1e-4, atol=1e-5)


def test_unbiased_toxic_roberta_a_dense_layer_and_tanh_before_the_head(tmp_path):
    config = TEXT["Roberta"][1](num_labels=16, problem_type="multi_label_classification")
    network = save_roberta(tmp_path, config)
    backbone = open_backbone(tmp_path)
    assert (backbone.layer, backbone.activation) == ("classifier.out_proj", "sigmoid")
    check_classifier(backbone, network, TEXTS)
    batch = backbone.prepare(TEXTS)
    with torch.no_grad():
        first = network.roberta(**batch.kwargs).last_hidden_state[:, 0]
        wanted = torch.tanh(network.classifier.dense(first))
    torch.testing.assert_close(backbone.features(batch), wanted, rtol=1e-4, atol=1e-5)
    # 40 positions, the first of which is used for text is number pad_token_id + 1
    assert backbone.prepare(["very " * 99]).kwargs["input_ids"].shape[1] == 39


def save_roberta(folder, config):
    network = make("RobertaForSequenceClassification", config)
    save(folder, network, word_tokenizer())
    return network


@pytest.mark.parametrize("pickled", [False, True])
def test_the_sst_checkpoint_with_its_cls_layer(tmp_path, pickled):
    network = make(BertModel, text_config("Bert"))
    head = make(lambda _: nn.Linear(16, 1), None)
    state = {f"bert.{key}": value for key, value in network.state_dict().items()}
    state |= {f"cls_layer.{key}": value for key, value in head.state_dict().items()}
    save(tmp_path, network, word_tokenizer())
    config = json.loads((tmp_path / "config.json").read_text())
    config["architectures"] = ["BertForSentimentClassification"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    if pickled:
        (tmp_path / "model.safetensors").unlink()
        torch.save(state, tmp_path / "pytorch_model.bin")
    else:
        from safetensors.torch import save_file

        save_file(state, tmp_path / "model.safetensors", {"format": "pt"})
    backbone = open_backbone(tmp_path)
    assert (backbone.layer, backbone.activation) == ("cls_layer", "sigmoid")
    assert backbone.class_names == ("negative", "positive")
    batch = backbone.prepare(TEXTS)
    with torch.no_grad():
        cls = network(**batch.kwargs).last_hidden_state[:, 0]
        scores = head(cls)
    torch.testing.assert_close(backbone.features(batch), cls, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(backbone.forward(batch), scores, rtol=1e-4, atol=1e-5)
    assert open_backbone(tmp_path, pooling="cls").layer is None


# --- pipelines


def test_a_pipeline_for_texts(tmp_path):
    _, network = bert(tmp_path, **names("bad", "good"))
    pipe = transformers.pipeline("text-classification", str(tmp_path), device="cpu")
    backbone = open_backbone(pipe)
    assert backbone.class_names == ("bad", "good")
    check_classifier(backbone, network, TEXTS)
    scores = backbone.forward(backbone.prepare(TEXTS[:2])).softmax(1)
    for said, score in zip(pipe(TEXTS[:2]), scores, strict=True):
        assert said["label"] == backbone.class_names[int(score.argmax())]
        assert said["score"] == pytest.approx(float(score.max()), abs=1e-5)
    with pytest.raises(BackboneError, match=r"pooling= does nothing .* a pipeline of transformers"):
        open_backbone(pipe, pooling="mean")


def test_a_pipeline_for_pictures(tmp_path):
    network = make("ViTForImageClassification", IMAGES["ViT"][1](**names("cat", "dog")))
    save(tmp_path, network, processor("ViTImageProcessorPil"))
    loaded = transformers.ViTImageProcessorPil.from_pretrained(tmp_path)
    pipe = transformers.pipeline(
        "image-classification", model=network, image_processor=loaded, device="cpu"
    )
    backbone = open_backbone(pipe)
    check_classifier(backbone, network, pictures())


def test_pipelines_that_cannot_be_opened_say_why(tmp_path):
    network = make("GPT2ForSequenceClassification", TEXT["GPT2"][1](pad_token_id=None))
    pipe = transformers.pipeline(
        "text-classification", model=network, tokenizer=byte_tokenizer(), device="cpu"
    )
    with pytest.raises(BackboneError, match=r"pipe\.model\.config\.pad_token_id ="):
        open_backbone(pipe)
    pipe.task = "summarization"
    with pytest.raises(BackboneError, match="'summarization' has no decision layer"):
        open_backbone(pipe)


# --- the way of a user


def test_a_fine_tuned_folder_and_a_table_make_a_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bert("my-bert", **names("bad", "good"))
    words = [word for word in WORDS if word.isalpha()]
    texts = (" ".join(words[(i * k) % len(words)] for k in range(1, 6)) for i in range(60))
    rows = [f"{text},{('bad', 'good')[i % 2]}" for i, text in enumerate(texts)]
    Path("reviews.csv").write_text("\n".join(["text,label", *rows]))
    run = clearhead.new_run("runs/x", "./my-bert", "reviews.csv")
    run.extract()
    assert clearhead.open_run("runs/x").backbone.class_names == ("bad", "good")
    monkeypatch.chdir("/")
    assert clearhead.open_run(tmp_path / "runs/x").backbone.name == "my-bert"
