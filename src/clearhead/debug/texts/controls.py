"""What is put into a text to compare with: as large a change that says nothing of the class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from clearhead.debug.pattern import Pattern
from clearhead.debug.texts.candidate import Candidate
from clearhead.debug.texts.phrase import Phrase
from clearhead.debug.texts.style import Style
from clearhead.debug.texts.styles import STYLES

__all__ = ["plain_controls", "style_controls"]

ALIKE = 3
_SAMPLE = 40


def plain_controls(candidates: Sequence[Candidate]) -> list[Pattern]:
    """Neutral words: those that other candidates are compared with, or fillers."""
    for other in candidates:
        if isinstance(other.pattern, Phrase) and other.controls:
            return other.controls
    return [Phrase(("well",), "well"), Phrase(("so",), "so"), Phrase(("then",), "then")]


def style_controls(name: str, shown: set[str], texts: Sequence[str]) -> list[Pattern]:
    """Other ways to write that the class does not show, which change the `texts` as much.

    Any large change of a text moves a network; only what another one does not do is due to
    the way of writing.
    """
    sizes = {other: _size(other, texts) for other in STYLES}
    rest = [other for other in STYLES if other != name and other not in shown and sizes[other] > 0]
    rest.sort(key=lambda other: abs(np.log(sizes[other] / max(sizes[name], 1e-3))))
    return [Style(other, 0.0) for other in rest[:ALIKE]]


def _size(name: str, texts: Sequence[str]) -> float:
    """Share of the words that imposing it changes."""
    changed = []
    for i, text in enumerate(texts[:_SAMPLE]):
        made = STYLES[name].impose(text, np.random.default_rng(i))
        before, after = Counter(text.split()), Counter(made.split())
        moved = ((before - after) + (after - before)).total()
        order = 0.5 * float(made != text and before == after)
        changed.append(min(moved / max(before.total() + after.total(), 1), 1.0) + order)
    return float(np.mean(changed)) if changed else 0.0
