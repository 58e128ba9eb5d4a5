"""Does what was written decide as the network with the layer does?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clearhead._types import FloatArray
from clearhead.errors import ExportError
from clearhead.layer import DecisionLayer

__all__ = ["Proof", "compare"]

TOLERANCE = 1e-4
"""Relative to the largest score, or to 1: float32 on another runtime adds up in another order."""


@dataclass(frozen=True)
class Proof:
    """What was compared, and how far apart the scores were.

    Parameters
    ----------
    on : str
        The examples, in words.
    n : int
        How many.
    error : float
        Largest difference of any score.
    tolerance : float
        The largest difference that would have passed.
    """

    on: str
    n: int
    error: float
    tolerance: float

    def describe(self) -> str:
        """Say it in one sentence."""
        return (
            f"equal on {self.n} examples ({self.on}): scores differ by at most {self.error:.1e}, "
            f"{self.tolerance:.1e} is tolerated"
        )


def compare(
    got: FloatArray,
    wanted: FloatArray,
    layer: DecisionLayer,
    *,
    on: str,
    what: str,
    eps: float = 0.0,
) -> Proof:
    """Compare the scores (n, K) of what was written with those that it must have.

    Parameters
    ----------
    got, wanted : ndarray of shape (n, K)
    layer : DecisionLayer
        Its decisions must be the same, but where two scores are nearer than the tolerance.
    on, what : str
        Which examples, and which artefact, in words.
    eps : float
        Relative spacing of numbers in the network's own precision, if that is coarser.

    Raises
    ------
    ExportError
        They differ: nothing is written.
    """
    tolerance = max(TOLERANCE, 8 * eps) * max(1.0, float(np.abs(wanted).max(initial=0.0)))
    if got.shape != wanted.shape:
        raise ExportError(
            f"{what} gives scores of shape {got.shape} on {on}; {wanted.shape} was expected. "
            "Nothing was written."
        )
    error = float(np.abs(got.astype(np.float64) - wanted).max(initial=0.0))
    if not error <= tolerance:
        raise ExportError(
            f"{what} is not equal to the network with the layer: on {on} a score differs by "
            f"{error:.3g}, {tolerance:.1e} is tolerated. Nothing was written. Choose another "
            "format; the format torch keeps the network's own code."
        )
    sure = _margins(wanted, layer) > 2 * tolerance
    if not np.array_equal(layer.decide(got)[sure], layer.decide(wanted)[sure]):
        raise ExportError(f"{what} decides otherwise on {on}. Nothing was written.")
    return Proof(on=on, n=len(wanted), error=error, tolerance=tolerance)


def _margins(scores: FloatArray, layer: DecisionLayer) -> FloatArray:
    """How far each decision is from another one: (n,), or (n, K) for independent labels."""
    if layer.multilabel:
        return np.abs(scores)
    if scores.shape[1] < 2:
        return np.full(len(scores), np.inf)
    first = np.sort(scores, axis=1)
    margins: FloatArray = first[:, -1] - first[:, -2]
    return margins
