"""Every architecture by its real class with small random weights: split, proven, replaced."""

import functools

import pytest
import torch
import transformers
from torch import nn

from clearhead.backbones import Backbone, split_module
from clearhead.errors import SplitError

from .checkpoints import make, text_config

VISION = {"image_size": 32, "num_channels": 3}
TRANSFORMER = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 24,
}
DECODER = {"pad_token_id": 0, "num_key_value_heads": 1}
SEQ2SEQ = {
    "vocab_size": 300,
    "d_model": 16,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 24,
    "decoder_ffn_dim": 24,
    "max_position_embeddings": 40,
}

# kind -> decision layer, configuration
TEXT = {
    "Bert": ("classifier", functools.partial(text_config, "Bert")),
    "Roberta": ("classifier.out_proj", functools.partial(text_config, "Roberta", pad_token_id=0)),
    "DistilBert": (
        "classifier",
        functools.partial(
            transformers.DistilBertConfig, vocab_size=300, dim=16, n_layers=1, n_heads=2,
            hidden_dim=24,
        ),
    ),
    "DebertaV2": (
        "classifier",
        functools.partial(
            text_config, "DebertaV2", relative_attention=True, pos_att_type=["p2c", "c2p"],
            position_buckets=8, share_att_key=True,
        ),
    ),
    "Deberta": ("classifier", functools.partial(text_config, "Deberta")),
    "Albert": ("classifier", functools.partial(text_config, "Albert", embedding_size=8)),
    "MPNet": ("classifier.out_proj", functools.partial(text_config, "MPNet", pad_token_id=0)),
    "Electra": ("classifier.out_proj", functools.partial(text_config, "Electra", embedding_size=8)),
    "XLMRoberta": (
        "classifier.out_proj", functools.partial(text_config, "XLMRoberta", pad_token_id=0),
    ),
    "XLM": (
        "sequence_summary.summary",
        functools.partial(
            transformers.XLMConfig, vocab_size=300, emb_dim=16, n_layers=1, n_heads=2,
            max_position_embeddings=40, pad_index=0,
        ),
    ),
    "ModernBert": (
        "classifier",
        functools.partial(
            text_config, "ModernBert", pad_token_id=0, bos_token_id=1, eos_token_id=2,
            cls_token_id=1, sep_token_id=2,
        ),
    ),
    "Funnel": (
        "classifier.linear_out",
        functools.partial(
            transformers.FunnelConfig, vocab_size=300, d_model=16, n_head=2, d_head=8, d_inner=24,
            block_sizes=[1, 1], num_decoder_layers=1,
        ),
    ),
    "GPT2": ("score", functools.partial(text_config, "GPT2", pad_token_id=0)),
    "GPTNeoX": ("score", functools.partial(text_config, "GPTNeoX", pad_token_id=0)),
    "OPT": (
        "score",
        functools.partial(text_config, "OPT", pad_token_id=0, ffn_dim=24, word_embed_proj_dim=16),
    ),
    "Bloom": ("score", functools.partial(text_config, "Bloom", pad_token_id=0)),
    "Llama": ("score", functools.partial(text_config, "Llama", **DECODER)),
    "Mistral": ("score", functools.partial(text_config, "Mistral", **DECODER)),
    "Qwen2": ("score", functools.partial(text_config, "Qwen2", **DECODER)),
    "Gemma": ("score", functools.partial(text_config, "Gemma", head_dim=8, **DECODER)),
    "Bart": (
        "classification_head.out_proj", functools.partial(transformers.BartConfig, **SEQ2SEQ),
    ),
    "T5": (
        "classification_head.out_proj",
        functools.partial(
            transformers.T5Config, vocab_size=300, d_model=16, d_kv=8, d_ff=24, num_layers=1,
            num_decoder_layers=1, num_heads=2, decoder_start_token_id=0, eos_token_id=2,
        ),
    ),
}  # fmt: skip
IMAGES = {
    "ViT": ("classifier", functools.partial(
        transformers.ViTConfig, **TRANSFORMER, **VISION, patch_size=16)),
    "DeiT": ("classifier", functools.partial(
        transformers.DeiTConfig, **TRANSFORMER, **VISION, patch_size=16)),
    "Beit": ("classifier", functools.partial(
        transformers.BeitConfig, **TRANSFORMER, **VISION, patch_size=16)),
    "Dinov2": ("classifier", functools.partial(
        transformers.Dinov2Config, **TRANSFORMER, **VISION, patch_size=16)),
    "Swin": ("classifier", functools.partial(
        transformers.SwinConfig, **VISION, patch_size=4, embed_dim=8, depths=[1, 1],
        num_heads=[2, 2], window_size=4)),
    "ConvNext": ("classifier", functools.partial(
        transformers.ConvNextConfig, hidden_sizes=[8, 8, 8, 16], depths=[1, 1, 1, 1])),
    "ConvNextV2": ("classifier", functools.partial(
        transformers.ConvNextV2Config, hidden_sizes=[8, 8, 8, 16], depths=[1, 1, 1, 1])),
    "ResNet": ("classifier.1", functools.partial(
        transformers.ResNetConfig, embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1])),
    "RegNet": ("classifier.1", functools.partial(
        transformers.RegNetConfig, embedding_size=8, hidden_sizes=[8, 8, 8, 16],
        depths=[1, 1, 1, 1], groups_width=8)),
    "Bit": ("classifier.1", functools.partial(
        transformers.BitConfig, embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1],
        num_groups=2)),
    "MobileNetV2": ("classifier", functools.partial(
        transformers.MobileNetV2Config, depth_multiplier=0.1, finegrained_output=False)),
    "MobileViT": ("classifier", functools.partial(
        transformers.MobileViTConfig, image_size=32, hidden_sizes=[16, 16, 16],
        neck_hidden_sizes=[8, 8, 8, 8, 8, 8, 16], num_attention_heads=2)),
    "EfficientNet": ("classifier", functools.partial(
        transformers.EfficientNetConfig, image_size=32, width_coefficient=0.1,
        depth_coefficient=0.1, hidden_dim=128)),
    "Levit": ("classifier.linear", functools.partial(
        transformers.LevitConfig, image_size=32, hidden_sizes=[8, 8, 16],
        num_attention_heads=[1, 1, 2], depths=[1, 1, 1], key_dim=[8, 8, 8],
        mlp_ratio=[1, 1, 1], attention_ratio=[1, 1, 1])),
    "PoolFormer": ("classifier", functools.partial(
        transformers.PoolFormerConfig, hidden_sizes=[8, 8, 8, 16], depths=[1, 1, 1, 1])),
    "PvtV2": ("classifier", functools.partial(
        transformers.PvtV2Config, image_size=32, hidden_sizes=[8, 8, 8, 16],
        depths=[1, 1, 1, 1], num_attention_heads=[1, 1, 1, 1], mlp_ratios=[1, 1, 1, 1])),
    "Segformer": ("classifier", functools.partial(
        transformers.SegformerConfig, hidden_sizes=[8, 8, 8, 16], depths=[1, 1, 1, 1],
        num_attention_heads=[1, 1, 1, 1])),
    "FocalNet": ("classifier", functools.partial(
        transformers.FocalNetConfig, image_size=32, embed_dim=8, depths=[1, 1],
        focal_levels=[1, 1], focal_windows=[3, 3])),
    "CLIP": ("classifier", lambda **options: transformers.CLIPConfig(
        vision_config={**TRANSFORMER, "image_size": 32, "patch_size": 16},
        text_config={**TRANSFORMER, "vocab_size": 99}, projection_dim=8, **options)),
}  # fmt: skip
N_CLASSES = 5


