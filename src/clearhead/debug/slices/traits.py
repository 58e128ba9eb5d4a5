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
from clearhead.debug.inputs import Inputs
from clearhead.debug.slices.measure import bin_metadata

__all__ = ["picture_traits", "text_traits", "traits_of", "vocabulary_of"]

MOST = 3000
"""Examples of a split that are looked at; of the others nothing is said."""
WORDS = 200
RAREST, COMMONEST = 0.02, 0.5
_SIDE = 64
_WORD = re.compile(r"\w[\w'-]*")
_MARKS = {
    "a link": re.compile(r"https?://|www\."),
    "a digit": re.compile(r"\d"),
    "“!”": re.compile(r"!"),
    "“?”": re.compile(r"\?"),
    "an @name": re.compile(r"@\w"),
    "a #tag": re.compile(r"#\w"),
    "quotation marks": re.compile(r"[\"“”]"),
}


def traits_of(inputs: Inputs) -> pd.DataFrame:
    """Describe the examples of every split, numbers in quartiles of the training split.

    Returns
    -------
    DataFrame
        One row for each row of the store, of bools and of names; missing where an example was
        not looked at.
    """
    rows = np.unique(
        np.concatenate([inputs.rows(split, most=MOST, salt=4) for split in inputs.store.splits])
    )
    examples = inputs.examples(rows)
    if inputs.modality == "text":
        train = inputs.examples(rows[inputs.split[rows] == "train"])
        found = text_traits(examples, vocabulary_of(train))
    else:
        found = picture_traits(examples)
    binned = bin_metadata(found, inputs.split[rows] == "train")
    binned.index = pd.Index(rows)
    return binned.reindex(range(inputs.store.n))


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
        Numbers and bools.
    """
    found = [set(_words(text)) for text in texts]
    columns: dict[str, object] = {
        "number of words": [len(text.split()) for text in texts],
        "share of capitals": [_capitals(text) for text in texts],
    }
    for name, mark in _MARKS.items():
        columns[f"the text has {name}"] = [bool(mark.search(text)) for text in texts]
    for word in vocabulary:
        columns[f"the text has “{word}”"] = [word in words for words in found]
    return pd.DataFrame(columns)


def picture_traits(pictures: Sequence[Image.Image]) -> pd.DataFrame:
    """Describe pictures: brightness, contrast, colour, sharpness and shape.

    Returns
    -------
    DataFrame of n rows of numbers
        Brightness, contrast and saturation from 0 to 1; warmth is red less blue; sharpness is
        fine detail relative to contrast, aspect is width over height.
    """
    rows = [_of_picture(picture) for picture in pictures]
    names = ["brightness", "contrast", "saturation", "warmth", "sharpness", "aspect"]
    return pd.DataFrame(rows, columns=[f"{name} of the picture" for name in names])


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
