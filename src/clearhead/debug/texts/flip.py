"""The smallest change of one text that flips its prediction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any, Literal

import numpy as np

from clearhead._types import FloatArray
from clearhead.debug.inputs import Inputs
from clearhead.errors import InputError
from clearhead.explain import words_of

__all__ = ["FlippedText", "TextEdit", "flip_text"]

MOST_WORDS = 60
"""Words of a text that are tried, the first: a longer text is rarely flipped by one."""

MOST_EDITS = 4
MOST_FILLERS = 12


@dataclass(frozen=True)
class TextEdit:
    """One word left out, put in or exchanged.

    Parameters
    ----------
    what : {"delete", "insert", "substitute"}
    position : int
        Number of the word in the text before this edit, from 0; what is put in stands before it.
    word : str
        What stood there; empty where a word was put in.
    by : str
        What stands there now; empty where a word was left out.
    """

    what: Literal["delete", "insert", "substitute"]
    position: int
    word: str
    by: str

    def __str__(self) -> str:
        if self.what == "delete":
            return f"leave out “{self.word}”"
        if self.what == "insert":
            return f"put in “{self.by}”"
        return f"“{self.by}” for “{self.word}”"


@dataclass(frozen=True)
class FlippedText:
    """How a text was changed until the prediction flipped, or as near to that as it came.

    Parameters
    ----------
    text, changed : str
    before, after : str
        Predicted class of the one and of the other.
    edits : tuple of TextEdit
        In the order in which they were made.
    flipped : bool
    margin_before, margin_after : float
        Log-odds of the class predicted before.
    exact : bool
        Whether all changes of fewer words were tried: so it is for one edit.
    evaluations : int
        Texts that the network was shown.
    """

    text: str
    changed: str
    before: str
    after: str
    edits: tuple[TextEdit, ...]
    flipped: bool
    margin_before: float
    margin_after: float
    exact: bool
    evaluations: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        if not self.flipped:
            return f"nothing tried makes it anything but {self.before}"
        return f"{self.before} → {self.after}: " + ", ".join(map(str, self.edits))

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p><p>{escape(self.text)}<br>{escape(self.changed)}</p>"


@dataclass(frozen=True)
class _State:
    words: tuple[str, ...]
    gaps: tuple[str, ...]

    def text(self) -> str:
        return "".join(a + b for a, b in zip(self.words, self.gaps, strict=True)).strip()


def flip_text(
    inputs: Inputs,
    text: str | int,
    *,
    target: int | None = None,
    fillers: Sequence[str] = (),
    most_edits: int = MOST_EDITS,
) -> FlippedText:
    """Find the smallest deletion, insertion or substitution of words that flips a prediction.

    All single edits are tried. If none flips it, the one that lowers the class's log-odds most
    is made and all single edits are tried again, up to `most_edits`.

    Parameters
    ----------
    inputs : Inputs
    text : str or int
        The text, or a row of the store.
    target : int, optional
        The class to flip to; any other if not given.
    fillers : sequence of str
        Words to put in or exchange; without them words are only left out.
    most_edits : int

    Raises
    ------
    InputError
        The text has no word, or `target` is what is predicted already.
    """
    text = text if isinstance(text, str) else str(inputs.example(text))
    if inputs.layer.multilabel:
        raise InputError("flip_text: the layer gives several labels at once; pick one of them.")
    parts = words_of(text)
    if not parts.words:
        raise InputError("flip_text: the text holds no word. Pass a text with words.")
    start = _scores(inputs, [text])
    before = int(start[0].argmax())
    if target == before:
        name = inputs.class_names[before]
        raise InputError(f"flip_text: the text is predicted {name} already. Pass another target.")
    state = _State(parts.words, parts.gaps)
    edits: list[TextEdit] = []
    first = margin = float(_margin(start, before, target)[0])
    after, seen = before, 1
    while len(edits) < most_edits:
        tried = _edits(state, tuple(fillers)[:MOST_FILLERS])
        if not tried:
            break
        scores = _scores(inputs, [new.text() for _, new in tried])
        margins = _margin(scores, before, target)
        seen += len(tried)
        best = int(np.argmin(margins))
        if margins[best] >= margin:
            break
        edit, state = tried[best]
        edits.append(edit)
        margin, after = float(margins[best]), int(scores[best].argmax())
        if margin < 0:
            break
    return FlippedText(
        text=text,
        changed=state.text() if edits else text,
        before=inputs.class_names[before],
        after=inputs.class_names[after],
        edits=tuple(edits),
        flipped=margin < 0,
        margin_before=first,
        margin_after=margin,
        exact=margin < 0 and len(edits) == 1,
        evaluations=seen,
    )


def _scores(inputs: Inputs, texts: list[str]) -> FloatArray:
    return inputs.layer.logits(inputs.features(texts))


def _margin(scores: FloatArray, before: int, target: int | None) -> FloatArray:
    """How far the class predicted before is ahead of the target, or of the best other."""
    if target is not None:
        ahead = np.delete(scores, target, axis=1).max(axis=1)
        found: FloatArray = ahead - scores[:, target]
        return found
    others: FloatArray = np.delete(scores, before, axis=1).max(axis=1)
    margin: FloatArray = scores[:, before] - others
    return margin


def _edits(state: _State, fillers: tuple[str, ...]) -> list[tuple[TextEdit, _State]]:
    """Every single edit of the first words; what would leave no word is left out."""
    words, gaps = state.words, state.gaps
    found = []
    for i, word in enumerate(words[:MOST_WORDS]):
        if len(words) > 1:
            gone = _State(words[:i] + words[i + 1 :], gaps[:i] + gaps[i + 1 :])
            found.append((TextEdit("delete", i, word, ""), gone))
        for filler in fillers:
            if filler != word:
                new = _State((*words[:i], filler, *words[i + 1 :]), gaps)
                found.append((TextEdit("substitute", i, word, filler), new))
            more = _State((*words[:i], filler, *words[i:]), (*gaps[:i], " ", *gaps[i:]))
            found.append((TextEdit("insert", i, "", filler), more))
    return [(edit, new) for edit, new in found if new.text()]
