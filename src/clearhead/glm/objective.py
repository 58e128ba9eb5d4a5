"""The objective of one point: data, penalty and lam together."""

from __future__ import annotations

from dataclasses import dataclass

from clearhead._types import FloatArray
from clearhead.glm.penalty import Penalty
from clearhead.glm.reductions import Reductions

__all__ = ["Objective"]

_NOT_BELOW = 1e-3
"""Gaps are relative to the objective, but to no less than this share of the null loss."""


@dataclass(frozen=True)
class Objective:
    """``mean_i s_i loss + lam * penalty``, as the solver and the certificate see it.

    Parameters
    ----------
    rows : Reductions
        The data; it also holds the current coefficients.
    penalty : Penalty
    lam : float
    null_loss : float
        Loss of the model without penalised features.
    residual_size : float
        What vanishing gradients are judged against: 1 for probabilities.
    """

    rows: Reductions
    penalty: Penalty
    lam: float
    null_loss: float
    residual_size: float = 1.0

    def value(self, loss: float, W: FloatArray) -> float:
        """Objective at coefficients of this loss."""
        return loss + self.penalty.value(W, self.lam)

    def relative(self, difference: float, value: float) -> float:
        """Express a difference of objectives relative to the objective's `value`."""
        return difference / max(value, _NOT_BELOW * self.null_loss)
