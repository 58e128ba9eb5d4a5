"""Fit the regularization path: from features and labels to a certified path."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

import numpy as np

from clearhead._files import fingerprint
from clearhead._types import FloatArray, IntArray
from clearhead.errors import DataError, InputError, NotConvergedError
from clearhead.events import Event, EventCallback, emit
from clearhead.glm.accuracy import Accuracy
from clearhead.glm.certificate import Certificate, certify, polish
from clearhead.glm.checkpoint import Checkpoint
from clearhead.glm.checks import check_lambdas, check_scalars
from clearhead.glm.evaluate import evaluate
from clearhead.glm.families import family_of
from clearhead.glm.grid import lambda_grid, stepping_stones
from clearhead.glm.objective import Objective
from clearhead.glm.path import Path, SparseCoefficients
from clearhead.glm.penalty import Penalty, penalty_of
from clearhead.glm.preconditioner import BlockPreconditioner
from clearhead.glm.problem import Problem, gather
from clearhead.glm.reductions import DenseRows
from clearhead.glm.solver import NewtonSolver
from clearhead.glm.standardize import Standardization, standardization, standardized_columns
from clearhead.glm.threads import one_thread
from clearhead.glm.unpenalised import unpenalised_point

__all__ = ["ConvergenceWarning", "fit_path"]

_FLOAT64_BYTES = 512 * 2**20
"""Standardised features of up to this size are held in float64, larger ones in float32."""
_STONE_TOL = 1e-2
_SEPARATED = 1e-8
"""A null model of so small a loss has no minimiser: its coefficients only grow."""


class ConvergenceWarning(UserWarning):
    """Some points of a path do not meet their tolerance; ``Path.status`` says which."""


def fit_path(
    X: Any,
    y: Any = None,
    *,
    family: str = "auto",
    l1_ratio: float = 0.99,
    n_lambdas: int = 100,
    lambda_min_ratio: float = 1e-3,
    lambdas: Any = None,
    sample_weight: Any = None,
    penalty_factor: Any = None,
    grouped: bool = False,
    unpenalised: bool = False,
    tol: float = 1e-4,
    standardize: bool = True,
    validation: Any = None,
    test: Any = None,
    class_names: Sequence[str] | None = None,
    seed: int = 0,
    strict: bool = False,
    checkpoint: str | FilePath | None = None,
    on_event: EventCallback | None = None,
) -> Path:
    r"""Fit an elastic-net decision layer at every lam of a grid, each proven optimal.

    Each point minimises, over ``W (K, p)`` and the unpenalised ``b (K,)``,

    .. math::

        \tfrac1n \sum_i s_i\, \ell(W x_i + b, y_i)
        + \lambda \sum_j f_j \bigl( r \|W_{\cdot j}\|_1 + \tfrac{1-r}{2} \|W_{\cdot j}\|_2^2 \bigr)

    on standardised features, r being `l1_ratio`. scikit-learn's C is 1 / (n lam).

    =============== ======================================================= =====================
    family          loss                                                    y
    =============== ======================================================= =====================
    ``binomial``    ``log(1 + exp(z)) - y z``, one row of coefficients      (n,), two classes
    ``multinomial`` ``logsumexp(z) - z_y``, one row a class                 (n,), K classes
    ``multilabel``  ``sum_k log(1 + exp(z_k)) - y_k z_k``, one row a label  (n, K) of 0 and 1
    ``gaussian``    ``|y - z|^2 / 2``, one row an output                    (n,) or (n, K) numbers
    =============== ======================================================= =====================

    Parameters
    ----------
    X : array-like (n, p), torch tensor, pandas or polars frame, or SplitRows
        Training features. From a feature store (SplitRows), `y`, `validation`, `test`
        and `class_names` default to its own.
    y : array-like (n,) or (n, K)
        Labels, of int, str or bool; or what the family wants.
    family : {"auto", "binomial", "multinomial", "multilabel", "gaussian"}
        ``auto`` is binomial for two classes (one vector of coefficients, for the second
        class), multinomial above.
    l1_ratio : float
        1 is the lasso, 0 is ridge. With 1 and an even number of classes the multinomial
        optimum need not be unique; then one of the minimisers is given.
    n_lambdas, lambda_min_ratio : int, float
        Grid: log-spaced from the smallest lam at which all is zero down to this ratio
        of it.
    lambdas : (L,) array-like, optional
        A grid of one's own, strictly decreasing.
    sample_weight : (n,) array-like, optional
        Weights s_i >= 0; they are scaled to sum to n.
    penalty_factor : (p,) array-like, optional
        Factors f_j >= 0; 0 is never penalised, inf bans a feature.
    grouped : bool
        Take ``||W_.j||_2`` in place of ``||W_.j||_1``: a feature is in for all outputs or
        for none.
    unpenalised : bool
        Add a last point lam = 0. It has no gap (NaN); its status is ``"unregularised"``,
        with the norm of the gradient as `kkt`, or, where the training rows can be
        separated and no optimum exists, ``"separable"`` with the ridge it stopped at.
    tol : float
        Relative duality gap that each point must be proven to meet.
    standardize : bool
        False takes features as they are (center 0, scale 1).
    validation, test : (features, labels), optional
        Rows on which loss and accuracy of each point are measured, nothing else.
    class_names : sequence of str, optional
        Names of the sorted classes, labels or outputs; by default the classes
        themselves, the columns of a frame, or numbers.
    seed : int
        For rows sampled to build preconditioners; the optimum does not depend on it.
    strict : bool
        Raise where a point misses `tol`, instead of saying so in its status.
    checkpoint : path, optional
        Folder in which finished points are kept while the fit runs; a fit of the same
        problem that was killed goes on from them. Delete it once the path is saved.
    on_event : callable, optional
        Receives the events of step ``"fit"``.

    Returns
    -------
    Path

    Raises
    ------
    InputError, DataError
        For arguments or data that are wrong.
    NotConvergedError
        With `strict`, where a point misses `tol`.

    References
    ----------
    Friedman, Hastie, Tibshirani (2010), Regularization paths for generalized linear
    models via coordinate descent. JSS 33(1). Duals: docs/design/path-solver.md.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(60, 5))
    >>> path = fit_path(X, X[:, 0] > 0, n_lambdas=5)
    >>> path.coef(4).shape, bool(path.optimal.all())
    ((1, 5), True)
    """
    check_scalars(
        family=family,
        l1_ratio=l1_ratio,
        n_lambdas=n_lambdas,
        lambda_min_ratio=lambda_min_ratio,
        tol=tol,
        seed=seed,
    )
    grid = None if lambdas is None else check_lambdas(lambdas)
    problem = gather(
        X,
        y,
        family=family,
        validation=validation,
        test=test,
        sample_weight=sample_weight,
        penalty_factor=penalty_factor,
        class_names=class_names,
    )
    fit = _prepare(problem, float(l1_ratio), bool(standardize), int(seed), grouped=bool(grouped))
    if grid is None:
        grid = lambda_grid(fit.lambda_max, int(n_lambdas), float(lambda_min_ratio))
    identity = fingerprint(
        {
            "features": fit.how.digest,
            "shape": list(problem.splits["train"].rows.shape),
            "labels": problem.labels_digest,
            "classes": [str(c) for c in problem.classes.labels],
            "family": problem.family,
            "l1_ratio": float(l1_ratio),
            # Named only where it is asked for: other fits go on from what older versions kept.
            **({"grouped": True} if grouped else {}),
            "standardize": bool(standardize),
            "lambdas": [float(lam).hex() for lam in grid],
            "tol": float(tol),
        }
    )
    kept = None if checkpoint is None else Checkpoint(FilePath(checkpoint), identity)
    # With one output every product is with a vector.
    with one_thread() if fit.rows.n_outputs == 1 else nullcontext():
        points = _solve(fit, grid, float(tol), kept, on_event)
        if unpenalised:
            last = points.coefficients[-1].dense()[:, fit.columns]
            W, b, certificate, status = unpenalised_point(
                fit.rows,
                last,
                points.intercepts[-1],
                null_loss=fit.null_loss,
                residual_size=fit.residual_size,
                separable=problem.family != "gaussian",
            )
            points.add(fit, W, b, certificate, status)
            grid = np.append(grid, 0.0)
    path = _assemble(fit, grid, float(tol), points, identity)
    _report_failures(path, strict, on_event)
    return path


@dataclass(frozen=True)
class _Fit:
    """A prepared problem: features in memory, and the model without them."""

    problem: Problem
    how: Standardization
    columns: IntArray
    rows: DenseRows
    penalty: Penalty
    W: FloatArray
    b: FloatArray
    null_loss: float
    lambda_max: float
    residual_size: float
    offset: FloatArray

    def at(self, lam: float) -> Objective:
        """Objective at one value of lam."""
        return Objective(self.rows, self.penalty, lam, self.null_loss, self.residual_size)

    def widen(self, W: FloatArray) -> FloatArray:
        """Coefficients over all features, from those in the problem."""
        full = np.zeros((len(W), len(self.how.center)))
        full[:, self.columns] = W
        return full


@dataclass
class _Points:
    """Points as they are finished."""

    coefficients: list[SparseCoefficients] = field(default_factory=list)
    intercepts: list[FloatArray] = field(default_factory=list)
    certificates: list[Certificate] = field(default_factory=list)
    status: list[str] = field(default_factory=list)
    right: list[int | None] = field(default_factory=list)

    def add(
        self, fit: _Fit, W: FloatArray, b: FloatArray, certificate: Certificate, status: str
    ) -> None:
        """Keep a point; the rows must be moved to it."""
        self.coefficients.append(SparseCoefficients.of(fit.widen(W)))
        self.intercepts.append(b)
        self.certificates.append(certificate)
        self.status.append(status)
        self.right.append(fit.rows.n_right())


def _prepare(
    problem: Problem, l1_ratio: float, standardize: bool, seed: int, *, grouped: bool = False
) -> _Fit:
    train, weights = problem.splits["train"], problem.weights
    how = standardization(train.rows, weights, standardize=standardize)
    columns = np.flatnonzero(~how.dead & np.isfinite(problem.factors))
    if len(columns) == 0:
        raise DataError(
            f"All {len(how.dead)} features are constant or banned, so there is nothing to fit. "
            "Check that the features were extracted from the right layer."
        )
    keep = np.flatnonzero(weights > 0)
    size = 8 * len(columns) * len(keep)
    dtype = np.float64 if size <= _FLOAT64_BYTES else np.float32
    A = standardized_columns(train.rows, how, columns, keep, dtype)
    family = family_of(problem.family)
    v = weights[keep] / weights.sum()
    target = train.y[..., keep]
    offset: FloatArray = np.zeros(1)
    if problem.family == "gaussian":
        # Numbers far from zero would cost the residuals their digits.
        offset = target @ v
        target = target - offset[:, None]
    rows = DenseRows(
        A,
        target,
        v,
        family=family,
        n_classes=len(problem.classes.labels),
        seed=seed,
    )
    penalty = penalty_of(grouped, l1_ratio, problem.factors[columns])
    b = rows.null_intercept()
    W: FloatArray = np.zeros((len(b), len(columns)))
    rows.move(W, b)
    unit = family.residual_size(rows.loss())
    free = np.flatnonzero(penalty.factors == 0)
    W, b, left = polish(rows, W, b, free, residual_size=unit)
    if left > 1e-8 or rows.loss() < _SEPARATED * unit * unit:
        raise InputError(
            f"The {len(free)} feature(s) with penalty_factor 0 separate the classes by themselves, "
            "so their coefficients have no finite optimum. Give them a small positive factor."
            if problem.family != "gaussian"
            else f"The {len(free)} feature(s) with penalty_factor 0 explain the targets by "
            "themselves, so nothing is left to fit. Give them a small positive factor."
        )
    V, _ = rows.correlation()
    sizes = np.ones(len(A)) if standardize else np.sqrt(np.einsum("pn,pn,n->p", A, A, v))
    lambda_max = max(penalty.lambda_max(-V), unit * penalty.lambda_noise(sizes))
    return _Fit(problem, how, columns, rows, penalty, W, b, rows.loss(), lambda_max, unit, offset)


def _solve(
    fit: _Fit,
    grid: FloatArray,
    tol: float,
    kept: Checkpoint | None,
    on_event: EventCallback | None,
) -> _Points:
    """Solve the points one after the other, each from the one before."""
    points, total = _Points(), len(grid)
    emit(on_event, Event("fit", "start", f"{total} values of λ", 0, total, "points"))
    W, b, before = fit.W, fit.b, fit.lambda_max
    for W_full, b_old, status in kept.read(total) if kept is not None else []:
        lam = float(grid[len(points.status)])
        W, b, certificate = certify(fit.at(lam), W_full[:, fit.columns], b_old)
        if status == "optimal" and not certificate.gap <= tol:
            break
        before = lam
        points.add(fit, W, b, certificate, status)
    if points.status:
        message = f"λ {len(points.status)}/{total} · taken up where the last fit stopped"
        emit(on_event, Event("fit", "progress", message, len(points.status), total, "points"))
    solver, preconditioner = NewtonSolver(), BlockPreconditioner()
    for i in range(len(points.status), total):
        lam = float(grid[i])
        for stone in stepping_stones(before, lam):
            passed = solver.solve(
                fit.at(stone), W, b, tol=_STONE_TOL, preconditioner=preconditioner
            )
            W, b = passed.W, passed.b
        solution = solver.solve(fit.at(lam), W, b, tol=tol, preconditioner=preconditioner)
        W, b, before = solution.W, solution.b, lam
        points.add(fit, W, b, solution.certificate, solution.status)
        if kept is not None:
            kept.write(i, fit.widen(W), b, solution.status)
        used = float(np.count_nonzero(W)) / len(W)
        message = f"λ {i + 1}/{total} · {used:.1f} features a class · gap {_short(solution)}"
        data = {"lam": lam, "features_per_class": used, "gap": solution.certificate.gap}
        emit(on_event, Event("fit", "progress", message, i + 1, total, "points", data))
    emit(on_event, Event("fit", "end", f"{total} points", total, total, "points"))
    return points


def _short(solution: Any) -> str:
    return f"{max(solution.certificate.gap, 0.0):.0e}"


def _assemble(fit: _Fit, grid: FloatArray, tol: float, points: _Points, identity: str) -> Path:
    problem, how = fit.problem, fit.how
    family = family_of(problem.family)
    intercepts = np.array(points.intercepts) + fit.offset
    n = int((problem.weights > 0).sum())
    losses = {"train": np.array([c.loss for c in points.certificates])}
    accuracies = {
        "train": tuple(Accuracy.of(right, n) for right in points.right if right is not None)
    }
    measured = {split: rows for split, rows in problem.splits.items() if split != "train"}
    for split, rows in measured.items():
        losses[split], accuracies[split] = evaluate(
            rows, split, family, how, coefficients=points.coefficients, intercepts=intercepts
        )
    return Path(
        lambdas=grid,
        coefficients=tuple(points.coefficients),
        intercepts=intercepts,
        gaps=np.array([c.gap for c in points.certificates]),
        kkt=np.array([c.kkt for c in points.certificates]),
        status=points.status,
        losses=losses,
        accuracies={split: values for split, values in accuracies.items() if values},
        center=how.center,
        scale=how.scale,
        dead=how.dead,
        banned=np.isinf(problem.factors),
        penalty_factor=problem.factors,
        classes=problem.classes.labels,
        class_names=problem.classes.names,
        family=problem.family,
        l1_ratio=fit.penalty.l1_ratio,
        tol=tol,
        lambda_max=fit.lambda_max,
        null_loss=fit.null_loss,
        n_samples={"train": n} | {split: rows.rows.shape[0] for split, rows in measured.items()},
        fingerprint=identity,
        grouped=fit.penalty.grouped,
    )


def _report_failures(path: Path, strict: bool, on_event: EventCallback | None) -> None:
    """Say once, in one way, that points miss their tolerance."""
    missed = np.flatnonzero(~path.optimal & (path.lambdas > 0))
    if len(missed) == 0:
        return
    first = int(missed[0])
    message = (
        f"{len(missed)} of {len(path)} points miss tol={path.tol:g}; the first is point {first} "
        f"(lam {path.lambdas[first]:.3g}): {path.status[first]}. Raise tol or lambda_min_ratio."
    )
    if strict:
        raise NotConvergedError(message)
    if on_event is not None:
        emit(on_event, Event("fit", "warning", message))
    else:
        warnings.warn(message, ConvergenceWarning, stacklevel=3)
