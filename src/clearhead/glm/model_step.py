"""What minimising a quadratic model gives."""

from __future__ import annotations

from dataclasses import dataclass

from clearhead._types import FloatArray

__all__ = ["ModelStep"]


@dataclass(frozen=True)
class ModelStep:
    """Where the model's minimiser lies.

    Parameters
    ----------
    d : (O, 1 + m) float64
        Step from the current coefficients.
    cg_steps, most_cg_steps, rounds : int
        Steps in all, most in one round, rounds.
    settled : bool
        Whether it is the minimiser, to the accuracy asked for.
    """

    d: FloatArray
    cg_steps: int
    most_cg_steps: int
    rounds: int
    settled: bool
