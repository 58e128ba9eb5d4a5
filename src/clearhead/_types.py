"""What an array is."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

__all__ = [
    "SPLITS",
    "BoolArray",
    "FloatArray",
    "IntArray",
    "Modality",
    "SplitName",
    "StrArray",
    "Targets",
]

FloatArray = npt.NDArray[np.floating[Any]]
IntArray = npt.NDArray[np.integer[Any]]
BoolArray = npt.NDArray[np.bool_]
StrArray = npt.NDArray[Any]
"""Array of ``str``, dtype object."""

Modality = Literal["text", "image"]
SplitName = Literal["train", "validation", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")

Targets = Literal["labels", "predictions"]
"""What a path is fitted to: the data's labels, or what the network itself predicts."""
