"""Fit the regularization path: from features and labels to a certified path."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path as FilePath
from typing import Any

import numpy as np

from clearhead._files import fingerprint
from clearhead._types import FloatArray
from clearhead.errors import NotConvergedError
from clearhead.events import Event, EventCallback, emit
from clearhead.glm.accuracy import Accuracy
from clearhead.glm.checkpoint import Checkpoint
from clearhead.glm.checks import check_lambdas, check_scalars
from clearhead.glm.device.transfer import to_device
from clearhead.glm.evaluate import evaluate
from clearhead.glm.families import family_of
from clearhead.glm.follow import Points, follow
from clearhead.glm.grid import lambda_grid
from clearhead.glm.path import Path
from clearhead.glm.prepare import Prepared, prepare
from clearhead.glm.problem import gather
from clearhead.glm.threads import one_thread
from clearhead.glm.unpenalised import unpenalised_point

__all__ = ["ConvergenceWarning", "fit_path"]


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
    device: str | None = None,
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
        class), multinomial above, and multilabel for a store of several labels.
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
    device : str, optional
        Where to calculate, as torch calls it: ``"cuda"``, ``"cuda:1"``, ``"cpu"``. By default
        where `X` is: a tensor on a GPU stays there, all else is calculated with NumPy.
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
    models via coordinate descent. JSS 33(1). Duals: docs/design/solver.md.

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
        X if device is None else to_device(X, device),
        y,
        family=family,
        validation=validation,
        test=test,
        sample_weight=sample_weight,
        penalty_factor=penalty_factor,
        class_names=class_names,
    )
    fit = prepare(problem, float(l1_ratio), bool(standardize), int(seed), grouped=bool(grouped))
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
        points = follow(fit, grid, float(tol), kept, on_event)
        if unpenalised:
            last = points.coefficients[-1].dense()[:, fit.columns]
            point, certificate, status = unpenalised_point(
                fit.rows,
                last,
                points.intercepts[-1],
                null_loss=fit.null.loss,
                residual_size=fit.residual_size,
                separable=problem.family != "gaussian",
            )
            points.add(fit, point, certificate, status)
            grid = np.append(grid, 0.0)
    path = _assemble(fit, grid, float(tol), points, identity)
    _report_failures(path, strict, on_event)
    return path


def _assemble(fit: Prepared, grid: FloatArray, tol: float, points: Points, identity: str) -> Path:
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
        null_loss=fit.null.loss,
        n_samples={"train": n} | {split: rows.rows.shape[0] for split, rows in measured.items()},
        fingerprint=identity,
        grouped=fit.grouped,
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
