"""The whole Hessian over a pool of coefficients, formed once and kept for many steps.

While the coefficients in play are few, one product of matrices forms their Hessian with
all classes coupled; from then on a Newton step costs no pass over the data, only small
dense algebra. As the point moves the Hessian grows old. That changes the way to the
optimum, not the optimum: gradients are exact at every step, and when steps made with
the old Hessian gain too little it is formed anew.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.linalg import cho_solve

from clearhead._types import BoolArray, FloatArray, IntArray
from clearhead.glm.cholesky import cholesky
from clearhead.glm.threads import one_thread

__all__ = ["FormedHessian"]

_JITTER = {np.dtype(np.float32): 1e-6, np.dtype(np.float64): 1e-12}
"""Added to the diagonal, relative to its mean: a Hessian may be singular but for rounding."""
_ALWAYS = 400
"""Faces of so few coefficients are factored at every change; larger ones when CG steps grow."""
_CHANGED = 0.05
_FEW_THREADS = 256


class FormedHessian:
    """Hessian of the mean loss over a pool of coefficients.

    The pool is flat: for each output in turn its intercept and then its features,
    ascending. Outputs that the loss does not couple have a block each.

    Parameters
    ----------
    pool : sequence of (a_k,) int
        Features of each output.
    blocks : sequence of (N, N) arrays
        One block for all outputs, or one an output.
    n_features : int
        Features p of the problem.
    """

    def __init__(
        self, pool: Sequence[IntArray], blocks: Sequence[FloatArray], n_features: int
    ) -> None:
        self.outputs: IntArray = np.repeat(np.arange(len(pool)), [1 + len(f) for f in pool])
        self.features: IntArray = np.concatenate([np.concatenate([[-1], f]) for f in pool])
        self.covered: BoolArray = np.zeros((len(pool), n_features), bool)
        inside = self.features >= 0
        self.covered[self.outputs[inside], self.features[inside]] = True
        self.sizes = [1 + len(features) for features in pool]
        ends = np.cumsum([0] + [len(block) for block in blocks])
        self._blocks = [_Block(block) for block in blocks]
        self._parts = [slice(a, b) for a, b in pairwise(ends)]

    def gather(self, W: FloatArray, b: FloatArray) -> FloatArray:
        """Flat (N,) coefficients of the pool from (O, p) and (O,)."""
        return np.where(self.features < 0, b[self.outputs], W[self.outputs, self.features])

    def scatter(self, d: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Undo :meth:`gather`; what is not in the pool is zero."""
        W, b = np.zeros(self.covered.shape), np.zeros(len(self.covered))
        intercept = self.features < 0
        W[self.outputs[~intercept], self.features[~intercept]] = d[~intercept]
        b[self.outputs[intercept]] = d[intercept]
        return W, b

    def product(self, d: FloatArray) -> FloatArray:
        """Hessian times d (N,)."""
        out = np.empty_like(d)
        for block, part in zip(self._blocks, self._parts, strict=True):
            out[part] = block.product(d[part])
        return out

    def on_face(self, face: BoolArray, ridge: FloatArray) -> FormedHessian:
        """Prepare to solve on a face (N,) with `ridge` (N,) on the diagonal."""
        for block, part in zip(self._blocks, self._parts, strict=True):
            block.use(np.flatnonzero(face[part]), ridge[part])
        return self

    def __call__(self, r: FloatArray) -> FloatArray:
        """Apply the inverse on the face, or nearly, to r (N,)."""
        out = np.zeros_like(r)
        for block, part in zip(self._blocks, self._parts, strict=True):
            out[part] = block.solve(r[part])
        return out


class _Block:
    """One block with its last factored face."""

    def __init__(self, H: FloatArray) -> None:
        self._H = H
        self._factored: IntArray | None = None
        self._ridge: FloatArray = np.zeros(0)
        self._factor: Any = None
        self._common: IntArray = np.zeros(0, np.int64)
        self._places: IntArray = np.zeros(0, np.int64)
        self._new: IntArray = np.zeros(0, np.int64)
        self._diagonal: FloatArray = np.zeros(0)

    def product(self, d: FloatArray) -> FloatArray:
        return np.asarray(self._H @ d.astype(self._H.dtype), np.float64)

    def use(self, face: IntArray, ridge: FloatArray) -> None:
        """See that a factor is there that is exact, or close, on the face."""
        if self._factored is None or len(face) <= _ALWAYS:
            fresh = self._factored is None or not np.array_equal(self._factored, face)
        else:
            changed = len(np.setxor1d(self._factored, face, assume_unique=True))
            fresh = changed > _CHANGED * len(face)
        if not fresh and not np.allclose(self._ridge, ridge[self._factored], rtol=0.3, atol=0.0):
            fresh = True
        if fresh:
            self._refactor(face, ridge)
        factored = face if self._factored is None else self._factored
        self._common, self._places, _ = np.intersect1d(
            factored, face, assume_unique=True, return_indices=True
        )
        self._new = np.setdiff1d(face, factored, assume_unique=True)
        self._diagonal = np.diagonal(self._H)[self._new] + ridge[self._new] + 1e-30

    def _refactor(self, face: IntArray, ridge: FloatArray) -> None:
        matrix: FloatArray = self._H[np.ix_(face, face)]
        few = one_thread() if len(face) <= _FEW_THREADS else contextlib.nullcontext()
        with few:
            factor = cholesky(matrix, ridge[face], _JITTER[self._H.dtype])
        self._factored, self._factor, self._ridge = face, factor, ridge[face]

    def solve(self, r: FloatArray) -> FloatArray:
        out = np.zeros_like(r)
        inner = np.zeros(len(self._ridge), self._H.dtype)
        inner[self._places] = r[self._common]
        solved = cho_solve(self._factor, inner, overwrite_b=True, check_finite=False)
        out[self._common] = solved[self._places]
        out[self._new] = r[self._new] / self._diagonal
        return out
