"""Which features say the same, so that the layer could as well have used another?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from clearhead._plot import new_axes
from clearhead._types import FloatArray
from clearhead.errors import InputError
from clearhead.layer.decision import DecisionLayer
from clearhead.layer.shown import words_and_table

__all__ = ["Duplicates", "Twin", "correlations", "find_duplicates"]

_BLOCK = 4096
_MOST = 10
"""Duplicates of one feature that are listed."""


@dataclass(frozen=True)
class Twin:
    """A feature in use, and another that moves with it on the training rows."""

    feature: int
    other: int
    correlation: float
    other_used: bool


@dataclass(frozen=True, eq=False)
class Duplicates:
    """What is correlated with the features in use, among all features.

    Parameters
    ----------
    threshold : float
        From this |correlation| on two features are duplicates.
    nearest : tuple of Twin
        For each feature in use the other that is most correlated with it.
    pairs : tuple of Twin
        Duplicates, most correlated first, at most ten of a feature; two features that are
        both in use are one pair.
    """

    threshold: float
    nearest: tuple[Twin, ...]
    pairs: tuple[Twin, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row for each feature in use: its nearest other."""
        rows = [asdict(twin) for twin in self.nearest]
        frame = pd.DataFrame(rows, columns=["feature", "other", "correlation", "other_used"])
        order = np.argsort(-frame["correlation"].abs().to_numpy(np.float64), kind="stable")
        return frame.iloc[order].reset_index(drop=True)

    def plot(self, ax: Any = None) -> Any:
        """Draw how correlated each feature in use is with its nearest other."""
        ax = new_axes() if ax is None else ax
        ax.hist([abs(twin.correlation) for twin in self.nearest], bins=20, range=(0, 1))
        ax.axvline(self.threshold, color="C3", lw=1)
        ax.set_xlabel("|correlation| with the nearest other feature")
        ax.set_ylabel("features in use")
        return ax

    def describe(self, k: int = 3) -> list[str]:
        """Say in words which features are duplicates, or how far all are from being any."""
        if not self.nearest:
            return ["The layer uses no features that could have duplicates."]
        if not self.pairs:
            most = max(self.nearest, key=lambda twin: abs(twin.correlation))
            return [
                f"No feature in use has a duplicate (|correlation| ≥ {self.threshold:g}); the "
                f"nearest are {most.feature} and {most.other} ({most.correlation:+.2f})."
            ]
        said = [
            f"{twin.feature} and {twin.other} ({twin.correlation:+.3f}"
            f"{', both in use' if twin.other_used else ''})"
            for twin in self.pairs[:k]
        ]
        n = len({twin.feature for twin in self.pairs})
        return [f"{n} features in use have duplicates, such as {'; '.join(said)}."]

    def _repr_html_(self) -> str:
        return words_and_table(self.describe(), self.to_frame())

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "threshold": self.threshold,
            "nearest": [asdict(twin) for twin in self.nearest],
            "pairs": [asdict(twin) for twin in self.pairs],
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Undo :meth:`to_dict`."""
        return cls(
            threshold=float(value["threshold"]),
            nearest=tuple(Twin(**item) for item in value["nearest"]),
            pairs=tuple(Twin(**item) for item in value["pairs"]),
        )


def find_duplicates(
    layer: DecisionLayer, features: FloatArray, *, threshold: float = 0.95
) -> Duplicates:
    """Find what is correlated with the features that `layer` uses.

    Parameters
    ----------
    layer : DecisionLayer
    features : ndarray of shape (n, p)
        Raw deep features of the training rows.
    threshold : float
        Least |correlation| of duplicates, in (0, 1].
    """
    if not 0 < threshold <= 1:
        raise InputError(f"threshold: expected a correlation in (0, 1], got {threshold!r}.")
    used = layer.used
    r = correlations(layer, features)
    r[np.arange(len(used)), used] = 0.0
    size, in_use = np.abs(r), set(used.tolist())

    def twin(row: int, other: int) -> Twin:
        value = float(np.clip(r[row, other], -1.0, 1.0))
        return Twin(int(used[row]), int(other), value, int(other) in in_use)

    nearest = tuple(twin(row, int(size[row].argmax())) for row in range(len(used)))
    pairs = []
    for row, feature in enumerate(used):
        found = np.flatnonzero(size[row] >= threshold - 1e-9)
        found = found[np.argsort(-size[row, found], kind="stable")][:_MOST]
        # Of two features in use the pair is listed once, by the lower.
        pairs += [twin(row, int(j)) for j in found if int(j) not in in_use or j > feature]
    pairs.sort(key=lambda pair: (-abs(pair.correlation), pair.feature, pair.other))
    return Duplicates(float(threshold), nearest, tuple(pairs))


def correlations(layer: DecisionLayer, features: FloatArray) -> FloatArray:
    """Correlation (u, p) of the features in use with all features, over the rows given.

    Computed block by block; 0 for features that are constant.
    """
    used, p = layer.used, layer.weight.shape[1]
    cross, total, squares = np.zeros((len(used), p)), np.zeros(p), np.zeros(p)
    for start in range(0, len(features), _BLOCK):
        # Standardised by the layer, sums of squares keep their digits.
        z = layer.standardize(features[start : start + _BLOCK])
        cross += z[:, used].T @ z
        total += z.sum(axis=0)
        squares += np.einsum("ij,ij->j", z, z)
    n = len(features)
    cross -= np.outer(total[used], total) / n
    variance = np.maximum(squares - total * total / n, 0.0)
    deviation = np.sqrt(np.where(variance > 1e-12 * n, variance, np.inf))
    return np.asarray(cross / np.outer(deviation[used], deviation))
