"""Words exchanged for their opposites in a feature's word lists: does the prediction flip?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any, Self

import numpy as np
import pandas as pd

from clearhead._plot import new_axes
from clearhead._types import FloatArray, IntArray
from clearhead.debug.inputs import Inputs
from clearhead.explain import FeatureWords, WordTable, words_of
from clearhead.glm import Accuracy
from clearhead.layer import DecisionLayer

__all__ = ["FlipRate", "WordCounterfactuals", "word_counterfactuals"]

MOST_FEATURES = 5
"""Of a text, those that add most to the predicted class."""

A_LIST = 20
ARMS = ("sparse", "dense", "random")


@dataclass(frozen=True)
class FlipRate:
    """How often the exchange of one word flips the prediction.

    Parameters
    ----------
    arm : {"sparse", "dense", "random"}
        Word lists of which features: those that the sparse layer uses for the text, those that
        the dense layer uses, or random ones that the sparse layer does not use for it.
    flips, low, high : float
        Share of the exchanges that flip the prediction of that arm's layer (the sparse layer's
        for ``"random"``), with its 95% interval (Wilson).
    n : int
        Exchanges: one a text and direction.
    """

    arm: str
    flips: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class WordCounterfactuals:
    """Flip rates of the three arms, and examples of what flipped.

    Parameters
    ----------
    rates : tuple of FlipRate
    examples : tuple of (str, str, str, str)
        Word, word put in its place, prediction before and after: of the sparse layer.

    References
    ----------
    Wong, Santurkar, Madry (2021), section on word-level counterfactuals.
    """

    rates: tuple[FlipRate, ...]
    examples: tuple[tuple[str, str, str, str], ...]

    def rate(self, arm: str) -> FlipRate:
        """Give the rate of one arm."""
        return next(one for one in self.rates if one.arm == arm)

    def to_frame(self) -> pd.DataFrame:
        """One row an arm."""
        return pd.DataFrame([asdict(one) for one in self.rates])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Undo :meth:`to_dict`."""
        return cls(
            tuple(FlipRate(**one) for one in value["rates"]),
            tuple((str(a), str(b), str(c), str(d)) for a, b, c, d in value["examples"]),
        )

    def plot(self, ax: Any = None) -> Any:
        """Draw the rates with their intervals; return the Axes."""
        ax = new_axes() if ax is None else ax
        shown = [one for one in self.rates if one.n]
        values = [one.flips for one in shown]
        spread = [[o.flips - o.low for o in shown], [o.high - o.flips for o in shown]]
        ax.bar([o.arm for o in shown], values, yerr=spread, ecolor="0.4")
        ax.set_ylabel("predictions flipped by one word")
        return ax

    def __repr__(self) -> str:
        parts = (
            f"{o.arm} {100 * o.flips:.0f}% [{100 * o.low:.0f}, {100 * o.high:.0f}] of {o.n}"
            if o.n
            else f"{o.arm}: no word to exchange"
            for o in self.rates
        )
        return f"WordCounterfactuals({'; '.join(parts)})"

    def _repr_html_(self) -> str:
        lines = "".join(
            f"<li>“{escape(b)}” for “{escape(a)}”: {escape(c)} → {escape(d)}</li>"
            for a, b, c, d in self.examples[:10]
        )
        return f"<p>{escape(repr(self))}</p><ul>{lines}</ul>"


@dataclass(frozen=True)
class _Exchange:
    row: int
    word: str
    by: str
    text: str


@dataclass(frozen=True)
class _Used:
    """What one arm's layer predicts for each text, and the features whose words are exchanged."""

    layer: DecisionLayer
    predicted: IntArray
    features: list[IntArray]


