"""Which examples make a feature fire most, and least?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from clearhead._plot import new_axes
from clearhead._types import FloatArray, IntArray, StrArray
from clearhead.errors import InputError
from clearhead.layer import DecisionLayer

__all__ = ["FeatureExamples", "find_examples"]

N_BANDS = 24


@dataclass(frozen=True)
class FeatureExamples:
    """The examples at both ends of one feature, and how its activations spread.

    Activations are standardised: 2.0 is two standard deviations of the training
    split above its mean.

    Parameters
    ----------
    feature : int
    highest, lowest : tuple of (id, activation)
        Most extreme first.
    edges : tuple of float, length B + 1
    counts : tuple of int, length B
        Examples in each band of the histogram.
    """

    feature: int
    highest: tuple[tuple[str, float], ...]
    lowest: tuple[tuple[str, float], ...]
    edges: tuple[float, ...]
    counts: tuple[int, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row an example: end, id, activation."""
        rows = [("highest", *pair) for pair in self.highest]
        rows += [("lowest", *pair) for pair in self.lowest]
        return pd.DataFrame(rows, columns=["end", "id", "activation"])

    def plot(self, ax: Any = None) -> Any:
        """Draw the histogram of activations; return the Axes."""
        ax = new_axes() if ax is None else ax
        ax.stairs(self.counts, self.edges, fill=True)
        ax.set_xlabel(f"feature {self.feature}, standard deviations from its mean")
        ax.set_ylabel("examples")
        return ax

    def _repr_html_(self) -> str:
        table = self.to_frame().to_html(index=False, float_format="{:+.2f}".format)
        return f"<p>Feature {self.feature}</p>{table}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Undo :meth:`to_dict`."""
        return cls(
            feature=int(value["feature"]),
            highest=tuple((str(i), float(a)) for i, a in value["highest"]),
            lowest=tuple((str(i), float(a)) for i, a in value["lowest"]),
            edges=tuple(value["edges"]),
            counts=tuple(value["counts"]),
        )


def find_examples(
    layer: DecisionLayer,
    features: FloatArray,
    ids: StrArray,
    *,
    chosen: Sequence[int] | IntArray | None = None,
    k: int = 8,
) -> list[FeatureExamples]:
    """Find the k most and least activating examples of each feature.

    Parameters
    ----------
    layer : DecisionLayer
        Gives the standardisation.
    features : ndarray of shape (n, p)
        Raw deep features.
    ids : ndarray of shape (n,), str
    chosen : sequence of int, optional
        Feature indices; by default the features that the layer uses.
    k : int

    Returns
    -------
    list of FeatureExamples
        In the order of `chosen`.
    """
    if k < 1:
        raise InputError(f"k: expected at least 1 example, got {k}.")
    columns = layer.used if chosen is None else np.asarray(chosen, dtype=np.int64)
    found = []
    for column in columns:
        z = layer.standardize(features, np.array([column]))[:, 0]
        # A stable order makes ties, and so the report, the same every time.
        order = np.argsort(z, kind="stable")
        counts, edges = np.histogram(z, bins=N_BANDS)
        found.append(
            FeatureExamples(
                feature=int(column),
                highest=tuple((str(ids[i]), float(z[i])) for i in order[::-1][:k]),
                lowest=tuple((str(ids[i]), float(z[i])) for i in order[:k]),
                edges=tuple(float(e) for e in edges),
                counts=tuple(int(c) for c in counts),
            )
        )
    return found
