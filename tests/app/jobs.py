"""Ask for jobs and wait for them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.testclient import TestClient


def start(client: TestClient, **wanted: Any) -> int:
    answer = client.post("/api/jobs", json=wanted)
    assert answer.status_code == 202, answer.text
    return int(answer.json()["id"])


def wait(
    client: TestClient, number: int, until: Callable[[dict[str, Any]], bool] | None = None
) -> dict[str, Any]:
    """The job when it has ended, or when `until` says so."""
    ended = until or (lambda job: job["state"] in ("done", "failed", "cancelled"))
    for _ in range(1500):
        job: dict[str, Any] = client.get(f"/api/jobs/{number}").json()
        if ended(job):
            return job
        time.sleep(0.02)
    raise AssertionError(f"job {number} does not end: {job}")


def do(client: TestClient, **wanted: Any) -> dict[str, Any]:
    """The result of a job that must succeed."""
    job = wait(client, start(client, **wanted))
    assert job["state"] == "done", job
    result: dict[str, Any] = job["result"]
    return result


def code(answer) -> tuple[int, str]:
    """Status and code of an answer that is an error."""
    return answer.status_code, answer.json()["error"]["code"]
