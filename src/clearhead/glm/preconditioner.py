"""An approximate inverse of the Hessian: one block an output, coupling left to CG."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from clearhead._types import BoolArray, FloatArray, IntArray
from clearhead.glm.cholesky import cholesky
from clearhead.glm.reductions import Reductions
from clearhead.glm.threads import one_thread

__all__ = ["BlockPreconditioner"]

_JITTER = 1e-6
"""Added to the diagonal, relative to its mean: Grams are float32, and may be singular."""


class _Block:
    """The Hessian of one output over the features it may need, factored over its face.

    Parameters
    ----------
    names : (a,) int
        Ascending features; -1 is the intercept.
    U : (a, r) float32
        ``U U^T`` is the Hessian. Only the smaller of Gram and U is kept.
    """

    def __init__(self, names: IntArray, U: FloatArray) -> None:
        self.names = names
        self._gram = np.asarray(U @ U.T, np.float64) if U.shape[0] <= U.shape[1] else None
        self._U = U.astype(np.float64) if self._gram is None else None
        self._face: IntArray | None = None
        self._factor: Any = None
        self._inverse_ridge: FloatArray | None = None
        self._U_face: FloatArray | None = None

    def covers(self, wanted: IntArray) -> bool:
        return bool(np.isin(wanted, self.names, assume_unique=True).all())

    def use(self, wanted: IntArray, ridge: FloatArray) -> None:
        """Factor ``U U^T + diag(ridge)`` over the face, unless that is the last one."""
        if self._face is not None and np.array_equal(self._face, wanted):
            return
        self._face = wanted
        places = np.searchsorted(self.names, wanted)
        if self._gram is not None:
            self._factor_gram(self._gram[np.ix_(places, places)], ridge)
            return
        U = self._U[places] if self._U is not None else np.zeros((0, 0))
        if U.shape[0] <= U.shape[1]:
            self._factor_gram(U @ U.T, ridge)
            return
        # Fewer rows than columns: through the rows (Woodbury).
        floor = _JITTER * float((U * U).sum(axis=1).mean()) + 1e-30
        self._inverse_ridge, self._U_face = 1.0 / (ridge + floor), U
        inner = (U.T * self._inverse_ridge) @ U
        inner[np.diag_indices_from(inner)] += 1.0
        self._factor = cho_factor(inner, overwrite_a=True, check_finite=False)

    def _factor_gram(self, gram: FloatArray, ridge: FloatArray) -> None:
        self._U_face = None
        self._factor = cholesky(gram, ridge, _JITTER)

    def solve(self, r: FloatArray) -> FloatArray:
        if self._U_face is None or self._inverse_ridge is None:
            return np.asarray(cho_solve(self._factor, r, check_finite=False))
        base = r * self._inverse_ridge
        inner = cho_solve(self._factor, self._U_face.T @ base, check_finite=False)
        return np.asarray(base - self._inverse_ridge * (self._U_face @ inner))


class BlockPreconditioner:
    """Cholesky factors of each output's own Hessian over its own active columns.

    A block's Gram is kept while it covers what is needed, from step to step and from
    lam to lam: an old Hessian costs a few more CG steps, a new one a Gram product.
    """

    def __init__(self) -> None:
        self._blocks: list[_Block | None] = []
        self._columns: list[IntArray] = []
        self._when_new: int | None = None

    def forget(self) -> None:
        """Build every block anew at the next :meth:`cover`."""
        self._blocks, self._when_new = [], None

    def judge(self, cg_steps: int, patience: int) -> None:
        """Forget blocks that need many more CG steps than when they were new."""
        if self._when_new is None:
            self._when_new = cg_steps
        elif cg_steps > patience + 1.5 * self._when_new:
            self.forget()

    def cover(self, rows: Reductions, needed: BoolArray, likely: BoolArray) -> None:
        """See that each output has a block over the features it needs.

        Parameters
        ----------
        rows : Reductions
        needed : (O, p) bool
            Features that may join the face now.
        likely : (O, p) bool
            Features worth including when a block is built, for later.
        """
        if not self._blocks:
            self._blocks = [None] * len(needed)
        wanted = [_with_intercept(np.flatnonzero(row)) for row in needed]
        stale = []
        for k, names in enumerate(wanted):
            block = self._blocks[k]
            if block is None or not block.covers(names):
                stale.append(k)
        for k in stale:
            names = _with_intercept(np.flatnonzero(likely[k] | needed[k]))
            self._blocks[k] = _Block(names, rows.root_block(k, names[1:], 1.0 / len(stale)))

    def on_face(self, face: BoolArray, features: IntArray, ridge: FloatArray) -> None:
        """Factor every block over its part of the face.

        Parameters
        ----------
        face : (O, 1 + m) bool
            Free working columns of each output, the intercept first.
        features : (m,) int
            Which feature each working column is, ascending.
        ridge : (1 + m,) float64
            Second derivative of the penalty.
        """
        names = _with_intercept(features)
        self._columns = [np.flatnonzero(row) for row in face]
        with one_thread():
            for block, columns in zip(self._blocks, self._columns, strict=True):
                if block is not None:
                    block.use(names[columns], ridge[columns])

    def __call__(self, R: FloatArray) -> FloatArray:
        """Apply the approximate inverse to R (O, 1 + m)."""
        D = np.zeros_like(R)
        for k, (block, columns) in enumerate(zip(self._blocks, self._columns, strict=True)):
            if block is not None:
                D[k, columns] = block.solve(R[k, columns])
        return D


def _with_intercept(features: IntArray) -> IntArray:
    return np.concatenate([[-1], features])
