"""How much of a layer's accuracy do its strongest features carry?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from clearhead._plot import new_axes
from clearhead._types import FloatArray, IntArray
from clearhead.errors import InputError
from clearhead.glm import Accuracy
from clearhead.layer.decision import DecisionLayer
from clearhead.layer.evaluate import right_rows
from clearhead.layer.shown import words_and_table

__all__ = ["Ablation", "AblationCurve", "ablate"]


@dataclass(frozen=True)
class Ablation:
    """Accuracy with all features, with the top k of each class, and with the rest."""

    k: int
    all: Accuracy
    top: Accuracy
    rest: Accuracy


@dataclass(frozen=True)
class AblationCurve:
    """What the top k features of each class carry, over k.

    Parameters
    ----------
    name : str
        Of the layer: ``"sparse"`` or ``"dense"``.
    rows : tuple of Ablation
        By k, ascending.
    """

    name: str
    rows: tuple[Ablation, ...]

    def at(self, k: int) -> Ablation:
        """Row of one k.

        Raises
        ------
        InputError
            It was not measured.
        """
        for row in self.rows:
            if row.k == k:
                return row
        raise InputError(
            f"k: the ablation was measured at {[row.k for row in self.rows]}, not at {k}. "
            "Analyze again with it among ks."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a k: accuracy with the top k features of each class, with the rest, with all."""
        rows = [(r.k, r.top.value, r.rest.value, r.all.value) for r in self.rows]
        return pd.DataFrame(rows, columns=["k", "top", "rest", "all"])

    def plot(self, ax: Any = None) -> Any:
        """Draw accuracy with the top k features, and with the rest, against k."""
        ax = new_axes() if ax is None else ax
        frame = self.to_frame()
        ax.plot(frame["k"], frame["top"], marker=".", label="top k")
        ax.plot(frame["k"], frame["rest"], marker=".", label="all but the top k")
        ax.axhline(frame["all"].iloc[0], color="0.6", lw=1, label="all")
        ax.set_xscale("log")
        ax.set_xlabel("k, features a class")
        ax.set_ylabel("accuracy")
        ax.set_title(f"{self.name} layer")
        ax.legend(frameon=False)
        return ax

    def describe(self) -> str:
        """Say in one sentence from which k on little is missing."""
        whole = self.rows[0].all.value
        near = [row for row in self.rows if row.top.value >= whole - _NEAR]
        if not near:
            last = self.rows[-1]
            return (
                f"{self.name} layer: {whole:.1%} with all features; its top {last.k} a class "
                f"reach {last.top.value:.1%}."
            )
        return (
            f"{self.name} layer: {whole:.1%} with all features; its top {near[0].k} a class "
            f"reach {near[0].top.value:.1%}, what is left without them {near[0].rest.value:.1%}."
        )

    def _repr_html_(self) -> str:
        return words_and_table([self.describe()], self.to_frame())

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"name": self.name, "rows": [asdict(row) for row in self.rows]}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Undo :meth:`to_dict`."""
        rows = [
            Ablation(int(r["k"]), *(Accuracy(**r[name]) for name in ("all", "top", "rest")))
            for r in value["rows"]
        ]
        return cls(str(value["name"]), tuple(rows))


_NEAR = 0.01
"""An accuracy less than this below the whole layer's is near it."""


def ablate(
    layer: DecisionLayer, features: FloatArray, labels: IntArray, ks: Sequence[int] = (1, 2, 5, 10)
) -> list[Ablation]:
    """Measure the top k features of each class by |weight|, and all but those.

    Parameters
    ----------
    layer : DecisionLayer
    features : ndarray of shape (n, p)
        Raw deep features.
    labels : ndarray of shape (n,), int
        For independent labels 0 or 1, shape (n, K); a row is right if all of them are.
    ks : sequence of int

    References
    ----------
    Wong, Santurkar, Madry (2021), table 1: k = 10 for vision, 5 for language.
    """

    def accuracy(changed: DecisionLayer) -> Accuracy:
        right = np.count_nonzero(right_rows(labels, changed.predict(features)))
        return Accuracy.of(int(right), len(labels))

    everything = accuracy(layer)
    return [
        Ablation(k, everything, accuracy(layer.keep_top(k)), accuracy(layer.drop_top(k)))
        for k in ks
    ]
