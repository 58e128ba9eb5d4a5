r"""Which words drive a feature, over a corpus of explained texts?

One observation is one text: the weight that LIME gave to a word there (the mean over its
occurrences, where it stands there more than once). Over the :math:`n_v` texts that hold word
:math:`v` the table keeps the mean weight :math:`\bar w_v` and its standard error

.. math::

    s_v^2 = \frac{d_0 s_0^2 + \sum_t (w_{vt} - \bar w_v)^2}{d_0 + n_v - 1},
    \qquad \mathrm{se}_v = s_v / \sqrt{n_v},

where :math:`s_0^2` is the variance of the feature's weights within words, pooled over all words,
and :math:`d_0 = 4`. Without that prior a word seen twice, with two weights that happen to be
close, would be the surest of all.

References
----------
Wong, Santurkar, Madry (2021), appendix on word clouds: the mean weight of each word, and the
percentile rule. Smyth (2004), Linear models and empirical Bayes methods for assessing
differential expression, section 3: the moderated variance.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pandas as pd
from scipy import sparse, stats

from clearhead._types import BoolArray, FloatArray, IntArray
from clearhead.errors import InputError
from clearhead.explain.feature_words import FeatureWords, Word

if TYPE_CHECKING:
    from clearhead.explain.lime import LimeExplanation
    from clearhead.layer import DecisionLayer

__all__ = ["WordRule", "WordTable", "word_table"]

WordRule = Literal["interval", "percentile"]
"""How the words of a feature are chosen: see :meth:`WordTable.positive`."""

PRIOR_DF = 4.0
PERCENTILE = 99.0
BLOCK = 256  # explanations added up at once: what bounds the memory
_NEGATIONS = """
    cannot cant couldnt hardly neither never no nobody none nor not nothing nowhere without
"""
NEGATIONS = frozenset(_NEGATIONS.split())
"""In scikit-learn's list of English stop words, but no feature of a text is told without them."""


