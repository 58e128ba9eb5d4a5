"""What local linear models say of an example: one weight a part and feature."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self, overload

import numpy as np
import pandas as pd

from clearhead._plot import new_axes
from clearhead._types import FloatArray, IntArray
from clearhead.errors import InputError
from clearhead.explain.lime.show import bars, coloured_words, overlay, picture_html
from clearhead.explain.parts import Parts

__all__ = ["LimeExplanation", "LimeExplanations"]

_SHOWN_FEATURES = 3


@dataclass(frozen=True, eq=False)
class LimeExplanation:
    """Which parts of one example drive each of u features.

    Near the example, the standardised activation of a feature is about ``intercept + the
    weights of the parts that are present``. All arrays are float32.

    Parameters
    ----------
    id : str
        Of the example.
    features : ndarray of shape (u,), int
        Indices of deep features.
    parts : Parts
        The m words or regions.
    weight : ndarray of shape (m, u)
        Change of the activation, in standard deviations, when the part is present.
    std_error : ndarray of shape (m, u)
        Of `weight`; infinite where there were too few perturbations to tell.
    intercept : ndarray of shape (u,)
    r2 : ndarray of shape (u,)
        Weighted R² of the local linear model; 0 where the activation never changed.
    activation : ndarray of shape (u,)
        Standardised activation of the example itself.
    """

    id: str
    features: IntArray
    parts: Parts
    weight: FloatArray
    std_error: FloatArray
    intercept: FloatArray
    r2: FloatArray
    activation: FloatArray

    def column(self, feature: int) -> int:
        """Column of `feature` in the arrays.

        Raises
        ------
        InputError
            The feature was not explained.
        """
        found = np.flatnonzero(self.features == feature)
        if len(found) == 0:
            raise InputError(
                f"feature {feature} was not explained; explained are "
                f"{', '.join(map(str, self.features[:8]))}{', …' * (len(self.features) > 8)}."
            )
        return int(found[0])

    def to_frame(self, feature: int) -> pd.DataFrame:
        """One row a part, strongest first: part, word, weight, std_error."""
        column = self.column(feature)
        weights = self.weight[:, column]
        order = np.argsort(-np.abs(weights), kind="stable")
        frame = pd.DataFrame(
            {"part": order, "weight": weights[order], "std_error": self.std_error[order, column]}
        )
        if self.parts.kind == "words":
            frame.insert(1, "word", [self.parts.words[i] for i in order])
        return frame

    def plot(self, feature: int | None = None, k: int = 10, ax: Any = None) -> Any:
        """Draw the `k` strongest words as bars, or the regions over the picture.

        Parameters
        ----------
        feature : int, optional
            By default the one that is furthest from its mean.
        k : int
            Words shown; regions are all shown.
        ax : matplotlib Axes, optional

        Returns
        -------
        matplotlib Axes
        """
        feature = self._strongest(1)[0] if feature is None else feature
        column = self.column(feature)
        ax = new_axes() if ax is None else ax
        if self.parts.kind == "words":
            bars(ax, self.parts.words, self.weight[:, column], self.std_error[:, column], k)
        else:
            ax.imshow(self.overlay(feature))
            ax.set_axis_off()
        z, r2 = self.activation[column], self.r2[column]
        ax.set_title(f"{self.id}: feature {feature} at {z:+.2f}, R² {r2:.2f}", parse_math=False)
        return ax

    def overlay(self, feature: int) -> Any:
        """Paint the regions over the picture: blue raises the feature, red lowers it.

        Returns
        -------
        PIL.Image.Image

        Raises
        ------
        InputError
            The example is a text.
        """
        if self.parts.segments is None:
            raise InputError(f"{self.id} is a text: it has words, and no picture to paint on.")
        return overlay(self.parts, self.weight[:, self.column(feature)])

    def to_html(self, feature: int) -> str:
        """Show the text with coloured words, or the painted picture, as one HTML element."""
        column = self.column(feature)
        if self.parts.kind == "words":
            return coloured_words(self.parts, self.weight[:, column])
        return picture_html(self.overlay(feature))

    def _strongest(self, k: int) -> list[int]:
        order = np.argsort(-np.abs(self.activation), kind="stable")[:k]
        if len(order) == 0:
            raise InputError(f"{self.id}: no feature was explained, so there is none to draw.")
        return [int(self.features[i]) for i in order]

    def _repr_html_(self) -> str:
        from html import escape

        if len(self.features) == 0:
            return escape(repr(self))
        shown = []
        for feature in self._strongest(_SHOWN_FEATURES):
            column = self.column(feature)
            head = f"feature {feature} at {self.activation[column]:+.2f}, R² {self.r2[column]:.2f}"
            shown.append(f"<div>{escape(self.id)}: {head}<br>{self.to_html(feature)}</div>")
        return "".join(shown)

    def __repr__(self) -> str:
        return (
            f"LimeExplanation({self.id!r}, {len(self.parts)} {self.parts.kind}, "
            f"{len(self.features)} features)"
        )


@dataclass(frozen=True, eq=False)
class LimeExplanations(Sequence[LimeExplanation]):
    """Explanations of many examples by the same features, in the order they were asked for.

    Parameters
    ----------
    features : ndarray of shape (u,), int
    explanations : tuple of LimeExplanation
    """

    features: IntArray
    explanations: tuple[LimeExplanation, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """Of the examples."""
        return tuple(one.id for one in self.explanations)

    def __len__(self) -> int:
        return len(self.explanations)

    @overload
    def __getitem__(self, index: int) -> LimeExplanation: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> LimeExplanation | Self:
        if isinstance(index, slice):
            return type(self)(self.features, self.explanations[index])
        return self.explanations[index]

    def __iter__(self) -> Iterator[LimeExplanation]:
        return iter(self.explanations)

    def of(self, example_id: str) -> LimeExplanation:
        """Return the explanation of one example by its id."""
        for one in self.explanations:
            if one.id == example_id:
                return one
        raise InputError(f"{example_id!r} was not explained; {len(self)} other examples were.")

    def save(self, folder: Any) -> None:
        """Write ``lime.safetensors`` and ``lime.json`` into `folder`."""
        from clearhead.explain.lime.files import save_explanations

        save_explanations(folder, self.features, self.explanations)

    @classmethod
    def load(cls, folder: Any) -> Self:
        """Read what :meth:`save`, or a call with ``folder=``, wrote; checksums must match.

        Raises
        ------
        StepMissingError
            Nothing is there.
        CorruptFileError
            A file is damaged.
        """
        from clearhead.explain.lime.files import load_explanations

        features, explanations, _ = load_explanations(folder)
        return cls(features, explanations)

    def __repr__(self) -> str:
        return f"LimeExplanations({len(self)} examples, {len(self.features)} features)"

    def _repr_html_(self) -> str:
        from html import escape

        head = f"<p>{escape(repr(self))}</p>"
        return head + "".join(one._repr_html_() for one in self.explanations[:5])
