"""Are two examples the same to the eye? Texts by their words, pictures by their pixels."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import numpy as np
from PIL import Image

from clearhead._types import FloatArray

__all__ = ["same_picture", "same_text", "same_to_the_eye"]

SHARED_WORDS = 0.8
"""Of the words of both together; a repost with another link shares more, a paraphrase less."""
SIDE = 32
LARGEST_DIFFERENCE = 0.04
"""Mean difference of grey values from 0 to 1: another size or compression stays below it."""
LEAST_CORRELATION = 0.98
_WORD = re.compile(r"\w+")


def same_to_the_eye(first: Any, second: Any) -> bool:
    """Whether two texts, or two pictures, are one example up to copying."""
    if isinstance(first, str):
        return same_text(first, second)
    return same_picture(first, second)


def same_text(first: str, second: str) -> bool:
    """Whether two texts share four fifths of their words, counted as often as they occur."""
    a, b = (Counter(_WORD.findall(text.casefold())) for text in (first, second))
    if not a or not b:
        return first == second
    return (a & b).total() >= SHARED_WORDS * (a | b).total()


def same_picture(first: Image.Image, second: Image.Image) -> bool:
    """Whether two pictures look alike, small and grey: by difference and by correlation."""
    a, b = _small(first), _small(second)
    if np.abs(a - b).mean() > LARGEST_DIFFERENCE:
        return False
    spread = float(a.std()) * float(b.std())
    if spread == 0:
        return bool(a.std() == b.std())
    return float(((a - a.mean()) * (b - b.mean())).mean()) / spread >= LEAST_CORRELATION


def _small(picture: Image.Image) -> FloatArray:
    grey = picture.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(grey, dtype=np.float64) / 255
