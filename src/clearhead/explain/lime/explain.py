"""Explain many texts or pictures for all features at once."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from clearhead._types import IntArray, Modality
from clearhead.backbones import Backbone
from clearhead.errors import BackboneError, InputError
from clearhead.events import Event, EventCallback, emit
from clearhead.explain.lime.explanation import LimeExplanations
from clearhead.explain.lime.perturb import KERNEL_WIDTH
from clearhead.explain.lime.pictures import ImageFill, RegionSource
from clearhead.explain.lime.session import STEP, Options, Session
from clearhead.explain.lime.texts import TextFill, WordSource, mask_token
from clearhead.layer import DecisionLayer

__all__ = ["explain_images", "explain_texts"]


def explain_texts(
    backbone: Backbone,
    layer: DecisionLayer,
    examples: Sequence[tuple[str, str]],
    *,
    features: Sequence[int] | IntArray | None = None,
    n_perturbations: int = 256,
    seed: int = 0,
    fill: TextFill = "remove",
    ridge: float = 1e-3,
    kernel_width: float = KERNEL_WIDTH,
    folder: Path | str | None = None,
    on_event: EventCallback | None = None,
    batch_size: int | None = None,
) -> LimeExplanations:
    """Weigh the words of each text for all features at once.

    Each text is perturbed once, by removing random sets of words; the network computes
    every feature of each perturbed text; and one weighted ridge regression of the
    standardised activations on which words are present has all features as outputs.
    Perturbations count by ``sqrt(exp(-d² / kernel_width²))``, d being the cosine distance
    between which words they keep and all words (the kernel of the lime package). A text of
    so few words that all subsets of them are no more than `n_perturbations` is perturbed in
    every way, and nothing about it is random.

    Parameters
    ----------
    backbone : Backbone
        Of texts; gradients are not needed.
    layer : DecisionLayer
        Gives the standardisation.
    examples : sequence of (id, text)
        The perturbations of one depend on its id and `seed` alone.
    features : sequence of int, optional
        Indices of deep features; by default those that the layer uses.
    n_perturbations : int
        At most so many for a text, itself included. The network is run once for each.
    seed : int
    fill : {"remove", "mask"}
        Take words out, or put the tokenizer's mask token in their place.
    ridge : float
        Strength of the ridge, as a share of the mean eigenvalue of the weighted and centred
        Gram matrix: weights are about this share too small.
    kernel_width : float
    folder : Path or str, optional
        Finished examples are kept here about every ten seconds, and when the call is
        interrupted. Another call goes on from there, and ends with the same values; a network
        or options that differ start afresh.
    on_event : callable, optional
        Progress in examples; ``event.data["evaluations"]`` counts runs of the network.
    batch_size : int, optional
        By default the backbone's own.

    Returns
    -------
    LimeExplanations

    Raises
    ------
    InputError
        An argument is wrong.
    BackboneError
        The network is not one of texts, or its features are not finite.

    References
    ----------
    Ribeiro, Singh, Guestrin, "Why Should I Trust You?", KDD 2016; Wong, Santurkar, Madry,
    Leveraging Sparse Linear Layers for Debuggable Deep Networks, ICML 2021.
    """
    if fill not in ("remove", "mask"):
        raise InputError(f"fill={fill!r}: it must be 'remove' or 'mask'.")
    _check(backbone, "text", examples)
    source = WordSource(backbone, mask_token(backbone) if fill == "mask" else None)
    options = Options(n_perturbations, seed, ridge, kernel_width)
    session = Session(
        backbone,
        layer,
        source,
        options,
        features=features,
        on_event=on_event,
        batch_size=batch_size,
    )
    return session.run(examples, folder)


def explain_images(
    backbone: Backbone,
    layer: DecisionLayer,
    examples: Sequence[tuple[str, Any]],
    *,
    features: Sequence[int] | IntArray | None = None,
    n_perturbations: int = 256,
    seed: int = 0,
    n_regions: int = 50,
    method: Literal["slic", "grid"] = "slic",
    fill: ImageFill = "grey",
    ridge: float = 1e-3,
    kernel_width: float = KERNEL_WIDTH,
    folder: Path | str | None = None,
    on_event: EventCallback | None = None,
    batch_size: int | None = None,
) -> LimeExplanations:
    """Weigh the regions of each picture for all features at once.

    As :func:`explain_texts`. A picture is prepared for the network once, and cut into
    regions as the network is shown it; regions are hidden in the prepared values.

    Parameters
    ----------
    backbone : Backbone
        Of images; gradients are not needed.
    layer, features, n_perturbations, seed, ridge, kernel_width, folder, on_event, batch_size
        As in :func:`explain_texts`.
    examples : sequence of (id, PIL.Image.Image)
    n_regions : int
        About how many regions a picture has.
    method : {"slic", "grid"}
        SLIC superpixels; where scikit-image is not installed, a grid and a warning.
    fill : {"grey", "mean", "blur"}
        A hidden region becomes middle grey; its own mean colour (lime's default, which
        hides texture and shape and leaves colour); or blurred (which leaves coarse shape).

    Returns
    -------
    LimeExplanations
    """
    if fill not in ("grey", "mean", "blur"):
        raise InputError(f"fill={fill!r}: it must be 'grey', 'mean' or 'blur'.")
    _check(backbone, "image", examples)
    chosen = _installed(method, on_event)
    source = RegionSource(backbone, n_regions, chosen, fill)
    options = Options(n_perturbations, seed, ridge, kernel_width)
    session = Session(
        backbone,
        layer,
        source,
        options,
        features=features,
        on_event=on_event,
        batch_size=batch_size,
    )
    return session.run(examples, folder)


def _check(backbone: Backbone, modality: Modality, examples: Sequence[tuple[str, Any]]) -> None:
    if backbone.modality != modality:
        raise BackboneError(
            f"{backbone.name} takes {backbone.modality}s: use explain_{backbone.modality}s."
        )
    twice = [one for one, count in Counter(one for one, _ in examples).items() if count > 1]
    if twice:
        raise InputError(f"examples: the id {twice[0]!r} is there more than once.")
    for one, example in examples:
        right = isinstance(example, str) if modality == "text" else hasattr(example, "convert")
        if not right:
            wanted = "str" if modality == "text" else "PIL.Image.Image"
            raise InputError(
                f"examples: {one!r} is a {type(example).__name__}; expected is a pair of an id and "
                f"a {wanted}."
            )


def _installed(
    method: Literal["slic", "grid"], on_event: EventCallback | None
) -> Literal["slic", "grid"]:
    if method == "slic" and importlib.util.find_spec("skimage") is None:
        message = (
            "scikit-image is not installed, so pictures are cut into a grid instead of "
            "superpixels: pip install 'clearhead[explain]'"
        )
        emit(on_event, Event(STEP, "warning", message))
        return "grid"
    return method
