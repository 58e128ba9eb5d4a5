"""The one run that is served: read anew when it has changed, its data held as they are sent."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from pathlib import Path

from clearhead._files import fingerprint
from clearhead.errors import ClearheadError, StorageError
from clearhead.report.json_text import json_text
from clearhead.run import Run
from clearhead.run.comparing import comparisons
from clearhead.run.notes import NOTES

__all__ = ["EXPORTS", "Session", "Snapshot", "check_inside"]

EXPORTS = "exports"
"""Folder of the run with the files that were made from the app."""

_WATCHED = {
    "data": ("run.json", "layer/selection.json", "explain/layer.json", "findings.json"),
    "notes": (NOTES,),
    "edits": ("layer/edits/log.json",),
}
"""Files of which one at least changes whenever a part of the run does."""


@dataclass(frozen=True)
class Snapshot:
    """The run's data at one moment.

    Parameters
    ----------
    version : str
        Of the run.
    body : bytes
        Everything that is shown, as JSON.
    """

    version: str
    body: bytes


class Session:
    """A run directory while it is served.

    Reading never waits for the worker: while a step rewrites what it made before, the data of
    the moment before it began are shown.

    Parameters
    ----------
    run : Run
    compare : Run, optional
        Another run, to show beside it; nothing of it is served but the comparison.
    """

    def __init__(self, run: Run, compare: Run | None = None) -> None:
        check_inside(run.folder)
        self._run, self._other = run, compare
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._compared: Snapshot | None = None
        self._comparing = threading.Lock()

    @property
    def folder(self) -> Path:
        """The run directory."""
        return self._run.folder

    @property
    def version(self) -> str:
        """Changes whenever the run does, whoever changed it."""
        return fingerprint(self.versions)

    @property
    def versions(self) -> dict[str, str]:
        """Of the parts of the run: what is shown of it, ``notes`` and ``edits``."""
        return {
            part: fingerprint([_stamp(self.folder / name) for name in names])
            for part, names in _WATCHED.items()
        }

    def run(self) -> Run:
        """Open the run as it is now; its network and data stay open between calls."""
        return self._run.reopened()

    def keep(self, run: Run) -> None:
        """Remember what a job opened: the network, above all."""
        self._run = run

    def compared(self) -> Snapshot:
        """Compare this run's layer with the edited one and with another run's."""
        with self._comparing:
            other = None if self._other is None else self._other.reopened()
            version = fingerprint(
                [self.version, None if other is None else other.layer().fingerprint]
            )
            if self._compared is None or self._compared.version != version:
                cards = [card.model_dump() for card in comparisons(self.run(), other)]
                self._compared = Snapshot(version, json_text(cards).encode())
            return self._compared

    def prepare(self) -> None:
        """Make what the first page will ask for, while a browser is being opened."""

        def make() -> None:
            with contextlib.suppress(ClearheadError):  # said when it is asked for
                self.snapshot()

        threading.Thread(target=make, name="clearhead-first-page", daemon=True).start()

    def snapshot(self) -> Snapshot:
        """Everything that is shown; made again when the run has changed.

        Raises
        ------
        ClearheadError
            The run cannot be shown, and never could since the server was started.
        """
        with self._lock:
            version, held = self.version, self._snapshot
            if held is not None and held.version == version:
                return held
            try:
                data = self.run().app_data()
            except ClearheadError:
                if held is None:
                    raise
                return held  # a step is being done again
            self._snapshot = Snapshot(version, json_text(data.model_dump(mode="python")).encode())
            return self._snapshot


def check_inside(folder: Path) -> None:
    """Refuse a run directory with a link in it that leads out of it.

    Raises
    ------
    StorageError
        The link is named.
    """
    root = folder.resolve()
    for path in root.rglob("*"):
        if path.is_symlink() and not path.resolve().is_relative_to(root):
            raise StorageError(
                f"{path} is a link to {path.resolve()}, outside the run directory. Nothing outside "
                "it is served: put the file itself there, or take the link away."
            )


def _stamp(path: Path) -> list[int]:
    try:
        found = path.stat()
    except OSError:
        return []
    return [found.st_mtime_ns, found.st_size, found.st_ino]
