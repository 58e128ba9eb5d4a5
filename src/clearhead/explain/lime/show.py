"""How the weights of words and regions are shown to a person."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from PIL import Image

from clearhead._types import FloatArray
from clearhead.explain.parts import Parts

__all__ = ["bars", "coloured_words", "overlay", "picture_html"]

# Blue raises the feature, red lowers it; told apart by those who do not see red from green.
_RAISES = (31, 119, 180)
_LOWERS = (214, 39, 40)


def bars(ax: Any, words: Sequence[str], weight: FloatArray, std_error: FloatArray, k: int) -> None:
    """Draw the `k` words of largest |weight| as bars with their standard errors."""
    chosen = np.argsort(-np.abs(weight), kind="stable")[:k][::-1]
    rows = np.arange(len(chosen))
    colours = [_unit(_RAISES if weight[i] > 0 else _LOWERS) for i in chosen]
    errors = np.where(np.isfinite(std_error[chosen]), std_error[chosen], 0.0)
    ax.barh(rows, weight[chosen], xerr=errors, color=colours, ecolor="0.5")
    # A "$" in a text starts no mathematics.
    ax.set_yticks(rows, [words[i] for i in chosen], parse_math=False)
    ax.set_xlabel("weight (standard deviations of the feature)")


def coloured_words(parts: Parts, weight: FloatArray) -> str:
    """Put the text into one ``<span>``, each word on a background as strong as its weight."""
    strength = _strength(weight)
    shown = []
    for word, gap, value, exact in zip(parts.words, parts.gaps, strength, weight, strict=True):
        red, green, blue = _RAISES if value > 0 else _LOWERS
        shown.append(
            f'<span title="{exact:+.3f}" style="background:rgba({red},{green},{blue},'
            f'{abs(value):.2f})">{escape(word)}</span>{" " * bool(gap)}'
        )
    # The text's own direction, so that Arabic and Hebrew read from right to left.
    return f'<span dir="auto">{"".join(shown)}</span>'


def overlay(parts: Parts, weight: FloatArray) -> Image.Image:
    """Paint each region over the picture, as strongly as its weight."""
    assert parts.segments is not None
    strength = _strength(weight)[parts.segments]
    background = parts.picture
    if background is None:
        background = np.full((*parts.segments.shape, 3), 255, dtype=np.uint8)
    colour = np.where(strength[:, :, None] > 0, _RAISES, _LOWERS)
    share = 0.7 * np.abs(strength)[:, :, None]
    return Image.fromarray(np.rint((1 - share) * background + share * colour).astype(np.uint8))


def picture_html(picture: Image.Image) -> str:
    """Put the picture into an ``<img>`` element that needs no file."""
    file = io.BytesIO()
    picture.save(file, "png")
    data = base64.b64encode(file.getvalue()).decode("ascii")
    return f'<img alt="regions by weight" src="data:image/png;base64,{data}">'


def _strength(weight: FloatArray) -> FloatArray:
    """Weights as shares of the largest |weight|, −1 … 1."""
    most = np.abs(weight).max(initial=0.0)
    return weight / most if most > 0 else np.zeros_like(weight)


def _unit(colour: tuple[int, int, int]) -> tuple[float, ...]:
    return tuple(value / 255 for value in colour)
