"""Second derivatives of the loss over rows that are held in memory, in working precision.

An error in the Hessian changes the way to the optimum, not the optimum. So float32 does as
a rule; and where features are streamed, a sample of the rows that fits in memory does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from clearhead._types import FloatArray, IntArray
from clearhead.glm.families import Family

__all__ = ["CurvatureRows"]

_SMALL = 2**18
"""Features of so few numbers are multiplied by the Hessian in float64, as it costs nothing:
where classes are nearly separated the Hessian is too ill-conditioned for float32."""
_GRAM_FLOPS = 2e10
"""Above this many multiplications Gram blocks are taken over a sample of the rows."""
_PIECE = 2**25


class CurvatureRows:
    """Hessian products, Hessians and Grams over resident rows.

    Parameters
    ----------
    A : (p, n) float64 or float32
        Standardised features; they are copied into working precision as they come into play.
    v : (n,) float64
        Weights that sum to 1.
    family : Family
    seed : int
        For the rows sampled by :meth:`root_block`.
    """

    def __init__(self, A: FloatArray, v: FloatArray, family: Family, *, seed: int) -> None:
        self._A, self._v, self._family = A, v, family
        self._p, self._n = A.shape
        self._random = np.random.default_rng(seed)
        self._dtype: type[np.floating[Any]] = np.float64 if A.size <= _SMALL else np.float32
        self._v_small: FloatArray = v.astype(self._dtype)
        # Row 0 is the intercept's column of ones; features are appended, never removed.
        self._work: FloatArray = np.ones((1, self._n), self._dtype)
        self._place: IntArray = np.full(self._p, -1)
        self._used = 1
        self._features: IntArray = np.zeros(0, np.int64)
        self._columns: IntArray | slice = slice(0, 1)
        self._work_now: FloatArray = self._work
        self._M: FloatArray = np.zeros((0, self._n))

    @classmethod
    def of_work(
        cls, work: FloatArray, v: FloatArray, family: Family, *, seed: int
    ) -> CurvatureRows:
        """Take an array (1 + p, n) of working precision as it is; its first row is ones."""
        made = cls(work[1:], v, family, seed=seed)
        made._dtype, made._v_small = work.dtype.type, v.astype(work.dtype)
        made._work, made._used = work, len(work)
        made._place = np.arange(1, len(work))
        return made

    @property
    def n_rows(self) -> int:
        """Rows n."""
        return int(self._n)

    def at(self, M: FloatArray) -> None:
        """Take the means M (O, n) at the current coefficients."""
        self._M = M.astype(self._dtype, copy=False)

    def _load(self, features: IntArray) -> IntArray:
        """Rows of the working copy that hold these features, the intercept's first."""
        new = features[self._place[features] < 0]
        if self._used + len(new) > len(self._work):
            room = min(1 + self._p, max(2 * len(self._work), self._used + len(new)))
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

    def product(self, D: FloatArray) -> FloatArray:
        """Hessian of the mean loss times the working vector D (O, 1 + m)."""
        spread = np.zeros((D.shape[0], len(self._work_now)), self._dtype)
        spread[:, self._columns] = D
        dZ: Any = spread @ self._work_now
        dZ = self._family.curvature(self._M, dZ)
        dZ *= self._v_small
        return np.asarray((dZ @ self._work_now.T)[:, self._columns], np.float64)

    def hessian(self, pool: Sequence[IntArray]) -> list[FloatArray]:
        """Hessian over a pool of coefficients: of all outputs, or a block an output."""
        M, v = self._M, self._v_small
        places = [self._load(features) for features in pool]
        if not self._family.coupled:
            weights = (self._family.diagonal(M, k) * v for k in range(len(places)))
            return [self._gram(part, w) for part, w in zip(places, weights, strict=True)]
        root: FloatArray = np.sqrt(v)
        starts = np.cumsum([0] + [len(part) for part in places])
        H = np.zeros((starts[-1], starts[-1]), self._dtype)
        step = max(512, int(_PIECE // starts[-1]))
        for first in range(0, self._n, step):
            rows = slice(first, min(first + step, self._n))
            E: FloatArray = np.empty((starts[-1], rows.stop - rows.start), self._dtype)
            for k, part in enumerate(places):
                weight = M[k, rows] * root[rows]
                np.multiply(self._work[part, rows], weight, out=E[starts[k] : starts[k + 1]])
            H -= E @ E.T
        for k, part in enumerate(places):
            # Not from H: the difference of P and P^2 would lose its digits where P is near 1.
            own = slice(starts[k], starts[k + 1])
            H[own, own] = self._gram(part, self._family.diagonal(M, k) * v)
        # A shift of all intercepts is free; this pins it and moves no other solution.
        H[np.ix_(starts[:-1], starts[:-1])] += 1.0 / len(pool) ** 2
        return [H]

    def _gram(self, places: IntArray, weight: FloatArray) -> FloatArray:
        E = self._work[places]
        E *= np.sqrt(weight)
        return np.asarray(E @ E.T)

    def root_block(self, k: int, features: IntArray, share: float) -> FloatArray:
        """U (1 + a, r), with ``U U^T`` the Hessian of output k over these features, or near it.

        When ``n a^2`` exceeds this output's `share` of the budget, rows are sampled in
        proportion to their curvature.
        """
        weight = self._family.diagonal(self._M, k).astype(np.float64) * self._v
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
