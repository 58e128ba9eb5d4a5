"""Smooth problems over chosen coefficients: Newton's method where no l1 term is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import cho_solve

from clearhead._types import BoolArray, FloatArray, IntArray
from clearhead.glm.cholesky import cholesky
from clearhead.glm.conjugate_gradients import conjugate_gradients
from clearhead.glm.families import Family, Target

__all__ = ["Support", "SupportSolution"]

_MAX_STEPS = 100
_ROUNDING = 1e-15
_FAR = 1e4
_NOT_BELOW = 1e-3
"""Gaps are relative to the objective, but to no less than this share of the null loss."""


@dataclass(frozen=True)
class SupportSolution:
    """A minimiser over the support, and how near to it.

    Parameters
    ----------
    W : (O, p) float64
    b : (O,) float64
    loss : float
        Without the ridge.
    gap : float
        Bound on what the objective is above its optimum, relative to it.
    kkt : float
        Largest entry of the objective's gradient, relative to the ridge.
    gradient : float
        Largest entry of the loss's gradient.
    """

    W: FloatArray
    b: FloatArray
    loss: float
    gap: float
    kkt: float
    gradient: float


class Support:
    """Rows and labels over which coefficients of a given support are fitted.

    Parameters
    ----------
    A : (p, n) float64
        Standardised features, one row a feature.
    y : (n,) or (O, n)
        Target of each row.
    v : (n,) float64
        Weights that sum to 1, all positive.
    family : Family
    null_loss : float
        Loss of the model without features, which gaps are relative to at least in part.
    """

    def __init__(
        self, A: FloatArray, y: Target, v: FloatArray, family: Family, null_loss: float
    ) -> None:
        self._A, self._y, self._v, self._family = A, y, v, family
        self._null_loss = null_loss
        sizes = np.sqrt(np.einsum("pn,pn,n->p", A, A, v))
        self.sizes: FloatArray = np.where(sizes > 0.0, sizes, 1.0)
        """Root mean square (p,) of each feature."""

    def over(self, features: IntArray) -> Support:
        """Take the same rows with only these features."""
        return Support(self._A[features], self._y, self._v, self._family, self._null_loss)

    def _scores(self, W: FloatArray, b: FloatArray) -> FloatArray:
        return np.asarray(W @ self._A + b[:, None])

    def right(self, W: FloatArray, b: FloatArray) -> int | None:
        """Rows that are predicted right; None for a target of numbers."""
        hits = self._family.hits(self._scores(W, b), self._y)
        return None if hits is None else int(hits.sum())

    def recedes(self, W: FloatArray, b: FloatArray, dW: FloatArray, db: FloatArray) -> bool:
        """Whether the loss does not rise however far coefficients go on along (dW, db).

        It is convex: where it has not risen after so long a step, it has no minimum there.
        Outputs that hardly move may be held still, as those with a minimum do.
        """
        Z = self._scores(W, b)
        start = self._family.loss(Z, self._y, self._v)
        dZ = self._scores(dW, db)
        reach = np.abs(dZ).max(axis=1)
        if not reach.any():
            return False
        dZ *= _FAR * max(1.0, float(np.abs(Z).max())) / reach.max()
        most = (reach >= 0.1 * reach.max())[:, None]
        return any(
            self._family.loss(Z + step, self._y, self._v) <= start for step in (dZ, dZ * most)
        )

    def solve(
        self,
        mask: BoolArray,
        W: FloatArray,
        b: FloatArray,
        ridge: float,
        *,
        relative: bool = False,
    ) -> SupportSolution:
        """Minimise ``loss + ridge/2 ||W||^2`` over the coefficients in `mask` (O, p), from (W, b).

        With `relative`, each coefficient's ridge is times the mean square of its feature,
        so that the result does not depend on the features' units.
        """
        squares = self.sizes**2 if relative else np.ones_like(self.sizes)
        state = _State(self, mask, np.concatenate([[0.0], ridge * squares]))
        D = np.concatenate([b[:, None], np.where(mask, W, 0.0)], axis=1)
        return state.minimise(state.better(D, np.zeros_like(D)))


class _State:
    """One problem; a working array is (O, 1 + p), its first column the intercept."""

    def __init__(self, rows: Support, mask: BoolArray, ridge: FloatArray) -> None:
        self.ridge = ridge
        self._family, self._y, self._v = rows._family, rows._y, rows._v
        self._E = np.concatenate([np.ones((1, rows._A.shape[1])), rows._A])
        self._face = np.concatenate([np.ones((len(mask), 1), np.bool_), mask], axis=1)
        self._null_loss = rows._null_loss

    def _objective(self, Z: FloatArray, D: FloatArray) -> float:
        return self._family.loss(Z, self._y, self._v) + 0.5 * float((D * D).sum(0) @ self.ridge)

    def _gradient(self, M: FloatArray) -> FloatArray:
        """Gradient (O, 1 + p) of the loss, on the face."""
        R = self._family.residual(M, self._y)
        R *= self._v
        return np.where(self._face, -(R @ self._E.T), 0.0)

    def better(self, D: FloatArray, other: FloatArray) -> FloatArray:
        """Whichever has the lower objective: coefficients of other data may be worse than none."""
        values = [self._objective(start @ self._E, start) for start in (D, other)]
        return D if values[0] <= values[1] else other

    def minimise(self, D: FloatArray) -> SupportSolution:
        """Damped Newton steps until rounding stops them."""
        Z = D @ self._E
        value, before = self._objective(Z, D), np.inf
        unit = self._family.residual_size(self._null_loss)
        for _ in range(_MAX_STEPS):
            M = self._family.mean(Z)
            G = self._gradient(M) + self.ridge * D
            size = float(np.abs(G).max())
            if size <= _ROUNDING * unit or (size > 0.5 * before and size <= 1e-9 * unit):
                break
            before = size
            step = self._newton(M, G)
            found = self._search(D, Z, value, step, float(np.vdot(G, step)))
            if found is None:
                break
            D, Z, value = found
        return self._describe(D, Z, value)

    def _search(
        self, D: FloatArray, Z: FloatArray, value: float, step: FloatArray, slope: float
    ) -> tuple[FloatArray, FloatArray, float] | None:
        dZ = step @ self._E
        for halvings in range(30):
            length = 0.5**halvings
            moved = D + length * step
            Z_moved = Z + length * dZ
            after = self._objective(Z_moved, moved)
            # Near the optimum the objective cannot tell steps apart; the gradient still can.
            if after <= value + 1e-4 * length * slope + 1e-15 * abs(value):
                return moved, Z_moved, after
        return None

    def _newton(self, M: FloatArray, G: FloatArray) -> FloatArray:
        """Newton step; outputs are coupled through conjugate gradients."""
        factors = [self._factor(M, k) for k in range(len(M))]

        def precondition(R: FloatArray) -> FloatArray:
            out = np.zeros_like(R)
            for k, (columns, solve) in enumerate(factors):
                out[k, columns] = solve(R[k, columns])
            return out

        def product(D: FloatArray) -> FloatArray:
            dZ: Any = self._family.curvature(M, D @ self._E)
            dZ *= self._v
            return np.where(self._face, dZ @ self._E.T, 0.0) + self.ridge * D

        return conjugate_gradients(
            product, precondition, -G, self._face, small=None, rtol=1e-3, max_steps=200
        ).x

    def _factor(self, M: FloatArray, k: int) -> tuple[IntArray, Callable[[FloatArray], FloatArray]]:
        """Columns of output k's face, and the solver with its own Hessian over them."""
        columns = np.flatnonzero(self._face[k])
        E = self._E[columns]
        H = (E * (self._family.diagonal(M, k) * self._v)) @ E.T
        H[np.diag_indices_from(H)] += self.ridge[columns]
        diagonal = np.diagonal(H)
        size = np.sqrt(np.maximum(diagonal, 1e-30 * diagonal.max() + np.finfo(np.float64).tiny))
        H /= np.outer(size, size)
        factor = cholesky(H, 0.0, 1e-13)
        return columns, lambda r: np.asarray(cho_solve(factor, r / size, check_finite=False) / size)

    def _describe(self, D: FloatArray, Z: FloatArray, value: float) -> SupportSolution:
        of_loss = self._gradient(self._family.mean(Z))
        G = of_loss + self.ridge * D
        # With b at its optimum the objective is strongly convex in W, with the ridge as modulus.
        excess = float(((G[:, 1:] ** 2) / (2.0 * self.ridge[1:])).sum())
        excess += 2.0 * float(np.abs(G[:, 0]).sum()) * (1.0 + float(np.abs(D[:, 0]).max()))
        return SupportSolution(
            W=D[:, 1:],
            b=D[:, 0].copy(),
            loss=self._family.loss(Z, self._y, self._v),
            gap=excess / max(value, _NOT_BELOW * self._null_loss),
            kkt=float((np.abs(G).max(axis=0)[1:] / self.ridge[1:]).max(initial=0.0)),
            gradient=float(np.abs(of_loss).max()),
        )