def tokens():
    """Texts of 9, 4 and 6 tokens, padded on the right; each ends in the end-of-text, 2."""
    ids = torch.randint(5, 300, (3, 9), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    for row, length in enumerate((9, 4, 6)):
        ids[row, length:], mask[row, length:] = 0, 0
        ids[row, length - 1] = 2
    return {"input_ids": ids, "attention_mask": mask}


def alone(batch, row):
    """One text without its padding."""
    length = int(batch["attention_mask"][row].sum())
    return {name: value[row : row + 1, :length] for name, value in batch.items()}


def opened(network, example, modality):
    return Backbone.from_module(
        network, prepare=lambda _: example, name="net", modality=modality, example_batch=example
    )


def check(network, example, modality, layer, own):
    """The split's features through the head are the logits; another head can take its place."""
    backbone = opened(network, example, modality)
    assert backbone.layer == layer
    weight, bias = backbone.head
    features = backbone.features(example)
    assert features.shape == (len(own), weight.shape[1])
    assert float((features[0] - features[1]).abs().max()) > 1e-4  # of examples that are unlike
    torch.testing.assert_close(features @ weight.T + bias, own, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(backbone.forward(example), own, rtol=1e-5, atol=1e-6)
    new = nn.Linear(features.shape[1], 2)
    changed = backbone.replace_head(new)
    assert type(changed) is type(network)
    with torch.no_grad():
        got = changed(**example).logits
        torch.testing.assert_close(got, new(features), rtol=1e-4, atol=1e-5)
    return backbone, features


@pytest.mark.parametrize("kind", TEXT)
def test_a_classifier_of_texts(kind):
    layer, config = TEXT[kind]
    network = make(f"{kind}ForSequenceClassification", config(num_labels=N_CLASSES))
    batch = tokens()
    with torch.no_grad():
        own = network(**batch).logits
    backbone, features = check(network.train(), batch, "text", layer, own)
    assert network.training  # left as it was
    assert backbone.split.positions == (layer == "score")
    if kind == "Funnel":  # it pools pairs of tokens, padding or not
        return
    single = torch.cat([backbone.features(alone(batch, row)) for row in range(3)])
    torch.testing.assert_close(single, features, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", IMAGES)
def test_a_classifier_of_pictures(kind):
    layer, config = IMAGES[kind]
    network = make(f"{kind}ForImageClassification", config(num_labels=N_CLASSES))
    generator = torch.Generator().manual_seed(0)
    batch = {"pixel_values": torch.randn(2, 3, 32, 32, generator=generator)}
    with torch.no_grad():
        own = network(**batch).logits
    backbone, features = check(network.train(), batch, "image", layer, own)
    assert network.training
    single = [backbone.features({"pixel_values": row[None]}) for row in batch["pixel_values"]]
    torch.testing.assert_close(torch.cat(single), features, rtol=1e-4, atol=1e-5)


def test_two_heads_of_which_the_mean_is_taken_are_refused_and_one_can_be_chosen():
    config = IMAGES["DeiT"][1](num_labels=N_CLASSES)
    network = make("DeiTForImageClassificationWithTeacher", config)
    batch = {"pixel_values": torch.randn(2, 3, 32, 32)}
    with pytest.raises(SplitError, match=r"layer='distillation_classifier'"):
        split_module(network, batch)
    split = split_module(network, batch, layer="cls_classifier")
    assert (split.layer, split.output, split.last) == ("cls_classifier", "cls_logits", True)


def test_a_transformer_for_every_token_is_not_a_classifier_of_texts():
    network = make("BertForTokenClassification", text_config("Bert", num_labels=4))
    with pytest.raises(SplitError, match=r"'classifier' \(16 → 4\): it works on each position"):
        split_module(network, tokens())
