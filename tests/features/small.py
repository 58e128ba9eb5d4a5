"""A real, small network and small data for the tests of extraction."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from clearhead.backbones import Backbone, Batch
from clearhead.data import TextDataset

P = 8
MAX_CHARACTERS = 60
WORDS = ["good", "bad", "film", "very", "dull", "bright", "a", "!", "story", "of", "it"]


class Letters(nn.Module):
    """Letters → mean of their vectors → as much work as asked for → a linear head."""

    def __init__(self, width: int = 16, depth: int = 1) -> None:
        super().__init__()
        self.embedding = nn.Embedding(128, width)
        self.work = nn.Sequential(*[nn.Sequential(nn.Linear(width, width), nn.Tanh())] * depth)
        self.body = nn.Linear(width, P)
        self.fc = nn.Linear(P, 2)

    def forward(self, letters, mask):
        hidden = self.work(self.embedding(letters)) * mask.unsqueeze(-1)
        pooled = hidden.sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
        return self.fc(torch.tanh(self.body(pooled)))


class Prepare:
    """ASCII codes, padded; texts longer than 60 characters are cut."""

    def __call__(self, examples):
        kept = [text[:MAX_CHARACTERS] for text in examples]
        length = max(1, *map(len, kept))
        letters = torch.zeros(len(kept), length, dtype=torch.long)
        mask = torch.zeros(len(kept), length)
        for i, text in enumerate(kept):
            codes = torch.tensor([min(ord(c), 127) for c in text], dtype=torch.long)
            letters[i, : len(text)] = codes
            mask[i, : len(text)] = 1
        cut = tuple(i for i, text in enumerate(examples) if len(text) > MAX_CHARACTERS)
        return Batch(kwargs={"letters": letters, "mask": mask}, truncated=cut)

    def describe(self):
        return {"kind": "letters", "max": MAX_CHARACTERS}

    def length(self, example):
        return min(len(example), MAX_CHARACTERS)


def network(seed: int = 0, **options) -> Backbone:
    torch.manual_seed(seed)
    prepare = Prepare()
    return Backbone.from_module(
        Letters(**options).eval(),
        prepare=prepare,
        name="letters",
        modality="text",
        example_batch=prepare(["good film", "bad"]),
        class_names=("bad", "good"),
        batch_size=4,
    )


def texts(n: int = 50, seed: int = 0) -> TextDataset:
    random = np.random.default_rng(seed)
    made = [" ".join(random.choice(WORDS, random.integers(1, 18))) for _ in range(n)]
    split = np.array(["train", "validation", "test"])[random.integers(0, 3, n)]
    split[:3] = ["train", "validation", "test"]
    labels = [("good", "bad")[i] for i in random.integers(0, 2, n)]
    labels[:6] = ["good", "good", "good", "bad", "bad", "bad"]
    split[3:6] = ["train", "validation", "test"]
    return TextDataset.from_texts(
        made,
        labels,
        name="small",
        ids=[f"s{i}" for i in range(n)],
        split=split.tolist(),
        metadata=pd.DataFrame(
            {
                "length": [len(text) for text in made],
                "kind": ["x", None] * (n // 2) + ["y"] * (n % 2),
            }
        ),
    )


def files(folder):
    """Every file under `folder` and its bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _event(event, folder, mode):
    """Say what happened; stop where `mode` says, at the same moment on any machine."""
    print(event.kind, event.done, flush=True)
    if event.kind != "progress":
        return
    if mode == "die" and list((folder / "partial").glob("*.json")):
        os.kill(os.getpid(), signal.SIGKILL)
    if mode == "interrupt" and event.done >= 20:
        os.kill(os.getpid(), signal.SIGINT)


if __name__ == "__main__":  # a process of its own, to be killed
    from clearhead.features import extract

    torch.set_num_threads(1)
    # A test run in the background is born deaf to Ctrl-C; this process is not.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder, mode = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None
    extract(
        network(width=384, depth=12),
        texts(240),
        folder,
        # Whoever is to die with a piece on disk must have one, on a fast machine too.
        flush_seconds=0.0 if mode == "die" else 0.05,
        shard_rows=100,
        on_event=lambda event: _event(event, folder, mode),
    )
