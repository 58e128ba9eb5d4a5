"""A small network of words, texts with a planted pattern, and the layer fitted to them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from clearhead import fit_path
from clearhead.backbones import Backbone, Batch
from clearhead.data import TextDataset
from clearhead.debug.inputs import Inputs
from clearhead.features import extract
from clearhead.layer import DecisionLayer

P, BUCKETS = 32, 4096
_SYLLABLES = ("ba", "do", "ki", "lu", "me", "no", "ra", "si", "tu")
NEUTRAL = ["the", "a", "of", "film", "and", "it", "was", "in", "we", "saw", "that", "with", "on"]
GOOD = [first + second for first in _SYLLABLES for second in _SYLLABLES[:5]]
BAD = [first + second for first in _SYLLABLES for second in _SYLLABLES[5:]]


class Words(nn.Module):
    """The sum of fixed vectors of the words, as they are written; word 0 is padding.

    Words that are `loud` drive the first feature and no other.
    """

    def __init__(self, loud: Sequence[str] = ()) -> None:
        super().__init__()
        self.bag = nn.EmbeddingBag(BUCKETS, P, mode="sum", padding_idx=0)
        generator = torch.Generator().manual_seed(0)
        self.bag.weight.data = torch.randn(BUCKETS, P, generator=generator) / 3
        for word in loud:
            self.bag.weight.data[number(word)] = torch.eye(P)[0]

    def forward(self, words):
        return torch.tanh(self.bag(words))


def number(word: str) -> int:
    """Row of a word's vector."""
    return 1 + zlib.crc32(word.encode()) % (BUCKETS - 1)


def prepare(texts: Sequence[str]) -> Batch:
    """Numbers of the words, padded."""
    rows = [[number(word) for word in text.split()] for text in texts]
    words = torch.zeros(len(rows), max(1, *map(len, rows)), dtype=torch.long)
    for i, row in enumerate(rows):
        words[i, : len(row)] = torch.tensor(row, dtype=torch.long)
    return Batch(args=(words,))


def sentences(n: int, seed: int) -> tuple[list[str], np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    texts = []
    for label in labels:
        words = list(rng.choice(NEUTRAL, 8))
        for _ in range(2):
            words.insert(int(rng.integers(len(words))), str(rng.choice((BAD, GOOD)[label])))
        texts.append(" ".join(words) + " .")
    return texts, labels


def make_inputs(
    folder: Path,
    plant: Callable[[str], str] | None = None,
    share: float = 1.0,
    n: int = 900,
    loud: Sequence[str] = (),
) -> Inputs:
    """Inputs where a share of the class "good" (1) carries what `plant` does to a text."""
    texts, labels = sentences(n, 0)
    rng = np.random.default_rng(1)
    if plant is not None:
        texts = [
            plant(text) if label == 1 and rng.random() < share else text
            for text, label in zip(texts, labels, strict=True)
        ]
    split = np.array(["train", "train", "validation", "test"])[np.arange(n) // 2 % 4]
    names = ("bad", "good")
    data = TextDataset.from_texts(
        texts, [names[k] for k in labels], split=list(split), class_names=names
    )
    network = Backbone.from_module(
        Words(loud),
        prepare=prepare,
        name="words",
        modality="text",
        example_batch=prepare(texts[:2]),
        encoder=True,
        batch_size=256,
    )
    store = extract(network, data, folder)
    train = store.split == "train"
    path = fit_path(
        store.matrix("train"),
        labels[train],
        n_lambdas=10,
        lambda_min_ratio=0.02,
        class_names=names,
    )
    return Inputs(
        network,
        data,
        store,
        DecisionLayer.from_path(path, 5),
        DecisionLayer.from_path(path, -1),
    )
