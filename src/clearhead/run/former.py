"""What a run of something else left in the folder: deleted, or put aside where people made it."""

from __future__ import annotations

import shutil
from pathlib import Path

from clearhead.events import Event, EventCallback, emit
from clearhead.features.lock import locked
from clearhead.run.notes import NOTES, NOTES_LOCK

__all__ = ["discard", "put_aside"]

COMPUTED = ("features", "path", "layer", "explain", "examples", "debug", "report")
COMPUTED_FILES = ("findings.json", "report.html")
MADE_BY_PEOPLE = (NOTES, "study", "exports")


def put_aside(folder: Path, on_event: EventCallback | None = None) -> Path | None:
    """Move names and marks, keys of studies and exports to a folder ``former-N`` of their own.

    They are about features of a layer that the new run does not have, and cannot be computed
    again. To be called before ``run.json`` names the new run: it never shows them, wherever this
    is interrupted.

    Returns
    -------
    Path or None
        Where they are now; None where there were none.
    """
    with locked(folder, name=NOTES_LOCK, wait=True):
        there = [folder / name for name in MADE_BY_PEOPLE if (folder / name).exists()]
        if not there:
            return None
        number = 1
        while (aside := folder / f"former-{number}").exists():
            number += 1
        aside.mkdir()
        for path in there:
            path.rename(aside / path.name)
    kept = ", ".join(path.name for path in there)
    message = f"{kept} of the former run are about other features, and were put aside: {aside}"
    emit(on_event, Event("run", "warning", message))
    return aside


def discard(folder: Path) -> None:
    """Delete what the former run computed."""
    for name in COMPUTED:
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in COMPUTED_FILES:
        (folder / name).unlink(missing_ok=True)
