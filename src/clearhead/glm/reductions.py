"""The few sums over rows through which the solver sees the data.

The solver holds nothing of the size of n: it asks for a loss, a gradient, a product
with the Hessian, a small Gram block. Whoever answers supplies the scale: an array in memory, a
store larger than memory (:mod:`clearhead.glm.row_sums`), a GPU, or many processes that each
hold some rows and add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from clearhead._types import FloatArray, IntArray
from clearhead.glm.costs import Costs
from clearhead.glm.dual_terms import DualTerms

__all__ = ["Reductions"]


class Reductions(Protocol):
    """Sums over rows at the current coefficients.

    Shapes: O outputs, p features, m working features; a working vector is
    (O, 1 + m), its first column the intercept.
    """

    @property
    def n_outputs(self) -> int:
        """Rows O of the coefficients."""

    @property
    def n_features(self) -> int:
        """Columns p of the coefficients."""

    def null_intercept(self) -> FloatArray:
        """Intercept (O,) of the model without features."""

    def root_mean_squares(self) -> FloatArray:
        """Root mean square (p,) of each feature, by the rows' weights."""

    def move(self, W: FloatArray, b: FloatArray) -> None:
        """Make (W, b) the current coefficients."""

    def loss(self) -> float:
        """Mean loss at the current coefficients."""

    def correlation(self, features: IntArray | None = None) -> tuple[FloatArray, FloatArray]:
        """Minus the gradient of the mean loss: (O, p) or the given columns, and (O,)."""

    def trial(self, dW: FloatArray, db: FloatArray) -> float:
        """Mean loss after a step; the current coefficients stay."""

    def accept(self) -> None:
        """Make the last trial current."""

    def dual_terms(self) -> DualTerms:
        """The dual of the mean loss, along the residuals at the current coefficients."""

    def n_right(self) -> int | None:
        """Rows predicted right at the current coefficients; None for targets of numbers."""

    def unpenalised_hessian(self, features: IntArray) -> FloatArray:
        """Hessian of the mean loss over the intercept and `features`, all outputs coupled.

        Square, of size O (1 + m0), ordered by output, then intercept and features.
        """

    def work_on(self, features: IntArray) -> None:
        """Choose the working features (m,) for products with the Hessian."""

    def hessian_product(self, D: FloatArray, all_rows: bool) -> FloatArray:
        """Hessian of the mean loss times the working vector D.

        It may be that of a sample of the rows, unless `all_rows` is set.
        """

    @property
    def costs(self) -> Costs:
        """What operations cost."""

    def hessian(self, pool: Sequence[IntArray], all_rows: bool) -> list[FloatArray]:
        """Hessian over a pool of coefficients: of all outputs, or a block an output.

        It may be that of a sample of the rows, unless `all_rows` is set.
        """

    def root_block(self, k: int, features: IntArray, share: float) -> FloatArray:
        """U (1 + a, r), with ``U U^T`` the Hessian of output k over these features, or near it.

        Its first row is the intercept's.
        """
