r"""The relaxed path: each point's coefficients without the shrinkage that chose its features.

The elastic net chooses features and shrinks their coefficients at once. A refit keeps the
choice (which feature for which class) and minimises, over those coefficients and the
intercept only,

.. math:: \tfrac1n \sum_i s_i\, \ell(W x_i + b, y_i) + \tfrac{ridge}{2} \|W\|_2^2 .

References
----------
Meinshausen (2007), Relaxed lasso. Computational Statistics & Data Analysis 52(1).
Hastie, Tibshirani, Tibshirani (2020), Best subset, forward stepwise or lasso? Statistical
Science 35(4).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clearhead._files import fingerprint
from clearhead._types import BoolArray, FloatArray, IntArray
from clearhead.errors import DataError, InputError
from clearhead.events import Event, EventCallback, emit
from clearhead.glm.evaluate import measure
from clearhead.glm.families import family_of
from clearhead.glm.path import Path, SparseCoefficients
from clearhead.glm.problem import Problem, gather
from clearhead.glm.standardize import Standardization, standardized_columns
from clearhead.glm.support import Support, SupportSolution

__all__ = ["Refitted", "refit", "refit_coefficients"]

_RIDGES = (1e-2, 1e-4, 1e-6, 1e-8, 1e-10)
"""Without a ridge of one's own, the problem is followed down these, each from the one before."""


def refit(
    path: Path,
    X: Any,
    y: Any = None,
    *,
    ridge: float = 0.0,
    points: Sequence[int] | None = None,
    sample_weight: Any = None,
    validation: Any = None,
    test: Any = None,
    on_event: EventCallback | None = None,
) -> Path:
    """Refit points of a path on their own features, without the elastic net's shrinkage.

    Each class keeps exactly the features that it has at the point; points that use the
    same features are solved once. Features are standardised as the path's were.

    Parameters
    ----------
    path : Path
    X, y, sample_weight, validation, test
        As for :func:`fit_path`; the same data, as a rule.
    ridge : float
        Strength of ``ridge/2 * ||W||^2`` on the standardised scale; 0 is no penalty.
    points : sequence of int, optional
        Points to refit, all by default.
    on_event : callable, optional
        Receives the events of step ``"refit"``.

    Returns
    -------
    Path
        With the lambdas of the points, whose supports these are. With a ridge each gap is
        proven, for the problem on the point's support. Without one there is no such proof:
        gaps are NaN and ``kkt`` is the largest entry of the gradient. Where rows are
        separable by the chosen features, the status says so, with the ridge at which
        the solution was taken, since without one there is no optimum.

    Raises
    ------
    InputError, DataError
        For arguments or data that are wrong, or do not fit the path.

    Examples
    --------
    >>> import numpy as np
    >>> from clearhead.glm import fit_path
    >>> random = np.random.default_rng(0)
    >>> X = random.normal(size=(60, 5))
    >>> y = X[:, 0] + random.normal(size=60) > 0
    >>> path = fit_path(X, y, n_lambdas=5)
    >>> relaxed = refit(path, X, y)
    >>> relaxed.status[2], bool(relaxed.losses["train"][2] < path.losses["train"][2])
    ('unregularised on its support', True)
    """
    ridge = _check_ridge(ridge)
    chosen = _check_points(points, len(path))
    problem = gather(
        X,
        y,
        family=path.family,
        validation=validation,
        test=test,
        sample_weight=sample_weight,
        penalty_factor=None,
        class_names=path.class_names,
    )
    _check_same(problem, path)
    solved = _solve(path, chosen, problem, ridge, on_event)
    return _assemble(path, chosen, problem, ridge, solved)


@dataclass(frozen=True)
class _Point:
    """One refitted point: coefficients over all features, and what is known of them."""

    coefficients: SparseCoefficients
    intercept: FloatArray
    solution: SupportSolution
    status: str
    right: int | None


def _solve(
    path: Path,
    chosen: IntArray,
    problem: Problem,
    ridge: float,
    on_event: EventCallback | None,
) -> list[_Point]:
    how = Standardization(path.center, path.scale, path.dead, "")
    keep = np.flatnonzero(problem.weights > 0)
    v = problem.weights[keep] / problem.weights.sum()
    target = problem.splits["train"].y[..., keep]
    used = np.unique(
        np.concatenate([path.coefficients[i].indices % path.n_features for i in chosen])
    ).astype(np.int64)
    A: FloatArray = np.empty((len(used), len(keep)))
    standardized_columns(problem.splits["train"].rows, how, used, keep, A)
    data = Support(A, target, v, family_of(path.family), path.null_loss)
    done: dict[bytes, _Point] = {}
    solved: list[_Point] = []
    total, tol = len(chosen), path.tol
    emit(on_event, Event("refit", "start", f"{total} points", 0, total, "points"))
    for count, i in enumerate(chosen, start=1):
        sparse = path.coefficients[i]
        key = sparse.indices.tobytes()
        if key not in done:
            W = sparse.dense()
            features = np.flatnonzero(W.any(axis=0))
            few = data.over(np.searchsorted(used, features))
            done[key] = _solve_one(few, W, features, path.intercept(int(i)), ridge=ridge, tol=tol)
        solved.append(done[key])
        message = f"point {i} · {done[key].status}"
        emit(on_event, Event("refit", "progress", message, count, total, "points"))
    emit(on_event, Event("refit", "end", f"{len(done)} supports", total, total, "points"))
    return solved


