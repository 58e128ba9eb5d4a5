"""How near to the optimum is a path that glm_saga left on disk?

glm_saga (0.1.2) writes one ``params{i}.pth`` a point: a dict with the tensors ``weight``
(K, p) and ``bias`` (K,), the strength ``lam`` and the mixing ``alpha``. Its objective is
ours, on features standardised with n - 1 degrees of freedom and, with its ``group``, with
``sum_j ||W_.j||_2`` in place of the l1 norm (the loss that it prints has the l1 norm all
the same, and for the gaussian family a factor 1/K that it does not optimise).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

import numpy as np

from clearhead._files import fingerprint
from clearhead._types import FloatArray
from clearhead.errors import DataError, InputError
from clearhead.events import EventCallback
from clearhead.glm.evaluate import measure
from clearhead.glm.fit import fit_path
from clearhead.glm.path import Path, SparseCoefficients
from clearhead.glm.penalty import penalty_of
from clearhead.glm.point import look, proof
from clearhead.glm.prepare import prepare
from clearhead.glm.problem import Problem, gather
from clearhead.glm.saga.files import SagaPoint, read_points
from clearhead.glm.saga.path import SagaPath
from clearhead.glm.saga.scale import NormalizedRows, normalization, strengths
from clearhead.glm.standardize import Standardization

__all__ = ["read_saga"]


def read_saga(
    folder: str | FilePath,
    X: Any,
    y: Any = None,
    *,
    family: str = "multinomial",
    grouped: bool = False,
    normalize: bool | tuple[Any, Any] = True,
    n_ex: int | None = None,
    sample_weight: Any = None,
    points: Sequence[int] | None = None,
    compare: bool = True,
    tol: float = 1e-4,
    validation: Any = None,
    test: Any = None,
    class_names: Sequence[str] | None = None,
    on_event: EventCallback | None = None,
) -> SagaPath:
    """Read glm_saga's checkpoints, prove how good each point is, and solve the same problems.

    Files are read as tensors and numbers only; one that would run code is refused.

    Parameters
    ----------
    folder : path
        Its `checkpoint`: holds ``params0.pth``, ``params1.pth``, …
    X, y : features and labels
        The rows that glm_saga trained on, as for :func:`fit_path`; class k of glm_saga is
        the k-th of the sorted labels.
    family : {"multinomial", "gaussian"}
    grouped : bool
        glm_saga's ``group``.
    normalize : bool or (mean, std)
        How glm_saga's features were made of X: True as by its ``NormalizedRepresentation``
        (standard deviation with n - 1), False not at all, or with these (p,) arrays.
    n_ex : int, optional
        What glm_saga was told as ``n_ex`` (or by ``metadata``), if that is not the number
        of rows it trained on: the strength that it solves for is then n_ex / n times lam.
    sample_weight : (n,) array-like, optional
        glm_saga's weights; not scaled by it, so the strength is lam over their mean.
    points : sequence of int, optional
        Numbers of the files to read; all by default.
    compare : bool
        Fit the optimal path at the same strengths, too.
    tol : float
        Gap of that path, and up to which glm_saga's points are called optimal.
    validation, test : (features, labels), optional
        Raw features, on which both paths are measured.
    class_names : sequence of str, optional
    on_event : callable, optional
        Receives the events of the fit.

    Returns
    -------
    SagaPath

    Raises
    ------
    StepMissingError, CorruptFileError
        Where a file is missing, damaged, not glm_saga's, or holds more than data.
    InputError, DataError
        For arguments or data that are wrong, or do not fit the checkpoints.

    Examples
    --------
    >>> saga = read_saga("checkpoints", X, y)  # doctest: +SKIP
    >>> saga.describe(37)  # doctest: +SKIP
    'point 37 is 1.40% above the optimum and keeps 52.0 features a class too many ...'
    """
    if family not in ("multinomial", "gaussian"):
        raise InputError(f"glm_saga's families are multinomial and gaussian; got {family!r}.")
    read = read_points(FilePath(folder), points)
    problem = gather(
        X,
        y,
        family=family,
        validation=validation,
        test=test,
        sample_weight=sample_weight,
        penalty_factor=None,
        class_names=class_names,
    )
    _check_shape(read[0], problem)
    how = normalization(problem, normalize)
    lambdas = strengths(read, problem, sample_weight, n_ex)
    path, objectives = _certified(read, problem, how, lambdas, grouped=grouped, tol=tol)
    numbers = tuple(point.number for point in read)
    if not compare:
        return SagaPath(path, None, numbers, objectives, np.full(len(read), np.nan))
    optimum = _optimum(problem, path, on_event)
    optima = _objectives(optimum, path)
    return SagaPath(
        _proven(path, optimum, objectives, optima), optimum, numbers, objectives, optima
    )


def _check_shape(point: SagaPoint, problem: Problem) -> None:
    outputs, p = point.weight.shape
    width = problem.splits["train"].rows.shape[1]
    if width != p:
        raise DataError(
            f"The checkpoints weigh {p} features; X has {width}. Pass the features that glm_saga "
            "was trained on."
        )
    if len(problem.classes.names) != outputs:
        raise DataError(
            f"The checkpoints have {outputs} outputs; y has {len(problem.classes.names)} classes "
            "or columns. Pass the rows and labels that glm_saga was trained on."
        )


def _certified(
    read: list[SagaPoint],
    problem: Problem,
    how: Standardization,
    lambdas: FloatArray,
    *,
    grouped: bool,
    tol: float,
) -> tuple[Path, FloatArray]:
    """glm_saga's points as a path, with gaps, and their objectives."""
    train = problem.splits["train"]
    seen = replace(train, rows=NormalizedRows(train.rows, how))
    fit = prepare(
        replace(problem, splits={"train": seen}), read[0].alpha, False, 0, grouped=grouped
    )
    kept: dict[str, list[Any]] = {"value": [], "gap": [], "kkt": [], "loss": [], "right": []}
    for point, lam in zip(read, lambdas, strict=True):
        W, b = point.weight[:, fit.columns], point.bias - fit.offset
        fit.rows.move(W, b)
        right = fit.rows.n_right()
        if lam > 0:
            objective = fit.at(float(lam))
            own = look(objective, W, b, polished=False)
            certificate = proof(objective, look(objective, W, b, polished=True))
            # The bound is taken at the best intercept; the point is judged with its own.
            gap = certificate.gap + objective.relative(own.value - certificate.objective, own.value)
            kkt = certificate.kkt
        else:
            own = look(fit.at(0.0), W, b, polished=False)
            gap, kkt = np.nan, float(np.linalg.norm(np.column_stack([own.vb, own.V])))
        for key, item in zip(kept, (own.value, gap, kkt, own.loss, right), strict=True):
            kept[key].append(item)
    coefficients = tuple(SparseCoefficients.of(point.weight) for point in read)
    intercepts = np.array([point.bias for point in read])
    measured = measure(
        problem,
        how,
        coefficients=coefficients,
        intercepts=intercepts,
        losses=kept["loss"],
        right=kept["right"],
    )
    path = Path(
        lambdas=lambdas,
        coefficients=coefficients,
        intercepts=intercepts,
        gaps=np.array(kept["gap"]),
        kkt=np.array(kept["kkt"]),
        status=[_status(gap, tol) for gap in kept["gap"]],
        losses=measured.losses,
        accuracies=measured.accuracies,
        r2=measured.r2,
        center=how.center,
        scale=how.scale,
        dead=how.dead,
        banned=np.zeros(len(how.dead), np.bool_),
        penalty_factor=problem.factors,
        classes=problem.classes.labels,
        class_names=problem.classes.names,
        family=problem.family,
        l1_ratio=read[0].alpha,
        tol=tol,
        lambda_max=fit.lambda_max,
        null_loss=fit.null.loss,
        n_samples=measured.n_samples,
        fingerprint=fingerprint({"glm_saga": how.digest, "labels": problem.labels_digest}),
        grouped=grouped,
    )
    return path, np.array(kept["value"])


