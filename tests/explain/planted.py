"""Networks whose features are known, and layers that standardise nothing."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from clearhead.backbones import Backbone, Batch
from clearhead.explain import words_of
from clearhead.layer import Certificate, DecisionLayer

VOCABULARY = ("", "good", "bad", "!!!", "film", "好", "🙂", "جيد", "a", "not")
# Feature 0 counts "good", 1 takes "bad" away twice, 2 is the emphasis, 3 never moves,
# 4 the Chinese word, 5 the emoji, 6 the Arabic word, 7 "not" together with "good".
N_FEATURES = 8


class BagOfWords(nn.Module):
    """The sum of known vectors of a text's words, and one product of two of them."""

    def __init__(self) -> None:
        super().__init__()
        vectors = torch.zeros(len(VOCABULARY), N_FEATURES)
        for word, feature, value in (
            ("good", 0, 1.5), ("bad", 1, -2.0), ("!!!", 2, 1.0), ("好", 4, 1.0), ("🙂", 5, 1.0),
            ("جيد", 6, 1.0), ("not", 7, 1.0),
        ):  # fmt: skip
            vectors[VOCABULARY.index(word), feature] = value
        self.embedding = nn.Embedding.from_pretrained(vectors, freeze=False, padding_idx=0)
        self.head = nn.Linear(N_FEATURES, 2)

    def forward(self, words):
        summed = self.embedding(words).sum(1)
        both = summed[:, 7] * summed[:, 0]
        return self.head(torch.cat([summed[:, :7], both[:, None]], dim=1))


class Words:
    """Numbers of the known words, padded with 0; anything else is padding, too."""

    def __call__(self, examples):
        rows = [
            [VOCABULARY.index(word) if word in VOCABULARY else 0 for word in words_of(text).words]
            for text in examples
        ]
        words = torch.zeros(len(rows), max(1, *map(len, rows)) if rows else 1, dtype=torch.long)
        for i, row in enumerate(rows):
            words[i, : len(row)] = torch.tensor(row, dtype=torch.long)
        return Batch(args=(words,))

    def describe(self):
        return {"kind": "planted words"}

    def length(self, example):
        return len(words_of(example))

    def offsets(self, text):
        return words_of(text).spans


def text_network() -> Backbone:
    prepare = Words()
    torch.manual_seed(0)
    return Backbone.from_module(
        BagOfWords(),
        prepare=prepare,
        name="planted words",
        modality="text",
        example_batch=prepare(["good film", "bad"]),
        batch_size=16,
    )


class Redness(nn.Module):
    """How red, green and bright a picture is on the mean, and how red its left half is."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Conv2d(3, 3, 1, bias=False)
        weights = torch.tensor([[1.0, -0.5, -0.5], [-0.5, 1.0, -0.5], [1 / 3] * 3])
        self.body.weight.data = weights[:, :, None, None]
        self.head = nn.Linear(4, 2)

    def forward(self, pixels):
        shown = self.body(pixels)
        left = shown[:, :1, :, : shown.shape[3] // 2].mean((2, 3))
        return self.head(torch.cat([shown.mean((2, 3)), left], dim=1))


def pixels_of(pictures):
    values = np.stack([np.asarray(one.convert("RGB")) for one in pictures])
    return torch.from_numpy(values).permute(0, 3, 1, 2).float().div(127.5).sub(1)


def image_network() -> Backbone:
    torch.manual_seed(0)
    return Backbone.from_module(
        Redness(),
        prepare=pixels_of,
        name="planted colours",
        modality="image",
        example_batch=torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)),
        batch_size=16,
    )


def layer_for(p: int, *, center: float = 0.0, scale: float = 1.0) -> DecisionLayer:
    """A layer that uses all p features."""
    return DecisionLayer(
        weight=np.ones((2, p)),
        bias=np.zeros(2),
        center=np.full(p, center),
        scale=np.full(p, scale),
        dead=np.zeros(p, dtype=bool),
        class_names=("no", "yes"),
        certificate=Certificate("multinomial", 0.1, 0.99, 0.0, 0.0, "converged"),
    )
