"""Small checkpoints of real transformers classes, as their authors would save them."""

from __future__ import annotations

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

WORDS = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "film", "good", "bad", "very", "no"),
    *("it", "made", "me", "laugh", "light", "bright", "and", "joy", "to", "watch", "!", "."),
    *(",", "(", ")", "&", "never", "though", "the", "tries", "hard"),
]
TEXTS = [
    "a good film",
    "it never made me laugh , though the film tries very hard",
    "bad !",
    "",
    "light , bright and a joy to watch",
]
VOCABULARY = 300


def word_tokenizer(**special):
    """WordPiece, [CLS] … [SEP], as BERT's."""
    tokenizer = Tokenizer(
        models.WordPiece({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", **special}
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, **{f"{name}_token": token for name, token in names.items()}
    )


def byte_tokenizer():
    """Byte-level BPE with an end of text and no padding token, as GPT-2's."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<|endoftext|>", eos_token="<|endoftext|>"
    )


def text_config(kind, **options):
    """A configuration of `kind` with one small layer; attribute maps know the aliases."""
    return getattr(transformers, f"{kind}Config")(
        **{
            "vocab_size": VOCABULARY,
            "hidden_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": 24,
            "max_position_embeddings": 40,
            **options,
        }
    )


def make(network, config, seed=0):
    """A network of random weights, large enough that unlike examples get unlike features."""
    torch.manual_seed(seed)
    if isinstance(network, str):
        network = getattr(transformers, network)
    module = network(config).eval()
    with torch.no_grad():
        for name, value in module.named_parameters():
            if value.ndim > 1:
                value.normal_(std=2 * value[0].numel() ** -0.5)
            elif name.endswith("bias"):
                value.normal_(std=0.1)
    return module


def save(folder, network, *beside):
    """Save a network with its tokenizer or image processor."""
    network.save_pretrained(folder)
    for part in beside:
        part.save_pretrained(folder)
    return folder
