"""What an operation over the data costs, as far as choosing between two of them needs it.

Seconds of a plain two-core machine. They are counted, not timed, so that the same problem
takes the same way everywhere; where they are off, a path is slower, not wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["Costs"]


@dataclass(frozen=True)
class Costs:
    """Costs for a problem of n rows, p features and O outputs.

    Parameters
    ----------
    n, p, outputs : int
    coupled : bool
        Whether the loss couples its outputs.
    curved : int
        Rows that second derivatives are taken over.
    streamed : bool
        Whether features are read anew in every pass.
    reread : bool
        Whether they are for every product with the Hessian too.
    fat, skinny : float
        Operations a second of products of matrices in float32: of two large ones, and for
        each output of one with few rows.
    small : float
        The same of factorisations.
    element : float
        Seconds to take the exponential of a score.
    reading : float
        Seconds to read and standardise a number.
    scoring : float
        Seconds to multiply a score by its curvature.
    exact : float
        How many times as long products take in float64.
    """

    n: int
    p: int
    outputs: int
    coupled: bool
    curved: int
    streamed: bool = False
    reread: bool = False
    fat: float = 1.3e11
    skinny: float = 4e9
    small: float = 6e10
    element: float = 2e-8
    reading: float = 2e-9
    scoring: float = 3e-9
    exact: float = 2.0

    @property
    def sampled(self) -> bool:
        """Whether second derivatives are those of a sample of the rows."""
        return self.curved < self.n

    def of_all_rows(self) -> Costs:
        """Costs where second derivatives are those of all rows, not of a sample."""
        return replace(self, curved=self.n, reread=self.sampled)

    def product(self, m: int) -> float:
        """Product of the Hessian over m features of all outputs."""
        reading = self.reading * self.n * m if self.reread else 0.0
        return self._product(self.curved, m) + reading

    def _product(self, n: int, m: int) -> float:
        rate = min(self.fat, self.skinny * self.outputs)
        return 4.0 * n * m * self.outputs / rate + self.scoring * n * self.outputs

    def evaluation(self) -> float:
        """Loss and gradient, in float64."""
        reading = self.reading * self.n * self.p if self.streamed else 0.0
        return self.exact * self._product(self.n, self.p) + self.polishing() / 2.0 + reading

    def polishing_is_cheap(self) -> bool:
        """Whether to polish at every step, so that each gradient may prove the point."""
        return not self.streamed and self.polishing() < self._product(self.n, self.p)

    def polishing(self) -> float:
        """Two Newton steps of the intercept."""
        return 2.0 * self.element * self.n * self.outputs

    def forming(self, sizes: list[int]) -> float:
        """Hessian of pools of these sizes."""
        reading = self.reading * self.n * self.p if self.reread else 0.0
        squares = sum(float(size) ** 2 for size in self._blocks(sizes))
        return 2.0 * self.curved * squares / (1.5 * self.fat) + reading

    def factoring(self, sizes: list[int]) -> float:
        """Cholesky factors of such a Hessian."""
        return sum(size**3 / 3.0 for size in self._blocks(sizes)) / self.small

    def _blocks(self, sizes: list[int]) -> list[int]:
        return [sum(sizes)] if self.coupled else sizes

    def largest(self, sizes: list[int]) -> int:
        """Size of the largest block."""
        return max(self._blocks(sizes))
