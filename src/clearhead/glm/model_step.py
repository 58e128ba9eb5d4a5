"""What minimising a quadratic model gives."""

from __future__ import annotations

from dataclasses import dataclass, replace

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

    def then(self, other: ModelStep) -> ModelStep:
        """Where `other` lies, with the work of both."""
        return replace(
            other,
            cg_steps=self.cg_steps + other.cg_steps,
            most_cg_steps=max(self.most_cg_steps, other.most_cg_steps),
            rounds=self.rounds + other.rounds,
        )
