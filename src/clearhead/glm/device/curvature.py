"""Second derivatives on a device, in float32 with TF32 products where it has them.

An error in the Hessian changes the way to the optimum, not the optimum. Both factors of a
product are rounded alike, so that what is rounded is as good as the Hessian of features that
differ in the fourth digit: it stays positive.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from clearhead._types import FloatArray, IntArray
from clearhead.glm.device.families import DeviceFamily
from clearhead.glm.device.features import DeviceFeatures

__all__ = ["DeviceCurvature"]

_SMALL = 2**18
"""Features of so few numbers are multiplied in float64, as by the other hosts."""
_GRAM_FLOPS = 1e12
"""Above this many multiplications Gram blocks are taken over a sample of the rows."""
_JITTER = 1e-6


class DeviceCurvature:
    """Hessian products, Hessians and Grams over rows on a device.

    Parameters
    ----------
    features : DeviceFeatures
    v : (n,) float64
        Weights that sum to 1.
    family : DeviceFamily
    seed : int
        For the rows sampled by :meth:`root_block`.
    """

    def __init__(self, features: DeviceFeatures, v: Tensor, family: DeviceFamily, seed: int):
        self._features, self._family = features, family
        small = features.n_rows * features.n_features <= _SMALL
        self._dtype = torch.float64 if small else torch.float32
        self._v = v.to(self._dtype)
        self._random = np.random.default_rng(seed)
        self._columns = features.choose(np.zeros(0, np.int64))
        self._M = v.new_zeros(0, 0)

    @property
    def dtype(self) -> torch.dtype:
        """Precision of means."""
        return self._dtype

    def at(self, M: Tensor) -> None:
        """Take the means M (n, O) at the current coefficients."""
        self._M = M

    def work_on(self, features: IntArray) -> None:
        """Choose the working features (m,) for products with the Hessian."""
        self._columns = self._features.choose(features)

    def product(self, D: FloatArray) -> FloatArray:
        """Hessian of the mean loss times the working vector D (O, 1 + m)."""
        d = torch.tensor(D, dtype=self._dtype, device=self._M.device)
        along, shift = d[:, 1:].T.contiguous(), d[:, 0].contiguous()
        out = torch.zeros_like(d)
        with _fast_products():
            for rows in self._features.chunks(len(self._columns) + 2 * len(d)):
                A = self._features.block(rows, self._columns, self._dtype)
                dZ = A @ along
                dZ += shift
                dZ = self._family.curvature(self._M[rows], dZ)
                dZ *= self._v[rows, None]
                out[:, 0] += dZ.sum(dim=0)
                out[:, 1:] += dZ.T @ A
        return np.asarray(out.double().cpu().numpy())

    def hessian(self, pool: Sequence[IntArray]) -> list[FloatArray]:
        """Hessian over a pool of coefficients: of all outputs, or a block an output."""
        if not self._family.coupled:
            return [self._gram(k, part).cpu().numpy() for k, part in enumerate(pool)]
        union = np.unique(np.concatenate(pool))
        columns = self._features.choose(union)
        # Column 0 is the intercept's.
        places = [np.append(0, 1 + np.searchsorted(union, part)) for part in pool]
        sizes = [len(part) for part in places]
        place = self._features.index(np.concatenate(places))
        output = self._features.index(np.repeat(np.arange(len(pool)), sizes))
        starts = self._features.index(np.cumsum([0, *sizes[:-1]]))
        between = self._M.new_zeros(len(place), len(place))
        own = torch.zeros_like(between)
        with _fast_products():
            for rows in self._features.chunks(len(union) + 2 * len(place)):
                A = _with_ones(self._features.block(rows, columns, self._dtype))
                M, root = self._M[rows], self._v[rows, None].sqrt()
                E = A[:, place] * (M * root)[:, output]
                between -= E.T @ E
                # Not from the product above: the difference of P and P^2 would lose its digits
                # where P is near 1. One more large product costs less than many small ones.
                E = A[:, place] * (self._family.diagonal(M).sqrt_() * root)[:, output]
                own += E.T @ E
        H = torch.where(output[:, None] == output, own, between)
        # A shift of all intercepts is free; this pins it and moves no other solution.
        H[starts[:, None], starts] += 1.0 / len(pool) ** 2
        return [H.cpu().numpy()]

    def _gram(self, k: int, features: IntArray) -> Tensor:
        """Hessian (1 + a, 1 + a) of output k over all rows."""
        columns = self._features.choose(features)
        G = self._M.new_zeros(1 + len(features), 1 + len(features))
        with _fast_products():
            for rows in self._features.chunks(2 * len(G)):
                weight = self._family.diagonal(self._M[rows, k]) * self._v[rows]
                E = _with_ones(self._features.block(rows, columns, self._dtype))
                E *= weight.sqrt_()[:, None]
                G += E.T @ E
        return G

    def root_block(self, k: int, features: IntArray, share: float) -> FloatArray:
        """U (1 + a, r), with ``U U^T`` the Hessian of output k over these features, or near it.

        Rows are sampled where there are too many, as by the other hosts. No more than a square
        goes back: of more rows it is the factor of their Gram.
        """
        size = 1 + len(features)
        rows = int(max(share * _GRAM_FLOPS / size**2, 512))
        if rows >= 0.7 * self._features.n_rows:
            return _root(self._gram(k, features))
        weight = self._family.diagonal(self._M[:, k]).double() * self._v
        cumulated = weight.cumsum(0)
        # Without curvature nothing is divided by: all rows are then 0.
        total = cumulated[-1]
        steps = (torch.arange(rows, device=total.device) + self._random.random()) / rows
        chosen = torch.searchsorted(cumulated, steps * total).clamp_max_(len(weight) - 1)
        U = _with_ones(self._features.block(chosen, self._features.choose(features), self._dtype))
        U *= (total / rows).sqrt().to(self._dtype)
        if rows <= size:
            return np.asarray(U.T.cpu().numpy())
        with _fast_products():
            return _root(U.T @ U)


def _with_ones(A: Tensor) -> Tensor:
    return torch.cat([A.new_ones(len(A), 1), A], dim=1)


def _root(G: Tensor) -> FloatArray:
    """Square root of a Gram, nearly; it may be singular but for rounding."""
    exact: FloatArray = G.double().cpu().numpy()
    floor = _JITTER * float(np.diagonal(exact).mean()) + 1e-30
    if not np.isfinite(exact).all():
        return np.asarray(np.eye(len(exact)))
    while True:
        trial = exact.copy()
        trial[np.diag_indices_from(trial)] += floor
        try:
            return np.asarray(np.linalg.cholesky(trial))
        except np.linalg.LinAlgError:
            floor *= 100.0


@contextmanager
def _fast_products() -> Iterator[None]:
    """Let a CUDA device multiply float32 in TF32, and restore what the user has chosen."""
    matmul: Any = torch.backends.cuda.matmul
    # Newer versions refuse the older name once somebody has used the new one.
    name, fast = ("fp32_precision", "tf32")
    if not hasattr(matmul, name):
        name, fast = "allow_tf32", True  # type: ignore[assignment]
    before = getattr(matmul, name)
    setattr(matmul, name, fast)
    try:
        yield
    finally:
        setattr(matmul, name, before)
