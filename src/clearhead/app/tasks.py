"""What each kind of job does, with the same functions as the command line."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from clearhead._files import checksum, write_bytes
from clearhead.app.jobs import Work
from clearhead.app.requests import (
    AnswersJob,
    Change,
    EditJob,
    ExportJob,
    JobWanted,
    PreviewJob,
    SelectJob,
    StepJob,
    StudyJob,
    TryJob,
    UndoJob,
)
from clearhead.app.session import EXPORTS, Session
from clearhead.app.studies import make_questionnaire, read_answers
from clearhead.app.trying import try_input
from clearhead.errors import ConflictError, InputError
from clearhead.events import EventCallback
from clearhead.layer import Edit, edit_from_dict
from clearhead.layer.select import Point
from clearhead.run import Run
from clearhead.run.edit_result import EditResult
from clearhead.run.mending import edits_of_finding
from clearhead.run.run import ANALYSIS

__all__ = ["edits_state", "edits_version", "title_of", "work_of"]

MOST_CHANGED = 200
"""Ids of changed examples that travel with the result of an edit, a split."""


def work_of(session: Session, wanted: JobWanted) -> Work:
    """Make the work that a request asks for."""
    tasks: dict[type[Any], Callable[[Run, Any, EventCallback], Any]] = {
        PreviewJob: _preview,
        EditJob: _edit,
        UndoJob: _undo,
        SelectJob: _select,
        StepJob: _step,
        ExportJob: _export,
        TryJob: try_input,
        StudyJob: make_questionnaire,
        AnswersJob: read_answers,
    }
    task = tasks[type(wanted)]

    def work(on_event: EventCallback) -> Any:
        run = session.run()
        run.on_event = on_event
        try:
            return task(run, wanted, on_event)
        finally:
            run.on_event = None
            session.keep(run)

    return work


def title_of(wanted: JobWanted) -> str:
    """Say in a few words what a job does."""
    if isinstance(wanted, PreviewJob | EditJob):
        doing = "Preview" if isinstance(wanted, PreviewJob) else "Edit"
        words = ("mend a finding" if e.action == "finding" else e.action for e in wanted.edits[:5])
        return f"{doing}: {', '.join(words)}"
    if isinstance(wanted, SelectJob):
        return f"Select {_rule(wanted)}"
    if isinstance(wanted, ExportJob):
        return f"Export the {wanted.layer} layer as {wanted.format}"
    titles = {
        "undo": "Undo the last edit",
        "redo": "Redo the edit undone last",
        "explain": "Explain the features",
        "debug": "Look for faults",
        "analyze": "Analyze the layer",
        "try": "Try an input",
        "study": "Make a questionnaire",
        "answers": "Read answers",
    }
    return titles[wanted.kind]


def edits_version(run: Run) -> str:
    """Version of the log of edits: changes with every edit, undo and selection."""
    path = run.edits_folder / "log.json"
    held = checksum(path.read_bytes()) if path.is_file() else "none"
    return checksum(f"{run.layer().fingerprint} {held}".encode())


def edits_state(run: Run) -> dict[str, Any]:
    """Edits of the selected layer, and those undone since."""
    version, log = edits_version(run), run.edit_log
    steps = [_result(log.result(number)) for number in log.steps]
    return {
        "version": version,
        "layer": run.layer().fingerprint,
        "void": log.void,
        "done": log.done,
        "steps": steps,
    }


def _preview(run: Run, wanted: PreviewJob, _: EventCallback) -> Any:
    return _result(run.edit(*_edits(run, wanted.edits), dry_run=True))


def _edit(run: Run, wanted: EditJob, _: EventCallback) -> Any:
    check_version(run, wanted.version)
    return _result(run.edit(*_edits(run, wanted.edits)))


def _undo(run: Run, wanted: UndoJob, _: EventCallback) -> Any:
    check_version(run, wanted.version)
    if wanted.kind == "undo":
        run.undo()
    else:
        run.redo()
    return edits_state(run)


def _select(run: Run, wanted: SelectJob, _: EventCallback) -> Any:
    run.select(_rule(wanted))
    run.explain(effort=wanted.effort)
    run.debug(effort=wanted.effort)
    return {"selected": run.selection["index"]}


def _step(run: Run, wanted: StepJob, _: EventCallback) -> Any:
    if wanted.kind == "explain":
        run.explain(effort=wanted.effort, force=wanted.force)
    elif wanted.kind == "debug":
        run.debug(effort=wanted.effort, force=wanted.force)
    else:
        resamples, tried = ANALYSIS["default" if wanted.effort == "quick" else wanted.effort]
        run.analyze(n_resamples=resamples, n_tried=tried, force=wanted.force)
    return {}


def _export(run: Run, wanted: ExportJob, on_event: EventCallback) -> Any:
    from clearhead.exports import export

    layer = run.layer("edited") if wanted.layer == "edited" else None
    name = f"{wanted.format}-{wanted.layer}.zip"
    with tempfile.TemporaryDirectory(prefix="clearhead-") as folder:
        model = Path(folder) / f"{wanted.format}-{wanted.layer}"
        export(run, wanted.format, model, layer=layer, on_event=on_event)
        archive = shutil.make_archive(str(model), "zip", folder, model.name)
        write_bytes(run.folder / EXPORTS / name, Path(archive).read_bytes())
    return {"file": name}


def check_version(run: Run, version: str) -> None:
    """Raise ConflictError unless the edits are those that a change was decided on."""
    if edits_version(run) != version:
        raise ConflictError(
            "The edits of this run have been changed since they were read: in another tab or by "
            "another program. Load them again, then make the change."
        )


def _edits(run: Run, changes: Sequence[Change]) -> list[Edit]:
    found: list[Edit] = []
    for change in changes:
        if change.action == "finding":
            if change.finding is None:
                raise InputError("edit 'finding': say which finding, by its number or key.")
            found += edits_of_finding(run, change.finding)
        else:
            found.append(edit_from_dict(change.given()))
    return found


def _rule(wanted: SelectJob) -> Any:
    if (wanted.point is None) == (wanted.rule is None):
        raise InputError("select: say a point or a rule, one of them.")
    return wanted.rule if wanted.point is None else Point(wanted.point)


def _result(result: EditResult) -> dict[str, Any]:
    """Give an edit's result as it travels; of many changed examples, the first."""
    plain = result.to_dict()
    counts = {split: len(ids) for split, ids in result.changed.items()}
    first = {split: list(ids[:MOST_CHANGED]) for split, ids in result.changed.items()}
    return {**plain, "words": result.describe(), "changed": first, "n_changed": counts}
