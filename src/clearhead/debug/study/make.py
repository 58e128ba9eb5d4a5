"""Make a questionnaire: one page for people, and the key that stays here."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from clearhead._files import fingerprint
from clearhead._version import MADE_BY
from clearhead.debug.study.page import jpeg_of, render_page
from clearhead.debug.study.question import (
    ARMS,
    KINDS,
    Arm,
    Kind,
    Panel,
    Question,
    draw_problematic,
    draw_simulatability,
)
from clearhead.debug.view import SplitView
from clearhead.errors import InputError
from clearhead.explain import ExampleIndex, Explained

__all__ = ["KEY_SCHEMA", "Study", "StudySource", "make_study"]

KEY_SCHEMA = 1
PICTURES = 6
TEXTS = 3
WORDS = 12
LONGEST_TEXT = 420
"""Characters of a text shown; nobody reads fifteen long ones for one question."""


@dataclass(frozen=True, eq=False)
class StudySource:
    """What questions are drawn from.

    Parameters
    ----------
    views : mapping of arm to SplitView
        The test split as each layer sees it.
    index : ExampleIndex
        The examples at both ends of any feature, none of them of test.
    show : callable
        Gives a text (str), a picture (bytes of a JPEG) or None by an example's id.
    explained : Explained
    """

    views: Mapping[Arm, SplitView]
    index: ExampleIndex
    show: Callable[[str], str | bytes | None]
    explained: Explained


@dataclass(frozen=True, eq=False)
class Study:
    """A questionnaire.

    Parameters
    ----------
    id : str
        Made from what the page shows; says nothing about the answers.
    page : str
        HTML, for the people asked.
    key : mapping
        The right answers, for :func:`read_study`. Not for the people asked.
    questions : tuple of Question
        In the order of the page.
    notes : tuple of str
        What could not be asked, and why.
    """

    id: str
    page: str = field(repr=False)
    key: Mapping[str, Any] = field(repr=False)
    questions: tuple[Question, ...] = field(repr=False)
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        counts = [
            f"{n} {kind} ({arm})"
            for kind in KINDS
            for arm in ARMS
            if (n := sum((q.kind, q.arm) == (kind, arm) for q in self.questions))
        ]
        lines = [f"Study {self.id}: {len(self.questions)} questions, {', '.join(counts)}"]
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])


def make_study(
    source: StudySource,
    *,
    n_questions: int = 24,
    kinds: Sequence[Kind] = KINDS,
    arms: Sequence[Arm] = ARMS,
    seed: int = 0,
) -> Study:
    """Draw questions and put them on one offline page; class names and layers are hidden.

    Both arms are shown by real examples at the end of the feature that speaks for the class:
    words and feature visualizations are made for the sparse layer's features only, and would
    tell the arms apart. Of the sparse arm alone they are shown where there are any.

    Parameters
    ----------
    source : StudySource
    n_questions : int
        Divided evenly over kinds and arms; mistakes that one feature mends may be fewer.
    kinds : sequence of {"simulatability", "problematic"}
    arms : sequence of {"sparse", "dense"}
    seed : int
        Of all that is drawn, and of the order.

    Raises
    ------
    InputError
        An option is wrong, or no question can be asked.
    """
    kinds, arms = _checked("kinds", kinds, KINDS), _checked("arms", arms, ARMS)
    cells = len(kinds) * len(arms)
    if seed < 0:
        raise InputError(f"seed: expected a whole number from 0, got {seed}.")
    if n_questions < cells:
        raise InputError(
            f"n_questions: expected at least {cells}, one for each kind and arm, got {n_questions}."
        )
    # The layer's fingerprint is not on the page: the seed alone does not give the order away.
    secret = source.views[arms[0]].layer.fingerprint
    rng = np.random.default_rng([seed, int(secret[:8], 16)])
    drawn, notes = _draw(source, n_questions // cells, kinds, arms, rng)
    sheet = _Sheet(source, made=len(arms) == 1 and arms[0] == "sparse")
    asked, contents = [], []
    for i in rng.permutation(len(drawn)):
        content = sheet.content(drawn[i])
        if content is not None:
            asked.append(drawn[i])
            contents.append({"id": f"q{len(asked):02d}", **content})
    if len(asked) < len(drawn):
        notes.append(
            f"{len(drawn) - len(asked)} questions were left out: their examples cannot be shown."
        )
    if not asked:
        raise InputError(
            "No question can be asked: "
            + (" ".join(notes) or "no class has features and examples to choose from.")
            + " The data that the run was made from must be where they were, or the run must have "
            "been made without --no-examples."
        )
    public = {"version": KEY_SCHEMA, "questions": contents, "images": sheet.images}
    study = fingerprint(public)[:16]
    key = {
        "schema_version": KEY_SCHEMA,
        "study": study,
        "made_by": MADE_BY,
        "seed": seed,
        "layers": {arm: source.views[arm].layer.fingerprint for arm in arms},
        "questions": {
            content["id"]: {**asdict(question), "n_choices": question.n_choices}
            for content, question in zip(contents, asked, strict=True)
        },
    }
    page = render_page({"study": study, **public})
    return Study(study, page, key, tuple(asked), tuple(notes))


def _checked(name: str, given: Sequence[Any], known: Sequence[Any]) -> list[Any]:
    wrong = [one for one in given if one not in known]
    if wrong or not given:
        said = ", ".join(map(repr, wrong)) or "none"
        raise InputError(f"{name}: expected some of {', '.join(known)}, got {said}.")
    return [one for one in known if one in given]


def _draw(
    source: StudySource,
    n: int,
    kinds: Sequence[Kind],
    arms: Sequence[Arm],
    rng: np.random.Generator,
) -> tuple[list[Question], list[str]]:
    """Draw `n` questions of each kind for each arm."""
    drawn: list[Question] = []
    notes: list[str] = []
    views = {arm: source.views[arm] for arm in arms}
    if "simulatability" in kinds:
        drawn += draw_simulatability(views, n, rng)
        if len(drawn) < n * len(arms):
            notes.append(
                f"{len(drawn)} of {n * len(arms)} questions on simulatability: other classes have "
                "no features, or no three examples that the layer tells apart."
            )
    if "problematic" in kinds:
        for arm, view in views.items():
            found = draw_problematic(arm, view, n, rng)
            drawn += found
            if len(found) < n:
                notes.append(
                    f"{len(found)} of {n} questions on mistakes of the {arm} layer: it makes "
                    f"{int((~view.right).sum())} on test, and one feature mends no others."
                )
    return drawn, notes


class _Sheet:
    """Questions as the page shows them; a picture shown twice is there once."""

    def __init__(self, source: StudySource, *, made: bool) -> None:
        self.source, self.made = source, made
        self.images: list[str] = []
        self._places: dict[bytes, int] = {}

    def content(self, question: Question) -> dict[str, Any] | None:
        """What a person sees of a question; None if something of it cannot be shown."""
        examples = [self._shown(key) for key in question.examples]
        panels = [self._panel(panel) for panel in question.panels]
        if not all(examples) or not all(panels):
            return None
        return {"kind": question.kind, "panels": panels, "examples": examples}

    def _panel(self, panel: Panel) -> dict[str, Any] | None:
        shown = next(self._made(panel), None) if self.made else None
        if shown is None:
            items = self._ends(panel)
            shown = {"items": items} if items else None
        return None if shown is None else {"strength": panel.strength, **shown}

    def _ends(self, panel: Panel) -> list[dict[str, Any]]:
        """Real examples at the end of the feature that is shown, as many as there is room for."""
        found = self.source.index.examples(panel.feature)
        ends = found.highest if panel.sign > 0 else found.lowest
        items: list[dict[str, Any]] = []
        for item in (self._shown(key) for key, _ in ends):
            if item is not None:
                items.append(item)
            if items and len(items) == (PICTURES if "image" in items[0] else TEXTS):
                break
        return items

    def _made(self, panel: Panel) -> Iterator[dict[str, Any]]:
        """What was made to explain a feature, the best first."""
        explained, up = self.source.explained, panel.sign > 0
        for one in explained.visualizations:
            towards = one.direction == ("max" if up else "min")
            if one.feature == panel.feature and towards and not one.failed:
                yield {"items": [self._image(jpeg_of(one.picture))]}
        if explained.words is not None and panel.feature in explained.words.features:
            words = explained.words.words_of(panel.feature, WORDS)
            side = words.positive if up else words.negative
            if side:
                yield {"words": [word.word for word in side]}

    def _shown(self, key: str) -> dict[str, Any] | None:
        found = self.source.show(key)
        if isinstance(found, bytes):
            return self._image(found)
        if not found:
            return None
        return {"text": found if len(found) <= LONGEST_TEXT else found[: LONGEST_TEXT - 1] + "…"}

    def _image(self, jpeg: bytes) -> dict[str, Any]:
        if jpeg not in self._places:
            self._places[jpeg] = len(self.images)
            coded = base64.b64encode(jpeg).decode("ascii")
            self.images.append(f"data:image/jpeg;base64,{coded}")
        return {"image": self._places[jpeg]}
