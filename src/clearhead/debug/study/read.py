"""What people answered: how often they were right, with a sparse layer and with a dense one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from clearhead._plot import new_axes
from clearhead.debug.statistics import share_above, two_shares
from clearhead.debug.study.answers import Answers, read_answers
from clearhead.debug.study.make import KEY_SCHEMA
from clearhead.debug.study.question import ARMS, KINDS, Arm, Kind
from clearhead.errors import CorruptFileError, InputError, SchemaVersionError
from clearhead.glm import Accuracy

__all__ = ["Contrast", "Remark", "Score", "StudyResult", "check_key", "read_study"]


@dataclass(frozen=True)
class Score:
    """How often people were right about one kind of question for one layer.

    `chance` is what guessing gives, `p_value` tests for more than that (exact binomial,
    one-sided). `confidence` is the mean, from 1 guessed to 5 certain.
    """

    kind: Kind
    arm: Arm
    accuracy: Accuracy
    chance: float
    p_value: float
    confidence: float | None


@dataclass(frozen=True)
class Contrast:
    """Sparse minus dense: Newcombe's 95% interval, and Fisher's exact two-sided p value."""

    kind: Kind
    difference: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True)
class Remark:
    """What a person wrote; `question` is empty for the study as a whole."""

    person: str
    question: str
    text: str


@dataclass(frozen=True)
class StudyResult:
    """What a study found.

    Answers of one person, or to one question, are not independent: intervals and p values
    take them as if they were, so they say too much where few people answered many questions.
    """

    study: str
    n_people: int
    scores: tuple[Score, ...]
    contrasts: tuple[Contrast, ...]
    by_person: tuple[tuple[str, Accuracy], ...]
    remarks: tuple[Remark, ...]
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def to_frame(self) -> pd.DataFrame:
        """One row a kind of question and layer."""
        rows = [
            (s.kind, s.arm, *_four(s.accuracy), s.chance, s.p_value, s.confidence)
            for s in self.scores
        ]
        columns = ["kind", "arm", "accuracy", "low", "high", "n", "chance", "p_value"]
        return pd.DataFrame(rows, columns=[*columns, "confidence"])

    def plot(self, ax: Any = None) -> Any:
        """Draw the shares of right answers with their intervals, and chance; return the Axes."""
        ax = new_axes() if ax is None else ax
        places = np.arange(len(self.scores))
        values = np.array([s.accuracy.value for s in self.scores])
        ends = np.array([[s.accuracy.low, s.accuracy.high] for s in self.scores]).reshape(-1, 2)
        ax.errorbar(values, places, xerr=np.abs(ends.T - values), fmt="o", capsize=2)
        ax.scatter([s.chance for s in self.scores], places, marker="|", color="grey")
        ax.set_yticks(places, [f"{s.kind}, {s.arm}" for s in self.scores])
        ax.set_xlim(0.0, 1.0)
        ax.set_xlabel("share right (grey: chance)")
        return ax

    def __str__(self) -> str:
        return "\n".join(_lines(self))

    def _repr_html_(self) -> str:
        said = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        table = self.to_frame().to_html(index=False, float_format="{:.3g}".format)
        return f"<p>Study {escape(self.study)}, {self.n_people} people</p>{said}{table}"


def read_study(keys: Sequence[Mapping[str, Any]], files: Sequence[Path]) -> StudyResult:
    """Analyse the answers of one or many people to one study.

    Parameters
    ----------
    keys : sequence of mapping
        The keys that :func:`make_study` made.
    files : sequence of Path
        One a person; of two by one person the one saved last counts.

    Raises
    ------
    InputError
        There are no files, no answers in them, or they answer different studies.
    CorruptFileError, FingerprintMismatchError, SchemaVersionError
        A file is damaged, foreign, or newer than this.
    """
    if not files:
        raise InputError("files: expected the answers of at least one person, got none.")
    for key in keys:
        check_key(key)
    of = {str(key["study"]): key for key in keys}
    found = [read_answers(path, of) for path in files]
    studies = {one.study: one.path for one in found}
    if len(studies) > 1:
        said = ", ".join(f"{path} of {study}" for study, path in studies.items())
        raise InputError(f"The files answer different studies ({said}). Read each study alone.")
    people, notes = _once(found)
    questions = of[found[0].study]["questions"]
    given = [
        (name, answer, bool(answer.choice == questions[name]["right"]))
        for one in people
        for name, answer in one.answers.items()
    ]
    if not given:
        raise InputError("No question is answered in these files.")
    cells = [(kind, arm) for kind in KINDS for arm in ARMS]
    scores = []
    for kind, arm in cells:
        here = [
            (questions[name], answer.confidence, right)
            for name, answer, right in given
            if (questions[name]["kind"], questions[name]["arm"]) == (kind, arm)
        ]
        if here:
            scores.append(_score(kind, arm, here))
    remarks = [
        Remark(one.person, name, answer.comment)
        for one in people
        for name, answer in sorted(one.answers.items())
        if answer.comment
    ]
    remarks += [Remark(one.person, "", one.comment) for one in people if one.comment]
    by_person = []
    for one in people:
        right = sum(a.choice == questions[name]["right"] for name, a in one.answers.items())
        by_person.append((one.person, Accuracy.of(right, len(one.answers))))
    return StudyResult(
        study=found[0].study,
        n_people=len(people),
        scores=tuple(scores),
        contrasts=tuple(_contrasts(scores)),
        by_person=tuple(by_person),
        remarks=tuple(remarks),
        notes=tuple(notes),
    )


def check_key(key: Mapping[str, Any]) -> None:
    """Raise where a key is not what :func:`make_study` made.

    Raises
    ------
    CorruptFileError, SchemaVersionError
        It is damaged, or a newer version made it.
    """
    fields = ("kind", "arm", "right", "n_choices")
    try:
        version = int(key["schema_version"])
        _ = key["study"], [[one[name] for name in fields] for one in key["questions"].values()]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CorruptFileError(
            f"The key of a study is damaged ({error!r}). Make the study again with the same "
            "options and seed: its key is the same."
        ) from error
    if version > KEY_SCHEMA:
        raise SchemaVersionError(
            f"The key of study {key['study']} has schema version {version}; this clearhead reads "
            f"up to {KEY_SCHEMA}. Upgrade clearhead to read it."
        )


def _once(found: Sequence[Answers]) -> tuple[list[Answers], list[str]]:
    """Keep one file a person, that saved last; of equals the last given."""
    kept: dict[str, Answers] = {}
    notes = []
    for one in found:
        earlier = kept.get(one.key)
        if earlier is None:
            kept[one.key] = one
            continue
        last, other = (one, earlier) if one.saved >= earlier.saved else (earlier, one)
        kept[one.key] = last
        apart = (
            ""
            if one.browser == earlier.browser
            else (" They come from two browsers: if they are two people, rename one in its file.")
        )
        notes.append(f"{one.person} is counted once: {last.path}, not {other.path}.{apart}")
    return list(kept.values()), notes


def _score(
    kind: Kind, arm: Arm, given: Sequence[tuple[Mapping[str, Any], int | None, bool]]
) -> Score:
    right = sum(hit for _, _, hit in given)
    chance = float(np.mean([1 / question["n_choices"] for question, _, _ in given]))
    sure = [confidence for _, confidence, _ in given if confidence is not None]
    return Score(
        kind=kind,
        arm=arm,
        accuracy=Accuracy.of(right, len(given)),
        chance=chance,
        p_value=share_above(right, len(given), chance),
        confidence=float(np.mean(sure)) if sure else None,
    )


def _contrasts(scores: Sequence[Score]) -> Iterator[Contrast]:
    for kind in KINDS:
        of = {score.arm: score.accuracy for score in scores if score.kind == kind}
        if len(of) < len(ARMS):
            continue
        table = [[hits := round(a.value * a.n), a.n - hits] for a in (of["sparse"], of["dense"])]
        p = float(stats.fisher_exact(table).pvalue)
        yield Contrast(kind, *two_shares(of["sparse"], of["dense"]), p)


def _four(accuracy: Accuracy) -> tuple[float, float, float, int]:
    return accuracy.value, accuracy.low, accuracy.high, accuracy.n


def _lines(found: StudyResult) -> Iterator[str]:
    n = sum(score.accuracy.n for score in found.scores)
    people = "1 person" if found.n_people == 1 else f"{found.n_people} people"
    yield f"Study {found.study}: {n} answers of {people}"
    yield from (f"  note: {note}" for note in found.notes)
    for kind in KINDS:
        scores = [score for score in found.scores if score.kind == kind]
        if not scores:
            continue
        yield ""
        yield f"{kind.capitalize()}, chance {100 * scores[0].chance:.0f}%"
        for one in scores:
            sure = "" if one.confidence is None else f", confidence {one.confidence:.1f} of 5"
            p = f"p = {one.p_value:.2g} against chance"
            yield f"  {one.arm:6} {one.accuracy}, {p}{sure}"
        for one_more in found.contrasts:
            if one_more.kind == kind:
                yield (
                    f"  sparse − dense: {100 * one_more.difference:+.1f} points "
                    f"({100 * one_more.low:+.1f} to {100 * one_more.high:+.1f}), "
                    f"p = {one_more.p_value:.2g} (Fisher, two-sided)"
                )
    yield ""
    yield "By person"
    yield from (f"  {person}: {accuracy}" for person, accuracy in found.by_person)
    if found.remarks:
        yield ""
        yield "Remarks"
        for remark in found.remarks:
            where = f", {remark.question}" if remark.question else ""
            yield f"  {remark.person}{where}: {remark.text}"
