"""The networks: trained on the planted data from scratch, or frozen and only looked through."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xxhash
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.debug.sources import Examples
from clearhead.backbones import Backbone, open_backbone
from clearhead.backbones.batch import Batch
from clearhead.backbones.images import ImagePreprocessing, noise

__all__ = ["NETWORKS", "TextNetwork", "image_network", "make_backbone", "tokens"]

NETWORKS = ("cnn", "text-cnn", "lite0", "minilm")
TOKEN = re.compile(r"\w+|[^\w\s]|\s{2,}")
BUCKETS, LONGEST, PIECES = 1 << 15, 64, 6


def image_network(n_classes: int, width: int = 24) -> nn.Module:
    """Four convolutions with batch normalisation, 4 × `width` features."""

    def block(before: int, after: int, size: int, stride: int) -> list[nn.Module]:
        conv = nn.Conv2d(before, after, size, stride=stride, padding=size // 2, bias=False)
        return [conv, nn.BatchNorm2d(after), nn.ReLU()]

    return nn.Sequential(
        *block(3, width, 5, 2),
        *block(width, 2 * width, 3, 1),
        nn.MaxPool2d(2),
        *block(2 * width, 4 * width, 3, 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4 * width, n_classes),
    ).to(memory_format=torch.channels_last)


class TextNetwork(nn.Module):
    """Hashed word pieces, one convolution over the tokens, 128 features."""

    def __init__(self, n_classes: int, width: int = 64) -> None:
        super().__init__()
        self.embed = nn.Embedding(BUCKETS, width, padding_idx=0)
        self.conv = nn.Conv1d(width, 96, 3, padding=1)
        self.hidden = nn.Linear(192, 128)
        self.drop = nn.Dropout(0.4)
        self.head = nn.Linear(128, n_classes)

    def forward(self, ids: Tensor) -> Tensor:
        """Score ids (n, tokens, pieces), padded with 0."""
        there = (ids[:, :, 0] != 0).float().unsqueeze(1)
        seen = functional.relu(self.conv(self.embed(ids).sum(2).transpose(1, 2))) * there
        mean = seen.sum(2) / there.sum(2).clamp(min=1)
        both = torch.cat([seen.amax(2), mean], dim=1)
        return self.head(self.drop(functional.relu(self.hidden(both))))


def tokens(texts: Sequence[str]) -> Tensor:
    """Ids of the pieces of each token: the word, its shape, its ends and its letters in threes."""
    rows = np.zeros((len(texts), LONGEST, PIECES), dtype=np.int64)
    for row, text in enumerate(texts):
        for at, token in enumerate(TOKEN.findall(text)[:LONGEST]):
            rows[row, at] = _pieces(token)
    return torch.from_numpy(rows)


def _pieces(token: str) -> list[int]:
    low = token.lower()
    shape = re.sub(r"(.)\1+", r"\1\1", re.sub("[a-z]", "x", re.sub("[A-Z]", "X", token)))
    shape = re.sub("[0-9]", "0", shape)[:6]
    middle = len(low) // 2
    left, right = low[max(middle - 2, 0) : middle + 1], low[middle : middle + 3]
    parts = (f"w{low}", f"s{shape}", f"p{low[:3]}", f"e{low[-3:]}", f"m{left}", f"n{right}")
    return [zlib.crc32(part.encode()) % (BUCKETS - 1) + 1 for part in parts]


def make_backbone(
    network: str, examples: Examples, seed: int, cache: Path, kept: Path | None = None
) -> Backbone:
    """Train a network on the training split, or open a frozen one.

    Parameters
    ----------
    cache : path
        Folder of what the frozen networks see in unchanged data.
    kept : path, optional
        Where the weights of a trained network are kept, to go on with the case later.
    """
    if network in ("lite0", "minilm"):
        return _remembering(network, examples, cache)
    names = examples.class_names
    if network == "cnn":
        size = 28 if examples.items[0].shape[0] <= 28 else 64
        prepare: Any = ImagePreprocessing(size, 1.0, (127.5,) * 3, (127.5,) * 3)
        module, example = image_network(len(names)), prepare(noise(size=size))
        modality, epochs, rate = "image", 7 if size == 28 else 12, 8e-3
    else:
        prepare, module, modality = tokens, TextNetwork(len(names)), "text"
        example, epochs, rate = tokens(["one or two words", "are enough for a proof"]), 4, 3e-3
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for part in module.modules():
            if hasattr(part, "reset_parameters"):
                part.reset_parameters()
            if isinstance(part, nn.Embedding):  # six are added: as large as one word's should be
                part.weight.data.mul_(0.1)
        if kept is not None and kept.is_file():
            module.load_state_dict(torch.load(kept, weights_only=True))
        else:
            _train(module, prepare, examples, epochs, rate)
            if kept is not None:
                kept.parent.mkdir(parents=True, exist_ok=True)
                torch.save(module.state_dict(), kept)
    return Backbone.from_module(
        module.eval(),
        prepare=prepare,
        name=f"{network} trained on {examples.name}",
        modality=modality,
        example_batch=example,
        class_names=names,
        batch_size=128,
    )


def _train(module: nn.Module, prepare: Any, examples: Examples, epochs: int, rate: float) -> None:
    rows = np.flatnonzero(examples.split == "train")
    items = [examples.items[i] for i in rows]
    if examples.modality == "image":
        from PIL import Image

        inputs = prepare([Image.fromarray(item) for item in items]).args[0]
    else:
        inputs = prepare(items)
    labels = torch.from_numpy(examples.labels[rows])
    size = 64
    steps = epochs * (len(rows) // size)
    optimizer = torch.optim.AdamW(module.parameters(), lr=rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=rate, total_steps=steps + 1)
    module.train()
    for _ in range(epochs):
        order = torch.randperm(len(rows))
        for first in range(0, len(rows) - size + 1, size):
            at = order[first : first + size]
            loss = functional.cross_entropy(module(inputs[at]), labels[at])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    module.eval()


class _Remembering(nn.Module):
    """A frozen network that looks at an example it has seen before only once."""

    def __init__(self, backbone: Backbone, known: dict[str, np.ndarray]) -> None:
        super().__init__()
        self.network = backbone.module
        self.backbone = [backbone]  # in a list: its module is this one's part already
        self.known = known

    def forward(self, *args: Tensor, **kwargs: Tensor) -> Tensor:
        """Compute the features (n, p)."""
        backbone, batch = self.backbone[0], Batch(args, kwargs)
        if torch.is_grad_enabled():
            return backbone.differentiable_features(batch)
        keys = [self._key(batch, i) for i in range(len(batch))]
        new = [i for i, key in enumerate(keys) if key not in self.known]
        if new:
            part = Batch(
                tuple(value[new] for value in args), {n: v[new] for n, v in kwargs.items()}
            )
            for i, found in zip(new, backbone.features(part).numpy(), strict=True):
                self.known[keys[i]] = found
        return torch.from_numpy(np.stack([self.known[key] for key in keys]))

    @staticmethod
    def _key(batch: Batch, i: int) -> str:
        mask = batch.kwargs.get("attention_mask")
        digest = xxhash.xxh3_128()
        for value in (*batch.args, *batch.kwargs.values()):
            one = value[i] if mask is None else value[i][mask[i].bool()]
            digest.update(np.ascontiguousarray(one.numpy()).tobytes())
        return digest.hexdigest()


def _remembering(network: str, examples: Examples, cache: Path) -> Backbone:
    inner = open_backbone("efficientnet-lite0" if network == "lite0" else network)
    path = cache / f"{network}.npz"
    known: dict[str, np.ndarray] = {}
    if path.is_file():
        with np.load(path) as found:
            known = dict(zip(found["keys"].tolist(), found["features"], strict=True))
    made = Backbone.from_module(
        _Remembering(inner, known),
        prepare=inner.preprocessing,
        name=inner.name,
        modality=inner.modality,
        example_batch=inner.example,
        encoder=True,
        batch_size=inner.batch_size,
    )
    return replace(made, name=inner.name)


def remember(backbone: Backbone, network: str, cache: Path) -> None:
    """Keep what a frozen network has seen, for the cases on the same data."""
    if not isinstance(backbone.module, _Remembering):
        return
    known = backbone.module.known
    cache.mkdir(parents=True, exist_ok=True)
    temporary = cache / f".{network}.npz"
    np.savez(temporary, keys=np.array(list(known)), features=np.stack(list(known.values())))
    temporary.replace(cache / f"{network}.npz")
