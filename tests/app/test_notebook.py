"""A run in a notebook cell that can be changed there."""

from __future__ import annotations

import base64
import json
import queue
from collections.abc import Iterator
from typing import Any

import pytest

import clearhead
from clearhead.app import asgi
from clearhead.app.application import create_app
from clearhead.app.jobs import Jobs
from clearhead.app.session import Session
from clearhead.errors import MissingDependencyError, StepMissingError
from tests.debug import counted

SOON = 30.0


class Kernel:
    """Asks as the page in the cell does."""

    def __init__(self, run: clearhead.Run) -> None:
        self.answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self.jobs = Jobs()
        self.caller = asgi.Caller(create_app(Session(run), self.jobs), self.answers.put)
        self.number = 0

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        self.number += 1
        self.caller.ask(
            {
                "id": self.number,
                "method": method,
                "path": path,
                "headers": {"content-type": "application/json"} | headers,
                "body": None if body is None else json.dumps(body),
            }
        )
        status, held = 0, b""
        while True:
            answer = self.answers.get(timeout=SOON)
            assert answer["id"] == self.number
            status = answer.get("status", status)
            held += base64.b64decode(answer.get("chunk", ""))
            if "chunk" in answer and not answer["more"]:
                return status, json.loads(held)


@pytest.fixture
def kernel(run: clearhead.Run) -> Iterator[Kernel]:
    made = Kernel(run)
    yield made
    made.jobs.close()
    made.caller.close()


def test_the_kernel_answers_what_the_server_would(kernel: Kernel, run: clearhead.Run) -> None:
    status, state = kernel.ask("GET", "/api/state")
    assert (status, state["name"]) == (200, run.name)
    status, notes = kernel.ask("GET", "/api/notes")
    named = {"If-Match": notes["version"]}
    status, _ = kernel.ask("PUT", "/api/notes/3/name", {"name": "loud words"}, **named)
    assert status == 200
    assert clearhead.open_run(run.folder).notes.features[3].name == "loud words"
    status, error = kernel.ask("PUT", "/api/notes/3/name", {"name": "late"}, **named)
    assert (status, error["error"]["code"]) == (412, "changed")


def test_a_question_that_is_none_is_dropped(kernel: Kernel) -> None:
    for wrong in (
        None,
        [],
        {"id": 1},
        {"id": "1", "method": "GET", "path": "/api/state"},
        {"id": 1, "method": "DELETE", "path": "/api/state"},
        {"id": 1, "method": "GET", "path": "/app.js"},
        {"id": 1, "method": "POST", "path": "/api/jobs", "body": "x" * (asgi.MOST_ASKED + 1)},
    ):
        kernel.caller.ask(wrong)
    assert kernel.ask("GET", "/api/state")[0] == 200  # and nothing came before it


def test_events_come_in_parts(kernel: Kernel) -> None:
    kernel.caller.ask({"id": 5, "method": "GET", "path": "/api/events"})
    head = kernel.answers.get(timeout=SOON)
    assert head["headers"]["content-type"].startswith("text/event-stream")
    part = kernel.answers.get(timeout=SOON)
    assert part["more"]
    assert b"event: run" in base64.b64decode(part["chunk"])


def test_the_widget_shows_the_page_and_hears_questions(
    run: clearhead.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("anywidget", reason="the extra notebook is not installed")
    made = clearhead.widget(run)
    sent: queue.Queue[dict[str, Any]] = queue.Queue()
    made.send = sent.put
    made._caller._reply = made.send
    assert 'data-host="notebook"' in made.page
    made._handle_custom_msg({"id": 1, "method": "GET", "path": "/api/state"}, [])
    assert sent.get(timeout=SOON)["status"] == 200
    shown: list[dict[str, str]] = []
    monkeypatch.setattr("IPython.display.publish_display_data", shown.append)
    made._ipython_display_()
    assert shown[0]["application/vnd.jupyter.widget-view+json"]["model_id"] == made.model_id
    assert f'data-clearhead="{made.token}"' in shown[1]["text/html"]
    assert "data-host=&quot;file&quot;" in shown[1]["text/html"]
    made.close()


def test_a_run_without_a_report_says_what_to_do(tmp_path) -> None:
    pytest.importorskip("anywidget", reason="the extra notebook is not installed")
    run = clearhead.new_run(tmp_path / "new", counted.network(), counted.dataset(0.5, n=60))
    with pytest.raises(StepMissingError, match="report"):
        clearhead.widget(run)


def test_without_the_packages_the_extra_is_named(
    run: clearhead.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from clearhead.app import notebook as module

    module._widget_class.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "anywidget", None)
    with pytest.raises(MissingDependencyError, match=r"clearhead\[notebook\]"):
        clearhead.widget(run)
    module._widget_class.cache_clear()
