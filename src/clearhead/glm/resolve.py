"""One point of a path solved again, starting at its solution: without some features, reweighted."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass, replace

import numpy as np

from clearhead._types import BoolArray, FloatArray
from clearhead.errors import InputError
from clearhead.events import EventCallback
from clearhead.glm.curvature import Curvature
from clearhead.glm.objective import Objective
from clearhead.glm.penalty import Penalty, RestrictedElasticNet
from clearhead.glm.point import look, proof
from clearhead.glm.prepare import prepare
from clearhead.glm.problem import Problem
from clearhead.glm.solver import NewtonSolver
from clearhead.glm.standardize import Standardization
from clearhead.glm.threads import one_thread

__all__ = ["Resolved", "Resolver"]

_BEYOND = 2.0
"""A feature is kept out by an l1 weight of this many times the largest gradient it can have."""


@dataclass(frozen=True)
class Resolved:
    """One point, solved again and certified.

    Parameters
    ----------
    coef : (1, p) or (K, p) float64
        On the standardised scale of `how`.
    intercept : (1,) or (K,) float64
    gap, kkt : float
    status : str
    how : Standardization
    """

    coef: FloatArray
    intercept: FloatArray
    gap: float
    kkt: float
    status: str
    how: Standardization


class Resolver:
    """A problem at one lam, held ready to be solved again.

    Where :func:`fit_path` comes down from the null model, this starts at coefficients that
    are nearly right, on features that are standardised once.

    Parameters
    ----------
    problem : Problem
        Of classes or independent labels.
    lam, l1_ratio : float
    grouped, standardize : bool
        As for :func:`fit_path`.
    tol : float
        Relative duality gap.
    seed : int
    on_event : callable, optional
        Told of every iteration; what it raises ends a solve.
    """

    def __init__(
        self,
        problem: Problem,
        *,
        lam: float,
        l1_ratio: float,
        grouped: bool = False,
        standardize: bool = True,
        tol: float = 1e-4,
        seed: int = 0,
        on_event: EventCallback | None = None,
    ) -> None:
        self._fit = prepare(problem, l1_ratio, standardize, seed, grouped=grouped)
        self._lam, self._tol, self._standardize, self._seed = lam, tol, standardize, seed
        self._on_event = on_event
        sizes = self._fit.rows.root_mean_squares() if not standardize else np.ones(1)
        # No gradient of a feature is larger, also taken over all outputs together.
        self._steepest = np.sqrt(self._fit.rows.n_outputs) * np.broadcast_to(
            sizes, self._fit.columns.shape
        )
        # A Hessian formed for one solve serves the next ones, which end near by.
        self._curvature = Curvature()

    @property
    def lambda_max(self) -> float:
        """The smallest lam at which no feature is used."""
        return self._fit.lambda_max

    def null(self) -> tuple[FloatArray, FloatArray]:
        """Coefficients and intercept of the model without features, where a path starts."""
        return self._fit.widen(self._fit.null.W), self._fit.null.b

    def gap(self, coef: FloatArray, intercept: FloatArray) -> float:
        """Relative duality gap of these coefficients: how far from optimal they can be here."""
        objective = self._fit.at(self._lam)
        W = coef[:, self._fit.columns]
        self._fit.rows.move(W, intercept)
        return proof(objective, look(objective, W, intercept, polished=True)).gap

    def solve(
        self,
        coef: FloatArray,
        intercept: FloatArray,
        without: Iterable[int] = (),
        allowed: BoolArray | None = None,
        *,
        lam: float | None = None,
        tol: float | None = None,
    ) -> Resolved:
        r"""Solve from these coefficients, with the features `without` kept at zero.

        With `allowed` (K, p), coefficients where it is False are kept at zero, too: a feature
        is then banned for some outputs only. With `lam` or `tol` it is solved
        there, or to that gap, instead.

        Features are kept there by their penalty factor. The gradient of feature j is at most

        .. math:: |V_{kj}| \le \sqrt{\textstyle\sum_i v_i r_{ik}^2} \sqrt{\sum_i v_i x_{ij}^2}
            \le \mathrm{rms}_j,

        as residuals of probabilities are at most 1; with an l1 weight above that no optimum
        uses it, and objective, optimum and duality gap are those of the problem without it.

        Raises
        ------
        InputError
            With `without` where l1_ratio is 0: ridge keeps every feature. With `allowed` where
            features are in for all outputs or for none.
        """
        fit, W = self._fit, coef[:, self._fit.columns].copy()
        lam = self._lam if lam is None else lam
        factors = fit.penalty.factors.copy()
        out = np.isin(fit.columns, list(without))
        if out.any():
            if fit.penalty.l1_ratio == 0.0:
                raise InputError(
                    "Features cannot be left out of a ridge layer (l1_ratio=0) by their penalty. "
                    "Analyze a sparse layer, or fit again with penalty_factor inf."
                )
            W[:, out] = 0.0
            reach = _BEYOND * self._steepest[out] / (lam * fit.penalty.l1_ratio)
            factors[out] = np.maximum(factors[out], reach)
        penalty: Penalty = replace(fit.penalty, factors=factors)
        if allowed is not None and not allowed.all():
            penalty = _restricted(penalty, allowed[:, fit.columns])
            W[~allowed[:, fit.columns]] = 0.0
        objective = Objective(fit.rows, penalty, lam, fit.null.loss, fit.residual_size)
        # With one output every product is with a vector.
        with one_thread() if fit.rows.n_outputs == 1 else nullcontext():
            fit.rows.move(W, intercept)
            start = look(objective, W, intercept, polished=False)
            solution = NewtonSolver().solve(
                objective,
                start,
                tol=self._tol if tol is None else tol,
                curvature=self._curvature,
                on_event=self._on_event,
            )
        return Resolved(
            coef=fit.widen(solution.point.W),
            intercept=solution.point.b,
            gap=solution.certificate.gap,
            kkt=solution.certificate.kkt,
            status=solution.status,
            how=fit.how,
        )

    def reweighted(self, weights: FloatArray) -> Resolver:
        """Give the same problem with other weights (n,) of its rows, standardised by them.

        Weights are scaled to sum to n. Every class must keep a row of positive weight.
        """
        problem = self._fit.problem
        scaled = np.asarray(weights, dtype=np.float64) * (len(weights) / weights.sum())
        return Resolver(
            replace(problem, weights=scaled),
            lam=self._lam,
            l1_ratio=self._fit.penalty.l1_ratio,
            grouped=self._fit.grouped,
            standardize=self._standardize,
            tol=self._tol,
            seed=self._seed,
            on_event=self._on_event,
        )


def _restricted(penalty: Penalty, allowed: BoolArray) -> RestrictedElasticNet:
    if penalty.grouped:
        raise InputError(
            "This layer was fitted with grouped=True: a feature is in for every class or for "
            "none. Ban it for all classes."
        )
    return RestrictedElasticNet(penalty.l1_ratio, penalty.factors, allowed)
