"""Long work: one worker, a queue, progress, and cancel.

A job outlives the request, and the tab, that asked for it. Its progress is what the library's
events say; cancel raises out of the next event, as Ctrl-C would: what a step finished is kept.
"""

from __future__ import annotations

import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from clearhead.app.answers import RefusedError, describe_error
from clearhead.events import Event, EventCallback

__all__ = ["CancelledError", "Job", "Jobs", "Work", "progress"]

State = Literal["queued", "running", "done", "failed", "cancelled"]
Work = Callable[[EventCallback], Any]
"""Does a job; gives plain values for JSON."""

MOST_QUEUED = 20
KEPT = 40
"""Finished jobs that are remembered, so that a page loaded anew finds what it waits for."""
WARNINGS = 50
_ENDED = ("done", "failed", "cancelled")
_LOG = logging.getLogger("clearhead.app")


class CancelledError(BaseException):
    """Raised by the callback of a cancelled job.

    No Exception, so that nothing takes it for a failure of its own and goes on.
    """


@dataclass
class Job:
    """One piece of work, and how far it is.

    Parameters
    ----------
    id : int
    kind : str
    title : str
        For people.
    work : callable
    sequence : int
        Grows with every change of any job.
    """

    id: int
    kind: str
    title: str
    work: Work = field(repr=False)
    state: State = "queued"
    sequence: int = 0
    progress: Mapping[str, Any] | None = None
    warnings: list[str] = field(default_factory=list)
    result: Any = None
    error: Mapping[str, str] | None = None
    asked_to_stop: bool = False
    seconds: float | None = None

    def to_dict(self, *, whole: bool = True) -> dict[str, Any]:
        """Plain values for JSON; without its result unless `whole`."""
        names = ("id", "kind", "title", "state", "sequence", "progress", "warnings", "error")
        found = {name: getattr(self, name) for name in names}
        found |= {"cancelling": self.asked_to_stop and self.state == "running"}
        found |= {"seconds": self.seconds}
        return found | ({"result": self.result} if whole else {})


class Jobs:
    """All jobs of one server, and the one thread that does them."""

    def __init__(self) -> None:
        self._jobs: dict[int, Job] = {}
        self._numbers = itertools.count(1)
        self._queue: queue.Queue[Job | None] = queue.Queue()
        self._lock = threading.Lock()
        self.closed = False
        self.sequence = 0
        self._thread = threading.Thread(target=self._work, name="clearhead worker", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether a job is running or waits."""
        return any(job.state not in _ENDED for job in self.all())

    def all(self) -> list[Job]:
        """Every job that is remembered, oldest first."""
        with self._lock:
            return list(self._jobs.values())

    def get(self, number: int) -> Job:
        """Give one job."""
        found = self._jobs.get(number)
        if found is None:
            raise RefusedError(
                404,
                "job",
                f"There is no job {number}: it was long ago, or before the server was started.",
            )
        return found

    def add(self, kind: str, title: str, work: Work) -> Job:
        """Put work at the end of the queue."""
        with self._lock:
            waiting = sum(job.state == "queued" for job in self._jobs.values())
            if waiting >= MOST_QUEUED or self.closed:
                raise RefusedError(
                    503, "queue", f"{waiting} jobs wait already. Cancel some, or wait for them."
                )
            job = Job(next(self._numbers), kind, title, work)
            self._jobs[job.id] = job
            self._touch(job)
            ended = [n for n, one in self._jobs.items() if one.state in _ENDED]
            for number in ended[:-KEPT]:
                del self._jobs[number]
        self._queue.put(job)
        return job

    def cancel(self, number: int) -> Job:
        """Ask a job to stop: at once if it still waits, else at its next event."""
        job = self.get(number)
        with self._lock:
            job.asked_to_stop = True
            if job.state == "queued":
                job.state = "cancelled"
            self._touch(job)
        return job

    def changed_since(self, sequence: int) -> list[Job]:
        """Jobs that changed after the point in time `sequence`, in the order they did."""
        changed = [job for job in self.all() if job.sequence > sequence]
        return sorted(changed, key=lambda job: job.sequence)

    def close(self, seconds: float = 5.0) -> None:
        """Cancel everything and wait for the worker to end, but not for ever."""
        self.closed = True
        for job in self.all():
            if job.state not in _ENDED:
                self.cancel(job.id)
        self._queue.put(None)
        self._thread.join(seconds)

    def _touch(self, job: Job) -> None:
        self.sequence += 1
        job.sequence = self.sequence

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            with self._lock:
                if job.state != "queued":
                    continue
                job.state = "running"
                self._touch(job)
            self._do(job)

    def _do(self, job: Job) -> None:
        started = time.perf_counter()
        result, error = None, None
        try:
            result, state = job.work(self._listener(job)), "done"
        except CancelledError:
            state = "cancelled"
        except BaseException as problem:
            state, (_, code, message) = "failed", describe_error(problem)
            error = {"code": code, "message": message}
        with self._lock:
            job.result, job.error = result, error
            job.state = state  # type: ignore[assignment]  # one of its values
            job.seconds = round(time.perf_counter() - started, 3)
            job.work = _forgotten  # may hold a picture
            self._touch(job)

    def _listener(self, job: Job) -> EventCallback:
        def listen(event: Event) -> None:
            # The end of a step is announced when its files are written: too late to stop.
            if job.asked_to_stop and event.kind != "end":
                raise CancelledError
            with self._lock:
                if event.kind == "warning":
                    job.warnings = [*job.warnings, event.message][-WARNINGS:]
                else:
                    job.progress = progress(event, job.progress or {})
                self._touch(job)

        return listen


def progress(event: Event, before: Mapping[str, Any]) -> dict[str, Any]:
    """How far a job is; an event that counts nothing leaves the count of its step."""
    counts = {"done": event.done, "total": event.total, "unit": event.unit}
    if event.total is None and event.step == before.get("step"):
        counts = {name: before[name] for name in counts}
    return {"step": event.step, "kind": event.kind, "message": event.message, **counts}


def _forgotten(on_event: EventCallback) -> None:
    """Stand in for work that is done."""
