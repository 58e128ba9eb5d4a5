"""Networks without a classifier: their tokens' or pixels' vectors pooled to one."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from clearhead.backbones.batch import Batch
from clearhead.backbones.tracing import evaluating
from clearhead.errors import BackboneError

__all__ = ["POOLINGS", "ImageEncoder", "SentenceEncoder", "default_pooling", "looks_back_only"]

POOLINGS = ("mean", "cls", "last", "pooler")


class SentenceEncoder(nn.Module):
    """A transformer, its tokens' vectors pooled to one a text.

    Parameters
    ----------
    transformer : nn.Module
        Returns ``last_hidden_state`` (n, tokens, p).
    pooling : {"mean", "cls", "last", "pooler"}
        The mean over the tokens that are not padding, the first token, the last token that
        is not padding, or the network's own ``pooler_output``.
    normalize : bool
        Divide each vector by its Euclidean length.
    dense : nn.Module, optional
        What follows the pooling, before the normalisation.
    """

    def __init__(
        self, transformer: nn.Module, pooling: str, normalize: bool, dense: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.transformer = transformer
        self.pooling = pooling
        self.normalize = normalize
        self.dense = dense if dense is not None else nn.Identity()

    def forward(self, attention_mask: Tensor, **tokens: Tensor) -> Tensor:
        """Compute the vectors (n, p)."""
        output = self.transformer(attention_mask=attention_mask, **tokens)
        vectors = self.dense(self._pooled(output, attention_mask))
        if self.normalize:
            return functional.normalize(vectors, p=2.0, dim=1)
        return vectors  # type: ignore[no-any-return]

    def _pooled(self, output: Any, attention_mask: Tensor) -> Tensor:
        if self.pooling == "pooler":
            return _pooler_output(self.transformer, output)
        hidden: Tensor = output.last_hidden_state
        if self.pooling == "cls":
            return hidden[:, 0]
        if self.pooling == "last":
            positions = torch.arange(hidden.shape[1], device=hidden.device)
            last = (attention_mask * positions).argmax(1)
            return hidden[torch.arange(len(hidden), device=hidden.device), last]
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        return (hidden * mask).sum(1) / mask.sum(1).clamp(min=1e-9)


class ImageEncoder(nn.Module):
    """A vision network, its output pooled to one vector a picture.

    Parameters
    ----------
    network : nn.Module
        Returns ``last_hidden_state`` (n, tokens, p) or (n, p, height, width), or has
        ``get_image_features`` as CLIP does.
    pooling : {"mean", "cls", "pooler"}
        The mean over all tokens or pixels, the first token, or the network's own:
        ``image_embeds`` or ``pooler_output``.
    """

    def __init__(self, network: nn.Module, pooling: str) -> None:
        super().__init__()
        self.network = network
        self.pooling = pooling

    def forward(self, **pixels: Tensor) -> Tensor:
        """Compute the vectors (n, p)."""
        embed = getattr(self.network, "get_image_features", self.network)
        output = embed(**pixels)
        if isinstance(output, Tensor):  # get_image_features of transformers 4
            return output
        if self.pooling == "pooler":
            return _pooler_output(self.network, output)
        hidden: Tensor = output.last_hidden_state
        if hidden.ndim == 4:
            if self.pooling == "cls":
                raise BackboneError(
                    f"pooling='cls': {type(self.network).__name__} has no first token, its output "
                    "is an image. Use 'mean' or 'pooler'."
                )
            return hidden.mean(dim=(2, 3))
        return hidden[:, 0] if self.pooling == "cls" else hidden.mean(dim=1)


def _pooler_output(network: nn.Module, output: Any) -> Tensor:
    vectors = getattr(output, "image_embeds", None)
    if vectors is None:
        vectors = getattr(output, "pooler_output", None)
    if vectors is None:
        raise BackboneError(
            f"pooling='pooler': {type(network).__name__} has no pooler. Use 'mean', 'cls' or "
            "'last'."
        )
    return vectors.flatten(1)  # type: ignore[no-any-return]


def default_pooling(network: nn.Module, batch: Batch, *, pooler_is_trained: bool) -> str:
    """The pooling of a vision network: its own if it was trained, else by its output's shape."""
    with torch.no_grad(), evaluating(network):
        output = network(*batch.args, **batch.kwargs)
    if pooler_is_trained and getattr(output, "pooler_output", None) is not None:
        return "pooler"
    return "mean" if output.last_hidden_state.ndim == 4 else "cls"


def looks_back_only(network: nn.Module, batch: Batch) -> bool:
    """Whether the first token's vector stays as it is when the second token is another."""
    changed = dict(batch.kwargs)
    changed["input_ids"] = changed["input_ids"].clone()
    changed["input_ids"][:, 1:] = changed["input_ids"][:, 1:].flip(1)
    with torch.no_grad(), evaluating(network):
        first = [network(**tokens).last_hidden_state[:, 0] for tokens in (batch.kwargs, changed)]
    return bool(torch.allclose(first[0], first[1], rtol=1e-4, atol=1e-5))
