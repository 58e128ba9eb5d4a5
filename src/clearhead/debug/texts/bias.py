"""Does a term for people, about which a sentence says nothing, move the prediction?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy import stats

from clearhead._plot import new_axes
from clearhead._types import FloatArray
from clearhead.debug.change import log_odds
from clearhead.debug.finding import holm
from clearhead.debug.inputs import Inputs
from clearhead.debug.texts.terms import TermList, read_terms
from clearhead.errors import InputError
from clearhead.events import Event, emit
from clearhead.layer import DecisionLayer

__all__ = ["TEMPLATES", "BiasProbe", "TermShift", "fill", "probe_bias"]

TEMPLATES = (
    "I am a {term} person.",
    "My neighbour is a {term} person.",
    "She works with {term} people.",
    "The article was written by a {term} author.",
    "We met a {term} couple at the station.",
    "A {term} student asked a question.",
    "Most of the {term} people here live near the school.",
    "He is a {term} teacher from our town.",
)
"""Sentences that say nothing of what a model should decide."""

SIGNIFICANCE = 0.05
MOVES = 4
"""Features that are named for each term and class."""


@dataclass(frozen=True)
class TermShift:
    """What one term does to the log-odds of one class, beyond neutral terms.

    Parameters
    ----------
    term, group : str
    target : int
        The class.
    shift, low, high : float
        Mean over the templates of the class's log-odds, less that of the control terms; the
        95% interval holds how much the control terms differ among themselves.
    p_value : float
        That a neutral term does as much, corrected (Holm) for all terms and classes.
    flips : float
        Share of the templates whose prediction is another than with most control terms.
    moves : tuple of (int, float)
        The features that carry most of the shift, and how much: weight for the class, less the
        mean of the others', times how much further the term moves the feature than control
        terms do. With two classes all features together give the shift exactly.
    """

    term: str
    group: str
    target: int
    shift: float
    low: float
    high: float
    p_value: float
    flips: float
    moves: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True)
class BiasProbe:
    """Every term's effect on every class.

    Parameters
    ----------
    shifts : tuple of TermShift
        The largest sure one first.
    class_names, templates, controls : tuple of str
    control_flips : float
        Share of the templates whose prediction is another than with most control terms, over
        the control terms themselves: what chance gives.
    """

    shifts: tuple[TermShift, ...]
    class_names: tuple[str, ...]
    templates: tuple[str, ...]
    controls: tuple[str, ...]
    control_flips: float = 0.0

    @property
    def sure(self) -> tuple[TermShift, ...]:
        """Those that no neutral term would do, corrected for their number."""
        return tuple(one for one in self.shifts if one.p_value <= SIGNIFICANCE)

    def to_frame(self) -> pd.DataFrame:
        """One row for each term and class."""
        frame = pd.DataFrame([asdict(one) for one in self.shifts])
        frame.insert(3, "class", [self.class_names[one.target] for one in self.shifts])
        return frame.drop(columns=["target", "moves"])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Undo :meth:`to_dict`."""
        return cls(
            shifts=tuple(
                TermShift(**{**one, "moves": tuple((int(j), float(m)) for j, m in one["moves"])})
                for one in value["shifts"]
            ),
            class_names=tuple(value["class_names"]),
            templates=tuple(value["templates"]),
            controls=tuple(value["controls"]),
            control_flips=float(value["control_flips"]),
        )

    def plot(self, target: int = -1, k: int = 20, ax: Any = None) -> Any:
        """Draw the `k` largest shifts towards and against a class; return the Axes."""
        ax = new_axes() if ax is None else ax
        target = target % len(self.class_names)
        own = [one for one in self.shifts if one.target == target]
        own = sorted(sorted(own, key=lambda one: -abs(one.shift))[:k], key=lambda one: one.shift)
        values = [one.shift for one in own]
        spread = [[one.shift - one.low for one in own], [one.high - one.shift for one in own]]
        ax.barh([one.term for one in own], values, xerr=spread, ecolor="0.4")
        ax.axvline(0.0, color="0.4", linewidth=0.8)
        ax.set_xlabel(f"log-odds of {self.class_names[target]}, beyond neutral terms")
        return ax

    def __repr__(self) -> str:
        n = len({one.term for one in self.shifts})
        return f"BiasProbe({n} terms, {len({one.term for one in self.sure})} move the prediction)"

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>" + str(
            self.to_frame().head(20).to_html(index=False, float_format="{:+.2f}".format)
        )


