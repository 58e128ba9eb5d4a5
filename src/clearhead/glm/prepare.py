"""From a checked problem to one that can be solved: features standardised, the null model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clearhead._types import FloatArray, IntArray
from clearhead.errors import DataError, InputError
from clearhead.glm.curvature_rows import CurvatureRows
from clearhead.glm.device.tensor import DeviceRows
from clearhead.glm.families import Target, family_of
from clearhead.glm.feature_rows import ResidentRows, StreamedRows
from clearhead.glm.objective import Objective
from clearhead.glm.penalty import Penalty, penalty_of
from clearhead.glm.point import Point, look
from clearhead.glm.problem import Problem
from clearhead.glm.reductions import Reductions
from clearhead.glm.row_sums import RowSums
from clearhead.glm.rows import Rows
from clearhead.glm.standardize import Standardization, standardization, standardized_columns

if TYPE_CHECKING:
    from clearhead.glm.device.row_sums import DeviceRowSums

__all__ = ["Prepared", "prepare"]

_RESIDENT_BYTES = 512 * 2**20
"""Standardised features of up to this size, in float64, are held in memory; larger ones are
streamed from where they are."""
_SAMPLE_SHARE = 0.06
_LEAST_SAMPLE = 48 * 2**20
"""Of streamed features this share is held in float32 for second derivatives, but no fewer bytes
than this."""
_SEPARATED = 1e-8
"""A null model of so small a loss has no minimiser: its coefficients only grow."""


@dataclass(frozen=True)
class Prepared:
    """A prepared problem: its rows, and the model without penalised features.

    Parameters
    ----------
    problem : Problem
    how : Standardization
    columns : (p',) int
        Features in the problem: those that are neither constant nor banned.
    rows : Reductions
    penalty : Penalty
    null : Point
        The null model; the rows are moved to it.
    lambda_max : float
    residual_size : float
        What vanishing gradients are judged against.
    offset : (1,) or (O,) float64
        What was taken from targets, to be added to intercepts.
    grouped : bool
        Whether features are in or out for all outputs together, as was asked for.
    """

    problem: Problem
    how: Standardization
    columns: IntArray
    rows: Reductions
    penalty: Penalty
    null: Point
    lambda_max: float
    residual_size: float
    offset: FloatArray
    grouped: bool

    def at(self, lam: float) -> Objective:
        """Objective at one value of lam."""
        return Objective(self.rows, self.penalty, lam, self.null.loss, self.residual_size)

    def widen(self, W: FloatArray) -> FloatArray:
        """Coefficients over all features, from those in the problem."""
        full = np.zeros((len(W), len(self.how.center)))
        full[:, self.columns] = W
        return full


def prepare(
    problem: Problem, l1_ratio: float, standardize: bool, seed: int, *, grouped: bool = False
) -> Prepared:
    """Standardise features, drop those that cannot take part, and fit the null model.

    Raises
    ------
    DataError, InputError
        If no feature is left, or if those that are never penalised leave nothing to fit.
    """
    train, weights = problem.splits["train"], problem.weights
    how = _standardization(train.rows, weights, standardize)
    columns = np.flatnonzero(~how.dead & np.isfinite(problem.factors))
    if len(columns) == 0:
        raise DataError(
            f"All {len(how.dead)} features are constant or banned, so there is nothing to fit. "
            "Check that the features were extracted from the right layer."
        )
    keep = np.flatnonzero(weights > 0)
    family = family_of(problem.family)
    v = weights[keep] / weights.sum()
    target = train.y[..., keep]
    offset: FloatArray = np.zeros(1)
    if problem.family == "gaussian":
        # Numbers far from zero would cost the residuals their digits.
        offset = target @ v
        target = target - offset[:, None]
    rows = _row_sums(
        train.rows, how, columns, keep,
        target=target, v=v, family=problem.family, n_classes=len(problem.classes.labels), seed=seed,
    )  # fmt: skip
    penalty = penalty_of(grouped and rows.n_outputs > 1, l1_ratio, problem.factors[columns])
    b = rows.null_intercept()
    W: FloatArray = np.zeros((len(b), len(columns)))
    rows.move(W, b)
    unit = family.residual_size(rows.loss())
    free = np.flatnonzero(penalty.factors == 0)
    # lam = 1 is any: only loss and gradient of the null model are looked at.
    null = look(Objective(rows, penalty, 1.0, rows.loss(), unit), W, b, polished=True)
    if null.left is None or null.left > 1e-8 or null.loss < _SEPARATED * unit * unit:
        raise InputError(
            f"The {len(free)} feature(s) with penalty_factor 0 separate the classes by themselves, "
            "so their coefficients have no finite optimum. Give them a small positive factor."
            if problem.family != "gaussian"
            else f"The {len(free)} feature(s) with penalty_factor 0 explain the targets by "
            "themselves, so nothing is left to fit. Give them a small positive factor."
        )
    sizes = np.ones(len(columns)) if standardize else rows.root_mean_squares()
    lambda_max = max(penalty.lambda_max(-null.V), unit * penalty.lambda_noise(sizes))
    return Prepared(problem, how, columns, rows, penalty, null, lambda_max, unit, offset, grouped)


def _standardization(rows: Rows, weights: FloatArray, standardize: bool) -> Standardization:
    if not isinstance(rows, DeviceRows):
        return standardization(rows, weights, standardize=standardize)
    from clearhead.glm.device.standardize import device_standardization

    return device_standardization(rows, weights, standardize=standardize)


def _row_sums(
    source: Rows,
    how: Standardization,
    columns: IntArray,
    keep: IntArray,
    *,
    target: Target,
    v: FloatArray,
    family: str,
    n_classes: int,
    seed: int,
) -> RowSums | DeviceRowSums:
    """Hold the features in memory if they are few, or stream them beside a sample of rows.

    Those on a device stay there.
    """
    if isinstance(source, DeviceRows):
        # torch is imported only where it is used.
        from clearhead.glm.device.features import DeviceFeatures
        from clearhead.glm.device.row_sums import DeviceRowSums

        features = DeviceFeatures(source.tensor, how, columns, keep)
        return DeviceRowSums(features, target, v, family=family, n_classes=n_classes, seed=seed)
    n, p, loss = len(keep), len(columns), family_of(family)
    if 8 * n * p <= _RESIDENT_BYTES:
        A: FloatArray = np.empty((p, n))
        standardized_columns(source, how, columns, keep, A)
        curvature = CurvatureRows(A, v, loss, seed=seed)
        return RowSums(
            ResidentRows(A), target, v, family=loss, n_classes=n_classes, curvature=curvature
        )
    size = min(n, max(int(_SAMPLE_SHARE * n), _LEAST_SAMPLE // (4 * p)))
    sample = np.sort(np.random.default_rng(seed).permutation(n)[:size])
    work: FloatArray = np.ones((1 + p, size), np.float32)
    standardized_columns(source, how, columns, keep[sample], work[1:])
    weights = v[sample] / v[sample].sum()
    curvature = CurvatureRows.of_work(work, weights, loss, seed=seed)
    return RowSums(
        StreamedRows(source, how, columns, keep), target, v,
        family=loss, n_classes=n_classes, curvature=curvature, sample=sample,
    )  # fmt: skip
