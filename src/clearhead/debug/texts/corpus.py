"""Which n-grams the training texts hold, counted by class."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from clearhead._types import FloatArray, IntArray
from clearhead.debug.inputs import Inputs
from clearhead.debug.texts.learned import hash_texts
from clearhead.debug.texts.tokens import END, SEEN, START, tokens_of

__all__ = ["Corpus"]

MOST_TEXTS = 8_000
LONGEST = 4
LEAST_TEXTS = 4
"""An n-gram in fewer texts is no pattern."""


class Corpus:
    """The texts of some rows, their n-grams of up to :data:`LONGEST` tokens, and their classes.

    Parameters
    ----------
    inputs : Inputs
    splits : str
        Which texts.
    """

    def __init__(self, inputs: Inputs, *splits: str) -> None:
        self.rows = inputs.rows(*splits, most=MOST_TEXTS, salt=11)
        self.texts: list[str] = [text[:SEEN] for text in inputs.examples(self.rows)]
        self.labels: IntArray = inputs.labels[self.rows]
        self.n_classes = len(inputs.class_names)
        self.sizes: IntArray = np.bincount(self.labels, minlength=self.n_classes)
        self.grams: list[tuple[str, ...]] = []
        self.holds = self._count()

    def _count(self) -> sparse.csc_array:
        """Texts × n-grams, 1 where the text holds it; fills :attr:`grams`."""
        vocabulary: dict[str, int] = {START: 0, END: 1}
        parts, text_of = [], []
        for i, text in enumerate(self.texts):
            ids = [vocabulary.setdefault(word, len(vocabulary)) for word in tokens_of(text).words]
            parts.append(np.array([0, *ids, 1], dtype=np.int64))
            text_of.append(np.full(len(ids) + 2, i, dtype=np.int64))
        flat = np.concatenate(parts)
        owner = np.concatenate(text_of)
        words = list(vocabulary)
        blocks: list[sparse.csc_array] = []
        gram, size = flat, len(words)
        for n in range(1, LONGEST + 1):
            if n > 1:
                pair = gram[:-1] * len(words) + flat[n - 1 :]
                same = owner[: len(pair)] == owner[n - 1 :]
                known = same & (gram[:-1] >= 0)
                gram = np.full(len(pair), -1, dtype=np.int64)
                values, inverse = np.unique(pair[known], return_inverse=True)
                gram[known], size = inverse, len(values)
            at = np.flatnonzero(gram >= 0)
            block = sparse.csc_array(
                (np.ones(len(at), dtype=np.int32), (owner[at], gram[at])),
                shape=(len(self.texts), size),
            )
            block.data[:] = 1
            counts = np.diff(block.indptr)
            keep = np.flatnonzero(counts >= LEAST_TEXTS)
            _, first = np.unique(gram[at], return_index=True)
            for j in keep:
                start = at[first[j]]
                self.grams.append(tuple(words[k] for k in flat[start : start + n]))
            blocks.append(block[:, keep])
            if not keep.size:
                break
            rare = np.ones(size, dtype=bool)
            rare[keep] = False
            gram = np.where((gram >= 0) & ~rare[np.maximum(gram, 0)], gram, -1)
        return sparse.csc_array(sparse.hstack(blocks))

    @cached_property
    def hashed(self) -> Any:
        """The texts as :mod:`~clearhead.debug.texts.learned` sees them."""
        return hash_texts(self.texts)

    @cached_property
    def totals(self) -> IntArray:
        """Texts that hold each n-gram, (g,)."""
        found: IntArray = np.diff(self.holds.indptr)
        return found

    @cached_property
    def by_class(self) -> sparse.csr_array:
        """Texts of each class that hold each n-gram, (K, g)."""
        hot = sparse.csr_array(
            (np.ones(len(self.labels)), (self.labels, np.arange(len(self.labels)))),
            shape=(self.n_classes, len(self.labels)),
        )
        return sparse.csr_array(hot @ self.holds)

    def shares(self, c: int) -> tuple[FloatArray, FloatArray]:
        """Share of the texts of class c, and of the others, that hold each n-gram."""
        inside = self.by_class[[c]].toarray()[0]
        size = max(int(self.sizes[c]), 1)
        rest = max(len(self.labels) - int(self.sizes[c]), 1)
        return inside / size, (self.totals - inside) / rest

    def z_scores(self, c: int) -> FloatArray:
        """How surely class c holds each n-gram more often: a test of two shares, pooled."""
        inside, outside = self.shares(c)
        size, n = int(self.sizes[c]), len(self.labels)
        rest = n - size
        if not size or not rest:
            return np.zeros(len(self.grams))
        pooled = self.totals / n
        spread = np.sqrt(pooled * (1 - pooled) * (1 / size + 1 / rest))
        z: FloatArray = (inside - outside) / np.where(spread > 0, spread, 1.0)
        return z

    def carriers(self, gram: int) -> IntArray:
        """Positions of the texts that hold an n-gram."""
        found: IntArray = self.holds.indices[self.holds.indptr[gram] : self.holds.indptr[gram + 1]]
        return found
