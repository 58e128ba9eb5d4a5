"""Questionnaires for people, made and read from the app."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

from clearhead._files import write_bytes
from clearhead.app.requests import AnswersJob, StudyJob
from clearhead.app.session import EXPORTS
from clearhead.events import Event, EventCallback, emit
from clearhead.run import Run
from clearhead.run.studying import make_study, read_study

__all__ = ["make_questionnaire", "read_answers"]


def make_questionnaire(run: Run, wanted: StudyJob, on_event: EventCallback) -> dict[str, Any]:
    """Make the page to hand to people; its key stays in the run.

    Returns
    -------
    dict
        ``file``: among the exports; ``study``: its id; ``words``.
    """
    emit(on_event, Event("study", "start", "drawing questions"))
    with tempfile.TemporaryDirectory(prefix="clearhead-") as folder:
        page = Path(folder) / "study.html"
        study = make_study(
            run,
            page,
            n_questions=wanted.questions,
            kinds=wanted.kinds,
            arms=wanted.arms,
            seed=wanted.seed,
        )
        name = f"study-{study.id}.html"
        write_bytes(run.folder / EXPORTS / name, page.read_bytes())
    return {"file": name, "study": study.id, "words": str(study)}


def read_answers(run: Run, wanted: AnswersJob, on_event: EventCallback) -> dict[str, Any]:
    """Analyse what people answered; gives :class:`~clearhead.debug.study.StudyResult` as values."""
    emit(on_event, Event("study", "start", f"{len(wanted.files)} files of answers"))
    with tempfile.TemporaryDirectory(prefix="clearhead-") as folder:
        paths = []
        for number, file in enumerate(wanted.files, 1):
            # For messages; nothing of it can lead elsewhere.
            plain = re.sub(r"[^\w.-]", "_", file.name)[-80:]
            paths.append(Path(folder) / f"{number}-{plain}")
            write_bytes(paths[-1], file.text.encode())
        return read_study(run, paths).to_dict()
