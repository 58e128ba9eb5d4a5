"""The reductions of one device: sums over chunks of rows, those of the certificate in float64.

The features stay as they are. Of scores there are two copies, at the current coefficients
and at a trial; means are made anew from them, but for those that curvature is taken at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from clearhead._types import FloatArray, IntArray
from clearhead.glm.costs import Costs
from clearhead.glm.device.curvature import DeviceCurvature
from clearhead.glm.device.families import device_family
from clearhead.glm.device.features import Columns, DeviceFeatures
from clearhead.glm.dual_terms import DualTerms
from clearhead.glm.families import Target, family_of

__all__ = ["DeviceRowSums"]

_RATES: dict[str, dict[str, Any]] = {
    "cpu": {},
    "cuda": {
        "fat": 3e14, "skinny": 1e12, "small": 1.5e11, "element": 4e-11, "scoring": 1e-11,
        "exact": 6.0,
    },
}  # fmt: skip
"""Of an H100, by its data sheet: TF32, memory, float64; and of its host's factorisations."""
_FEW = 0.25


class DeviceRowSums:
    """Sums over rows on a device, at the current coefficients.

    Parameters
    ----------
    features : DeviceFeatures
    target : (n,) or (K, n)
        Class of each row, or what each output should be.
    v : (n,) float64
        Weights that sum to 1, all positive.
    family : str
    n_classes : int
        Number of classes K.
    seed : int
        For rows sampled to build preconditioners.
    """

    def __init__(
        self,
        features: DeviceFeatures,
        target: Target,
        v: FloatArray,
        *,
        family: str,
        n_classes: int,
        seed: int,
    ) -> None:
        host = family_of(family)
        self._n_outputs = host.n_outputs(n_classes)
        self._null = host.null_intercept(target, v, n_classes)
        self._features, self._family = features, device_family(family)
        self._v = self._float64(v)
        self._target = self._family.target(target, features.device)
        self._curvature = DeviceCurvature(features, self._v, self._family, seed)
        self._curved = False
        self._trial: tuple[Tensor, float] | None = None
        self._Z, self._loss = self._look(np.zeros((len(self._null), self.n_features)), self._null)

    def _float64(self, values: FloatArray) -> Tensor:
        return torch.tensor(values, dtype=torch.float64, device=self._features.device)

    def _zeros(self, *shape: int) -> Tensor:
        return torch.zeros(shape, dtype=torch.float64, device=self._features.device)

    @property
    def n_outputs(self) -> int:
        """Rows O of the coefficients."""
        return self._n_outputs

    @property
    def n_features(self) -> int:
        """Columns p of the coefficients."""
        return self._features.n_features

    @property
    def costs(self) -> Costs:
        """What operations cost."""
        n = self._features.n_rows
        rates = _RATES.get(self._features.device.type, _RATES["cuda"])
        return Costs(n, self.n_features, self.n_outputs, self._family.coupled, n, **rates)

    def root_mean_squares(self) -> FloatArray:
        """Weighted root mean square (p,) of each feature."""
        squares = self._zeros(self.n_features)
        for rows, A in self._pass(self._features.choose(None)):
            squares += self._v[rows] @ A.square_()
        return np.asarray(squares.sqrt_().cpu().numpy())

    def null_intercept(self) -> FloatArray:
        """Intercept (O,) of the model without features."""
        return self._null

    def move(self, W: FloatArray, b: FloatArray) -> None:
        """Make (W, b) the current coefficients, without what rounding had gathered."""
        self._trial = None
        self._set(*self._look(W, b))

    def trial(self, dW: FloatArray, db: FloatArray) -> float:
        """Mean loss after a step; the current coefficients stay."""
        # The last trial's scores make room for these.
        self._trial = None
        self._trial = self._look(dW, db, self._Z)
        return self._trial[1]

    def accept(self) -> None:
        """Make the last trial current."""
        if self._trial is not None:
            self._set(*self._trial)
            self._trial = None

    def _set(self, Z: Tensor, loss: float) -> None:
        self._Z, self._loss, self._curved = Z, loss, False

    def _pass(self, columns: Columns) -> Iterator[tuple[slice, Tensor]]:
        """Chunks of features (m, len(columns)) in float64."""
        for rows in self._features.chunks(len(columns) + 2 * self.n_outputs):
            yield rows, self._features.block(rows, columns, torch.float64)

    def _scored(self) -> Iterator[tuple[slice, Tensor]]:
        """Chunks of the current scores."""
        for rows in self._features.chunks(3 * self.n_outputs):
            yield rows, self._Z[rows]

    def _look(
        self, W: FloatArray, b: FloatArray, start: Tensor | None = None
    ) -> tuple[Tensor, float]:
        """Scores W x + b, added to those of `start` if there are some, and their loss."""
        used = np.flatnonzero(W.any(axis=0))
        few = len(used) < _FEW * self.n_features
        columns = self._features.choose(used if few else None)
        along = self._float64(W[:, used] if few else W).T
        shift = self._float64(b)
        Z, loss = self._zeros(self._features.n_rows, self.n_outputs), self._zeros()
        for rows, A in self._pass(columns):
            z = Z[rows]
            if len(columns):
                torch.mm(A, along, out=z)
            z += shift
            if start is not None:
                z += start[rows]
            loss += self._family.evaluate(z, self._target[rows], self._v[rows])[0]
        return Z, float(loss)

    def loss(self) -> float:
        """Mean loss at the current coefficients."""
        return self._loss

    def n_right(self) -> int | None:
        """Rows predicted right at the current coefficients; None for targets of numbers."""
        right = torch.zeros((), dtype=torch.int64, device=self._features.device)
        for rows, Z in self._scored():
            hits = self._family.hits(Z, self._target[rows])
            if hits is None:
                return None
            right += hits.sum()
        return int(right)

    def correlation(self, features: IntArray | None = None) -> tuple[FloatArray, FloatArray]:
        """``V = sum_i v_i R_i x_i^T`` (O, p) and ``sum_i v_i R_i`` (O,), in float64."""
        columns = self._features.choose(features)
        V, vb = self._zeros(self.n_outputs, len(columns)), self._zeros(self.n_outputs)
        for rows, A in self._pass(columns):
            R = self._family.residual(self._family.mean(self._Z[rows]), self._target[rows])
            R *= self._v[rows, None]
            V += R.T @ A
            vb += R.sum(dim=0)
        return V.cpu().numpy(), vb.cpu().numpy()

    def dual_terms(self) -> DualTerms:
        """The dual of the mean loss, along the residuals at the current coefficients."""
        # Terms may be asked for after a move: they keep the scores that they are of.
        scores = self._Z

        def pieces() -> Iterator[tuple[Tensor, Tensor, Tensor]]:
            for rows in self._features.chunks(6 * self.n_outputs):
                yield scores[rows], self._target[rows], self._v[rows]

        return self._family.dual_terms(pieces)

    def unpenalised_hessian(self, features: IntArray) -> FloatArray:
        """Hessian over the intercept and `features`, all outputs coupled, in float64."""
        outputs, width = self.n_outputs, 1 + len(features)
        columns = self._features.choose(features)
        coupled = self._zeros(outputs * width, outputs * width)
        own = self._zeros(outputs * width, width)
        for rows in self._features.chunks(3 * outputs * width):
            A = self._features.block(rows, columns, torch.float64)
            E = torch.cat([A.new_ones(len(A), 1), A], dim=1)
            M, v = self._family.mean(self._Z[rows]), self._v[rows, None]
            own += _spread(self._family.diagonal(M) * v, E).T @ E
            if self._family.coupled:
                F = _spread(M * v.sqrt(), E)
                coupled -= F.T @ F
        H = coupled.cpu().numpy().reshape(outputs, width, outputs, width)
        # Not from the row sums of M: 1 - M keeps its digits where M is near 1.
        k = np.arange(outputs)
        H[k, :, k, :] = own.cpu().numpy().reshape(outputs, width, width)
        return np.asarray(H.reshape(outputs * width, outputs * width))

    def _curve(self) -> DeviceCurvature:
        if not self._curved:
            dtype = self._curvature.dtype
            # Old means make room before new ones are taken.
            self._curvature.at(self._zeros(0, 0))
            M = torch.empty(self._Z.shape, dtype=dtype, device=self._Z.device)
            for rows, Z in self._scored():
                M[rows] = self._family.mean(Z).to(dtype)
            self._curvature.at(M)
            self._curved = True
        return self._curvature

    def work_on(self, features: IntArray) -> None:
        """Choose the working features (m,) for products with the Hessian."""
        self._curvature.work_on(features)

    def hessian_product(self, D: FloatArray, all_rows: bool) -> FloatArray:
        """Hessian of the mean loss times the working vector D (O, 1 + m)."""
        return self._curve().product(D)

    def hessian(self, pool: Sequence[IntArray], all_rows: bool) -> list[FloatArray]:
        """Hessian over a pool of coefficients: of all outputs, or a block an output."""
        return self._curve().hessian(pool)

    def root_block(self, k: int, features: IntArray, share: float) -> FloatArray:
        """U (1 + a, r), with ``U U^T`` the Hessian of output k over these features, or near it."""
        return self._curve().root_block(k, features, share)


def _spread(weights: Tensor, E: Tensor) -> Tensor:
    """Rows of E (m, w), once for each output's weights (m, O): (m, O w)."""
    return (weights[:, :, None] * E[:, None, :]).reshape(len(E), -1)
