"""On which features and at which strengths glm_saga solved, in our terms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from clearhead._types import FloatArray
from clearhead.errors import InputError
from clearhead.glm.problem import Problem
from clearhead.glm.rows import Rows, to_array
from clearhead.glm.saga.files import SagaPoint
from clearhead.glm.standardize import Standardization, standardization

__all__ = ["NormalizedRows", "normalization", "strengths"]


def normalization(problem: Problem, normalize: bool | tuple[Any, Any]) -> Standardization:
    """Centre and scale as glm_saga took them."""
    rows = problem.splits["train"].rows
    n, p = rows.shape
    if isinstance(normalize, bool):
        # NormalizedRepresentation knows no weights.
        own = standardization(rows, np.ones(n), standardize=normalize)
        center, scale = own.center, own.scale * np.sqrt(n / (n - 1)) if normalize else own.scale
        return Standardization(center, scale, own.dead, own.digest)
    if not isinstance(normalize, (tuple, list)) or len(normalize) != 2:
        raise InputError(f"normalize must be True, False or a pair (mean, std); got {normalize!r}.")
    own = standardization(rows, np.ones(n), standardize=False)
    center, scale = (
        np.asarray(to_array(part, f"the {name} of normalize"), np.float64).ravel()
        for part, name in zip(normalize, ("mean", "std"), strict=True)
    )
    if len(center) != p or len(scale) != p or not (np.isfinite(center).all() and (scale > 0).all()):
        raise InputError(
            f"normalize must hold {p} means and {p} positive deviations, one a feature; got "
            f"{len(center)} and {len(scale)}."
        )
    return Standardization(center, scale, own.dead, own.digest)


def strengths(
    read: list[SagaPoint], problem: Problem, sample_weight: Any, n_ex: int | None
) -> FloatArray:
    """Give the lambdas of our objective: a mean over rows, with weights of mean 1."""
    n = problem.splits["train"].rows.shape[0]
    share = 1.0
    if n_ex is not None:
        if n_ex < n:
            raise InputError(f"n_ex is {n_ex}, but X has {n} rows; it must be at least that.")
        share = n_ex / n
    if sample_weight is not None:
        share /= float(np.mean(to_array(sample_weight, "sample_weight")))
    return np.array([point.lam for point in read]) * share


class NormalizedRows:
    """Rows as glm_saga saw them: features that are constant come as zeros."""

    def __init__(self, rows: Rows, how: Standardization) -> None:
        self._rows, self._how = rows, how

    @property
    def shape(self) -> tuple[int, int]:
        """(n, p)."""
        return self._rows.shape

    def blocks(self) -> Iterator[FloatArray]:
        """Blocks of normalised features, float64."""
        for block in self._rows.blocks():
            values = self._how.apply(block, np.arange(block.shape[1]))
            values[:, self._how.dead] = 0.0
            yield values
