"""Which change of one picture flips its prediction: the smallest of each kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from PIL import Image

from clearhead._types import FloatArray
from clearhead.debug.change import log_odds
from clearhead.debug.images.families import FAMILIES, FamilyPattern
from clearhead.debug.images.pixels import canonical, to_array, to_picture
from clearhead.debug.inputs import Inputs
from clearhead.debug.pattern import Pattern
from clearhead.errors import InputError

__all__ = ["ImageCounterfactuals", "ImageFlip", "flip_picture"]

GRID = 4
SIDE = 64
"""Pictures are compared at this size: how large a change is must not depend on their own."""


@dataclass(frozen=True)
class ImageFlip:
    """One change that flips the prediction.

    Parameters
    ----------
    change : str
        In words.
    strength : float
        That of the family, or the share of the picture that was removed.
    size : float
        Mean absolute change of the pixels, 0 to 1.
    becomes : str
        The class that is predicted then.
    probability : float
        Of the first prediction, after the change.
    """

    change: str
    strength: float
    size: float
    becomes: str
    probability: float


@dataclass(frozen=True)
class ImageCounterfactuals:
    """What flips the prediction of one picture.

    Parameters
    ----------
    predicted : str
    probability : float
    flips : tuple of ImageFlip
        The weakest of each kind that flips it, smallest first.
    tried : int
        Changed pictures that were run.
    """

    predicted: str
    probability: float
    flips: tuple[ImageFlip, ...]
    tried: int

    @property
    def smallest(self) -> ImageFlip | None:
        """The change of the fewest and least pixels; None where nothing flips it."""
        return self.flips[0] if self.flips else None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        head = f"{self.predicted} ({100 * self.probability:.0f}%)"
        if not self.flips:
            return f"{head}: none of {self.tried} changes flips it"
        first = self.flips[0]
        return (
            f"{head}: becomes {first.becomes} with {first.change} "
            f"(pixels change by {100 * first.size:.1f}%); {len(self.flips)} kinds flip it"
        )

    def _repr_html_(self) -> str:
        from html import escape

        rows = "".join(
            f"<tr><td>{escape(f.change)}</td><td>{f.strength:g}</td><td>{100 * f.size:.1f}%</td>"
            f"<td>{escape(f.becomes)}</td><td>{100 * f.probability:.0f}%</td></tr>"
            for f in self.flips
        )
        return (
            f"<p>{escape(str(self))}</p><table><tr><th>change</th><th>strength</th>"
            f"<th>pixels</th><th>becomes</th><th>{escape(self.predicted)} after</th></tr>"
            f"{rows}</table>"
        )


@dataclass(frozen=True)
class _Changed:
    kind: str
    change: str
    strength: float
    picture: Image.Image


def flip_picture(
    inputs: Inputs, picture: Image.Image, *, patterns: Sequence[Pattern] = ()
) -> ImageCounterfactuals:
    """Find the weakest change of each kind that flips the prediction of a picture.

    Tried are :data:`FAMILIES` at growing strength, `patterns` (such as shortcuts that were
    found), and the removal of regions, those first without which its score falls most.

    Raises
    ------
    InputError
        It is no picture.
    """
    if not isinstance(picture, Image.Image):
        raise InputError(f"picture: expected a PIL image, got {type(picture).__name__}.")
    if inputs.layer.multilabel:
        raise InputError("inputs: expected a layer of which one class is true, not several.")
    picture = picture.convert("RGB")
    scores = inputs.layer.logits(inputs.features([picture]))
    predicted = int(scores[0].argmax())
    tried = [*_families(inputs.seed, picture), *_patterns(inputs.seed, picture, patterns)]
    tried += _removals(inputs, picture, predicted)
    after = inputs.layer.logits(inputs.features([one.picture for one in tried]))
    probabilities = inputs.layer.probabilities_of(after)[:, predicted]
    found: dict[str, ImageFlip] = {}
    original = canonical(picture, SIDE)
    for one, row, left in zip(tried, after, probabilities, strict=True):
        if int(row.argmax()) == predicted or one.kind in found:
            continue  # strengths of a kind come in growing order
        size = float(np.abs(canonical(one.picture, SIDE) - original).mean()) / 255
        name = inputs.class_names[int(row.argmax())]
        found[one.kind] = ImageFlip(one.change, one.strength, size, name, float(left))
    return ImageCounterfactuals(
        inputs.class_names[predicted],
        float(inputs.layer.probabilities_of(scores)[0, predicted]),
        tuple(sorted(found.values(), key=lambda flip: flip.size)),
        len(tried) + GRID**2,
    )


def _families(seed: int, picture: Image.Image) -> list[_Changed]:
    found = []
    for name, family in FAMILIES.items():
        for strength in family.strengths:
            made = FamilyPattern(name, strength).insert(picture, seed)
            if made is not None:
                found.append(_Changed(name, family.words, strength, made))
    return found


def _patterns(seed: int, picture: Image.Image, patterns: Sequence[Pattern]) -> list[_Changed]:
    made = [(pattern.describe(), pattern.insert(picture, seed)) for pattern in patterns]
    return [_Changed(f"pattern {w}", w, 1.0, one) for w, one in made if one is not None]


def _removals(inputs: Inputs, picture: Image.Image, predicted: int) -> list[_Changed]:
    """Remove one, two, … cells of a grid, in the order of what each is worth by itself."""
    pixels = to_array(picture)
    cells = list(np.ndindex(GRID, GRID))
    alone = [to_picture(_without(pixels, [cell])) for cell in cells]
    worth = log_odds(inputs.layer.logits(inputs.features(alone)), predicted)
    order = [cells[i] for i in np.argsort(worth, kind="stable")]
    share = 1 / len(cells)
    return [
        _Changed(
            "removal",
            f"the removal of {m} of {len(cells)} regions",
            m * share,
            to_picture(_without(pixels, order[:m])),
        )
        for m in range(1, len(cells))
    ]


def _without(pixels: FloatArray, cells: Sequence[tuple[int, ...]]) -> FloatArray:
    """Paint cells with the mean colour of the picture."""
    made = pixels.copy()
    height, width = pixels.shape[:2]
    for row, column in cells:
        top, bottom = row * height // GRID, (row + 1) * height // GRID
        left, right = column * width // GRID, (column + 1) * width // GRID
        made[top:bottom, left:right] = pixels.mean(axis=(0, 1))
    return made
