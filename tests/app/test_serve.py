"""The real server, in a process of its own, asked as no browser would and as one does."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="needs the extra app")
pytest.importorskip("uvicorn", reason="needs the extra app")
pytest.importorskip("httpx2", reason="needs httpx2")

import clearhead
from clearhead.app import Server
from clearhead.app.session import Session

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


def test_the_first_page_is_made_while_a_browser_opens(run: clearhead.Run) -> None:
    session = Session(run)
    session.prepare()
    (maker,) = (one for one in threading.enumerate() if one.name == "clearhead-first-page")
    maker.join(60)
    shutil.rmtree(run.folder / "layer" / "sparse")
    assert session.snapshot().body  # it is not made a second time


class Served:
    """A running ``clearhead serve``."""

    def __init__(self, folder: Path, *options: str) -> None:
        command = [sys.executable, "-m", "clearhead", "serve", str(folder), "--no-browser"]
        self.process = subprocess.Popen(
            [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r"(http://127\.0\.0\.1:(\d+))/\?token=(\S+)", line)
        if found is None:
            self.process.kill()
            raise AssertionError(line + self.process.communicate()[1])
        self.base, self.port, self.token = found.group(1), int(found.group(2)), found.group(3)

    def ask(
        self, path: str, method: str = "GET", body: bytes | None = None, **headers: str
    ) -> tuple[int, bytes, http.client.HTTPMessage]:
        """One request, exactly as it is written."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.putrequest(method, path, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()
        if body is not None:
            # It may have answered, and closed, before the end of the body.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.send(body)
        answer = connection.getresponse()
        found = answer.status, answer.read(), answer.headers
        connection.close()
        return found

    def end(self) -> None:
        """Leave nothing behind, however a test went."""
        self.process.kill()
        self.process.communicate()

    def stop(self) -> tuple[int, str, str]:
        """Press Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out, err


@pytest.fixture(scope="module")
def served(made_small: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = shutil.copytree(made_small, tmp_path_factory.mktemp("served") / "small")
    running = Served(folder)
    yield running
    running.end()


def test_strangers_are_refused(served: Served) -> None:
    mine = {"Authorization": f"Bearer {served.token}"}
    assert served.ask("/api/state", **mine)[0] == 200
    assert served.ask("/api/state")[0] == 401
    assert served.ask("/api/state", Host="evil.example", **mine)[0] == 400
    assert served.ask("/api/state", Origin="http://evil.example", **mine)[0] == 403
    assert served.ask("/api/jobs", "POST", b"{}", Cookie=f"clearhead-{served.port}=x")[0] == 403
    own = {"Cookie": f"clearhead-{served.port}={served.token}"}
    assert served.ask("/api/state", **own)[0] == 200
    assert served.ask("/api/jobs", "POST", b"{}", **own)[0] == 403
    assert served.ask("/api/jobs", "POST", b"{}", Origin=served.base, **own)[0] == 415


@pytest.mark.parametrize(
    "path",
    [
        "/../../../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2frun.json",
        "/api/exports/..%2f..%2frun.json",
        "http://evil.example/run.json",
        "/run.json",
        "/\\..\\run.json",
    ],
)
def test_no_path_leads_out(served: Served, path: str) -> None:
    status, body, _ = served.ask(path, Authorization=f"Bearer {served.token}")
    assert status in (400, 404)
    assert b"schema_version" not in body
    assert b"root:" not in body


def test_huge_body_ends_in_an_answer(served: Served) -> None:
    status, body, _ = served.ask(
        "/api/jobs",
        "POST",
        b" " * (13 * 2**20),
        Authorization=f"Bearer {served.token}",
        Content_Type="application/json",
    )
    assert status == 413
    assert json.loads(body)["error"]["code"] == "size"


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium, which is not installed")
def test_browser_opens_the_app_at_the_first_address(served: Served) -> None:
    # A dump of the DOM by Chromium itself would wait for the end of the event stream.
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    said: list[str] = []
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"{served.base}/?token={served.token}")
        page.wait_for_selector("main h1")
        dom, words = page.content(), page.locator("header").inner_text()
        pwned = page.evaluate("window.pwned")
        browser.close()
    assert not said
    assert "small" in words  # the name of the run
    assert served.token not in dom
    assert pwned is None


def test_ctrl_c_ends_it_cleanly_while_a_tab_listens(made_small: Path, tmp_path: Path) -> None:
    served = Served(shutil.copytree(made_small, tmp_path / "small"))
    try:
        _listen_and_stop(served)
    finally:
        served.end()


def _listen_and_stop(served: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    connection.request("GET", "/api/events", headers={"Authorization": f"Bearer {served.token}"})
    answer = connection.getresponse()
    assert answer.readline() == b"event: run\n"
    code, out, err = served.stop()
    assert code == 0
    assert out.endswith("Stopped.\n")
    assert err == ""
    connection.close()


def test_port_in_use_is_an_error_with_a_mend(served: Served, made_small: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "clearhead", "serve", str(made_small)),
            *("--no-browser", "--port", str(served.port)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert f"{served.port} is in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_reading_stays_fast_while_the_worker_works(run) -> None:
    """A job that computes all the time; a glance at the run takes a moment all the same."""
    server = Server(run)
    ready = threading.Event()
    thread = threading.Thread(target=server.run, args=(lambda _: ready.set(),), daemon=True)
    thread.start()
    assert ready.wait(10)

    def busy(on_event) -> None:
        from clearhead.events import Event

        while True:
            on_event(Event("busy", "progress"))
            sum(range(20_000))

    job = server.jobs.add("busy", "busy", busy)
    times = []
    for _ in range(10):
        started = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request(
            "GET", "/api/jobs", headers={"Authorization": f"Bearer {server.keys.token}"}
        )
        assert connection.getresponse().status == 200
        connection.close()
        times.append(time.perf_counter() - started)
    assert job.state == "running"
    server.jobs.cancel(job.id)
    server.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert job.state == "cancelled"
    assert sorted(times)[5] < 0.5
