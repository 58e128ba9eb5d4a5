"""Something that may be in an example, and can be put into others: a word, a border, a blur."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from clearhead._files import load_arrays, read_json, save_arrays, write_json
from clearhead._types import FloatArray
from clearhead.errors import CorruptFileError

__all__ = ["Pattern", "load_pattern", "save_pattern"]

SHIFT = "shift of the features"

_KINDS: dict[str, type[Pattern]] = {}


class Pattern(ABC):
    """A candidate for what a model wrongly relies on.

    Each concrete pattern sets :attr:`kind`, under which its files find it again.
    """

    kind: ClassVar[str] = ""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.kind:
            _KINDS[cls.kind] = cls

    @abstractmethod
    def describe(self) -> str:
        """Say what it is, to stand in a sentence: ``the words "to be honest"``."""

    @abstractmethod
    def insert(self, example: Any, seed: int) -> Any | None:
        """Put it into an example; None where that cannot be done, or changes nothing.

        The example is not changed. What is random depends on `seed` only.
        """

    def remove(self, example: Any, seed: int) -> Any | None:
        """Take it out of an example; None where it is not there, or cannot be taken out."""
        return None

    @abstractmethod
    def presence(self, example: Any) -> float:
        """How much of it an example shows: :attr:`threshold` and more counts as there."""

    threshold: float = 0.5

    def has(self, example: Any) -> bool:
        """Whether it is there."""
        return self.presence(example) >= self.threshold

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; arrays go to :meth:`arrays`."""

    def arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """Give the arrays that it consists of, such as a picture."""
        return {}

    @classmethod
    @abstractmethod
    def from_parts(
        cls, value: Mapping[str, Any], arrays: Mapping[str, np.ndarray[Any, Any]]
    ) -> Self:
        """Undo :meth:`to_dict` and :meth:`arrays`."""


def save_pattern(folder: Path, key: str, pattern: Pattern, shift: FloatArray) -> None:
    """Write a pattern, and the mean change (p,) of features it makes, under the name `key`."""
    digest = save_arrays(folder / f"{key}.safetensors", {**pattern.arrays(), SHIFT: shift})
    value = {"kind": pattern.kind, "pattern": pattern.to_dict(), "arrays": digest}
    write_json(folder / f"{key}.json", value)


def load_pattern(folder: Path, key: str) -> tuple[Pattern, FloatArray]:
    """Read what :func:`save_pattern` wrote: the pattern, and its mean change of features.

    Raises
    ------
    CorruptFileError
        It is missing, damaged, or of a kind that this version does not know.
    """
    path = folder / f"{key}.json"
    try:
        value = read_json(path)
        arrays = load_arrays(folder / f"{key}.safetensors", value["arrays"])
        shift = arrays.pop(SHIFT)
        return _KINDS[value["kind"]].from_parts(value["pattern"], arrays), shift
    except (KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        raise CorruptFileError(
            f"{path} is missing or damaged ({error!r}). Find the patterns again: "
            "clearhead debug RUN --force."
        ) from error
