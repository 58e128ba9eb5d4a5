"""Preconditioned conjugate gradients on a face, stopped early or by what goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from clearhead._types import BoolArray, FloatArray

__all__ = ["FaceSolution", "conjugate_gradients"]

_Operator = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True)
class FaceSolution:
    """Where conjugate gradients stopped.

    Parameters
    ----------
    x : array like rhs
        Zero off the face.
    product : array like rhs
        The operator times x, off the face too.
    steps : int
    first : float
        Squared residual at x = 0, in the preconditioner's norm.
    """

    x: FloatArray
    product: FloatArray
    steps: int
    first: float


def conjugate_gradients(
    product: _Operator,
    precondition: _Operator,
    rhs: FloatArray,
    face: BoolArray,
    *,
    small: float | None,
    rtol: float,
    max_steps: int,
) -> FaceSolution:
    """Solve ``product(x) = rhs`` on the face approximately, from x = 0.

    Every iterate decreases the quadratic, so stopping early is safe. It stops when the
    squared residual, in the preconditioner's norm, is at most ``rtol**2 * small`` (by
    default `small` is the first one), after `max_steps`, and where rounding makes the
    curvature not positive.
    """
    x, total = np.zeros_like(rhs), np.zeros_like(rhs)
    r = np.where(face, rhs, 0.0)
    z = precondition(r)
    size = first = float(np.vdot(r, z))
    goal = rtol * rtol * (first if small is None else small)
    direction, steps = z, 0
    while steps < max_steps and np.isfinite(size) and size > goal:
        H_direction = product(direction)
        curvature = float(np.vdot(direction, H_direction))
        if not np.isfinite(curvature) or curvature <= 0.0:
            break
        length = size / curvature
        x += length * direction
        total += length * H_direction
        r -= length * np.where(face, H_direction, 0.0)
        z = precondition(r)
        before, size = size, float(np.vdot(r, z))
        direction = z + (size / before) * direction
        steps += 1
    return FaceSolution(x, total, steps, first)
