"""Centre and scale of features that lie on a device, taken there.

The same numbers as :func:`clearhead.glm.standardize.standardization`, whose pass is taken
where something is wrong, so that it is named.
"""

from __future__ import annotations

import numpy as np
import torch
import xxhash

from clearhead._types import FloatArray
from clearhead.glm.device.tensor import DeviceRows
from clearhead.glm.standardize import Standardization, dead_features, standardization

__all__ = ["device_standardization"]

_NUMBERS = 2**25
_LARGE = 1e100


def device_standardization(
    rows: DeviceRows, weights: FloatArray, *, standardize: bool = True
) -> Standardization:
    """Compute centre and scale on the device, in float64; the digest is that of the host's pass.

    Parameters
    ----------
    rows : DeviceRows
        Features (n, p).
    weights : (n,) float64
    standardize : bool
        False leaves features as they are; dead ones are found all the same.

    Raises
    ------
    DataError
        At the first NaN or inf, naming row and column.
    """
    X, p = rows.tensor, rows.shape[1]
    v = torch.tensor(weights, dtype=torch.float64, device=X.device)
    zeros = torch.zeros(p, dtype=torch.float64, device=X.device)
    total, mean, squares = zeros[0].clone(), zeros.clone(), zeros.clone()
    low, high = zeros + torch.inf, zeros - torch.inf
    size = zeros[0].clone()
    step = max(256, _NUMBERS // p)
    for start in range(0, len(X), step):
        w = v[start : start + step]
        # A copy, which is changed in place.
        values = X[start : start + step].to(torch.float64, copy=True)
        # NaN is neither smaller nor larger: it must be asked for.
        size = torch.maximum(size, values.abs().nan_to_num(torch.inf).max())
        out = (w == 0)[:, None]
        low = torch.minimum(low, values.masked_fill(out, torch.inf).amin(0))
        high = torch.maximum(high, values.masked_fill(out, -torch.inf).amax(0))
        # Sums around a row that counts: exact for constants, stable for offsets.
        pivot = values.index_select(0, w.argmax()[None])[0]
        values -= pivot
        here = w.sum()
        shift = (w @ values) / here.clamp_min(torch.finfo(torch.float64).tiny)
        values -= shift
        delta = pivot + shift - mean
        after = total + here
        share = here / after.clamp_min(torch.finfo(torch.float64).tiny)
        squares += w @ values.square_() + delta * delta * total * share
        mean += delta * share
        total = after
    if not float(size) <= _LARGE:
        return standardization(rows, weights, standardize=standardize)
    digest = xxhash.xxh3_128()
    for i, block in enumerate(rows.blocks()):
        digest.update(str(block.dtype).encode() if i == 0 else b"")
        digest.update(block.data)
    center, scale = mean.cpu().numpy(), (squares / total).sqrt().cpu().numpy()
    precision = torch.float32 if X.element_size() <= 4 else torch.float64
    rounding = torch.finfo(precision).eps
    dead = dead_features((high == low).cpu().numpy(), center, scale, rounding)
    if not standardize:
        center, scale = np.zeros(p), np.ones(p)
    return Standardization(center, np.where(dead, 1.0, scale), dead, digest.hexdigest())
