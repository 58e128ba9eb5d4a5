"""The app in Debian's Chromium; a console error, or a request off the page's origin, fails."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import clearhead
from clearhead.app import Server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 420, "height": 900}
SOON = 20_000
"""Milliseconds that a step of the page may take on a busy machine."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("needs Chromium, which is not installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as running:
        made = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield made
        made.close()


class Tab:
    """A page, and what it said and asked that it should not have.

    Parameters
    ----------
    page : playwright.sync_api.Page
    origin : str
        All that it may ask for begins with this.
    """

    def __init__(self, page: Page, origin: str) -> None:
        self.page, self.origin = page, origin
        self.said: list[str] = []
        self.asked: list[str] = []
        page.set_default_timeout(SOON)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", lambda request: self._see(request.url))

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.said.append(message.text)

    def _see(self, url: str) -> None:
        if not url.startswith((self.origin, "data:", "blob:")):
            self.asked.append(url)

    def go(self, fragment: str) -> None:
        """Follow a link of the app."""
        self.page.evaluate("to => { location.hash = to }", fragment)
        screen = fragment.strip("#/").split("/")[0].split("?")[0]
        self.page.wait_for_selector(f'main[data-screen="{screen}"] h1')

    def check(self) -> None:
        """Fail on what was said or asked."""
        assert not self.said, self.said
        assert not self.asked, self.asked


@pytest.fixture
def open_tab(browser: Browser) -> Iterator[Callable[..., Tab]]:
    """Open an address in a window of its own; checked when the test ends."""
    tabs: list[Tab] = []

    def open_(address: str, origin: str | None = None, **options: Any) -> Tab:
        context = browser.new_context(
            **{"viewport": WIDE, "accept_downloads": True, "reduced_motion": "reduce"} | options
        )
        tab = Tab(context.new_page(), origin or address.partition("#")[0])
        tabs.append(tab)
        tab.page.goto(address)
        tab.page.wait_for_selector("main h1")
        return tab

    yield open_
    for tab in tabs:
        tab.check()
        tab.page.context.close()


@pytest.fixture
def report(made_run: Path) -> str:
    """Address of the report of a real run."""
    return (made_run / "report.html").as_uri()


@contextmanager
def serving(run: clearhead.Run) -> Iterator[Server]:
    """Serve a run from a thread."""
    server, ready = Server(run), threading.Event()
    thread = threading.Thread(target=server.run, args=(lambda _: ready.set(),))
    thread.start()
    assert ready.wait(30)
    yield server
    server.stop()
    thread.join(30)
    assert not thread.is_alive()
