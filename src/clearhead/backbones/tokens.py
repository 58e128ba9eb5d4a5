"""How a text becomes the input of a language network."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from clearhead._files import fingerprint
from clearhead.backbones.batch import Batch
from clearhead.errors import BackboneError

__all__ = [
    "EXAMPLES",
    "TextPreprocessing",
    "check_vocabulary",
    "longest_text",
    "open_tokenizer",
    "text_preprocessing",
    "tokenizer_identity",
]

EXAMPLES = (
    "Light, bright and a joy to watch.",
    "No.",
    "It never made me laugh, though the film tries hard & often (3 of 10!), but I'll remember it.",
)
"""Texts of unlike length, on which claims about a network are proven."""

_FILES = ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "vocab.json", "*.model")


@dataclass(frozen=True)
class TextPreprocessing:
    """Cut texts into tokens, pad a batch to its longest text, cut what is too long.

    Parameters
    ----------
    tokenizer : transformers tokenizer
    max_tokens : int
        Longest text that the network takes, special tokens included.
    lower : bool
        Make the texts lower case first.
    names : tuple of str or None
        Which of the tokenizer's outputs the network takes; None for all.
    prompt : str
        Put in front of each text.
    describing : mapping
        What the tokenizer is, for the fingerprint.
    """

    tokenizer: Any = field(repr=False)
    max_tokens: int
    lower: bool = False
    names: tuple[str, ...] | None = None
    prompt: str = ""
    describing: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __call__(self, examples: Sequence[Any]) -> Batch:
        """Turn texts into token ids and an attention mask; count the texts that were cut."""
        texts = [self._text(text) for text in examples]
        tokens = self.tokenizer(
            texts,
            padding=True,
            padding_side="right",
            truncation=True,
            max_length=self.max_tokens,
            return_tensors="pt",
        )
        kept = {
            name: value
            for name, value in tokens.items()
            if self.names is None or name in self.names
        }
        return Batch(kwargs=self._never_empty(kept), truncated=self._truncated(texts, tokens))

    def _text(self, text: str) -> str:
        return self.prompt + _clean(text.lower() if self.lower else text)

    def _never_empty(self, tokens: dict[str, Tensor]) -> dict[str, Tensor]:
        """Let the network see one padding token where a tokenizer makes none of a text."""
        mask = tokens.get("attention_mask")
        if mask is None or (mask.shape[1] and bool(mask.any(dim=1).all())):
            return tokens
        if mask.shape[1] == 0:
            pad = self.tokenizer.pad_token_id or 0
            tokens = {name: torch.zeros((len(mask), 1), dtype=torch.long) for name in tokens}
            tokens["input_ids"] += pad
        mask = tokens["attention_mask"].clone()
        mask[mask.sum(dim=1) == 0, 0] = 1
        return {**tokens, "attention_mask": mask}

    def _truncated(self, texts: list[str], tokens: Any) -> tuple[int, ...]:
        if getattr(tokens, "encodings", None):
            return tuple(i for i, one in enumerate(tokens.encodings) if one.overflowing)
        full = (tokens["attention_mask"].sum(1) >= self.max_tokens).nonzero().flatten().tolist()
        return tuple(i for i in full if len(self.tokenizer(texts[i]).input_ids) > self.max_tokens)

    def describe(self) -> Mapping[str, Any]:
        """What the result depends on."""
        prompt = {"prompt": self.prompt} if self.prompt else {}
        return {
            "kind": "tokens",
            "max_tokens": self.max_tokens,
            "lower": self.lower,
            **prompt,
            **self.describing,
        }

    def length(self, example: Any) -> int:
        """How many tokens the text becomes."""
        if not isinstance(example, str):
            return 0
        text = self._text(example)
        tokens = self.tokenizer(text, truncation=True, max_length=self.max_tokens)
        return len(tokens["input_ids"])

    def offsets(self, text: str) -> Any:
        """Say where in the text each token is.

        Returns
        -------
        ndarray of shape (tokens, 2), int
            First character and the one after the last; twice the same for a token that is
            none of the text's.

        Raises
        ------
        BackboneError
            The tokenizer keeps no account of it (it is not one of the fast ones).
        """
        if not getattr(self.tokenizer, "is_fast", False):
            raise BackboneError(
                f"{type(self.tokenizer).__name__} does not say where in a text its tokens are. "
                "Save the fast tokenizer (tokenizer.json) beside the weights."
            )
        found = self.tokenizer(
            self._text(text),
            truncation=True,
            max_length=self.max_tokens,
            return_offsets_mapping=True,
        )
        return np.array(found["offset_mapping"], dtype=np.int64).clip(len(self.prompt)) - len(
            self.prompt
        )


def text_preprocessing(
    tokenizer: Any,
    network: nn.Module,
    *,
    name: str,
    settings: Mapping[str, Any] | None = None,
    describing: Mapping[str, Any] | None = None,
) -> TextPreprocessing:
    """Make the preprocessing of `network`, whose vocabulary must be the tokenizer's.

    Parameters
    ----------
    tokenizer : transformers tokenizer
    network : nn.Module
        A network of transformers.
    name : str
        For errors.
    settings : mapping, optional
        ``max_seq_length`` and ``do_lower_case`` as in ``sentence_bert_config.json``, and a
        ``prompt``.
    describing : mapping, optional
        What else the fingerprint says.
    """
    from inspect import signature

    check_vocabulary(tokenizer, network, name)
    settings = settings or {}
    limits = (tokenizer.model_max_length, longest_text(network), settings.get("max_seq_length"))
    # tokenizers without a limit say 10**30
    known = [int(limit) for limit in limits if limit and limit < 1 << 20]
    return TextPreprocessing(
        tokenizer,
        max_tokens=min(known, default=512),
        lower=bool(settings.get("do_lower_case", False)),
        names=tuple(signature(network.forward).parameters),
        prompt=settings.get("prompt") or "",
        describing={**(describing or {}), "tokenizer": tokenizer_identity(tokenizer)},
    )


def open_tokenizer(folder: Path, name: str) -> Any:
    """Open the tokenizer in `folder`; one without a padding token pads with its last token."""
    from transformers import AutoTokenizer

    from clearhead.backbones.pretrained import explained

    if not any(found for pattern in _FILES for found in folder.glob(pattern)):
        raise BackboneError(
            f"{name} holds no tokenizer (tokenizer.json, vocab.txt, …), so texts cannot be given "
            "to it. Save it beside the weights: tokenizer.save_pretrained(folder)."
        )
    with explained(name, "its tokenizer"):
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    if tokenizer.pad_token is None:
        raise BackboneError(
            f"{name}: its tokenizer has no padding token, and none at the end of a text that could "
            "stand in for it. Set tokenizer.pad_token and save it again."
        )
    return tokenizer


def check_vocabulary(tokenizer: Any, network: nn.Module, name: str) -> None:
    """Refuse a tokenizer that makes ids for which the network has no embedding."""
    embedding = network.get_input_embeddings()  # type: ignore[operator]
    known = getattr(embedding, "num_embeddings", None)
    if known is None:
        return
    ids = tokenizer.get_vocab()
    last = max(ids, key=ids.__getitem__, default=None)
    if last is not None and ids[last] >= known:
        raise BackboneError(
            f"{name}: the tokenizer does not match the network: it makes ids up to {ids[last]} "
            f"({last!r}), and the network has embeddings for {known} tokens (0 to {known - 1}). "
            "Save the tokenizer that the network was trained with beside it, or resize the "
            "embeddings (model.resize_token_embeddings) and train them."
        )
    if len(ids) < 0.5 * known and known - len(ids) > 1000:
        raise BackboneError(
            f"{name}: the tokenizer does not match the network: it has {len(ids)} tokens, and the "
            f"network has embeddings for {known}. Save the tokenizer that the network was trained "
            "with beside it."
        )


def longest_text(network: nn.Module) -> int | None:
    """How many tokens the network has positions for; None if any number."""
    config = network.config
    positions = getattr(config, "max_position_embeddings", None)
    if positions is None:
        return None
    for part_name, part in network.named_modules():
        if not (part_name.endswith("position_embeddings") and isinstance(part, nn.Embedding)):
            continue
        if part.padding_idx is not None:  # RoBERTa and its kin count from there
            return int(positions) - part.padding_idx - 1
    return int(positions)


def _clean(text: str) -> str:
    """Replace lone surrogates, which no tokenizer takes."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def tokenizer_identity(tokenizer: Any) -> str:
    """What cuts the text, as text: the whole fast tokenizer, or class and vocabulary."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return fingerprint([type(tokenizer).__name__, sorted(tokenizer.get_vocab().items())])
    described = json.loads(backend.to_str())
    # padding and truncation are set again at every call
    described.pop("padding", None)
    described.pop("truncation", None)
    return fingerprint(described)
