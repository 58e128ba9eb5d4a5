"""What may be a shortcut: a pattern, the class it goes with, and how it is linked to it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from clearhead._types import BoolArray
from clearhead.debug.pattern import Pattern

__all__ = ["Candidate", "shares_of"]


@dataclass(eq=False)
class Candidate:
    """A pattern that sets a class apart, before the network was asked.

    Parameters
    ----------
    pattern : Pattern
    controls : list of Pattern
        Put in instead of it, to compare with.
    target : int
    inside, outside : float
        Share of the training texts of the class, and of the others, that show it.
    z : float
        How sure that difference is, in standard errors.
    carriers : ndarray of bool
        Which texts of the corpus show it.
    link : float
        From 0 to 1: how well it tells the class from the others.
    driving : bool
        Whether it is known to drive a feature of the class: then it is tried though it is content.
    new : float
        Of a kind of words, `inside` less `outside` by words alone that it was not learned from.
    """

    pattern: Pattern
    controls: list[Pattern]
    target: int
    inside: float
    outside: float
    z: float
    carriers: BoolArray = field(repr=False)
    link: float = 0.0
    driving: bool = False
    new: float = 0.0

    def __post_init__(self) -> None:
        self.link = self.link or self.inside - self.outside


def shares_of(carriers: BoolArray, own: BoolArray) -> tuple[float, float, float]:
    """Share of the class and of the others that carry it, and the z score of the difference."""
    n, m = int(own.sum()), int((~own).sum())
    if not n or not m:
        return 0.0, 0.0, 0.0
    inside, outside = float(carriers[own].mean()), float(carriers[~own].mean())
    pooled = float(carriers.mean())
    spread = float(np.sqrt(max(pooled * (1 - pooled), 1e-12) * (1 / n + 1 / m)))
    return inside, outside, (inside - outside) / spread
