"""What can be said of an example at sight: its words, its length, how bright a picture is.

These are columns in which slices are looked for, beside the metadata and the features.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd
from PIL import Image

from clearhead._types import FloatArray

__all__ = ["picture_traits", "text_traits", "vocabulary_of"]

WORDS = 200
RAREST, COMMONEST = 0.02, 0.5
_SIDE = 64
_WORD = re.compile(r"\w[\w'-]*")
_MARKS = {
    "link": re.compile(r"https?://|www\."),
    "digit": re.compile(r"\d"),
    "!": re.compile(r"!"),
    "?": re.compile(r"\?"),
    "@name": re.compile(r"@\w"),
    "#tag": re.compile(r"#\w"),
    "quotation": re.compile(r"[\"“”]"),
}


def vocabulary_of(texts: Sequence[str], most: int = WORDS) -> list[str]:
    """Find the words that between 2% and half of the texts have, the most frequent first."""
    counts = Counter(word for text in texts for word in set(_words(text)))
    low, high = RAREST * len(texts), COMMONEST * len(texts)
    known = [(-n, word) for word, n in counts.items() if low <= n <= high]
    return [word for _, word in sorted(known)[:most]]


def text_traits(texts: Sequence[str], vocabulary: Sequence[str]) -> pd.DataFrame:
    """Describe texts: length, kinds of marks, and which words of `vocabulary` they have.

    Returns
    -------
    DataFrame of n rows
        Numbers, and columns of ``"yes"`` and ``"no"``.
    """
    found = [set(_words(text)) for text in texts]
    columns: dict[str, object] = {
        "words": [len(text.split()) for text in texts],
        "capitals": [_capitals(text) for text in texts],
    }
    for name, mark in _MARKS.items():
        columns[f"has {name}"] = _yes([bool(mark.search(text)) for text in texts])
    for word in vocabulary:
        columns[f'has "{word}"'] = _yes([word in words for words in found])
    return pd.DataFrame(columns)


def picture_traits(pictures: Sequence[Image.Image]) -> pd.DataFrame:
    """Describe pictures: brightness, contrast, colour, sharpness and shape.

    Returns
    -------
    DataFrame of n rows of numbers
    """
    rows = [_of_picture(picture) for picture in pictures]
    return pd.DataFrame(
        rows, columns=["brightness", "contrast", "saturation", "warmth", "sharpness", "aspect"]
    )


def _of_picture(picture: Image.Image) -> tuple[float, ...]:
    small = picture.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
    rgb: FloatArray = np.asarray(small, dtype=np.float64) / 255
    grey = rgb.mean(axis=2)
    spread = rgb.max(axis=2) - rgb.min(axis=2)
    fine = np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean()
    return (
        float(grey.mean()),
        float(grey.std()),
        float(spread.mean()),
        float((rgb[..., 0] - rgb[..., 2]).mean()),
        float(fine / max(grey.std(), 1e-3)),
        picture.width / picture.height,
    )


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _capitals(text: str) -> float:
    letters = [letter for letter in text if letter.isalpha()]
    return sum(letter.isupper() for letter in letters) / max(len(letters), 1)


def _yes(values: Sequence[bool]) -> list[str]:
    return ["yes" if value else "no" for value in values]
