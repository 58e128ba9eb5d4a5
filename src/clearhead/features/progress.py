"""How far an extraction is, how fast, and how long it will take."""

from __future__ import annotations

import time
from typing import Literal

from clearhead.events import Event, EventCallback, emit

__all__ = ["STEP", "Progress"]

STEP = "extract"
_EVERY_SECONDS = 0.5


class Progress:
    """Rate and time left, about twice a second as far as batches allow.

    Parameters
    ----------
    total, done : int
        Examples in all, and those finished by earlier processes.
    """

    def __init__(self, total: int, done: int, on_event: EventCallback | None) -> None:
        self.total, self.done, self.on_event = total, done, on_event
        self._begun, self._done_before = time.monotonic(), done
        self._said = 0.0

    def start(self, name: str) -> None:
        """Say what begins."""
        again = f", {self.done:,} of them are there already" if self.done else ""
        self._emit("start", f"{name}: features of {self.total:,} examples{again}")

    def advance(self, rows: int) -> None:
        """Count `rows` more examples."""
        self.done += rows
        now = time.monotonic()
        if now - self._said >= _EVERY_SECONDS:
            self._said = now
            rate = (self.done - self._done_before) / max(now - self._begun, 1e-9)
            left = (self.total - self.done) / max(rate, 1e-9)
            self._emit("progress", f"{rate:,.0f} examples/s, {_duration(left)} left")

    def end(self) -> None:
        """Say how long it took."""
        seconds = time.monotonic() - self._begun
        rate = (self.done - self._done_before) / max(seconds, 1e-9)
        self._emit("end", f"{self.done:,} examples in {_duration(seconds)} ({rate:,.0f}/s)")

    def _emit(self, kind: Literal["start", "progress", "end"], message: str) -> None:
        emit(self.on_event, Event(STEP, kind, message, self.done, self.total, "examples"))


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