def _solve_one(
    data: Support,
    W_full: FloatArray,
    features: IntArray,
    b: FloatArray,
    *,
    ridge: float,
    tol: float,
) -> _Point:
    W = W_full[:, features]
    mask = W != 0.0
    if ridge > 0.0:
        solution = data.solve(mask, W, b, ridge)
        gap = solution.gap
        status = f"optimal on its support with ridge {ridge:g}"
        if not gap <= tol:
            status = f"gap {gap:.1e} on its support with ridge {ridge:g}"
    else:
        solution, status = _follow(data, mask, W, b)
    full = np.zeros_like(W_full)
    full[:, features] = solution.W
    right = data.right(solution.W, solution.b)
    return _Point(SparseCoefficients.of(full), solution.b, solution, status, right)


def _follow(
    data: Support, mask: BoolArray, W: FloatArray, b: FloatArray
) -> tuple[SupportSolution, str]:
    """Solve without a penalty, as the limit of smaller and smaller ridges."""
    solution = data.solve(mask, W, b, _RIDGES[0], relative=True)
    status = "unregularised on its support"
    for ridge in _RIDGES[1:]:
        before = solution
        solution = data.solve(mask, before.W, before.b, ridge, relative=True)
        moved = solution.W - before.W, solution.b - before.b
        if data.recedes(solution.W, solution.b, *moved):
            status = f"separable on its support: stopped at ridge {ridge:g}"
            break
    return replace(solution, gap=math.nan, kkt=solution.gradient), status


def _assemble(
    path: Path, chosen: IntArray, problem: Problem, ridge: float, solved: list[_Point]
) -> Path:
    how = Standardization(path.center, path.scale, path.dead, "")
    coefficients = tuple(point.coefficients for point in solved)
    intercepts = np.array([point.intercept for point in solved])
    measured = measure(
        problem,
        how,
        coefficients=coefficients,
        intercepts=intercepts,
        losses=[point.solution.loss for point in solved],
        right=[point.right for point in solved],
    )
    identity = {"path": path.fingerprint, "refit": ridge.hex(), "points": chosen.tolist()}
    return replace(
        path,
        lambdas=path.lambdas[chosen],
        coefficients=coefficients,
        intercepts=intercepts,
        gaps=np.array([point.solution.gap for point in solved]),
        kkt=np.array([point.solution.kkt for point in solved]),
        status=[point.status for point in solved],
        losses=measured.losses,
        accuracies=measured.accuracies,
        r2=measured.r2,
        n_samples=measured.n_samples,
        fingerprint=fingerprint({**identity, "labels": problem.labels_digest}),
    )


@dataclass(frozen=True)
class Refitted:
    """Coefficients without the shrinkage that chose them, and how they ended."""

    coef: FloatArray
    intercept: FloatArray
    kkt: float
    status: str


def refit_coefficients(
    problem: Problem, how: Standardization, coef: FloatArray, intercept: FloatArray
) -> Refitted:
    """Refit one layer's coefficients (1 or K, p) on their support, without a penalty.

    As :func:`refit` does for a point of a path, with ``ridge=0``.
    """
    keep = np.flatnonzero(problem.weights > 0)
    features = np.flatnonzero(coef.any(axis=0))
    A: FloatArray = np.empty((len(features), len(keep)))
    standardized_columns(problem.splits["train"].rows, how, features, keep, A)
    family, v = family_of(problem.family), problem.weights[keep] / problem.weights.sum()
    target = problem.splits["train"].y[..., keep]
    nothing_known = family.loss(np.zeros((len(coef), len(keep))), target, v)
    data = Support(A, target, v, family, nothing_known)
    W = coef[:, features]
    solution, status = _follow(data, W != 0.0, W, intercept)
    full = np.zeros_like(coef)
    full[:, features] = solution.W
    return Refitted(full, solution.b, solution.kkt, status)


def _check_ridge(ridge: Any) -> float:
    if isinstance(ridge, bool) or not isinstance(ridge, (int, float, np.integer, np.floating)):
        raise InputError(f"ridge must be a number; got {ridge!r}.")
    if not 0.0 <= ridge < math.inf:
        raise InputError(f"ridge must be at least 0 and finite; got {ridge!r}. 0 is no penalty.")
    return float(ridge)


def _check_points(points: Sequence[int] | None, n_points: int) -> IntArray:
    if points is None:
        return np.arange(n_points)
    chosen = np.asarray(points)
    if chosen.ndim != 1 or len(chosen) == 0 or chosen.dtype.kind not in "iu":
        raise InputError(f"points must be a list of whole numbers, one or more; got {points!r}.")
    wrong = chosen[(chosen < -n_points) | (chosen >= n_points)]
    if len(wrong):
        raise InputError(f"The path has points 0 to {n_points - 1}; points names {wrong[0]}.")
    return np.unique(chosen % n_points)


def _check_same(problem: Problem, path: Path) -> None:
    """Refuse data that cannot be what the path was fitted to."""
    width = problem.splits["train"].rows.shape[1]
    if width != path.n_features:
        raise DataError(
            f"The path was fitted to {path.n_features} features; X has {width}. Pass the features "
            "that it was fitted to."
        )
    if problem.classes.labels != path.classes:
        raise DataError(
            f"The path's classes are {_few(path.classes)}; the labels hold "
            f"{_few(problem.classes.labels)}. Pass the labels that it was fitted to."
        )


def _few(labels: tuple[Any, ...]) -> str:
    return ", ".join(map(repr, labels[:6])) + (" …" if len(labels) > 6 else "")
