"""What is happening: progress and warnings, through one callback.

Long-running functions take ``on_event``, a function of one :class:`Event`. The
command line's progress bar, the web page and the tests listen to the same
events; library code never prints.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["Event", "EventCallback", "emit"]

EventKind = Literal["start", "progress", "end", "skip", "info", "warning"]


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    Parameters
    ----------
    step : str
        The verb at work: ``"extract"``, ``"fit"``, ``"explain"``, …
    kind : {"start", "progress", "end", "skip", "info", "warning"}
        ``start`` announces `total`; ``progress`` reports `done` so far (absolute,
        not an increment); ``skip`` says that nothing had to be done.
    message : str
        For a person, one line.
    done, total : int or None
        Units finished and units in all.
    unit : str
        What is counted: ``"examples"``, ``"points"``, …
    data : mapping
        Anything more, for programs.
    """

    step: str
    kind: EventKind
    message: str = ""
    done: int | None = None
    total: int | None = None
    unit: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


EventCallback = Callable[[Event], None]


def emit(on_event: EventCallback | None, event: Event) -> None:
    """Hand `event` to the callback, if there is one."""
    if on_event is not None:
        on_event(event)
