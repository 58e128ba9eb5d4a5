"""Whether a text was rewritten in some way, learned by rewriting other texts.

What no simple number measures (the order of words, misspellings) is learned from pairs of a text
and its rewriting: they say the same, so that only the way of writing tells them apart. The class
under suspicion takes no part.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from clearhead._types import FloatArray
from clearhead.debug.texts.styles import Rewrite

__all__ = ["amount_of", "hash_texts", "learn_detector"]

BITS = 14
PAIRS = 500
LONGEST = 400
"""Characters of each text: enough to see how it is written."""


@cache
def _vectorizers() -> tuple[Any, Any]:
    from sklearn.feature_extraction.text import HashingVectorizer

    letters = HashingVectorizer(
        analyzer="char_wb",
        ngram_range=(2, 4),
        n_features=1 << BITS,
        alternate_sign=False,
        lowercase=False,
    )
    words = HashingVectorizer(
        ngram_range=(2, 2),
        n_features=1 << BITS,
        alternate_sign=False,
        token_pattern=r"\S+",  # noqa: S106 - no password
    )
    return letters, words


def hash_texts(texts: Sequence[str]) -> Any:
    """Pieces of words and pairs of words of each text, hashed: a sparse (n, 2 ** (BITS + 1))."""
    from scipy import sparse

    short = [text[:LONGEST] for text in texts]
    return sparse.hstack([one.transform(short) for one in _vectorizers()]).tocsr()


def learn_detector(texts: Sequence[str], rewrite: Rewrite, seed: int) -> FloatArray | None:
    """Weights (2 ** (BITS + 1),) of what tells rewritten texts from the texts themselves.

    None where the rewriting changes too few of them.
    """
    from sklearn.linear_model import LogisticRegression

    pairs = []
    for i, text in enumerate(texts[:PAIRS]):
        changed = rewrite(text[:LONGEST], np.random.default_rng([seed, i]))
        if changed != text[:LONGEST] and changed.strip():
            pairs.append((text, changed))
    if len(pairs) < 50:
        return None
    X = hash_texts([text for pair in pairs for text in pair])
    y = np.tile([0, 1], len(pairs))
    fitted = LogisticRegression(C=10.0, solver="liblinear").fit(X, y)
    weights: FloatArray = fitted.coef_[0].astype(np.float32)
    return weights


def amount_of(texts: Sequence[str], weights: FloatArray) -> FloatArray:
    """How much each text looks rewritten, (n,)."""
    found: FloatArray = np.asarray(hash_texts(texts) @ weights, dtype=np.float64)
    return found
