r"""The elastic net, by coefficient or by feature: its value, optimality condition and dual.

Both are ``lam * sum_j f_j (l1_ratio * size_j(W) + (1 - l1_ratio)/2 * |W_.j|^2)`` and differ in
what is measured: the elastic net takes each coefficient's absolute value, the grouped one
the Euclidean norm of a feature's coefficients over all outputs, so that a feature is in for
every output or for none. All else follows from that size.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from clearhead._types import BoolArray, FloatArray

__all__ = [
    "Conjugate",
    "ElasticNet",
    "GroupedElasticNet",
    "Penalty",
    "RestrictedElasticNet",
    "penalty_of",
]

_SMALLEST_RATIO = 1e-3
"""Below it lambda_max, which divides by l1_ratio, uses this (as glmnet does)."""
_NOISE = 1e-10


@dataclass(frozen=True)
class Conjugate:
    """The penalty's conjugate along t, ``sum (t a - l1)_+^2 / (2 l2)``, convex in t.

    Parameters
    ----------
    sizes, l1, l2 : (m,) float64
        Size a of V where it can exceed l1 at all, and the weights there; l2 > 0.
    """

    sizes: FloatArray
    l1: FloatArray
    l2: FloatArray

    def at(self, t: float) -> tuple[float, float, float]:
        """Value, slope and curvature at t in [0, 1]."""
        excess = np.maximum(t * self.sizes - self.l1, 0.0)
        pull = excess / self.l2
        bend = np.where(excess > 0.0, self.sizes * self.sizes / self.l2, 0.0)
        return 0.5 * float(excess @ pull), float(self.sizes @ pull), float(bend.sum())


@dataclass(frozen=True)
class Penalty(ABC):
    """What the two have in common.

    Parameters
    ----------
    l1_ratio : float
        Share of the sizes, in [0, 1]; the squares have the rest.
    factors : (p,) float64
        Factor f_j >= 0 of each feature; 0 is never penalised. (A banned feature,
        factor inf, has left the problem before this.)
    """

    l1_ratio: float
    factors: FloatArray

    @property
    @abstractmethod
    def grouped(self) -> bool:
        """Whether the coefficients of a feature are zero together."""

    @abstractmethod
    def size(self, W: FloatArray) -> FloatArray:
        """What the l1 weight multiplies: (O, p), or (1, p) where outputs are one group."""

    def l1(self, lam: float) -> FloatArray:
        """Weight (p,) of ``size_j``."""
        return lam * self.l1_ratio * self.factors

    def l2(self, lam: float) -> FloatArray:
        """Weight (p,) of ``w_j^2 / 2``."""
        return lam * (1.0 - self.l1_ratio) * self.factors

    def value(self, W: FloatArray, lam: float) -> float:
        """Penalty of the coefficients W (O, p)."""
        return float(
            self.size(W).sum(axis=0) @ self.l1(lam) + 0.5 * (W * W).sum(axis=0) @ self.l2(lam)
        )

    def change(self, W: FloatArray, moved: FloatArray, lam: float) -> float:
        """``value(moved) - value(W)``, term by term, so that small changes keep their digits."""
        sizes = self.l1(lam) * (self.size(moved) - self.size(W))
        squares = 0.5 * self.l2(lam) * (moved - W) * (moved + W)
        return float(sizes.sum() + squares.sum())

    def _shrunk(self, X: FloatArray, by: FloatArray) -> FloatArray:
        """X with its sizes less `by`, or zero."""
        size = self.size(X)
        kept = np.maximum(size - by, 0.0)
        return np.asarray(X * np.divide(kept, size, out=np.zeros_like(size), where=size > 0.0))

    def subgradient(self, W: FloatArray, G: FloatArray, lam: float) -> FloatArray:
        """Shortest element (O, p) of the subdifferential of the whole objective.

        `G` is the gradient of the mean loss. Zero everywhere means: optimal.
        """
        l1, size = self.l1(lam), self.size(W)
        direction = W / np.where(size > 0.0, size, 1.0)
        smooth = G + self.l2(lam) * W + l1 * direction
        return np.where(size > 0.0, smooth, self._shrunk(G, l1))

    def violation(self, W: FloatArray, G: FloatArray, lam: float) -> float:
        """Largest KKT violation, relative to `lam`."""
        if W.size == 0:
            return 0.0
        return float(np.abs(self.subgradient(W, G, lam)).max() / lam)

    def prox(self, raw: FloatArray, t: float, lam: float) -> FloatArray:
        """Minimise ``|x - raw|^2 / (2 t)`` plus the penalty of x, (O, p)."""
        return np.asarray(self._shrunk(raw, t * self.l1(lam)) / (1.0 + t * self.l2(lam)))

    def enters(self, V: FloatArray, lam: float, margin: float) -> BoolArray:
        """Coefficients (O, p) that a gradient V lets leave zero, or nearly.

        A margin of 0.1 counts those whose gradient is at least 90% of what would.
        """
        return np.broadcast_to(self.size(V) > (1.0 - margin) * self.l1(lam), V.shape)

    def lambda_max(self, G: FloatArray) -> float:
        """Smallest lam at which every penalised coefficient is zero.

        `G` is the gradient of the mean loss at the null model.
        """
        penalised = self.factors > 0
        if not penalised.any():
            return 0.0
        size = self.size(G)[:, penalised].max(axis=0)
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
        size = self.size(V)[:, rigid]
        limit = np.broadcast_to(self.l1(lam)[rigid], size.shape)
        over = size > limit
        return float((limit[over] / size[over]).min()) if over.any() else 1.0

    def conjugate(self, V: FloatArray, lam: float) -> Conjugate:
        """``sum_j (size_j(t V) - l1_j)_+^2 / (2 l2_j)`` over penalised features with l2 > 0."""
        size = self.size(V)
        l1, l2 = (np.broadcast_to(a, size.shape) for a in (self.l1(lam), self.l2(lam)))
        # No other can leave the dual's free zone at any t up to 1.
        near = (size > l1) & (l2 > 0.0)
        return Conjugate(size[near], l1[near], l2[near])


@dataclass(frozen=True)
class ElasticNet(Penalty):
    """``lam * sum_j f_j (l1_ratio |w_j| + (1 - l1_ratio)/2 w_j^2)`` over all outputs."""

    @property
    def grouped(self) -> bool:
        """False."""
        return False

    def size(self, W: FloatArray) -> FloatArray:
        """Absolute values (O, p)."""
        return np.abs(W)


@dataclass(frozen=True)
class GroupedElasticNet(Penalty):
    """``lam * sum_j f_j (l1_ratio ||W_.j||_2 + (1 - l1_ratio)/2 ||W_.j||_2^2)``."""

    @property
    def grouped(self) -> bool:
        """True."""
        return True

    def size(self, W: FloatArray) -> FloatArray:
        """Euclidean norms (1, p) of each feature's coefficients."""
        return np.asarray(np.linalg.norm(W, axis=0, keepdims=True))


@dataclass(frozen=True)
class RestrictedElasticNet(Penalty):
    """The elastic net where some coefficients are held at zero: a feature banned for one output.

    What is held has no size: nothing lets it enter, ``prox`` keeps it at zero, and as the
    conjugate of being held is zero, the dual asks nothing of its gradient.

    Parameters
    ----------
    allowed : (O, p) bool
        False where a coefficient is held at zero; it must be zero at the start.
    """

    allowed: BoolArray

    @property
    def grouped(self) -> bool:
        """False."""
        return False

    def size(self, W: FloatArray) -> FloatArray:
        """Absolute values (O, p); 0 where coefficients are held."""
        return np.where(self.allowed, np.abs(W), 0.0)


def penalty_of(grouped: bool, l1_ratio: float, factors: FloatArray) -> Penalty:
    """Penalty of these settings."""
    return (GroupedElasticNet if grouped else ElasticNet)(l1_ratio, factors)
