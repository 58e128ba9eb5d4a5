"""A point of the iteration: coefficients with all that is known there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clearhead._types import FloatArray
from clearhead.glm.certificate import Certificate, certify, duality_gap, polish
from clearhead.glm.objective import Objective

__all__ = ["Point", "look", "proof"]


@dataclass(frozen=True)
class Point:
    """Coefficients with all that is known there; the reductions are moved to them.

    Parameters
    ----------
    W, b : (O, p) and (O,) float64
    V, vb : (O, p) and (O,) float64
        Minus the gradient of the mean loss.
    loss, value : float
        Mean loss and objective.
    left : float or None
        What polishing left of the unpenalised gradient; None before polishing.
    """

    W: FloatArray
    b: FloatArray
    V: FloatArray
    vb: FloatArray
    loss: float
    value: float
    left: float | None


def look(objective: Objective, W: FloatArray, b: FloatArray, *, polished: bool) -> Point:
    """Take loss and gradient at (W, b), where the rows must be; polish first if asked to."""
    rows, left = objective.rows, None
    if polished:
        free = np.flatnonzero(objective.penalty.factors == 0)
        W, b, left = polish(rows, W, b, free, residual_size=objective.residual_size)
    loss = rows.loss()
    V, vb = rows.correlation()
    return Point(W, b, V, vb, loss, objective.value(loss, W), left)


def proof(objective: Objective, point: Point, gap: float | None = None) -> Certificate:
    """Certificate of a polished point; `gap` is its :func:`duality_gap`, where that is known."""
    left = np.inf if point.left is None else point.left
    gap = duality_gap(objective, point.V, point.value) if gap is None else gap
    return certify(
        objective, point.W, point.b, point.V, point.vb, loss=point.loss, left=left, gap=gap
    )
