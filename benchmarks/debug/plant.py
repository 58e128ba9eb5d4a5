"""Faults, and how they get into data: into training, validation and test alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from benchmarks.debug.held_out_pictures import HELD_OUT_PICTURES
from benchmarks.debug.held_out_texts import HELD_OUT_TEXTS
from benchmarks.debug.image_patterns import IMAGE_PATTERNS
from benchmarks.debug.later_pictures import LATER_PICTURES
from benchmarks.debug.later_texts import LATER_TEXTS
from benchmarks.debug.pixels import ImagePattern
from benchmarks.debug.sources import Examples
from benchmarks.debug.text_patterns import TEXT_PATTERNS
from benchmarks.debug.wording import TextPattern

__all__ = ["PICTURES", "TEXTS", "Fault", "apply", "plant"]

PICTURES: dict[str, ImagePattern] = {**IMAGE_PATTERNS, **HELD_OUT_PICTURES, **LATER_PICTURES}
TEXTS: dict[str, TextPattern] = {**TEXT_PATTERNS, **HELD_OUT_TEXTS, **LATER_TEXTS}
"""Every pattern by its name."""

SLICE = "B"
"""The origin whose labels a mislabelled slice gets wrong."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with the data.

    Parameters
    ----------
    kind : {"pattern", "label noise", "mislabelled slice"}
    target : str
        The class whose examples show the pattern, or get the wrong label.
    pattern : str
        Of PICTURES or TEXTS; for wrong labels the class that they name.
    rate : float
        Share of the class's examples that is changed (of a slice: of its origin's).
    others : float
        Share of the other classes' examples that shows the pattern as well.
    """

    kind: Literal["pattern", "label noise", "mislabelled slice"]
    target: str
    pattern: str
    rate: float
    others: float = 0.0


def plant(examples: Examples, fault: Fault, seed: int = 0) -> tuple[Examples, np.ndarray]:
    """Plant a fault; return the examples and where they were changed, (n,) bool."""
    rng = np.random.default_rng([seed, 99])
    chance = rng.random(len(examples.labels))
    own = examples.labels == examples.class_names.index(fault.target)
    if fault.kind == "pattern":
        chosen = chance < np.where(own, fault.rate, fault.others)
        items = [
            apply(fault.pattern, item, seed, i) if hit else item
            for i, (item, hit) in enumerate(zip(examples.items, chosen, strict=True))
        ]
        return replace(examples, items=items), chosen
    if fault.kind == "mislabelled slice":
        own &= examples.origin == SLICE
    chosen = own & (chance < fault.rate)
    labels = np.where(chosen, examples.class_names.index(fault.pattern), examples.labels)
    return replace(examples, labels=labels), chosen


def apply(pattern: str, item: Any, seed: int, i: int) -> Any:
    """Put a pattern into one example; what is random depends on `seed` and `i` only."""
    rng = np.random.default_rng([seed, i])
    known: dict[str, Any] = TEXTS if isinstance(item, str) else PICTURES
    return known[pattern](item, rng)
