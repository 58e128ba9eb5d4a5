"""Events as progress bars and lines on the terminal."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from tqdm import tqdm

from clearhead.events import Event

__all__ = ["Progress"]


class Progress:
    """An event callback that draws one bar a step on standard error.

    Without a terminal there are no bars, only a line where a step begins and ends.
    """

    def __init__(self) -> None:
        self._bar: tqdm[None] | None = None
        self._terminal = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def __call__(self, event: Event) -> None:
        """Draw `event`."""
        if event.kind == "start":
            self._start(event)
        elif event.kind == "progress":
            self._advance(event)
        else:
            if event.kind == "end":
                self._close()
            word = {"skip": "up to date", "warning": "warning"}.get(event.kind, "")
            parts = [part for part in (word, event.message) if part]
            if parts:
                self._line(f"{event.step:8s} {': '.join(parts)}")

    def _start(self, event: Event) -> None:
        self._close()
        if not self._terminal:
            count = f"{event.total} {event.unit}" if event.total is not None else ""
            self._line(f"{event.step:8s} {event.message or count}".rstrip())
            return
        self._bar = tqdm(
            total=event.total,
            desc=f"{event.step:8s}",
            unit=f" {event.unit}" if event.unit else "",
            file=sys.stderr,
            dynamic_ncols=True,
            leave=False,
            bar_format="{desc} {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} {postfix}",
        )

    def _advance(self, event: Event) -> None:
        if self._bar is None or event.done is None:
            return
        self._bar.set_postfix_str(event.message, refresh=False)
        self._bar.update(event.done - self._bar.n)
        self._bar.refresh()

    def _line(self, text: str) -> None:
        tqdm.write(text, file=sys.stderr)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
