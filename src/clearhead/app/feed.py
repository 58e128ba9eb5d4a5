"""What changes, as server-sent events: a tab that listens knows at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from clearhead.app.jobs import Jobs
from clearhead.app.session import Session
from clearhead.report.json_text import json_text

__all__ = ["feed"]

PAUSE = 0.1
"""Seconds between two looks: a job may emit thousands of events, a person sees ten a second."""
HEARTBEAT = 15.0
"""Seconds after which a line without meaning shows that the connection lives."""


async def feed(jobs: Jobs, session: Session) -> AsyncIterator[str]:
    """Tell the state of all jobs, then every change of a job or of the run.

    Events are ``job`` (a job without its result) and ``run`` (``{"version": …, "parts":
    {"data": …, "notes": …, "edits": …}}``).
    """
    seen, version, silent = 0, "", 0.0
    while not jobs.closed:
        said = []
        for job in jobs.changed_since(seen):
            said.append(_event("job", job.to_dict(whole=False)))
            seen = max(seen, job.sequence)
        now = session.version
        if now != version:
            version = now
            said.append(_event("run", {"version": version, "parts": session.versions}))
        if not said and silent >= HEARTBEAT:
            said.append(": alive\n\n")
        silent = 0.0 if said else silent + PAUSE
        if said:
            yield "".join(said)
        await asyncio.sleep(PAUSE)


def _event(name: str, value: object) -> str:
    return f"event: {name}\ndata: {json_text(value)}\n\n"
