"""The elastic net: its value, its optimality condition and its dual."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clearhead._types import FloatArray

__all__ = ["ElasticNet"]

_SMALLEST_RATIO = 1e-3
"""Below it lambda_max, which divides by l1_ratio, uses this (as glmnet does)."""
_NOISE = 1e-10


@dataclass(frozen=True)
class ElasticNet:
    """``lam * sum_j f_j (l1_ratio |w_j| + (1 - l1_ratio)/2 w_j^2)``.

    Parameters
    ----------
    l1_ratio : float
        Share of the l1 norm, in [0, 1].
    factors : (p,) float64
        Factor f_j >= 0 of each feature; 0 is never penalised. (A banned feature,
        factor inf, has left the problem before this.)
    """

    l1_ratio: float
    factors: FloatArray

    def l1(self, lam: float) -> FloatArray:
        """Weight (p,) of ``|w_j|``."""
        return lam * self.l1_ratio * self.factors

    def l2(self, lam: float) -> FloatArray:
        """Weight (p,) of ``w_j^2 / 2``."""
        return lam * (1.0 - self.l1_ratio) * self.factors

    def value(self, W: FloatArray, lam: float) -> float:
        """Penalty of the coefficients W (O, p)."""
        return float(
            np.abs(W).sum(axis=0) @ self.l1(lam) + 0.5 * (W * W).sum(axis=0) @ self.l2(lam)
        )

    def change(self, W: FloatArray, moved: FloatArray, lam: float) -> float:
        """``value(moved) - value(W)``, term by term, so that small changes keep their digits."""
        terms = self.l1(lam) * (np.abs(moved) - np.abs(W))
        terms += 0.5 * self.l2(lam) * (moved - W) * (moved + W)
        return float(terms.sum())

    def subgradient(self, W: FloatArray, G: FloatArray, lam: float) -> FloatArray:
        """Shortest element (O, p) of the subdifferential of the whole objective.

        `G` is the gradient of the mean loss. Zero everywhere means: optimal.
        """
        l1 = self.l1(lam)
        smooth = G + self.l2(lam) * W
        at_zero = np.sign(G) * np.maximum(np.abs(G) - l1, 0.0)
        return np.where(W != 0.0, smooth + l1 * np.sign(W), at_zero)

    def violation(self, W: FloatArray, G: FloatArray, lam: float) -> float:
        """Largest KKT violation, relative to `lam`."""
        if W.size == 0:
            return 0.0
        return float(np.abs(self.subgradient(W, G, lam)).max() / lam)

    def lambda_max(self, G: FloatArray) -> float:
        """Smallest lam at which every penalised coefficient is zero.

        `G` is the gradient of the mean loss at the null model.
        """
        penalised = self.factors > 0
        if not penalised.any():
            return 0.0
        size = np.abs(G[:, penalised]).max(axis=0)
        return float((size / self.factors[penalised]).max() / max(self.l1_ratio, _SMALLEST_RATIO))

    def lambda_noise(self, sizes: FloatArray) -> float:
        """Value of lam below which gradients are rounding: the grid of features without signal.

        `sizes` (p,) are the root mean squares of the features.
        """
        penalised = self.factors > 0
        if not penalised.any():
            return _NOISE
        return _NOISE * float((sizes[penalised] / self.factors[penalised]).max())

    def largest_dual_step(self, V: FloatArray, lam: float) -> float:
        """Largest t in [0, 1] at which ``t V`` is feasible: less than 1 only without l2."""
        rigid = (self.factors > 0) & (self.l2(lam) == 0.0)
        size = np.abs(V[:, rigid])
        limit = np.broadcast_to(self.l1(lam)[rigid], size.shape)
        over = size > limit
        return float((limit[over] / size[over]).min()) if over.any() else 1.0

    def conjugate(self, V: FloatArray, lam: float, t: float) -> float:
        """``sum_kj (|t V_kj| - l1_j)_+^2 / (2 l2_j)`` over penalised features with l2 > 0."""
        l2 = self.l2(lam)
        soft = l2 > 0.0
        if not soft.any():
            return 0.0
        excess = np.maximum(np.abs(t * V[:, soft]) - self.l1(lam)[soft], 0.0)
        return float(((excess * excess).sum(axis=0) / (2.0 * l2[soft])).sum())
