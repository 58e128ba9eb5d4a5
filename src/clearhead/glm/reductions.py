"""The few sums over rows through which the solver sees the data.

The solver holds nothing of the size of n: it asks for a loss, a gradient, a product
with the Hessian, a small Gram block. Whoever answers supplies the scale. Here all
rows are one array in memory; a store larger than memory, or many processes that each
hold some rows and add up, would answer the same questions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from clearhead._types import FloatArray, IntArray
from clearhead.glm.costs import Costs
from clearhead.glm.families import DualTerms, Family, Target

__all__ = ["DenseRows", "Reductions"]

_CHUNK = 4096
"""Rows converted to float64 at once when the features are kept in float32."""
_SMALL = 2**18
"""Features of so few numbers are multiplied by the Hessian in float64, as it costs nothing:
where classes are nearly separated the Hessian is too ill-conditioned for float32."""
_GRAM_FLOPS = 2e10
"""Above this many multiplications Gram blocks are taken over a sample of the rows."""


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

    def hessian_product(self, D: FloatArray) -> FloatArray:
        """Hessian of the mean loss times the working vector D."""

    @property
    def costs(self) -> Costs:
        """What operations cost."""

    def hessian(self, pool: Sequence[IntArray]) -> list[FloatArray]:
        """Hessian over a pool of coefficients: of all outputs, or a block an output."""

    def root_block(self, k: int, features: IntArray, share: float) -> FloatArray:
        """U (1 + a, r), with ``U U^T`` the Hessian of output k over these features, or near it.

        Its first row is the intercept's.
        """


class DenseRows:
    """All rows in one array in memory.

    Parameters
    ----------
    A : (p, n) float64 or float32
        Standardised features, one row a feature. In float32 (twice as many fit) sums
        are still taken in float64, over chunks of rows.
    y : (n,) int or (K, n)
        Target of each row.
    v : (n,) float64
        Weights that sum to 1, all positive.
    family : Family
        The loss.
    n_classes : int
        Number of classes K.
    seed : int
        For the rows sampled by :meth:`root_block`.
    """

    def __init__(
        self,
        A: FloatArray,
        y: Target,
        v: FloatArray,
        *,
        family: Family,
        n_classes: int,
        seed: int = 0,
    ) -> None:
        self._A, self._y, self._v, self._family = A, y, v, family
        self._n_classes = n_classes
        self._n = A.shape[1]
        self._random = np.random.default_rng(seed)
        self._Z: FloatArray = np.zeros((self.n_outputs, self._n))
        self._trial: FloatArray = self._Z
        self._M: FloatArray | None = None
        self._M_small: FloatArray | None = None
        self._loss: float | None = None
        self._dtype: type[np.floating[Any]] = np.float64 if A.size <= _SMALL else np.float32
        self._v_small = v.astype(self._dtype)
        # Row 0 is the intercept's column of ones; features are appended, never removed.
        self._work: FloatArray = np.ones((1, self._n), self._dtype)
        self._place = np.full(A.shape[0], -1)
        self._used = 1
        self._features: IntArray = np.zeros(0, np.int64)
        self._columns: IntArray | slice = slice(0, 1)
        self._work_now: FloatArray = self._work

    @property
    def n_outputs(self) -> int:
        """Rows O of the coefficients."""
        return self._family.n_outputs(self._n_classes)

    @property
    def n_features(self) -> int:
        """Columns p of the coefficients."""
        return int(self._A.shape[0])

    def null_intercept(self) -> FloatArray:
        """Intercept (O,) of the model without features."""
        return self._family.null_intercept(self._y, self._v, self._n_classes)

    def move(self, W: FloatArray, b: FloatArray) -> None:
        """Make (W, b) the current coefficients, without what rounding had gathered."""
        self._set(self._scores(W) + b[:, None])

    def _set(self, Z: FloatArray) -> None:
        self._Z, self._M, self._M_small, self._loss = Z, None, None, None

    def _scores(self, W: FloatArray) -> FloatArray:
        used = np.flatnonzero(W.any(axis=0))
        if len(used) < 0.25 * W.shape[1]:
            return self._product(W[:, used], self._A[used])
        return self._product(W, self._A)

    def _product(self, W: FloatArray, A: FloatArray) -> FloatArray:
        if A.dtype == np.float64:
            return np.asarray(W @ A)
        Z = np.empty((W.shape[0], self._n))
        for start in range(0, self._n, _CHUNK):
            rows = slice(start, start + _CHUNK)
            Z[:, rows] = W @ A[:, rows].astype(np.float64)
        return Z

    def loss(self) -> float:
        """Mean loss at the current coefficients."""
        if self._loss is None:
            self._loss = self._family.loss(self._Z, self._y, self._v)
        return self._loss

    def n_right(self) -> int | None:
        """Rows predicted right at the current coefficients; None for targets of numbers."""
        hits = self._family.hits(self._Z, self._y)
        return None if hits is None else int(hits.sum())

    def _mean(self) -> FloatArray:
        if self._M is None:
            self._M = self._family.mean(self._Z)
        return self._M

    def correlation(self, features: IntArray | None = None) -> tuple[FloatArray, FloatArray]:
        """``V = sum_i v_i R_i x_i^T`` (O, p) and ``sum_i v_i R_i`` (O,), in float64."""
        R = self._family.residual(self._mean(), self._y)
        R *= self._v
        A = self._A if features is None else self._A[features]
        if A.dtype == np.float64:
            return R @ A.T, R.sum(axis=1)
        V = np.zeros((R.shape[0], A.shape[0]))
        for start in range(0, self._n, _CHUNK):
            rows = slice(start, start + _CHUNK)
            V += R[:, rows] @ A[:, rows].astype(np.float64).T
        return V, R.sum(axis=1)

    def trial(self, dW: FloatArray, db: FloatArray) -> float:
        """Mean loss after a step; the current coefficients stay."""
        dZ = self._scores(dW)
        dZ += db[:, None]
        dZ += self._Z
        self._trial = dZ
        return self._family.loss(dZ, self._y, self._v)

    def accept(self) -> None:
        """Make the last trial current."""
        self._set(self._trial)

    def dual_terms(self) -> DualTerms:
        """The dual of the mean loss, along the residuals at the current coefficients."""
        return self._family.dual_terms(self._Z, self._mean(), self._y, self._v)

    def unpenalised_hessian(self, features: IntArray) -> FloatArray:
        """Hessian over the intercept and `features`, all outputs coupled, in float64."""
        M, v = self._mean(), self._v
        outputs, width = len(M), 1 + len(features)
        if width == 1:
            coupling = -(M * v) @ M.T if self._family.coupled else np.zeros((outputs, outputs))
            # Not from the row sums of M: 1 - M keeps its digits where M is near 1.
            coupling[np.diag_indices(outputs)] = [
                self._family.diagonal(M, k) @ v for k in range(outputs)
            ]
            return np.asarray(coupling)
        E = np.ones((width, self._n))
        E[1:] = self._A[features]
        H = np.zeros((outputs, width, outputs, width))
        for k in range(outputs):
            H[k, :, k, :] = (E * (self._family.diagonal(M, k) * v)) @ E.T
            for other in range(k if self._family.coupled else 0):
                block = -(E * (M[k] * M[other] * v)) @ E.T
                H[k, :, other, :] = block
                H[other, :, k, :] = block.T
        return np.asarray(H.reshape(outputs * width, outputs * width))

    def _load(self, features: IntArray) -> IntArray:
        """Rows of the working copy that hold these features, the intercept's first.

        Float32 is enough there as a rule: an error in the Hessian changes the way to the optimum,
        not the optimum.
        """
        new = features[self._place[features] < 0]
        if self._used + len(new) > len(self._work):
            room = min(1 + self.n_features, max(2 * len(self._work), self._used + len(new)))
            grown = np.empty((room, self._n), self._dtype)
            grown[: self._used] = self._work[: self._used]
            self._work = grown
        self._work[self._used : self._used + len(new)] = self._A[new]
        self._place[new] = np.arange(self._used, self._used + len(new))
        self._used += len(new)
        return np.concatenate([[0], self._place[features]])

    def work_on(self, features: IntArray) -> None:
        """Choose the working features (m,) for products with the Hessian."""
        if np.array_equal(features, self._features):
            return
        self._features = features
        columns = self._load(features)
        # Zeros in the product cost less than gathering, unless most would be zeros.
        if len(columns) > 0.7 * self._used:
            self._columns, self._work_now = columns, self._work[: self._used]
        else:
            self._columns, self._work_now = slice(None), self._work[columns]

    def hessian_product(self, D: FloatArray) -> FloatArray:
        """Hessian of the mean loss times the working vector D (O, 1 + m)."""
        if self._M_small is None:
            self._M_small = self._mean().astype(self._dtype)
        spread = np.zeros((D.shape[0], len(self._work_now)), self._dtype)
        spread[:, self._columns] = D
        dZ: Any = spread @ self._work_now
        dZ = self._family.curvature(self._M_small, dZ)
        dZ *= self._v_small
        return np.asarray((dZ @ self._work_now.T)[:, self._columns], np.float64)

    @property
    def costs(self) -> Costs:
        """What operations cost."""
        return Costs(self._n, self.n_features, self.n_outputs, self._family.coupled)

    def hessian(self, pool: Sequence[IntArray]) -> list[FloatArray]:
        """Hessian over a pool of coefficients: of all outputs, or a block an output."""
        M, v = self._mean(), self._v
        places = [self._load(features) for features in pool]
        if not self._family.coupled:
            return [
                self._gram(part, self._family.diagonal(M, k) * v) for k, part in enumerate(places)
            ]
        root = np.sqrt(v)
        starts = np.cumsum([0] + [len(part) for part in places])
        H = np.zeros((starts[-1], starts[-1]), self._dtype)
        chunk = max(512, int(2**25 // starts[-1]))
        for first in range(0, self._n, chunk):
            rows = slice(first, min(first + chunk, self._n))
            E = np.empty((starts[-1], rows.stop - rows.start), self._dtype)
            for k, part in enumerate(places):
                weight = (M[k, rows] * root[rows]).astype(self._dtype)
                np.multiply(self._work[part, rows], weight, out=E[starts[k] : starts[k + 1]])
            H -= E @ E.T
        for k, part in enumerate(places):
            own = slice(starts[k], starts[k + 1])
            H[own, own] += self._gram(part, M[k] * v)
        # A shift of all intercepts is free; this pins it and moves no other solution.
        H[np.ix_(starts[:-1], starts[:-1])] += 1.0 / len(pool) ** 2
        return [H]

    def _gram(self, places: IntArray, weight: FloatArray) -> FloatArray:
        E = self._work[places]
        E *= np.sqrt(weight).astype(self._dtype)
        return np.asarray(E @ E.T)

    def root_block(self, k: int, features: IntArray, share: float) -> FloatArray:
        """U (1 + a, r), with ``U U^T`` the Hessian of output k over these features, or near it.

        When ``n a^2`` exceeds this output's `share` of the budget, rows are sampled in
        proportion to their curvature.
        """
        weight = self._family.diagonal(self._mean(), k) * self._v
        places = self._load(features)
        rows = int(max(share * _GRAM_FLOPS / len(places) ** 2, 512))
        total = float(weight.sum())
        if rows < 0.7 * self._n and total > 0.0:
            steps = (np.arange(rows) + self._random.random()) / rows
            chosen = np.searchsorted(np.cumsum(weight), steps * total)
            chosen = np.minimum(chosen, self._n - 1)
            U = self._work[np.ix_(places, chosen)]
            U *= self._dtype(np.sqrt(total / rows))
            return np.asarray(U)
        U = self._work[places]
        U *= np.sqrt(weight).astype(self._dtype)
        return np.asarray(U)
