"""Which classes and metadata values are over-represented where a feature fires?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy import stats

from clearhead._files import known_fields
from clearhead._types import BoolArray, FloatArray, IntArray, StrArray
from clearhead.errors import InputError
from clearhead.explain.detection import Detection, Direction, detect, firing
from clearhead.explain.names import FeatureName, score_of

__all__ = ["Enrichment", "detect_enrichment", "find_enrichment", "name_by_enrichment"]

MAX_P = 0.01
MAX_VALUES = 200  # a column with more is an identifier or a number, and names nothing
MOST = 3  # values that a name is made of
CLASS = "class"


@dataclass(frozen=True)
class Enrichment:
    """One value that is more frequent where a feature fires than elsewhere.

    Parameters
    ----------
    feature : int
    direction : {"high", "low"}
    column, value : str
    share, elsewhere : float
        Share of examples with the value where the feature fires, and where it does not.
    p_value : float
        Fisher's exact test, one-sided, times the number of values, features and directions
        tried (Bonferroni).
    """

    feature: int
    direction: Direction
    column: str
    value: str
    share: float
    elsewhere: float
    p_value: float

    @property
    def lift(self) -> float:
        """How many times as frequent; infinite for a value that is nowhere else."""
        return self.share / self.elsewhere if self.elsewhere else float("inf")

    @property
    def label(self) -> str:
        """The value as a name: a class by itself, metadata with its column."""
        return self.value if self.column == CLASS else f"{self.column} {self.value}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Undo :meth:`to_dict`."""
        return cls(**known_fields(cls, value))


def find_enrichment(
    features: Sequence[int] | IntArray, z: FloatArray, known: pd.DataFrame
) -> list[Enrichment]:
    """Find, for each feature and direction, up to three values of one column that tell it best.

    Of the values that are significantly over-represented where the feature fires (p ≤ .01,
    corrected), the column is chosen whose values together separate best: the difference of the
    shares with one of them, where the feature fires and elsewhere.

    Parameters
    ----------
    features : sequence of int, length u
    z : ndarray of shape (n, u)
        Standardised activations of training (and validation) examples.
    known : DataFrame of n rows
        Categorical columns; name the class ``"class"``. Columns of more than 200 values are left
        out, and so are missing values.

    Returns
    -------
    list of Enrichment
        By feature and direction, the value that separates best first.
    """
    if z.shape != (len(known), len(features)):
        raise InputError(
            f"z: expected shape ({len(known)}, {len(features)}), one row a row of `known` and one "
            f"column a feature, got {z.shape}."
        )
    values = _values(known)
    if not values or not len(z):
        return []
    has = np.stack([rows for _, _, rows in values], axis=1)
    held = has.sum(axis=0)
    found = []
    directions: tuple[Direction, ...] = ("high", "low")
    for direction in directions:
        fires = firing(z, z, direction)
        n_fires = fires.sum(axis=0)
        both = has.T.astype(np.float64) @ fires  # (M, u)
        share = both / np.maximum(n_fires, 1)
        elsewhere = (held[:, None] - both) / np.maximum(len(z) - n_fires, 1)
        p = stats.hypergeom.sf(both - 1, len(z), held[:, None], n_fires[None])
        p = np.minimum(p * both.size * len(directions), 1.0)
        gain = np.where((p <= MAX_P) & (share > elsewhere), share - elsewhere, 0.0)
        for c, feature in enumerate(features):
            found += [
                Enrichment(
                    int(feature),
                    direction,
                    *values[m][:2],
                    share=float(share[m, c]),
                    elsewhere=float(elsewhere[m, c]),
                    p_value=float(p[m, c]),
                )
                for m in _best_column(gain[:, c], [column for column, _, _ in values])
            ]
    order = {int(j): i for i, j in enumerate(features)}
    return sorted(found, key=lambda one: (order[one.feature], one.direction))


def detect_enrichment(
    enrichments: Sequence[Enrichment],
    features: Sequence[int] | IntArray,
    train: tuple[pd.DataFrame, FloatArray],
    test: tuple[pd.DataFrame, FloatArray],
) -> list[Detection]:
    """Predict that a feature fires exactly where an example has one of its enriched values.

    Parameters
    ----------
    enrichments : sequence of Enrichment
    features : sequence of int, length u
    train, test : (DataFrame of n rows, ndarray of shape (n, u))
        What is known of the examples, and their activations.

    Returns
    -------
    list of Detection
        Of those features and directions that are enriched in something.
    """
    position = {int(j): c for c, j in enumerate(features)}
    scores = []
    for known, z in (train, test):
        score = np.zeros(z.shape)
        for one in enrichments:
            sign = 1.0 if one.direction == "high" else -1.0
            score[_text(known[one.column]) == one.value, position[one.feature]] += sign
        scores.append(score)
    enriched = {(one.feature, one.direction) for one in enrichments}
    indices = np.asarray(features, dtype=np.int64)
    judged = detect(indices, scores[0], train[1], scores[1], test[1], explanation="name")
    return [one for one in judged if (one.feature, one.direction) in enriched]


def name_by_enrichment(
    enrichments: Sequence[Enrichment], detections: Sequence[Detection] = ()
) -> list[FeatureName]:
    """Call each feature by the values it is enriched in: ``"type poly / − type mono"``.

    Parameters
    ----------
    enrichments : sequence of Enrichment
    detections : sequence of Detection
        From :func:`detect_enrichment`.
    """
    sides: dict[int, dict[str, list[str]]] = {}
    for one in enrichments:
        sides.setdefault(one.feature, {}).setdefault(one.direction, []).append(one.label)
    found = []
    for feature, labels in sides.items():
        parts = [", ".join(labels.get("high", [])), ", ".join(labels.get("low", []))]
        name = " / ".join(mark + side for mark, side in zip(("", "− "), parts, strict=True) if side)
        found.append(FeatureName(feature, name, "enrichment", score_of(feature, detections)))
    return found


def _text(series: pd.Series[Any]) -> StrArray:
    """Values of a column as text, "" where missing."""
    values: StrArray = np.where(series.isna(), "", series.astype(str)).astype(object)
    return values


def _values(known: pd.DataFrame) -> list[tuple[str, str, BoolArray]]:
    """Column, value and the rows that have it, for every value of every column."""
    found = []
    for column in known.columns:
        text = _text(known[column])
        names = np.unique(text[text != ""])
        if len(names) <= MAX_VALUES:
            found += [(str(column), str(name), np.asarray(text == name)) for name in names]
    return found


def _best_column(gain: FloatArray, columns: Sequence[str]) -> list[int]:
    """Values, best first, of the column whose values separate best together."""
    best: list[int] = []
    for column in dict.fromkeys(columns):
        own = [m for m, name in enumerate(columns) if name == column and gain[m] > 0]
        own = sorted(own, key=lambda m: -gain[m])[:MOST]
        # The values of a column exclude one another, so what they gain adds up.
        if sum(gain[own]) > sum(gain[best]):
            best = own
    return best
