"""A decision layer solved again on the rows it was fitted to: without a feature, or reweighted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from clearhead._types import FloatArray, IntArray
from clearhead.errors import InputError
from clearhead.glm.problem import gather
from clearhead.glm.resolve import Resolved, Resolver
from clearhead.layer.decision import DecisionLayer

__all__ = ["LayerProblem"]

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
        proven = layer.certificate
        if proven.gap is None:
            raise InputError(
                f"layer: only a point of a path can be solved again, and this layer is "
                f"{proven.status!r}. Pass the layer as it was selected, with lam above 0."
            )
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
        raw = bool((layer.center == 0).all() and (layer.scale == 1).all())
        self.layer = layer
        self.weights: FloatArray = problem.weights
        self._resolver = Resolver(
            problem,
            lam=proven.lam,
            l1_ratio=proven.l1_ratio,
            grouped=grouped,
            standardize=not raw,
            tol=tol,
        )
        gap = self._resolver.gap(*_coefficients(layer))
        if not gap <= _STRANGE * max(tol, proven.gap):
            raise InputError(
                f"train: the layer is not the optimum on these rows (its gap is {gap:.1e}, "
                f"{proven.gap:.1e} was proven). Pass the features and labels it was fitted to, "
                "with the same sample_weight, penalty_factor and grouped."
            )

    def without(self, features: Iterable[int]) -> DecisionLayer:
        """Solve with `features` banned; the optimum at the same lam, certified."""
        return self._layer(self._resolver.solve(*_coefficients(self.layer), without=features))

    def resampled(self, counts: IntArray) -> DecisionLayer:
        """Solve where row i counts ``counts[i]`` times, standardised anew, at the same lam."""
        resolver = self._resolver.reweighted(self.weights * counts)
        return self._layer(resolver.solve(*_coefficients(self.layer)))

    def _layer(self, solved: Resolved) -> DecisionLayer:
        weight, bias = solved.coef, solved.intercept
        if self.layer.certificate.family == "binomial":
            weight = np.concatenate([-weight / 2, weight / 2])
            bias = np.concatenate([-bias / 2, bias / 2])
        return replace(
            self.layer,
            weight=weight,
            bias=bias,
            center=solved.how.center,
            scale=solved.how.scale,
            dead=solved.how.dead,
            certificate=replace(
                self.layer.certificate, gap=solved.gap, kkt=solved.kkt, status=solved.status
            ),
        )


def _coefficients(layer: DecisionLayer) -> tuple[FloatArray, FloatArray]:
    """Coefficients as the solver holds them: one row where two classes mirror each other."""
    if layer.certificate.family == "binomial":
        return layer.weight[1:] - layer.weight[:1], layer.bias[1:] - layer.bias[:1]
    return layer.weight, layer.bias
