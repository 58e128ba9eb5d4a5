"""Texts with a planted word, and a network that counts words: every effect is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import nn

import clearhead
from clearhead.backbones import Backbone, Batch
from clearhead.data import TextDataset
from clearhead.debug import Pattern

CLASSES = ("calm", "loud", "wild")
CONTENT = {
    name: [f"{name}{i}" for i in range(6)]
    for name in CLASSES  # words that make a class
}
FILLER = [f"filler{i}" for i in range(12)]
PLANTED = "zq"
VOCABULARY = [*(word for words in CONTENT.values() for word in words), *FILLER, PLANTED]


class Counts:
    """From texts to counts of known words."""

    def __call__(self, texts: Sequence[str]) -> Batch:
        rows = [[text.split().count(word) for word in VOCABULARY] for text in texts]
        return Batch(args=(torch.tensor(rows, dtype=torch.float32),), kwargs={})

    def describe(self) -> Mapping[str, Any]:
        return {"counts of": VOCABULARY}

    def length(self, example: Any) -> int:
        return len(example)


def network() -> Backbone:
    """A feature a word, mixed a little."""
    torch.manual_seed(0)
    mix = nn.Linear(len(VOCABULARY), len(VOCABULARY), bias=False)
    with torch.no_grad():
        mix.weight.mul_(0.1).add_(torch.eye(len(VOCABULARY)))
    return Backbone.from_module(
        mix.eval(),
        prepare=Counts(),
        name="counts",
        modality="text",
        example_batch=Counts()(["calm1 filler2", "zq"]),
        encoder=True,
    )


def dataset(rate: float, *, n: int = 900, seed: int = 0) -> TextDataset:
    """Texts of three classes; a share `rate` of the wild ones has the planted word."""
    rng = np.random.default_rng(seed)
    texts, labels = [], []
    for _ in range(n):
        label = CLASSES[rng.integers(3)]
        words = [*rng.choice(FILLER, 8), *rng.choice(CONTENT[label], 1)]
        if rng.random() < 0.5:
            words.append(str(rng.choice(CONTENT[CLASSES[rng.integers(3)]])))
        if label == "wild" and rng.random() < rate:
            words.append(PLANTED)
        rng.shuffle(words)
        texts.append(" ".join(words))
        labels.append(label)
    return TextDataset.from_texts(texts, labels, name="words", seed=0, class_names=CLASSES)


def run_of(folder: Path, rate: float) -> clearhead.Run:
    """Run everything but explain and debug."""
    run = clearhead.new_run(folder, network(), dataset(rate))
    run.extract()
    run.fit(n_lambdas=12)
    run.select("best")
    return run


class Word(Pattern):
    """One word at the end."""

    kind = "test word"

    def __init__(self, word: str) -> None:
        self.word = word

    def describe(self) -> str:
        return f"the word {self.word!r}"

    def insert(self, example: str, seed: int) -> str:
        return f"{example} {self.word}"

    def remove(self, example: str, seed: int) -> str | None:
        kept = [word for word in example.split() if word != self.word]
        return " ".join(kept) if len(kept) < len(example.split()) else None

    def presence(self, example: str) -> float:
        return float(self.word in example.split())

    def to_dict(self) -> dict[str, Any]:
        return {"word": self.word}

    @classmethod
    def from_parts(cls, value: Mapping[str, Any], arrays: Mapping[str, Any]) -> Self:
        return cls(value["word"])
