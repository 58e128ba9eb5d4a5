"""The words of one feature, as a person reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from html import escape
from typing import Any, Self

import pandas as pd

from clearhead._plot import new_axes

__all__ = ["FeatureWords", "Word"]

POSITIVE, NEGATIVE = "#1f77b4", "#d62728"  # as LIME paints; apart for the colour-blind too


@dataclass(frozen=True)
class Word:
    """One word's mean weight, with its 95% interval.

    Parameters
    ----------
    word : str
    mean, low, high : float
        Standard deviations that the word adds to the feature.
    count : int
        Texts that it was seen in.
    """

    word: str
    mean: float
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class FeatureWords:
    """The words that raise a feature and those that lower it, strongest first.

    Parameters
    ----------
    feature : int
    positive, negative : tuple of Word
    n_texts : int
        Texts explained.
    towards : str, optional
        The class that the positive words speak for; None for the feature itself.
    """

    feature: int
    positive: tuple[Word, ...]
    negative: tuple[Word, ...]
    n_texts: int
    towards: str | None = None

    @property
    def title(self) -> str:
        """What a picture of it is headed with."""
        return f"feature {self.feature}" + (f", for {self.towards}" if self.towards else "")

    def to_frame(self) -> pd.DataFrame:
        """One row a word: feature, side, word, mean, low, high, count."""
        rows = [
            {"feature": self.feature, "side": side, **asdict(word)}
            for side, words in (("+", self.positive), ("−", self.negative))
            for word in words
        ]
        columns = ["feature", "side", "word", "mean", "low", "high", "count"]
        return pd.DataFrame(rows, columns=columns)

    def plot(self, ax: Any = None) -> Any:
        """Draw the words as bars with their 95% intervals; return the Axes."""
        ax = new_axes() if ax is None else ax
        words = [*self.positive, *reversed(self.negative)][::-1]
        means = [word.mean for word in words]
        places = range(len(words))
        ax.barh(
            places,
            means,
            xerr=[
                [w.mean - w.low for w in words],
                [w.high - w.mean for w in words],
            ]
            if words
            else None,
            color=[POSITIVE if mean > 0 else NEGATIVE for mean in means],
            ecolor="0.4",
        )
        # A dollar sign would start a formula.
        ax.set_yticks(places, [shorten(word.word).replace("$", r"\$") for word in words])
        ax.axvline(0.0, color="0.4", linewidth=0.8)
        ax.set_xlabel("weight, in standard deviations of the feature")
        ax.set_title(self.title.replace("$", r"\$"))
        return ax

    def _repr_html_(self) -> str:
        sides = "".join(
            f'<br><span style="color: {colour}">{sign} '
            + escape(", ".join(shorten(word.word) for word in words) or "no word")
            + "</span>"
            for sign, words, colour in (
                ("+", self.positive, POSITIVE),
                ("−", self.negative, NEGATIVE),
            )
        )
        return f"<p><bdi>{escape(self.title)}</bdi>{sides}</p>"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Undo :meth:`to_dict`."""
        return cls(
            feature=int(value["feature"]),
            positive=tuple(Word(**word) for word in value["positive"]),
            negative=tuple(Word(**word) for word in value["negative"]),
            n_texts=int(value["n_texts"]),
            towards=value["towards"],
        )


def shorten(word: str, most: int = 24) -> str:
    """Cut a word that no picture has room for."""
    return word if len(word) <= most else word[: most - 1] + "…"