def word_counterfactuals(
    inputs: Inputs,
    words: WordTable | Sequence[FeatureWords],
    *,
    split: str = "test",
    most: int = 300,
    k: int = A_LIST,
) -> WordCounterfactuals:
    """Exchange words that speak for the prediction with the opposite of the same feature.

    In a text that holds a word of a list of a feature that the prediction uses (the list on
    the side that speaks for the predicted class), a word of the other list takes its place.

    Parameters
    ----------
    inputs : Inputs
    words : WordTable or sequence of FeatureWords
        The words of each feature; a feature without words takes no part.
    split : str
        Texts of which split.
    most : int
        Texts at most.
    k : int
        Length of each list.
    """
    lists = _lists(words, k)
    rows = inputs.rows(split, most=most, salt=41)
    before = inputs.features_of(rows)
    rng = np.random.default_rng([inputs.seed, 41])
    rates, examples = [], []
    for arm in ARMS:
        layer = inputs.dense if arm == "dense" else inputs.layer
        chosen = _features(layer, before, np.array(sorted(lists), dtype=np.int64), arm, rng)
        used = _Used(layer, layer.predict(before), chosen)
        made = _exchanges(inputs, rows, used, lists)
        flips, names = _flipped(inputs, layer, before, made)
        rate = Accuracy.of(int(flips.sum()), len(made)) if made else None
        rates.append(
            FlipRate(arm, rate.value, rate.low, rate.high, rate.n)
            if rate
            else FlipRate(arm, 0.0, 0.0, 1.0, 0)
        )
        if arm == "sparse":
            examples = [(one.word, one.by, *names[i]) for i, one in enumerate(made) if flips[i]]
    return WordCounterfactuals(tuple(rates), tuple(examples[:50]))


Lists = Mapping[int, tuple[tuple[str, ...], tuple[str, ...]]]


def _lists(words: WordTable | Sequence[FeatureWords], k: int) -> Lists:
    """Positive and negative words by feature, where it has both."""
    if isinstance(words, WordTable):
        words = [words.words_of(int(j), k) for j in words.features]
    found = {
        one.feature: (
            tuple(w.word for w in one.positive[:k]),
            tuple(w.word for w in one.negative[:k]),
        )
        for one in words
    }
    return {feature: both for feature, both in found.items() if both[0] and both[1]}


def _features(
    layer: DecisionLayer,
    features: FloatArray,
    known: IntArray,
    arm: str,
    rng: np.random.Generator,
) -> list[IntArray]:
    """Features to exchange words of, for each text; `known` are those that have words."""
    if not known.size:
        return [known] * len(features)
    z = layer.standardize(features, known)
    predicted = layer.predict(features)
    weight = layer.weight[:, known]
    found = []
    for i, c in enumerate(predicted):
        rival = np.delete(weight, c, axis=0).mean(axis=0)
        part = (weight[c] - rival) * z[i]
        if arm == "random":
            unused = known[weight[c] == rival]
            pool = unused if unused.size else known
            found.append(rng.permutation(pool)[:MOST_FEATURES])
        else:
            order = np.argsort(-part, kind="stable")[:MOST_FEATURES]
            found.append(known[order[part[order] > 0]])
    return found


def _exchanges(inputs: Inputs, rows: IntArray, used: _Used, lists: Lists) -> list[_Exchange]:
    """One exchange for each text and feature that has a word of the side that speaks for it."""
    layer = used.layer
    made = []
    for i, row in enumerate(rows):
        text = inputs.example(int(row))
        parts = words_of(text)
        for feature in used.features[i]:
            j, c = int(feature), int(used.predicted[i])
            lean = layer.weight[c, j] - np.delete(layer.weight[:, j], c).mean()
            # A feature without a weight leans nowhere: its words are exchanged both ways.
            sides = [True, False] if lean == 0 else [bool(lean > 0)]
            for side in sides:
                mine, other = lists[j] if side else lists[j][::-1]
                at = next((k for k, w in enumerate(parts.words) if w.lower() in mine), None)
                if at is None or parts.spans is None:
                    continue
                first, last = parts.spans[at]
                by = other[int(row) % len(other)]
                new = text[:first] + by + text[last:]
                made.append(_Exchange(i, parts.words[at], by, new))
                break
    return made


def _flipped(
    inputs: Inputs,
    layer: DecisionLayer,
    features: FloatArray,
    made: list[_Exchange],
) -> tuple[Any, list[tuple[str, str]]]:
    if not made:
        return np.zeros(0, dtype=bool), []
    before = layer.predict(features)[[one.row for one in made]]
    after = layer.predict(inputs.features([one.text for one in made]))
    names = [
        (inputs.class_names[a], inputs.class_names[b]) for a, b in zip(before, after, strict=True)
    ]
    return before != after, names
