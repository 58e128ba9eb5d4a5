"""Which parts of an example are kept, and how near to the example that is."""

from __future__ import annotations

import numpy as np

from clearhead._files import checksum
from clearhead._types import BoolArray, FloatArray

__all__ = ["KERNEL_WIDTH", "generator_for", "is_exact", "kept_parts", "proximity"]

KERNEL_WIDTH = 0.25
"""Of lime's kernels for texts (25, of 100 times the distance) and for images alike."""

_MOST_LISTED = 20


def generator_for(seed: int, example_id: str) -> np.random.Generator:
    """Make the random generator of one example, whichever others are explained beside it."""
    name = checksum(example_id.encode("utf-8", "surrogatepass"))
    return np.random.default_rng([seed, int(name, 16)])


def is_exact(m: int, n: int) -> bool:
    """Whether all subsets of m parts are no more than n."""
    return m <= _MOST_LISTED and 2**m <= n


def kept_parts(m: int, n: int, random: np.random.Generator) -> BoolArray:
    """Draw at most `n` different subsets of m parts; the first keeps them all.

    Where there are no more than n subsets, all are listed. Else, as in the lime package,
    how many parts are removed is uniform in 1 … m, and so is which.

    Returns
    -------
    ndarray of shape (at most n, m), bool
    """
    if is_exact(m, n):
        numbers = np.arange(2**m)[::-1]
        listed: BoolArray = (numbers[:, None] >> np.arange(m)) & 1 == 1
        return listed
    # Twice as many as wanted, since with few parts some come up again and again.
    n_removed = random.integers(1, m + 1, size=2 * n)
    rank = random.random((2 * n, m)).argsort(axis=1)
    drawn = np.concatenate([np.ones((1, m), dtype=bool), rank >= n_removed[:, None]])
    _, first = np.unique(np.packbits(drawn, axis=1), axis=0, return_index=True)
    kept: BoolArray = drawn[np.sort(first)[:n]]
    return kept


def proximity(kept: BoolArray, width: float) -> FloatArray:
    """How much each subset counts: ``sqrt(exp(-d² / width²))``, d the cosine distance to all."""
    m = kept.shape[1]
    share = kept.mean(axis=1) if m else np.ones(len(kept))
    distance = 1.0 - np.sqrt(share)
    weight: FloatArray = np.sqrt(np.exp(-((distance / width) ** 2)))
    return weight
