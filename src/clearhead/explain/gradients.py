"""Which parts of an example drive a feature, by the network's own gradients."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from clearhead._types import FloatArray, IntArray
from clearhead.backbones import Backbone, Batch
from clearhead.errors import BackboneError, InputError, MissingDependencyError
from clearhead.events import Event, EventCallback, emit
from clearhead.explain.lime import LimeExplanation
from clearhead.explain.lime.pictures import RegionSource, with_pictures
from clearhead.explain.parts import Parts
from clearhead.layer import DecisionLayer

__all__ = ["GradientExplanation", "GradientMethod", "explain_gradients"]

GradientMethod = Literal["integrated", "input"]


@dataclass(frozen=True, eq=False)
class GradientExplanation:
    """Attributions of u features to the m parts of one example.

    Parameters
    ----------
    id : str
    features : ndarray of shape (u,), int
    parts : Parts
    weight : ndarray of shape (m, u), float32
        What each part adds to the standardised activation, against the baseline.
    gap : ndarray of shape (u,), float32
        How far all attributions (also those of tokens that are no word's) are from adding up
        to the change of the activation from the baseline; near 0 for integrated gradients
        of enough steps.
    """

    id: str
    features: IntArray
    parts: Parts
    weight: FloatArray
    gap: FloatArray


@dataclass(frozen=True, eq=False)
class _Attributed:
    """What is attributed to: values and baseline (1, …), and features as a function of values."""

    values: Tensor
    baseline: Tensor
    features: Callable[[Tensor], Tensor]
    to_parts: Callable[[FloatArray], FloatArray]


def explain_gradients(
    backbone: Backbone,
    layer: DecisionLayer,
    examples: Sequence[tuple[str, Any]],
    explanations: Sequence[LimeExplanation],
    *,
    features: Sequence[int] | IntArray,
    method: GradientMethod = "integrated",
    n_steps: int = 32,
    on_event: EventCallback | None = None,
) -> tuple[GradientExplanation, ...]:
    """Attribute features to the words or regions that LIME weighed, by gradients.

    Texts: to the input embeddings, against those of the mask token (zeros where there is
    none), summed over each word's tokens. Pictures: to the values, against middle grey,
    summed over each region. One feature costs `n_steps` passes forth and back an example.

    Parameters
    ----------
    backbone : Backbone
        With gradients.
    layer : DecisionLayer
        Gives the standardisation.
    examples : sequence of (id, str or PIL.Image.Image)
    explanations : sequence of LimeExplanation
        Of these examples, in any order: their parts are used.
    features : sequence of int
        A few deep features.
    method : {"integrated", "input"}
        Integrated gradients (captum), or the gradient at the example times its difference
        from the baseline.
    n_steps : int
        Of integrated gradients.
    on_event : callable, optional

    Raises
    ------
    BackboneError
        The network has no gradients (ONNX), or it is unknown where in a text its tokens are.
    MissingDependencyError
        ``method="integrated"`` and captum is not installed.

    References
    ----------
    Sundararajan, Taly, Yan, Axiomatic Attribution for Deep Networks, ICML 2017.
    """
    if method not in get_args(GradientMethod):
        raise InputError(f"method={method!r}: it must be 'integrated' or 'input'.")
    if n_steps < 1:
        raise InputError(f"n_steps={n_steps}: it must be at least 1.")
    columns = np.asarray(features, dtype=np.int64)
    parts = {one.id: one.parts for one in explanations}
    unknown = [name for name, _ in examples if name not in parts]
    if unknown:
        raise InputError(
            f"explanations: there is none of the example {unknown[0]!r}. Explain it with LIME "
            "first: the same parts are compared."
        )
    attribute = _integrated(n_steps, backbone.batch_size) if method == "integrated" else _at_input
    found = []
    for done, (name, example) in enumerate(examples):
        emit(on_event, Event("explain", "progress", "gradients", done, len(examples), "examples"))
        found.append(_explained(name, example, parts[name], (backbone, layer, columns, attribute)))
    return tuple(found)


_Attribute = Callable[[_Attributed, Callable[[Tensor], Tensor]], Tensor]


def _explained(
    name: str,
    example: Any,
    parts: Parts,
    how: tuple[Backbone, DecisionLayer, IntArray, _Attribute],
) -> GradientExplanation:
    backbone, layer, columns, attribute = how
    made = _of_text if parts.kind == "words" else _of_picture
    weight = np.zeros((len(parts), len(columns)))
    total = np.zeros(len(columns))
    with made(backbone, example, parts) as one:
        ends = [
            one.features(values.detach().requires_grad_())[0].detach()
            for values in (one.values, one.baseline)
        ]
        for position, column in enumerate(columns.tolist()):
            array = attribute(one, _only(one, column))[0].detach().cpu().double().numpy()
            weight[:, position] = one.to_parts(array)
            total[position] = array.sum()
    change = (ends[0] - ends[1]).cpu().double().numpy()[columns]
    # Attributions are of raw features; a dead feature's standardised activation is always 0.
    unit = np.where(layer.dead[columns], 0.0, 1.0 / np.where(layer.dead, 1, layer.scale)[columns])
    gap = (total - change) * unit
    return GradientExplanation(
        name, columns, parts, (weight * unit).astype(np.float32), gap.astype(np.float32)
    )


def _only(one: _Attributed, column: int) -> Callable[[Tensor], Tensor]:
    return lambda values: one.features(values)[:, column]


def _at_input(one: _Attributed, feature: Callable[[Tensor], Tensor]) -> Tensor:
    values = one.values.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(feature(values).sum(), values)
    return gradient * (one.values - one.baseline)


def _integrated(n_steps: int, batch_size: int) -> _Attribute:
    try:
        from captum.attr import IntegratedGradients
    except ImportError as error:
        raise MissingDependencyError(
            f"Integrated gradients need captum ({error}). Install it with "
            "pip install 'clearhead[explain]', or take method='input'."
        ) from error

    def attribute(one: _Attributed, feature: Callable[[Tensor], Tensor]) -> Tensor:
        found: Tensor = IntegratedGradients(feature).attribute(
            one.values,
            baselines=one.baseline,
            n_steps=n_steps,
            internal_batch_size=batch_size,
        )
        return found

    return attribute


@contextlib.contextmanager
def _of_picture(backbone: Backbone, picture: Any, parts: Parts) -> Iterator[_Attributed]:
    shown = RegionSource(backbone, 1, "grid", "grey").open(picture)
    assert parts.segments is not None
    segments = parts.segments.ravel()

    def to_parts(values: FloatArray) -> FloatArray:
        each = values.sum(axis=0).ravel()
        return np.bincount(segments, each, minlength=len(parts)).astype(np.float64)

    yield _Attributed(
        shown.pixels[None],
        shown.fill[None].contiguous(),
        lambda values: backbone.differentiable_features(with_pictures(shown.batch, values)),
        to_parts,
    )


@contextlib.contextmanager
def _of_text(backbone: Backbone, text: str, parts: Parts) -> Iterator[_Attributed]:
    offsets = getattr(backbone.preprocessing, "offsets", None)
    if offsets is None:
        raise BackboneError(
            f"{backbone.name} does not say where in a text its tokens are, so gradients cannot be "
            "summed to words. Its preprocessing needs a method offsets(text) that gives the first "
            "and last character of each token."
        )
    batch = backbone.prepare([text]).to(backbone.device)
    embedding = _embedding(backbone)
    with _replaced(embedding) as place:
        values, baseline = _embedded(backbone, batch, embedding)

        def features(given: Tensor) -> Tensor:
            place.append(given)
            try:
                return backbone.differentiable_features(_repeated(batch, len(given)))
            finally:
                place.clear()

        share = _shares(offsets(text), parts, values.shape[1])
        yield _Attributed(values, baseline, features, lambda array: share @ array.sum(axis=1))


def _embedding(backbone: Backbone) -> nn.Module:
    """Find the layer that turns tokens into vectors."""
    for part in backbone.module.modules():
        if hasattr(part, "get_input_embeddings"):
            found: nn.Module = part.get_input_embeddings()  # type: ignore[operator]
            return found
    for part in backbone.module.modules():
        if isinstance(part, nn.Embedding):
            return part
    raise BackboneError(
        f"{backbone.name} gives no gradients for words: it has no embedding layer that torch can "
        "follow (a network in an ONNX file has none). LIME needs no gradients."
    )


@contextlib.contextmanager
def _replaced(embedding: nn.Module) -> Iterator[list[Tensor]]:
    """Let the embedding return what is in the list, while there is something."""
    place: list[Tensor] = []
    handle = embedding.register_forward_hook(lambda *_: place[0] if place else None)
    try:
        yield place
    finally:
        handle.remove()


def _embedded(backbone: Backbone, batch: Batch, embedding: nn.Module) -> tuple[Tensor, Tensor]:
    """Vectors (1, T, d) of the text's tokens, and of nothing in their place."""
    seen: list[tuple[Tensor, Tensor]] = []
    handle = embedding.register_forward_hook(
        lambda _, args, kwargs, output: seen.append(
            ((*args, *kwargs.values())[0], output.detach())
        ),
        with_kwargs=True,
    )
    try:
        backbone.features(batch)
    finally:
        handle.remove()
    if len(seen) != 1 or seen[0][1].ndim != 3:
        raise BackboneError(
            f"{backbone.name} embeds the tokens of a text {len(seen)} times where once is "
            "expected, one vector a token: gradients cannot be summed to words. LIME needs none."
        )
    tokens, values = seen[0]
    tokenizer: Any = getattr(backbone.preprocessing, "tokenizer", None)
    if getattr(tokenizer, "mask_token_id", None) is None:
        return values, torch.zeros_like(values)
    special = torch.tensor(
        tokenizer.get_special_tokens_mask(tokens[0].tolist(), already_has_special_tokens=True)
    )
    hidden = tokens.clone()
    hidden[0, special == 0] = tokenizer.mask_token_id
    with torch.no_grad():
        return values, embedding(hidden)


def _repeated(batch: Batch, n: int) -> Batch:
    """Repeat a batch of one example n times."""

    def rows(value: Any) -> Any:
        one = isinstance(value, Tensor) and value.ndim and value.shape[0] == 1
        return value.repeat_interleave(n, dim=0) if one else value

    return replace(
        batch,
        args=tuple(rows(value) for value in batch.args),
        kwargs={name: rows(value) for name, value in batch.kwargs.items()},
        truncated=(),
    )


def _shares(offsets: IntArray, parts: Parts, n_tokens: int) -> FloatArray:
    """How much of each token (n_tokens) belongs to each word (m): shape (m, n_tokens)."""
    assert parts.spans is not None
    overlap = np.zeros((len(parts), n_tokens))
    first = np.maximum(parts.spans[:, None, 0], offsets[None, :, 0])
    last = np.minimum(parts.spans[:, None, 1], offsets[None, :, 1])
    overlap[:, : len(offsets)] = (last - first).clip(min=0)
    whole = overlap.sum(axis=0)
    shares: FloatArray = overlap / np.where(whole > 0, whole, 1.0)
    return shares
