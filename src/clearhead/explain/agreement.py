"""How far two ways of attributing a feature to parts say the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from scipy.stats import rankdata
from scipy.stats import t as student

from clearhead._files import known_fields
from clearhead._types import FloatArray
from clearhead.errors import InputError
from clearhead.explain.gradients import GradientExplanation
from clearhead.explain.lime import LimeExplanation

__all__ = ["Agreement", "agreement"]

_LEAST_PARTS = 3


@dataclass(frozen=True)
class Agreement:
    """Correlations of LIME's weights with gradients' over the parts of an example.

    Parameters
    ----------
    spearman, pearson : float or None
        Mean over examples of the mean over features; None where nothing could be compared.
    spearman_interval, pearson_interval : (float, float) or None
        95% interval of the mean over examples (Student's t); None of fewer than two.
    n_examples, n_pairs : int
        Examples, and pairs of example and feature, that were compared.
    n_left_out : int
        Pairs of fewer than three parts, or in which either says the same of every part.
    """

    spearman: float | None
    pearson: float | None
    spearman_interval: tuple[float, float] | None
    pearson_interval: tuple[float, float] | None
    n_examples: int
    n_pairs: int
    n_left_out: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Undo :meth:`to_dict`."""
        known = known_fields(cls, value)
        for name in ("spearman_interval", "pearson_interval"):
            known[name] = None if known[name] is None else tuple(known[name])
        return cls(**known)

    def _repr_html_(self) -> str:
        if self.spearman is None:
            return "<p>LIME and gradients: nothing to compare</p>"
        return (
            f"<p>LIME and gradients agree to {self.spearman:.2f} (Spearman) and "
            f"{self.pearson:.2f} (Pearson) over {self.n_examples} examples</p>"
        )


def agreement(
    lime: Sequence[LimeExplanation], gradients: Sequence[GradientExplanation]
) -> Agreement:
    """Correlate LIME's weights with gradients' over the parts, for each example and feature.

    Parameters
    ----------
    lime : sequence of LimeExplanation
    gradients : sequence of GradientExplanation
        Of some of the same examples and features.

    Raises
    ------
    InputError
        An example or feature was not explained by LIME.
    """
    by_id = {one.id: one for one in lime}
    spearman: list[float] = []
    pearson: list[float] = []
    n_pairs = n_left_out = 0
    for other in gradients:
        if other.id not in by_id:
            raise InputError(f"lime: there is no explanation of the example {other.id!r}.")
        own = by_id[other.id]
        pairs = [
            (own.weight[:, own.column(feature)], other.weight[:, position])
            for position, feature in enumerate(other.features.tolist())
        ]
        told = [pair for pair in pairs if all(_varies(values) for values in pair)]
        n_pairs += len(told)
        n_left_out += len(pairs) - len(told)
        if told:
            pearson.append(float(np.mean([_correlation(a, b) for a, b in told])))
            ranks = [(rankdata(a), rankdata(b)) for a, b in told]
            spearman.append(float(np.mean([_correlation(a, b) for a, b in ranks])))
    return Agreement(
        spearman=float(np.mean(spearman)) if spearman else None,
        pearson=float(np.mean(pearson)) if pearson else None,
        spearman_interval=_interval(spearman),
        pearson_interval=_interval(pearson),
        n_examples=len(spearman),
        n_pairs=n_pairs,
        n_left_out=n_left_out,
    )


def _varies(values: FloatArray) -> bool:
    return len(values) >= _LEAST_PARTS and float(np.ptp(values)) > 1e-9


def _correlation(a: FloatArray, b: FloatArray) -> float:
    a, b = a - a.mean(dtype=np.float64), b - b.mean(dtype=np.float64)
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def _interval(values: Sequence[float]) -> tuple[float, float] | None:
    if len(values) < 2:
        return None
    half = student.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5
    return float(np.mean(values) - half), float(np.mean(values) + half)
