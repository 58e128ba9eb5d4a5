"""The examples of one feature: at both ends, and between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import pandas as pd

from clearhead._plot import new_axes

__all__ = ["FeatureBand", "FeatureExamples"]


@dataclass(frozen=True)
class FeatureBand:
    """A few examples of one quantile band of a feature.

    Parameters
    ----------
    quantiles : (float, float)
        Shares of the examples that lie below the band and below its end, in [0, 1].
    low, high : float
        Activations at its ends.
    examples : tuple of (id, activation)
        Highest first.
    """

    quantiles: tuple[float, float]
    low: float
    high: float
    examples: tuple[tuple[str, float], ...]

    @property
    def label(self) -> str:
        """The band as a person reads it, such as ``25–37.5%``."""
        low, high = (f"{100 * q:.4g}" for q in self.quantiles)
        return f"{low}–{high}%"

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Undo what :meth:`FeatureExamples.to_dict` made of it."""
        below, upto = value["quantiles"]
        return cls(
            quantiles=(float(below), float(upto)),
            low=float(value["low"]),
            high=float(value["high"]),
            examples=_pairs(value["examples"]),
        )


@dataclass(frozen=True)
class FeatureExamples:
    """The examples at both ends of one feature, those between, and how activations spread.

    Activations are standardised: 2.0 is two standard deviations of the training
    split above its mean.

    Parameters
    ----------
    feature : int
    highest, lowest : tuple of (id, activation)
        Most extreme first.
    edges : tuple of float, length B + 1
    counts : tuple of int, length B
        Examples in each bar of the histogram; of a uniform sample where there are many.
    bands : tuple of FeatureBand
        Ascending; none where an earlier version wrote it.
    """

    feature: int
    highest: tuple[tuple[str, float], ...]
    lowest: tuple[tuple[str, float], ...]
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    bands: tuple[FeatureBand, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One row an example at either end: end, id, activation."""
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
            highest=_pairs(value["highest"]),
            lowest=_pairs(value["lowest"]),
            edges=tuple(value["edges"]),
            counts=tuple(value["counts"]),
            bands=tuple(FeatureBand.from_dict(band) for band in value.get("bands", ())),
        )


def _pairs(value: Any) -> tuple[tuple[str, float], ...]:
    return tuple((str(key), float(activation)) for key, activation in value)
