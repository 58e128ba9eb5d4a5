"""The two kinds of questions, drawn from what the layers make of the test split.

References
----------
Wong, Santurkar, Madry (2021), Leveraging sparse linear layers for debuggable deep networks,
section 4: simulatability, and features that cause mistakes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from clearhead._types import FloatArray, IntArray
from clearhead.debug.view import SplitView

__all__ = [
    "ARMS",
    "KINDS",
    "Arm",
    "Kind",
    "Panel",
    "Question",
    "draw_problematic",
    "draw_simulatability",
]

Kind = Literal["simulatability", "problematic"]
Arm = Literal["sparse", "dense"]
KINDS: tuple[Kind, ...] = get_args(Kind)
ARMS: tuple[Arm, ...] = get_args(Arm)

PANELS = 5
"""Features shown of a class, as in the paper."""
CHOICES = 3
NON_TRIVIAL = 0.01
"""Examples less probable than this are told apart from any other without a look at a feature."""
FEW = 30
"""With fewer non-trivial examples the most probable quarter is drawn from instead."""
CLEAR_GAP = 0.1
"""The most probable example leads by this much, so that the right answer is one for a person."""


@dataclass(frozen=True)
class Panel:
    """One feature as it is shown.

    `sign` is the end of it that is shown: +1 what raises it, −1 what lowers it; always the
    end that speaks for the class it is shown for. `strength` is its |weight|, the largest of
    the question's being 1.
    """

    feature: int
    sign: int
    strength: float


@dataclass(frozen=True)
class Question:
    """One question, with what the person must not see.

    Parameters
    ----------
    kind : {"simulatability", "problematic"}
    arm : {"sparse", "dense"}
    class_name : str
        Whose features are shown; for a mistake the class that was predicted.
    panels : tuple of Panel
    examples : tuple of str
        Ids of test examples.
    right : int
        Position of the right answer: among the examples, for a mistake among the panels.
    """

    kind: Kind
    arm: Arm
    class_name: str
    panels: tuple[Panel, ...]
    examples: tuple[str, ...]
    right: int

    @property
    def n_choices(self) -> int:
        """How many answers there are to choose from."""
        return len(self.examples if self.kind == "simulatability" else self.panels)


def draw_simulatability(
    views: Mapping[Arm, SplitView], n: int, rng: np.random.Generator
) -> list[Question]:
    """Ask, for `n` classes, which of three examples each layer scores highest for the class.

    Shows five random features that the layer uses for it. Every arm is asked about the same
    classes, with equally many features, so that neither gives an arm away.
    """
    layers = [view.layer for view in views.values()]
    counts = np.min([layer.n_nonzero for layer in layers], axis=0)
    eligible = rng.permutation(np.flatnonzero(counts))
    found: list[Question] = []
    asked = 0
    for turn in range(2 * n):  # a class may have no three examples to choose from
        if asked >= n or not eligible.size:
            break
        c = int(eligible[turn % eligible.size])
        drawn = [
            _simulatability(arm, view, c, min(PANELS, int(counts[c])), rng)
            for arm, view in views.items()
        ]
        together = [one for one in drawn if one is not None]
        if len(together) == len(views):
            found += together
            asked += 1
    return found


def _simulatability(
    arm: Arm, view: SplitView, c: int, n_panels: int, rng: np.random.Generator
) -> Question | None:
    weights = view.layer.weight[c]
    features = rng.choice(np.flatnonzero(weights), n_panels, replace=False)
    rows = _three(view.layer.probabilities_of(view.logits)[:, c], rng)
    if rows is None:
        return None
    order = rng.permutation(CHOICES)
    return Question(
        kind="simulatability",
        arm=arm,
        class_name=view.layer.class_names[c],
        panels=_panels(features, np.sign(weights[features]), np.abs(weights[features])),
        examples=tuple(str(view.ids[rows[i]]) for i in order),
        right=int(np.flatnonzero(order == 0)[0]),
    )


def _three(probability: FloatArray, rng: np.random.Generator) -> IntArray | None:
    """Draw a clearly most probable example, first, and two others; None if there are none."""
    likely = np.flatnonzero(probability >= NON_TRIVIAL)
    if likely.size < FEW:
        likely = np.argsort(-probability, kind="stable")[: max(len(probability) // 4, CHOICES)]
    upper = likely[probability[likely] >= np.quantile(probability[likely], 2 / 3)]
    for first in rng.permutation(upper):
        others = likely[probability[likely] <= probability[first] - CLEAR_GAP]
        if others.size >= CHOICES - 1:
            chosen = rng.choice(others, CHOICES - 1, replace=False)
            return np.array([first, *chosen], dtype=np.int64)
    return None


def draw_problematic(arm: Arm, view: SplitView, n: int, rng: np.random.Generator) -> list[Question]:
    """Ask, for `n` mistakes that one feature mends, whether that feature is there to be seen.

    The feature of the wrong class stands beside the strongest one of the true class.
    """
    found: list[Question] = []
    for row in rng.permutation(np.flatnonzero(~view.right)):
        question = _problematic(arm, view, int(row), rng)
        if question is not None:
            found.append(question)
        if len(found) == n:
            break
    return found


def _problematic(arm: Arm, view: SplitView, row: int, rng: np.random.Generator) -> Question | None:
    true, wrong = int(view.labels[row]), int(view.predicted[row])
    parts = view.weight * view.z[row]  # (K, u): what each feature adds to each score
    mends = np.argmax(view.logits[row][:, None] - parts, axis=0) == true
    push = np.where(mends, parts[wrong] - parts[true], -np.inf)
    if not mends.any():
        return None
    problem = int(np.argmax(push))
    strength = np.abs(view.weight[true])
    strength[problem] = 0.0
    strongest = int(np.argmax(strength))
    if not strength[strongest]:
        return None
    sign = np.sign(view.weight[wrong, problem] - view.weight[true, problem])
    ends = np.array([sign, np.sign(view.weight[true, strongest])])
    order = rng.permutation(2)
    used = view.layer.used[[problem, strongest]]
    return Question(
        kind="problematic",
        arm=arm,
        class_name=view.layer.class_names[wrong],
        panels=_panels(used[order], ends[order], np.ones(2)),
        examples=(str(view.ids[row]),),
        right=int(np.flatnonzero(order == 0)[0]),
    )


def _panels(features: IntArray, signs: FloatArray, strengths: FloatArray) -> tuple[Panel, ...]:
    top = float(np.max(strengths))
    return tuple(
        Panel(int(feature), int(sign), round(float(strength) / top, 2))
        for feature, sign, strength in zip(features, signs, strengths, strict=True)
    )
