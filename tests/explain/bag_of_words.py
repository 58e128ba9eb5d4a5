"""Texts, and a network of which we know what each feature responds to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from clearhead.explain import LimeExplanation, LimeExplanations, words_of

TEXT = """
    the film is a story of love and war with great actors but terrible dull moving long
    plot scenes that we never forget
"""
WORDS = TEXT.split()
HIGH, BOTH, NOISE, CONSTANT = 3, 7, 11, 12
FEATURES = np.array([HIGH, BOTH, NOISE, CONSTANT])
TRUTH = {HIGH: {"terrible": 3.0}, BOTH: {"moving": 2.0, "dull": -2.0}}


class BagOfWords(nn.Module):
    """One feature fires on "terrible", one on "moving" and against "dull", two on no word."""

    def __init__(self, words: Sequence[str] = WORDS, truth: dict = TRUTH) -> None:
        super().__init__()
        self.index = {word: i for i, word in enumerate(words)}
        self.bag = nn.EmbeddingBag(len(words), len(FEATURES), mode="sum")
        weight = torch.zeros(len(words), len(FEATURES))
        for column, feature in enumerate(FEATURES):
            for word, value in truth.get(int(feature), {}).items():
                weight[self.index[word], column] = value
        self.bag.weight.data = weight

    def forward(self, words: Sequence[str]) -> np.ndarray:
        known = [self.index[w.lower()] for w in words if w.lower() in self.index]
        if not known:
            return np.zeros(len(FEATURES))
        with torch.no_grad():
            return self.bag(torch.tensor([known]))[0].numpy().astype(np.float64)


def make_texts(n: int, seed: int, words: Sequence[str] = WORDS, gap: str = " ") -> list[str]:
    rng = np.random.default_rng(seed)
    return [gap.join(rng.choice(words, size=8)) for _ in range(n)]


def activations(network: BagOfWords, texts: Sequence[str], seed: int) -> np.ndarray:
    """What each feature says of each text; the third says nothing but noise."""
    rng = np.random.default_rng(seed)
    z = np.stack([network(words_of(text).words) for text in texts])
    z[:, 2] = rng.normal(size=len(texts))
    z[:, :2] += 0.1 * rng.normal(size=(len(texts), 2))
    return z


def explain(network: BagOfWords, texts: Sequence[str], seed: int) -> LimeExplanations:
    """Weigh each word by taking it away, with the noise that perturbations would leave."""
    rng = np.random.default_rng(seed)
    found = []
    for i, text in enumerate(texts):
        parts = words_of(text)
        whole = network(parts.words)
        weight = np.array(
            [whole - network(parts.words[:j] + parts.words[j + 1 :]) for j in range(len(parts))]
        ).reshape(len(parts), len(FEATURES))
        weight[:, :3] += 0.1 * rng.normal(size=(len(parts), 3))
        found.append(
            LimeExplanation(
                id=f"text {i}",
                features=FEATURES,
                parts=parts,
                weight=weight.astype(np.float32),
                std_error=np.full(weight.shape, 0.1, dtype=np.float32),
                intercept=np.zeros(len(FEATURES), dtype=np.float32),
                r2=np.ones(len(FEATURES), dtype=np.float32),
                activation=whole.astype(np.float32),
            )
        )
    return LimeExplanations(FEATURES, tuple(found))
