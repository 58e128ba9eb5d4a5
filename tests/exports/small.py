"""Small real networks, a run of one of them, and a Python without clearhead."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import BertProcessing
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

import clearhead
from clearhead.backbones import Backbone
from clearhead.backbones.tokens import TextPreprocessing
from clearhead.data import TextDataset
from clearhead.layer import Certificate, DecisionLayer

WORDS = ["good", "bad", "film", "very", "dull", "bright", "a", "!", "story", "of", "it", "slow"]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

_WITHOUT = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ImportError(f"{{name}} is blocked")
sys.meta_path.insert(0, Block())
"""


def run_without(code: str, *blocked: str) -> str:
    """Run `code` in a fresh process in which `blocked` cannot be imported."""
    program = _WITHOUT.format(blocked=set(blocked) or {"clearhead"}) + code
    done = subprocess.run(
        [sys.executable, "-I", "-W", "ignore", "-c", program],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def tokenizer() -> PreTrainedTokenizerFast:
    """One token a word, between [CLS] and [SEP]."""
    vocabulary = {word: i for i, word in enumerate([*SPECIAL, *WORDS])}
    cutter = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    cutter.pre_tokenizer = Whitespace()
    cutter.post_processor = BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return PreTrainedTokenizerFast(
        tokenizer_object=cutter,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )


def bert(n_labels: int = 2) -> Backbone:
    """A classifier of two layers and 32 features, with random weights."""
    torch.manual_seed(0)
    cutter = tokenizer()
    config = BertConfig(
        vocab_size=len(cutter),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
        max_position_embeddings=64,
        num_labels=n_labels,
        initializer_range=0.5,
    )
    prepare = TextPreprocessing(cutter, max_tokens=24)
    return Backbone.from_module(
        BertForSequenceClassification(config).eval(),
        prepare=prepare,
        name="tiny-bert",
        modality="text",
        example_batch=prepare(["good film", "bad"]),
    )


def texts(n: int = 120) -> tuple[list[str], list[str]]:
    random = np.random.default_rng(0)
    made = [" ".join(random.choice(WORDS, random.integers(2, 30))) for _ in range(n)]
    names = ("cool", "warm | <b>", "new\nline")  # what data may hold
    return made, [names[("good" in text) + ("film" in text)] for text in made]


def dataset() -> TextDataset:
    made, labels = texts()
    return TextDataset.from_texts(made, labels, name="sentences", seed=0)


def tiny_run(folder: Path) -> clearhead.Run:
    run = clearhead.new_run(folder, bert(), dataset())
    run.all(n_lambdas=8, effort="quick")
    return run


def layer_of(p: int, names: tuple[str, ...], family: str = "multinomial") -> DecisionLayer:
    """A sparse layer with a dead feature."""
    random = np.random.default_rng(1)
    weight = random.normal(size=(len(names), p)) * (random.random((len(names), p)) < 0.4)
    dead = np.zeros(p, dtype=bool)
    dead[0] = True
    weight[:, 0] = 0.0
    scale = random.uniform(0.5, 2.0, p)
    scale[0] = 0.0
    return DecisionLayer(
        weight=weight,
        bias=random.normal(size=len(names)),
        center=random.normal(size=p),
        scale=scale,
        dead=dead,
        class_names=names,
        certificate=Certificate(family, 0.01, 0.99, 1e-5, 1e-4, "optimal"),
    )


def pictures(n: int = 3) -> list[Image.Image]:
    noise = np.random.default_rng(0).integers(0, 256, (n, 40, 52, 3), dtype=np.uint8)
    return [Image.fromarray(pixels) for pixels in noise]
