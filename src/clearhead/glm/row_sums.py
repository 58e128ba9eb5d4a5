"""The reductions of one process: sums over pieces of rows, in float64.

A piece is small enough that its scores stay in cache from the product that makes them to
the one that takes their gradient. Where features are in memory, scores and means of all
rows are kept, and passes over features are spared; where they are streamed, a pass takes
loss and gradient together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from clearhead._types import FloatArray, IntArray
from clearhead.glm.costs import Costs
from clearhead.glm.curvature_rows import CurvatureRows
from clearhead.glm.dual_terms import DualTerms
from clearhead.glm.families import Family, Target
from clearhead.glm.feature_rows import FeatureRows

__all__ = ["RowSums"]

_SCORES = 2**18
"""Scores of a piece: two megabytes."""
_PASS_ROWS = 4096


@dataclass
class _Position:
    """What is known at some coefficients.

    Parameters
    ----------
    Z : (O, n) float64
        Scores.
    M : (O, n) float64 or float32
        Means, or with streamed features those of the rows sampled for curvature.
    loss : float
    gradient : ((O, p), (O,)) or None
        Minus the gradient of the mean loss, where a pass took it.
    """

    Z: FloatArray
    M: FloatArray
    loss: float
    gradient: tuple[FloatArray, FloatArray] | None


class RowSums:
    """Sums over rows at the current coefficients.

    Parameters
    ----------
    features : FeatureRows
    target : (n,) or (K, n)
        Class of each row, or what each output should be.
    v : (n,) float64
        Weights that sum to 1, all positive.
    family : Family
        The loss.
    n_classes : int
        Number of classes K.
    curvature : CurvatureRows
        Over the rows `sample`.
    sample : (n',) int, optional
        Rows that curvature is taken over, ascending; all by default.
    """

    def __init__(
        self,
        features: FeatureRows,
        target: Target,
        v: FloatArray,
        *,
        family: Family,
        n_classes: int,
        curvature: CurvatureRows,
        sample: IntArray | None = None,
    ) -> None:
        self._features, self._target, self._v, self._family = features, target, v, family
        self._n_classes, self._curvature, self._sample = n_classes, curvature, sample
        self._keeps = features.resident and sample is None
        self._curved = False
        self._working: IntArray = np.zeros(0, np.int64)
        self._piece = max(64, _SCORES // self.n_outputs)
        self._trial: _Position | None = None
        zeros = np.zeros((self.n_outputs, self.n_features))
        self._now = self._look(zeros, self.null_intercept(), None)

    @property
    def n_outputs(self) -> int:
        """Rows O of the coefficients."""
        return self._family.n_outputs(self._n_classes)

    @property
    def n_features(self) -> int:
        """Columns p of the coefficients."""
        return self._features.n_features

    @property
    def costs(self) -> Costs:
        """What operations cost."""
        return Costs(
            self._features.n_rows,
            self.n_features,
            self.n_outputs,
            self._family.coupled,
            curved=self._curvature.n_rows,
            streamed=not self._features.resident,
        )

    def root_mean_squares(self) -> FloatArray:
        """Weighted root mean square (p,) of each feature."""
        squares = np.zeros(self.n_features)
        for rows, A in self._features.pieces(self._piece):
            squares += (A * A) @ self._v[rows]
        return np.sqrt(squares)

    def null_intercept(self) -> FloatArray:
        """Intercept (O,) of the model without features."""
        return self._family.null_intercept(self._target, self._v, self._n_classes)

    def move(self, W: FloatArray, b: FloatArray) -> None:
        """Make (W, b) the current coefficients, without what rounding had gathered."""
        self._set(self._look(W, b, None))

    def trial(self, dW: FloatArray, db: FloatArray) -> float:
        """Mean loss after a step; the current coefficients stay."""
        self._trial = self._look(dW, db, self._now.Z)
        return self._trial.loss

    def accept(self) -> None:
        """Make the last trial current."""
        if self._trial is not None:
            self._set(self._trial)
            self._trial = None

    def _set(self, position: _Position) -> None:
        self._now, self._curved = position, False

    def _look(self, W: FloatArray, b: FloatArray, start: FloatArray | None) -> _Position:
        """Take a pass with the scores W x + b, added to those of `start` if there are some."""
        n, outputs = self._features.n_rows, self.n_outputs
        used = np.flatnonzero(W.any(axis=0))
        fused = not self._keeps and len(used) > 0
        few = None if fused or len(used) >= 0.25 * self.n_features else used
        active = W if few is None else W[:, few]
        Z = np.empty((outputs, n))
        M = np.empty((outputs, n)) if self._keeps else self._sampled()
        V, vb, loss = np.zeros((outputs, self.n_features)), np.zeros(outputs), 0.0
        pieces = self._features.pieces(self._piece, few) if len(used) else self._blank()
        for rows, A in pieces:
            z = Z[:, rows]
            if len(A):
                np.matmul(active, A, out=z)
                z += b[:, None]
            else:
                z[:] = b[:, None]
            if start is not None:
                z += start[:, rows]
            target, v = self._target[..., rows], self._v[rows]
            share, means = self._family.evaluate(z, target, v)
            loss += share
            self._keep_means(M, rows, means)
            if fused:
                R = self._family.residual(means, target)
                R *= v
                V += R @ A.T
                vb += R.sum(axis=1)
        return _Position(Z, M, loss, (V, vb) if fused else None)

    def _blank(self) -> Iterator[tuple[slice, FloatArray]]:
        """Pieces without features, where only intercepts count."""
        for start in range(0, self._features.n_rows, self._piece):
            rows = slice(start, min(start + self._piece, self._features.n_rows))
            yield rows, np.zeros((0, rows.stop - rows.start))

    def _sampled(self) -> FloatArray:
        return np.empty((self.n_outputs, self._curvature.n_rows), np.float32)

    def _keep_means(self, M: FloatArray, rows: slice, means: FloatArray) -> None:
        if self._sample is None:
            M[:, rows] = means
        else:
            first, last = np.searchsorted(self._sample, [rows.start, rows.stop])
            M[:, first:last] = means[:, self._sample[first:last] - rows.start]

    def _means(self, rows: slice) -> FloatArray:
        if self._keeps:
            return self._now.M[:, rows]
        return self._family.mean(self._now.Z[:, rows])

    def loss(self) -> float:
        """Mean loss at the current coefficients."""
        return self._now.loss

    def n_right(self) -> int | None:
        """Rows predicted right at the current coefficients; None for targets of numbers."""
        right = 0
        for rows, _ in self._blank():
            hits = self._family.hits(self._now.Z[:, rows], self._target[..., rows])
            if hits is None:
                return None
            right += int(hits.sum())
        return right

    def correlation(self, features: IntArray | None = None) -> tuple[FloatArray, FloatArray]:
        """``V = sum_i v_i R_i x_i^T`` (O, p) and ``sum_i v_i R_i`` (O,), in float64."""
        if features is None and self._now.gradient is not None:
            return self._now.gradient
        width = self.n_features if features is None else len(features)
        V, vb = np.zeros((self.n_outputs, width)), np.zeros(self.n_outputs)
        pieces = self._features.pieces(self._piece, features) if width else self._blank()
        for rows, A in pieces:
            R = self._family.residual(self._means(rows), self._target[..., rows])
            R *= self._v[rows]
            V += R @ A.T
            vb += R.sum(axis=1)
        if features is None:
            self._now.gradient = V, vb
        return V, vb

    def dual_terms(self) -> DualTerms:
        """The dual of the mean loss, along the residuals at the current coefficients."""
        parts = [
            self._family.dual_terms(
                self._now.Z[:, rows], self._means(rows), self._target[..., rows], self._v[rows]
            )
            for rows, _ in self._blank()
        ]
        return parts[0].joined(parts)

    def unpenalised_hessian(self, features: IntArray) -> FloatArray:
        """Hessian over the intercept and `features`, all outputs coupled, in float64."""
        outputs, width = self.n_outputs, 1 + len(features)
        H = np.zeros((outputs, width, outputs, width))
        if self._family.coupled:
            for M, v, E in self._intercept_and(features):
                if width == 1:
                    H[:, 0, :, 0] -= (M * v) @ M.T
                    continue
                for k in range(outputs):
                    for other in range(k):
                        block = (E * (M[k] * M[other] * v)) @ E.T
                        H[k, :, other, :] -= block
                        H[other, :, k, :] -= block.T
        own = np.arange(outputs)
        # Not from the row sums of M: 1 - M keeps its digits where M is near 1.
        H[own, :, own, :] = self._diagonal(features)
        return np.asarray(H.reshape(outputs * width, outputs * width))

    def _intercept_and(
        self, features: IntArray
    ) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
        """Yield means M (O, m), weights (m,), and E (1 + a, m): ones and the features."""
        pieces = self._features.pieces(self._piece, features) if len(features) else self._blank()
        for rows, A in pieces:
            yield self._means(rows), self._v[rows], np.vstack([np.ones(A.shape[1]), A])

    def _diagonal(self, features: IntArray) -> FloatArray:
        """Blocks (O, 1 + a, 1 + a) of the Hessian, an output each."""
        blocks = np.zeros((self.n_outputs, 1 + len(features), 1 + len(features)))
        for M, v, E in self._intercept_and(features):
            if not len(features):
                blocks[:, 0, 0] += self._family.diagonal(M, slice(None)) @ v
                continue
            for k in range(len(blocks)):
                blocks[k] += (E * (self._family.diagonal(M, k) * v)) @ E.T
        return blocks

    def _curve(self) -> CurvatureRows:
        if not self._curved:
            self._curvature.at(self._now.M)
            self._curved = True
        return self._curvature

    def work_on(self, features: IntArray) -> None:
        """Choose the working features (m,) for products with the Hessian."""
        self._curvature.work_on(features)
        self._working = features

    def hessian_product(self, D: FloatArray, all_rows: bool) -> FloatArray:
        """Hessian of the mean loss times the working vector D (O, 1 + m).

        With streamed features it is that of the sample, or after a pass that of `all_rows`.
        """
        if self._sample is None or not all_rows:
            return self._curve().product(D)
        HD = np.zeros_like(D)
        for M, v, E in self._intercept_and(self._working):
            dZ = self._family.curvature(M, D @ E)
            dZ *= v
            HD += dZ @ E.T
        return HD

    def hessian(self, pool: Sequence[IntArray], all_rows: bool) -> list[FloatArray]:
        """Hessian over a pool of coefficients: of all outputs, or a block an output.

        With streamed features it is that of the sample, or after a pass that of `all_rows`.
        """
        if self._sample is None or not all_rows:
            return self._curve().hessian(pool)
        blocks: list[FloatArray] = []
        for rows, A in self._features.pieces(_PASS_ROWS):
            piece = CurvatureRows(A, self._v[rows], self._family, seed=0)
            piece.at(self._means(rows))
            share = piece.hessian(pool)
            blocks = [a + b for a, b in zip(blocks, share, strict=True)] if blocks else share
        return blocks

    def root_block(self, k: int, features: IntArray, share: float) -> FloatArray:
        """U (1 + a, r), with ``U U^T`` the Hessian of output k over these features, or near it."""
        return self._curve().root_block(k, features, share)