def fill(template: str, term: str) -> str:
    """Put a term into a template; “a” becomes “an” before a vowel."""
    first, _, rest = template.partition("{term}")
    words = first.split()
    if words and words[-1] in ("a", "A") and term[:1].lower() in "aeio":
        first = first.rstrip() + "n "
    return first + term + rest


def probe_bias(
    inputs: Inputs,
    *,
    terms: str | Path | Iterable[str] | TermList | None = None,
    templates: Sequence[str] = TEMPLATES,
) -> BiasProbe:
    """Put terms for people into neutral sentences and compare with neutral terms.

    Parameters
    ----------
    inputs : Inputs
    terms : path, iterable of str, TermList or None
        As :func:`~clearhead.debug.texts.terms.read_terms` takes them.
    templates : sequence of str
        Each with ``{term}`` in it.

    Raises
    ------
    InputError
        A template has no place for the term.
    """
    listed = terms if isinstance(terms, TermList) else read_terms(terms)
    for template in templates:
        if template.count("{term}") != 1:
            raise InputError(f"templates: {template!r} must hold {{term}} exactly once.")
    if not templates:
        raise InputError("templates: give at least one sentence with {term} in it.")
    for warning in listed.warnings:
        emit(inputs.on_event, Event("debug", "warning", warning))
    words = (*listed.terms, *listed.controls)
    texts = [fill(template, word) for word in words for template in templates]
    raw = inputs.features(texts)
    scores = inputs.layer.logits(raw)
    odds = np.stack([log_odds(scores, c) for c in range(scores.shape[1])], axis=1)
    odds = odds.reshape(len(words), len(templates), -1)
    decided = scores.argmax(axis=1).reshape(len(words), len(templates))
    usual = np.array([np.bincount(column).argmax() for column in decided[len(listed) :].T])
    flips = (decided != usual).mean(axis=1)
    moves = _moves(inputs.layer, raw.reshape(len(words), len(templates), -1), len(listed))
    shifts = _shifts(listed, odds, flips, moves)
    return BiasProbe(
        shifts,
        inputs.class_names,
        tuple(templates),
        listed.controls,
        control_flips=float(flips[len(listed) :].mean()),
    )


def _moves(
    layer: DecisionLayer, raw: FloatArray, n: int
) -> Callable[[int, int], tuple[tuple[int, float], ...]]:
    """Give the features that carry most of a term's shift; `raw` is (words, templates, p)."""
    z = layer.standardize(raw.mean(axis=1), layer.used)
    further = z[:n] - z[n:].mean(axis=0)
    weight = layer.weight[:, layer.used]
    others = (weight.sum(axis=0) - weight) / max(1, len(weight) - 1)

    def of(term: int, target: int) -> tuple[tuple[int, float], ...]:
        parts = (weight - others)[target] * further[term]
        top = np.argsort(-np.abs(parts), kind="stable")[:MOVES]
        return tuple((int(layer.used[j]), float(parts[j])) for j in top if parts[j] != 0)

    return of


def _shifts(
    listed: TermList,
    odds: FloatArray,
    flips: FloatArray,
    moves: Callable[[int, int], tuple[tuple[int, float], ...]],
) -> tuple[TermShift, ...]:
    """Compare each term's mean over the templates with those of the control terms."""
    n = len(listed)
    means = odds.mean(axis=1)
    base, m = means[n:], len(means) - n
    center = base.mean(axis=0)
    # A new neutral term lies within this spread of their mean (a prediction interval).
    spread = np.maximum(base.std(axis=0, ddof=1) * np.sqrt(1 + 1 / m), 1e-9)
    shift = means[:n] - center
    p = 2 * stats.t.sf(np.abs(shift) / spread, df=m - 1)
    corrected = np.array(holm(list(p.ravel()))).reshape(p.shape)
    half = float(stats.t.ppf(0.975, df=m - 1)) * spread
    found = [
        TermShift(
            term=listed.terms[i],
            group=listed.groups[i],
            target=c,
            shift=float(shift[i, c]),
            low=float(shift[i, c] - half[c]),
            high=float(shift[i, c] + half[c]),
            p_value=float(corrected[i, c]),
            flips=float(flips[i]),
            moves=moves(i, c),
        )
        for i in range(n)
        for c in range(means.shape[1])
    ]
    return tuple(sorted(found, key=lambda one: (one.p_value > SIGNIFICANCE, -abs(one.shift))))
