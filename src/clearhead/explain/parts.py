"""What an example is made of: the words of a text, the regions of a picture."""

from __future__ import annotations

import re
import sys
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np

from clearhead._types import IntArray
from clearhead.errors import InputError, MissingDependencyError

__all__ = ["Parts", "regions_of", "words_of"]

# Scripts that put no spaces between words: Thai, Lao, Tibetan, Myanmar, Khmer, kana, Bopomofo,
# Han and their compatibility forms. Korean has spaces.
_UNSPACED = (
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u312f"
    "\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
_PICTOGRAPHS = "\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001f1e5\U0001f200-\U0001faff"
_JOINERS = "\u200c\u200d\u00ad"  # stand inside words: zero width (non-)joiner, soft hyphen


@dataclass(frozen=True, eq=False)
class Parts:
    """The parts of one example that an explanation weighs; ``len()`` is m, their number.

    Parameters
    ----------
    kind : {"words", "regions"}
    words : tuple of str
        As they stand in the text; empty for pictures.
    spans : ndarray of shape (m, 2), int, or None
        First character of each word in the text, and the one after its last.
    segments : ndarray of shape (H, W), int, or None
        Number of the region, 0 … m − 1, that each pixel belongs to, at the size that the
        network is shown.
    picture : ndarray of shape (H, W, 3), uint8, or None
        What the network is shown.
    """

    kind: Literal["words", "regions"]
    words: tuple[str, ...] = ()
    spans: IntArray | None = None
    segments: IntArray | None = None
    picture: Any = None

    def __len__(self) -> int:
        if self.segments is None:
            return len(self.words)
        return int(self.segments.max()) + 1 if self.segments.size else 0

    @property
    def gaps(self) -> tuple[str, ...]:
        """As many spaces as there is white space between each word and the next; "" at the end."""
        if self.spans is None:
            return ()
        ends = [*self.spans[1:, 0].tolist(), self.spans[-1, 1]] if len(self.words) else []
        return tuple(" " * int(end - own) for end, own in zip(ends, self.spans[:, 1], strict=True))


def words_of(text: str) -> Parts:
    """Split a text into words, punctuation and links; all but white space is part of one.

    A word is a run of letters, digits and marks with the apostrophes and hyphens inside it
    (``doesn't``, ``well-made``), a number with its separators (``9/10``), a link, or a name
    with ``@`` or ``#``. A run of punctuation is a part of its own, so that a shortcut such
    as ``!!!`` can be found. Chinese, Japanese, Thai, Lao, Tibetan, Burmese and Khmer have no
    spaces between words: each character is a part, with its combining marks. An emoji is one
    part however many code points it has.

    Parameters
    ----------
    text : str

    Returns
    -------
    Parts
        Of kind ``"words"``.
    """
    found = list(_pattern().finditer(text))
    spans = np.array([one.span() for one in found], dtype=np.int64).reshape(-1, 2)
    return Parts("words", words=tuple(one.group() for one in found), spans=spans)


@cache
def _pattern() -> re.Pattern[str]:
    marks = _marks()
    letter = f"(?:[^\\W{_UNSPACED}]|[{marks}{_JOINERS}])"
    modifier = "[\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]"
    emoji = f"[{_PICTOGRAPHS}]{modifier}*"
    alternatives = (
        r"(?:https?://|www\.)[^\s<>\"]*[^\s<>\"'.,!?;:)\]]",
        r"[0-9#*]\ufe0f?\u20e3",  # keycaps
        "[\U0001f1e6-\U0001f1ff]{2}",  # flags
        f"{emoji}(?:\u200d{emoji})*",
        f"[{_UNSPACED}][{marks}{_JOINERS}]*",
        r"\d+(?:[.,:/]\d+)+",
        r"['’](?:s|re|ve|ll|d|m|t)\b",  # a tokenised text writes "it 's"
        f"[@#]{letter}+",
        f"{letter}+(?:['’\\-‐‑]{letter}+)*",
        # punctuation: what none of the above may begin with
        f"(?:(?!(?:https?://|www\\.))[^\\w\\s{marks}{_PICTOGRAPHS}\U0001f1e6-\U0001f1ff])+",
        r"\S",
    )
    return re.compile("|".join(alternatives), re.IGNORECASE)


def _marks() -> str:
    """Return the combining marks as a character class; to ``re`` they are no letters."""
    ranges: list[list[int]] = []
    for code in (*range(0x300, 0x20000), *range(0xE0100, min(0xE01F0, sys.maxunicode))):
        if unicodedata.category(chr(code)) not in ("Mn", "Mc", "Me"):
            continue
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


def regions_of(image: Any, n_regions: int = 50, method: Literal["slic", "grid"] = "slic") -> Parts:
    """Split a picture into about `n_regions` connected regions.

    Parameters
    ----------
    image : ndarray of shape (H, W), (H, W, 1) or (H, W, 3), or PIL.Image.Image
        Values 0…255, or 0…1 where they are floating point.
    n_regions : int
        About how many; a picture of fewer pixels or of one colour has fewer.
    method : {"slic", "grid"}
        SLIC superpixels follow edges and need scikit-image; a grid cuts rectangles. A
        picture of one colour has no edges and is cut by the grid.

    Returns
    -------
    Parts
        Of kind ``"regions"``, with the picture.

    Raises
    ------
    InputError
        It is no picture.
    MissingDependencyError
        ``method="slic"`` and scikit-image is not installed.

    References
    ----------
    Achanta et al., SLIC Superpixels Compared to State-of-the-Art Superpixel Methods, IEEE
    TPAMI 34 (2012).
    """
    if n_regions < 1:
        raise InputError(f"n_regions={n_regions}: expected at least 1 region.")
    if method not in ("slic", "grid"):
        raise InputError(f"method={method!r}: it must be 'slic' or 'grid'.")
    pixels = _pixels(image)
    segments = None
    if method == "slic":
        segments = _slic(pixels, n_regions)
    if segments is None:
        segments = _grid(pixels.shape[0], pixels.shape[1], n_regions)
    return Parts("regions", segments=segments, picture=pixels)


def _pixels(image: Any) -> Any:
    """The picture as (H, W, 3) uint8."""
    if hasattr(image, "convert"):
        image = image.convert("RGB")
    values = np.asarray(image)
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    if values.ndim == 2:
        values = np.repeat(values[:, :, None], 3, axis=2)
    if values.ndim != 3 or values.shape[2] != 3 or 0 in values.shape:
        raise InputError(
            f"A picture is an array (height, width) or (height, width, 3); got shape "
            f"{np.asarray(image).shape}."
        )
    if np.issubdtype(values.dtype, np.floating):
        values = values * 255
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _slic(pixels: Any, n_regions: int) -> IntArray | None:
    """Superpixels numbered from 0 in reading order; None where there is nothing to follow."""
    try:
        from skimage.segmentation import slic
    except ImportError as error:
        raise MissingDependencyError(
            f"SLIC superpixels need scikit-image ({error}). Install it with "
            "pip install 'clearhead[explain]', or take method='grid'."
        ) from error
    if (pixels == pixels[0, 0]).all() or min(pixels.shape[:2]) < 2:
        return None
    found = slic(pixels, n_segments=n_regions, compactness=10, start_label=0, channel_axis=2)
    _, first, inverse = np.unique(found, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    numbered: IntArray = rank[inverse].reshape(found.shape)
    return numbered


def _grid(height: int, width: int, n_regions: int) -> IntArray:
    """Rectangles as square as they can be, rows × columns ≈ n_regions."""
    rows = min(height, max(1, round((n_regions * height / width) ** 0.5)))
    columns = min(width, max(1, round(n_regions / rows)))
    row = np.arange(height) * rows // height
    column = np.arange(width) * columns // width
    cells: IntArray = (row[:, None] * columns + column[None, :]).astype(np.int64)
    return cells
