"""A decision layer solved again: without a feature, reweighted, or on changed rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from clearhead._types import BoolArray, FloatArray, IntArray
from clearhead.errors import InputError
from clearhead.events import EventCallback
from clearhead.glm.problem import Problem, gather
from clearhead.glm.refit import refit_coefficients
from clearhead.glm.resolve import Resolved, Resolver
from clearhead.glm.standardize import Standardization
from clearhead.layer.decision import DecisionLayer

__all__ = [
    "LayerProblem",
    "changed_problem",
    "coefficients_of",
    "refit_layer",
    "shared_ban",
    "solved_layer",
]

_STRANGE = 10.0
"""A layer whose gap on the rows given is this many times what was proven has other rows."""


class LayerProblem:
    """What a decision layer is the optimum of, ready to be solved again at the same lam.

    Parameters
    ----------
    layer : DecisionLayer
        As it was taken from its path, not edited.
    X : array-like (n, p)
        The training features it was fitted to.
    y : array-like
        What it was fitted to: labels (n,), independent labels (n, K), or probabilities (n, K).
    sample_weight, penalty_factor, grouped
        As they were given to :func:`clearhead.fit_path`.
    tol : float
        Relative duality gap of what is solved again.

    Raises
    ------
    InputError
        The layer is no point of a path, or it is not the optimum of this problem.
    """

    def __init__(
        self,
        layer: DecisionLayer,
        X: Any,
        y: Any,
        *,
        sample_weight: Any = None,
        penalty_factor: Any = None,
        grouped: bool = False,
        tol: float = 1e-4,
    ) -> None:
        problem = _gathered(layer, X, y, sample_weight, penalty_factor)
        self.layer = layer
        self.weights: FloatArray = problem.weights
        self._resolver = _resolver(layer, problem, grouped=grouped, tol=tol)
        gap, proven = self._resolver.gap(*coefficients_of(layer)), layer.certificate.gap or 0.0
        if not gap <= _STRANGE * max(tol, proven):
            raise InputError(
                f"train: the layer is not the optimum on these rows (its gap is {gap:.1e}, "
                f"{proven:.1e} was proven). Pass the features and labels it was fitted to, "
                "with the same sample_weight, penalty_factor and grouped."
            )

    def without(self, features: Iterable[int]) -> DecisionLayer:
        """Solve with `features` banned; the optimum at the same lam, certified."""
        return self._layer(self._resolver.solve(*coefficients_of(self.layer), without=features))

    def resampled(self, counts: IntArray) -> DecisionLayer:
        """Solve where row i counts ``counts[i]`` times, standardised anew, at the same lam."""
        resolver = self._resolver.reweighted(self.weights * counts)
        return self._layer(resolver.solve(*coefficients_of(self.layer)))

    def _layer(self, solved: Resolved) -> DecisionLayer:
        return solved_layer(self.layer, solved)


def changed_problem(
    layer: DecisionLayer,
    X: Any,
    y: Any,
    *,
    sample_weight: Any = None,
    penalty_factor: Any = None,
    grouped: bool = False,
    tol: float = 1e-4,
    on_event: EventCallback | None = None,
) -> Resolver:
    """Prepare a layer's problem on other rows, weights or features, to be solved again.

    Features are standardised anew by the rows and weights given.

    Parameters
    ----------
    layer : DecisionLayer
        As it was taken from its path, not edited.
    X, y, sample_weight, penalty_factor, grouped, tol
        As for :class:`LayerProblem`; of other rows than the layer was fitted to.
    on_event : callable, optional
        Told of every iteration; what it raises ends a solve.

    Raises
    ------
    InputError
        The layer is no point of a path.
    """
    problem = _gathered(layer, X, y, sample_weight, penalty_factor)
    return _resolver(layer, problem, grouped=grouped, tol=tol, on_event=on_event)


def shared_ban(layer: DecisionLayer, allowed: BoolArray | None) -> BoolArray | None:
    """Where (K, p) coefficients are allowed, as the solver holds them: one row of two classes."""
    if allowed is None or layer.certificate.family != "binomial":
        return allowed
    shared: BoolArray = allowed[:1] & allowed[1:]
    return shared


def refit_layer(
    layer: DecisionLayer, X: Any, y: Any, *, sample_weight: Any = None
) -> DecisionLayer:
    """Refit the weights of a layer without a penalty: each class keeps exactly its features.

    The relaxed refit of :func:`clearhead.glm.refit`; there is no certificate without a penalty.
    """
    problem = _gathered(layer, X, y, sample_weight, None)
    how = Standardization(layer.center, layer.scale, layer.dead, "")
    found = refit_coefficients(problem, how, *coefficients_of(layer))
    weight, bias = _rows_of(layer, found.coef, found.intercept)
    certificate = replace(layer.certificate, gap=None, kkt=found.kkt, status=found.status)
    return replace(layer, weight=weight, bias=bias, certificate=certificate)


def _gathered(
    layer: DecisionLayer, X: Any, y: Any, sample_weight: Any, penalty_factor: Any
) -> Problem:
    proven = layer.certificate
    problem = gather(
        X,
        y,
        family=proven.family,
        validation=None,
        test=None,
        sample_weight=sample_weight,
        penalty_factor=penalty_factor,
        class_names=layer.class_names,
    )
    width = problem.splits["train"].rows.shape[1]
    if width != layer.weight.shape[1]:
        raise InputError(
            f"train: expected the {layer.weight.shape[1]} features that the layer was fitted "
            f"on, got {width}."
        )
    return problem


def _resolver(
    layer: DecisionLayer,
    problem: Problem,
    *,
    grouped: bool,
    tol: float,
    on_event: EventCallback | None = None,
) -> Resolver:
    proven = layer.certificate
    if proven.gap is None:
        raise InputError(
            f"layer: only a point of a path can be solved again, and this layer is "
            f"{proven.status!r}. Pass the layer as it was selected, with lam above 0."
        )
    raw = bool((layer.center == 0).all() and (layer.scale == 1).all())
    return Resolver(
        problem,
        lam=proven.lam,
        l1_ratio=proven.l1_ratio,
        grouped=grouped,
        standardize=not raw,
        tol=tol,
        on_event=on_event,
    )


def solved_layer(layer: DecisionLayer, solved: Resolved, lam: float | None = None) -> DecisionLayer:
    """Give the layer with what was solved in place of its weights; at another lam if given."""
    weight, bias = _rows_of(layer, solved.coef, solved.intercept)
    return replace(
        layer,
        weight=weight,
        bias=bias,
        center=solved.how.center,
        scale=solved.how.scale,
        dead=solved.how.dead,
        certificate=replace(
            layer.certificate,
            lam=layer.certificate.lam if lam is None else lam,
            gap=solved.gap,
            kkt=solved.kkt,
            status=solved.status,
        ),
    )


def _rows_of(
    layer: DecisionLayer, coef: FloatArray, intercept: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Weight and bias of a layer from coefficients as the solver holds them."""
    if layer.certificate.family == "binomial":
        return np.concatenate([-coef / 2, coef / 2]), np.concatenate(
            [-intercept / 2, intercept / 2]
        )
    return coef, intercept


def coefficients_of(layer: DecisionLayer) -> tuple[FloatArray, FloatArray]:
    """Coefficients as the solver holds them: one row where two classes mirror each other."""
    if layer.certificate.family == "binomial":
        return layer.weight[1:] - layer.weight[:1], layer.bias[1:] - layer.bias[:1]
    return layer.weight, layer.bias