@dataclass(frozen=True, eq=False)
class WordTable:
    """Mean LIME weight of every word for every feature, and how sure it is.

    Parameters
    ----------
    features : ndarray of shape (u,), int
    words : tuple of str, length V
        In alphabetical order.
    mean, std_error : ndarray of shape (V, u)
        In standard deviations of the feature: what the word adds to the activation.
    count : ndarray of shape (V,), int
        Texts that hold the word.
    n_texts : int
        Texts explained.
    lower : bool
        Whether the words are in lower case whatever they were in the texts.
    towards : str, optional
        The class that a positive weight speaks for, of a table from :meth:`oriented`.
    """

    features: IntArray
    words: tuple[str, ...]
    mean: FloatArray
    std_error: FloatArray
    count: IntArray
    n_texts: int
    lower: bool = True
    towards: str | None = None

    @cached_property
    def margin(self) -> FloatArray:
        """Half the width of each 95% interval, (V, u), by Student's t."""
        quantile = stats.t.ppf(0.975, PRIOR_DF + self.count - 1)
        margin: FloatArray = quantile[:, None] * self.std_error
        return margin

    def positive(self, feature: int, k: int = 20, *, rule: WordRule = "interval") -> list[Word]:
        """Give the words that raise a feature, strongest first.

        Parameters
        ----------
        feature : int
            One of :attr:`features`.
        k : int
            At most this many.
        rule : {"interval", "percentile"}
            ``"interval"``: words whose 95% interval lies above 0, by its lower end, so that a
            word must be seen often, or always do the same, to stand high. ``"percentile"``, the
            reference's: words whose mean is above the 99th percentile of all words' means, by
            the mean, however seldom they were seen.
        """
        return self._chosen(feature, 1.0, k, rule)

    def negative(self, feature: int, k: int = 20, *, rule: WordRule = "interval") -> list[Word]:
        """Give the words that lower a feature, strongest first; see :meth:`positive`."""
        return self._chosen(feature, -1.0, k, rule)

    def words_of(self, feature: int, k: int = 20, *, rule: WordRule = "interval") -> FeatureWords:
        """Gather both sides of a feature, as a person reads them."""
        return FeatureWords(
            feature=int(feature),
            positive=tuple(self.positive(feature, k, rule=rule)),
            negative=tuple(self.negative(feature, k, rule=rule)),
            n_texts=self.n_texts,
            towards=self.towards,
        )

    def oriented(self, layer: DecisionLayer, class_index: int) -> Self:
        """Turn the words so that a positive one speaks for a class.

        The weights of a feature that the layer counts against the class change their sign.
        Features that the class does not use are left out.

        Raises
        ------
        InputError
            The table is oriented already, or there is no such class.
        """
        if self.towards is not None:
            raise InputError(
                f"oriented: these words already speak for {self.towards!r}. Orient the table that "
                "word_table returned."
            )
        if not 0 <= class_index < layer.n_classes:
            raise InputError(
                f"class_index: there is no class {class_index}; the layer has {layer.n_classes}."
            )
        signs = np.sign(layer.weight[class_index, self.features])
        used = np.flatnonzero(signs)
        return replace(
            self,
            features=self.features[used],
            mean=self.mean[:, used] * signs[used],
            std_error=self.std_error[:, used],
            towards=layer.class_names[class_index],
        )

    def strongest(self, k: int | None = None) -> sparse.csr_array:
        """Mean weights (V, u) of only the words that :meth:`positive` and :meth:`negative` name.

        Parameters
        ----------
        k : int, optional
            At most so many a side; by default all whose interval excludes 0.
        """
        chosen: BoolArray = np.abs(self.mean) > self.margin
        if k is not None:
            for sign in (1.0, -1.0):
                near = np.where(chosen & (sign * self.mean > 0), sign * self.mean - self.margin, 0)
                order = np.argsort(-near, axis=0, kind="stable")[k:]
                weak = np.zeros_like(chosen)
                np.put_along_axis(weak, order, values=True, axis=0)
                chosen &= ~(weak & (near > 0))
        return sparse.csr_array(np.where(chosen, self.mean, 0.0))

    def to_frame(self, k: int = 20) -> pd.DataFrame:
        """One row for each of the `k` strongest words of each side of each feature."""
        frames = [self.words_of(int(j), k).to_frame() for j in self.features]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()

    def plot(self, feature: int, k: int = 10, ax: Any = None) -> Any:
        """Draw a feature's words as bars with their intervals; return the Axes."""
        return self.words_of(feature, k).plot(ax)

    def __repr__(self) -> str:
        towards = f", towards {self.towards}" if self.towards else ""
        return (
            f"WordTable({len(self.words):,} words of {self.n_texts:,} texts for "
            f"{len(self.features):,} features{towards})"
        )

    def _repr_html_(self) -> str:
        from html import escape

        parts = "".join(self.words_of(int(j), 8)._repr_html_() for j in self.features[:20])
        return f"<p>{escape(repr(self))}</p>{parts}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; :meth:`words_of` gives the few that a person reads."""
        return {
            "features": self.features.tolist(),
            "words": list(self.words),
            "mean": self.mean.tolist(),
            "std_error": self.std_error.tolist(),
            "count": self.count.tolist(),
            "n_texts": self.n_texts,
            "lower": self.lower,
            "towards": self.towards,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Undo :meth:`to_dict`."""
        shape = (len(value["words"]), len(value["features"]))
        return cls(
            features=np.array(value["features"], dtype=np.int64),
            words=tuple(value["words"]),
            mean=np.array(value["mean"], dtype=np.float64).reshape(shape),
            std_error=np.array(value["std_error"], dtype=np.float64).reshape(shape),
            count=np.array(value["count"], dtype=np.int64),
            n_texts=int(value["n_texts"]),
            lower=bool(value["lower"]),
            towards=value["towards"],
        )

    def _column(self, feature: int) -> int:
        found = np.flatnonzero(self.features == feature)
        if not found.size:
            shown = ", ".join(map(str, self.features[:8]))
            raise InputError(
                f"feature {feature}: these words are of the features {shown}"
                f"{', …' if len(self.features) > 8 else ''}. Explain the texts for it too."
            )
        return int(found[0])

    def _chosen(self, feature: int, sign: float, k: int, rule: WordRule) -> list[Word]:
        column = self._column(feature)
        if rule not in ("interval", "percentile"):
            raise InputError(f"rule: expected 'interval' or 'percentile', got {rule!r}.")
        mean = self.mean[:, column]
        margin = self.margin[:, column]
        if not mean.size:
            return []
        value: FloatArray
        if rule == "interval":
            value = sign * mean - margin
            keep = np.flatnonzero(value > 0)
        else:
            value = sign * mean
            keep = np.flatnonzero(value > np.percentile(value, PERCENTILE))
        order = keep[np.argsort(-value[keep], kind="stable")][:k]
        return [
            Word(
                word=self.words[v],
                mean=float(mean[v]),
                low=float(mean[v] - margin[v]),
                high=float(mean[v] + margin[v]),
                count=int(self.count[v]),
            )
            for v in order
        ]


def word_table(
    explanations: Sequence[LimeExplanation],
    *,
    min_count: int = 3,
    stop_words: Literal["english"] | Iterable[str] | None = None,
    lower: bool = True,
) -> WordTable:
    """Average the weight of each word over the texts that hold it, for all features at once.

    Parameters
    ----------
    explanations : sequence of LimeExplanation
        Of texts, all for the same features.
    min_count : int
        Words in fewer texts are left out.
    stop_words : "english", iterable of str or None
        Words to leave out. ``"english"`` is scikit-learn's list without its negations ("not",
        "never", "nothing", …), which decide what a sentence says.
    lower : bool
        Count "Great" and "great" as one word.

    Raises
    ------
    InputError
        An explanation is of an image, or of other features than the first.
    """
    if min_count < 1:
        raise InputError(f"min_count: expected at least 1 text, got {min_count}.")
    features = _check(explanations)
    stopped = _stop_words(stop_words, lower=lower)
    texts = [[w.lower() if lower else w for w in e.parts.words] for e in explanations]
    seen: dict[str, int] = {}
    for text in texts:
        for word in set(text):
            seen[word] = seen.get(word, 0) + 1
    words = sorted(w for w, n in seen.items() if n >= min_count and w not in stopped)
    index = {word: row for row, word in enumerate(words)}

    count = np.array([seen[word] for word in words], dtype=np.int64)
    sums = np.zeros((len(words), len(features)))
    squares = np.zeros_like(sums)
    for rows, weights in _blocks(explanations, texts, index):
        present, inverse = np.unique(rows, return_inverse=True)
        add = sparse.csr_array((np.ones(len(rows)), (inverse, np.arange(len(rows)))))
        sums[present] += add @ weights
        squares[present] += add @ weights**2
    mean = sums / np.maximum(count, 1)[:, None]
    spread = np.maximum(squares - count[:, None] * mean**2, 0.0)  # rounding can go below 0
    pooled = spread.sum(axis=0) / max(int((count - 1).sum()), 1)
    variance = (PRIOR_DF * pooled + spread) / (PRIOR_DF + count - 1)[:, None]
    return WordTable(
        features=features,
        words=tuple(words),
        mean=mean,
        std_error=np.sqrt(variance / np.maximum(count, 1)[:, None]),
        count=count,
        n_texts=len(texts),
        lower=lower,
    )


def _check(explanations: Sequence[LimeExplanation]) -> IntArray:
    """Features of all the explanations, which must be of texts and of the same features."""
    features: IntArray | None = None
    for one in explanations:
        if one.parts.kind != "words":
            raise InputError(
                f"word_table: the explanation of {one.id!r} is of an image. Pass what "
                "explain_texts returned."
            )
        if features is None:
            features = one.features
        elif not np.array_equal(features, one.features):
            raise InputError(
                f"word_table: the explanation of {one.id!r} is for other features than the first. "
                "Explain all texts for the same features."
            )
    return np.zeros(0, dtype=np.int64) if features is None else features


def _stop_words(chosen: str | Iterable[str] | None, *, lower: bool) -> frozenset[str]:
    if chosen is None:
        return frozenset()
    if isinstance(chosen, str):
        if chosen != "english":
            raise InputError(
                f"stop_words: {chosen!r} is no list that is known here; pass 'english' or the "
                "words themselves."
            )
        from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

        return frozenset(ENGLISH_STOP_WORDS) - NEGATIONS
    return frozenset(word.lower() if lower else word for word in chosen)


def _blocks(
    explanations: Sequence[LimeExplanation], texts: list[list[str]], index: Mapping[str, int]
) -> Iterator[tuple[IntArray, FloatArray]]:
    """Yield the words (m,) and their weights (m, u), one row for each word of each text."""
    for start in range(0, len(texts), BLOCK):
        pairs: dict[tuple[int, int], int] = {}
        of_part: list[int] = []
        known: list[FloatArray] = []
        for i in range(start, min(start + BLOCK, len(texts))):
            rows = [index.get(word, -1) for word in texts[i]]
            of_part += [pairs.setdefault((i, row), len(pairs)) for row in rows if row >= 0]
            known.append(explanations[i].weight[np.array(rows, dtype=np.int64) >= 0])
        if pairs:
            add = sparse.csr_array(
                (np.ones(len(of_part)), (of_part, np.arange(len(of_part)))),
                shape=(len(pairs), len(of_part)),
            )
            total = add @ np.concatenate(known).astype(np.float64)
            rows_of = np.array([row for _, row in pairs], dtype=np.int64)
            yield rows_of, total / add.sum(axis=1)[:, None]
