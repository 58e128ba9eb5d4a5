"""A way to write a whole text, as a pattern."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from clearhead._types import FloatArray
from clearhead.debug.pattern import Pattern
from clearhead.debug.texts.learned import amount_of
from clearhead.debug.texts.styles import STYLES, Rewrite
from clearhead.debug.texts.tokens import SEEN

__all__ = ["Style"]


class Style(Pattern):
    """A way to write a whole text.

    Parameters
    ----------
    name : str
        One of :data:`STYLES`.
    level : float
        From which amount a text counts as written so.
    weights : ndarray, optional
        What was learned of it, where no simple number measures it.
    """

    kind = "style"

    def __init__(self, name: str, level: float, weights: FloatArray | None = None) -> None:
        self.name, self.level, self.rule = name, float(level), STYLES[name]
        self.weights = weights

    def describe(self) -> str:
        """Say what it is."""
        return self.rule.name

    def presence(self, example: str) -> float:
        """1 where the amount reaches the level, else 0."""
        return float(self.amounts([example])[0] >= self.level)

    def amounts(self, texts: Sequence[str]) -> FloatArray:
        """How much of it each text shows, (n,)."""
        if self.weights is not None:
            return amount_of(texts, self.weights)
        measure = self.rule.amount
        if measure is None:
            raise ValueError(f"{self.name}: nothing measures it; pass the weights learned")
        return np.array([measure(text[:SEEN]) for text in texts])

    def insert(self, example: str, seed: int) -> str | None:
        """Write the text so."""
        return self._changed(self.rule.impose, example, seed)

    def remove(self, example: str, seed: int) -> str | None:
        """Undo it, where that can be done."""
        if self.rule.undo is None or not self.has(example):
            return None
        return self._changed(self.rule.undo, example, seed)

    def _changed(self, how: Rewrite, example: str, seed: int) -> str | None:
        changed = how(example, np.random.default_rng(seed))
        return changed if changed != example and changed.strip() else None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"name": self.name, "level": self.level}

    def arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """Give what was learned."""
        return {} if self.weights is None else {"weights": self.weights}

    @classmethod
    def from_parts(
        cls, value: Mapping[str, Any], arrays: Mapping[str, np.ndarray[Any, Any]]
    ) -> Self:
        """Undo :meth:`to_dict`."""
        return cls(value["name"], float(value["level"]), arrays.get("weights"))