def _status(gap: float, tol: float) -> str:
    if np.isnan(gap):
        return "glm_saga, lam = 0: not proven"
    return "optimal" if gap <= tol else f"glm_saga, gap {gap:.1e}"


def _optimum(problem: Problem, theirs: Path, on_event: EventCallback | None) -> Path:
    """Fit the optimal path at their strengths, on their features, in the raw features' terms."""
    how = Standardization(theirs.center, theirs.scale, theirs.dead, "")
    given = {
        split: (NormalizedRows(part.rows, how), part.y if part.y.ndim == 1 else part.y.T)
        for split, part in problem.splits.items()
    }
    X, y = given["train"]
    fitted = fit_path(
        X,
        y,
        family=problem.family,
        grouped=theirs.grouped,
        l1_ratio=theirs.l1_ratio,
        lambdas=theirs.lambdas[theirs.lambdas > 0],
        unpenalised=bool((theirs.lambdas == 0).any()),
        sample_weight=problem.weights,
        standardize=False,
        tol=theirs.tol,
        class_names=problem.classes.names,
        on_event=on_event,
        validation=given.get("validation"),
        test=given.get("test"),
    )
    return replace(fitted, center=theirs.center, scale=theirs.scale, classes=theirs.classes)


def _objectives(optimum: Path, theirs: Path) -> FloatArray:
    """Objective (L,) of the optimal points; NaN where there is no optimum."""
    penalty = penalty_of(theirs.grouped, theirs.l1_ratio, np.ones(theirs.n_features))
    values = [
        loss + penalty.value(optimum.coef(i), float(theirs.lambdas[i]))
        for i, loss in enumerate(optimum.losses["train"])
    ]
    unbounded = np.array([status.startswith("separable") for status in optimum.status])
    return np.where(unbounded, np.nan, values)


def _proven(theirs: Path, optimum: Path, objectives: FloatArray, optima: FloatArray) -> Path:
    """Take the better of two proofs: the point's own, and that of the optimum beside it."""
    floor = 1e-3 * theirs.null_loss
    least = optima - optimum.gaps * np.maximum(optima, floor)
    gaps = np.fmin(theirs.gaps, (objectives - least) / np.maximum(objectives, floor))
    status = [_status(gap, theirs.tol) for gap in gaps]
    return replace(theirs, gaps=gaps, status=status)
