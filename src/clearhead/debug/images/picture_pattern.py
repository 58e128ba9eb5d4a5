"""A pattern of pictures: how it is put in differs, how it is seen is learned."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from PIL import Image

from clearhead.debug.images.looks import Detector
from clearhead.debug.pattern import Pattern

__all__ = ["PicturePattern"]


@dataclass(frozen=True, eq=False, kw_only=True)
class PicturePattern(Pattern):
    """What the patterns of pictures share: their files, and a detector that sees them.

    Parameters
    ----------
    detector : Detector or None
        Tells whether a picture shows it; without one nothing does.
    """

    detector: Detector | None = None

    def insert(self, example: Any, seed: int) -> Image.Image | None:
        """Put it into a picture; None where that changes nothing."""
        return _if_changed(example, self.change(example, np.random.default_rng(seed)))

    def remove(self, example: Any, seed: int) -> Image.Image | None:
        """Take it out of a picture; None where it cannot be undone, or that changes nothing."""
        return _if_changed(example, self.undo(example))

    def undo(self, picture: Image.Image) -> Image.Image | None:
        """Give a copy as it was before :meth:`change`, as far as it can be; None where not."""
        return None

    @abstractmethod
    def change(self, picture: Image.Image, rng: np.random.Generator) -> Image.Image:
        """Give a changed copy."""

    def presence(self, example: Any) -> float:
        """Probability that it is there, by the detector."""
        return 0.0 if self.detector is None else self.detector.score(example)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; arrays go to :meth:`arrays`."""
        return {
            name: value
            for name, value in self._own().items()
            if not isinstance(value, np.ndarray | Detector | None)
        }

    def arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """Give the arrays that it consists of, and its detector's."""
        own = {n: value for n, value in self._own().items() if isinstance(value, np.ndarray)}
        return own | (self.detector.arrays() if self.detector else {})

    @classmethod
    def from_parts(
        cls, value: Mapping[str, Any], arrays: Mapping[str, np.ndarray[Any, Any]]
    ) -> Self:
        """Undo :meth:`to_dict` and :meth:`arrays`."""
        own = {name: one for name, one in arrays.items() if not name.startswith("detector_")}
        return cls(**value, **own, detector=Detector.from_arrays(arrays))

    def _own(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self)}


def _if_changed(picture: Image.Image, made: Image.Image | None) -> Image.Image | None:
    if made is None:
        return None
    same = made.size == picture.size and made.tobytes() == picture.convert("RGB").tobytes()
    return None if same else made
