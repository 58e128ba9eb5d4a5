"""A run in a cell of a running JupyterLab, and in what a notebook leaves behind."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

import clearhead
from tests.ui.conftest import Tab

Open = Callable[..., Tab]
LONG = 90_000
TRIES = 30
CELL = """\
import clearhead
run = clearhead.open_run("small")
clearhead.widget(run)"""


def notebook(*cells: str) -> str:
    """A notebook as its file holds it."""
    made = [
        {
            "cell_type": "code",
            "id": f"cell{number}",
            "source": source,
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
        for number, source in enumerate(cells)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return json.dumps(
        {"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    )


class Frames(HTMLParser):
    """The frames of a page, as they stand in it."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "iframe":
            self.held.append(f"{self.get_starttag_text()}</iframe>")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Nothing of the user's own settings."""
    homes = ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    return os.environ | {name: str(tmp_path / "home" / name) for name in homes}


@pytest.fixture
def lab(run_folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """JupyterLab in the folder of a run; its address."""
    pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")
    pytest.importorskip("anywidget", reason="the extra notebook is not installed")
    folder = run_folder.parent
    (folder / "run.ipynb").write_text(notebook(CELL))
    options = ("--no-browser", "--ip=127.0.0.1", "--port=0", f"--ServerApp.root_dir={folder}")
    quiet = ("--IdentityProvider.token=open", "--LabApp.news_url=", "--LabApp.collaborative=False")
    root = ("--allow-root",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options, *quiet, *root],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"http://127\.0\.0\.1:\d+/", line):
            break
    else:
        pytest.fail("JupyterLab did not start")
    yield found[0]
    process.terminate()
    process.communicate(timeout=60)


def test_a_run_is_changed_in_a_cell(browser, lab: str, run_folder: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 1200})
    page.set_default_timeout(LONG)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{lab}lab/tree/run.ipynb?token=open")
    page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]')
    prompt = page.locator(".jp-InputPrompt").first
    for _ in range(TRIES):  # what is sent to a kernel that is just starting may get lost
        page.click(".jp-Cell.jp-CodeCell .cm-content >> nth=0")
        page.keyboard.press("Control+Enter")
        page.wait_for_timeout(2000)
        if prompt.inner_text() != "[ ]:":
            break
    frame = page.frame_locator(".jp-OutputArea iframe")
    frame.locator("main h1").wait_for()
    before = frame.locator("#sentence").inner_text()
    frame.locator("#sparsity").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(300)
    assert frame.locator("#sentence").inner_text() != before
    frame.locator("section.classes tbody a").first.click()
    frame.locator("article button.spurious").first.click()
    frame.locator("article.spurious").first.wait_for()
    frame.locator("article a:has-text('switch off')").first.click()
    frame.locator("button:has-text('Apply')").click()
    frame.locator("text=✓ Applied.").wait_for()
    page.close()
    run = clearhead.open_run(run_folder)
    assert run.edits
    assert [list(one.marks.values()) for one in run.notes.features.values()] == [["spurious"]]
    foreign = [url for url in asked if not url.startswith((lab, "data:", "blob:", "about:", "ws"))]
    assert not foreign, foreign


def test_a_converted_notebook_shows_the_page(
    open_tab: Open, run_folder: Path, environment: dict[str, str]
) -> None:
    pytest.importorskip("nbconvert", reason="nbconvert is not installed")
    path = run_folder.parent / "run.ipynb"
    path.write_text(notebook(CELL, "run"))
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--execute", str(path)]
    subprocess.run(command, check=True, capture_output=True, env=environment, timeout=300)
    frames = Frames()
    frames.feed(path.with_suffix(".html").read_text())
    assert len(frames.held) == 2  # the widget's, and the run's own
    alone = run_folder.parent / "alone.html"
    alone.write_text(f"<!doctype html><meta charset=utf-8><main><h1>x</h1></main>{frames.held[0]}")
    tab = open_tab(alone.as_uri())
    inside = tab.page.frame_locator("iframe")
    inside.locator("main[data-screen=overview] h1").wait_for()
    inside.locator("section.classes tbody a").first.click()
    inside.locator("main[data-screen=class] article").first.wait_for()
