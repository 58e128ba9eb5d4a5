"""One file of answers, checked: it comes from a person's browser and may hold anything."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clearhead.errors import CorruptFileError, FingerprintMismatchError, SchemaVersionError

__all__ = ["Answer", "Answers", "read_answers"]

ANSWERS_SCHEMA = 1
LARGEST = 8 << 20
"""Bytes; a file of answers has a few kilobytes."""
CONFIDENCES = range(1, 6)
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")


@dataclass(frozen=True)
class Answer:
    """What was chosen, how sure the person was (1 guessed to 5 certain), and a remark."""

    choice: int
    confidence: int | None = None
    comment: str = ""


@dataclass(frozen=True)
class Answers:
    """What one person answered.

    Parameters
    ----------
    path : Path
    study : str
    person : str
        As they called themselves; else a name after their browser.
    browser : str
    saved : str
        When, as ISO 8601 in UTC; empty if not known.
    answers : mapping of question to Answer
        Of the questions answered.
    comment : str
    """

    path: Path
    study: str
    person: str
    browser: str
    saved: str
    answers: Mapping[str, Answer]
    comment: str = ""

    @property
    def key(self) -> str:
        """What two files of one person have in common."""
        return self.person.casefold()


def read_answers(path: Path, keys: Mapping[str, Mapping[str, Any]]) -> Answers:
    """Read one file.

    Parameters
    ----------
    path : Path
    keys : mapping of study id to key
        The studies that answers may be of.

    Raises
    ------
    CorruptFileError
        It is no file of answers, or damaged.
    FingerprintMismatchError
        It answers another study.
    SchemaVersionError
        A newer page wrote it.
    """
    value = _load(path)
    study = value.get("study")
    if not isinstance(study, str) or study not in keys:
        raise FingerprintMismatchError(
            f"{path} answers another study ({_clean(str(study))!r}); this run has "
            f"{', '.join(keys)}. Read it with the run that its page was made from."
        )
    questions = keys[study]["questions"]
    given = value.get("answers")
    if not isinstance(given, dict):
        raise _damaged(path, "it has no answers")
    found = {}
    for name, one in given.items():
        if name not in questions:
            raise _damaged(path, f"{_clean(name)!r} is no question of its study")
        answer = _answer(path, name, one, int(questions[name]["n_choices"]))
        if answer is not None:
            found[name] = answer
    person, browser = (_text(path, value, name) for name in ("person", "browser"))
    return Answers(
        path=path,
        study=study,
        person=person or f"anonymous {browser or path.stem}",
        browser=browser,
        saved=_text(path, value, "saved"),
        answers=found,
        comment=_text(path, value, "comment"),
    )


def _load(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST:
            raise _damaged(path, f"it is larger than {LARGEST >> 20} MiB")
        value = json.loads(path.read_bytes())
    except OSError as error:
        raise CorruptFileError(
            f"{path} cannot be read ({error.strerror}). Name the files that the page's button "
            "downloaded."
        ) from error
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"it is not JSON: {error}") from error
    version = value.get("clearhead_study") if isinstance(value, dict) else None
    if isinstance(version, bool) or not isinstance(version, int):
        raise _damaged(path, "it is no file of answers: it has no clearhead_study")
    if version > ANSWERS_SCHEMA:
        raise SchemaVersionError(
            f"{path} has version {version} of the answers; this clearhead reads up to "
            f"{ANSWERS_SCHEMA}. Upgrade clearhead to read it."
        )
    return dict(value)


def _answer(path: Path, name: str, one: Any, n_choices: int) -> Answer | None:
    """Check one answer; None where nothing was chosen."""
    if not isinstance(one, dict):
        raise _damaged(path, f"its answer {name} is no object")
    choice, confidence = one.get("choice"), one.get("confidence")
    if choice is None:
        return None
    if not _is_in(choice, range(n_choices)):
        raise _damaged(path, f"its answer {name} chooses {choice!r}, not 0 to {n_choices - 1}")
    if confidence is not None and not _is_in(confidence, CONFIDENCES):
        raise _damaged(path, f"the confidence of its answer {name} is {confidence!r}, not 1 to 5")
    return Answer(choice, confidence, _text(path, one, "comment"))


def _is_in(value: Any, allowed: range) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in allowed


def _text(path: Path, value: Mapping[str, Any], name: str) -> str:
    found = value.get(name)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise _damaged(path, f"its {name} is no text")
    return _clean(found)


def _clean(text: str) -> str:
    """`text` without what could move a terminal's cursor or reorder a line."""
    return _UNPRINTABLE.sub(" ", text).strip()


def _damaged(path: Path, why: str) -> CorruptFileError:
    return CorruptFileError(
        f"{path} is damaged: {why}. Have the person download the answers again from the page: "
        "their browser still holds them."
    )
