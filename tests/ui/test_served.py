"""The app with a server behind it."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import clearhead
from clearhead.app import Server
from tests.ui.conftest import SOON, Tab, serving

Open = Callable[..., Tab]


@pytest.fixture
def server(run_folder: Path) -> Iterator[Server]:
    with serving(clearhead.open_run(run_folder)) as made:
        yield made


def enter(open_tab: Open, server: Server, **options: object) -> Tab:
    tab = open_tab(server.address, f"http://127.0.0.1:{server.port}/", **options)
    assert "token" not in tab.page.url
    return tab


def test_an_edit_is_made_and_undone(server: Server, open_tab: Open, run_folder: Path) -> None:
    page = enter(open_tab, server).page
    page.evaluate("location.hash = '#/class/0'")
    page.click("article a:has-text('switch off') >> nth=0")
    page.click("button:has-text('Apply')")
    page.wait_for_selector("text=✓ Applied.")
    assert clearhead.open_run(run_folder).edits
    page.click("button:has-text('Undo')")
    page.wait_for_selector("button:has-text('Redo'):not([disabled])")
    assert not clearhead.open_run(run_folder).edits


def kept_marks(folder: Path) -> list[str]:
    notes = clearhead.open_run(folder).notes.features.values()
    return sorted(mark for one in notes for mark in one.marks.values())


def test_marks_and_names_are_kept_with_the_run(
    server: Server, open_tab: Open, run_folder: Path
) -> None:
    page = enter(open_tab, server).page
    page.evaluate("location.hash = '#/class/0'")
    page.click("article button.spurious >> nth=0")
    page.wait_for_selector("article.spurious")
    page.reload()
    page.wait_for_selector("article.spurious")
    marks = [one.marks for one in clearhead.open_run(run_folder).notes.features.values()]
    assert [list(one.values()) for one in marks] == [["spurious"]]


def test_without_the_token_there_is_nothing(server: Server, open_tab: Open, browser) -> None:
    page = browser.new_page()
    answer = page.goto(f"http://127.0.0.1:{server.port}/")
    assert answer is not None
    assert answer.status == 401
    assert "clearhead serve" in page.content()
    page.close()


def test_the_edited_model_is_exported(
    server: Server, open_tab: Open, run_folder: Path, tmp_path: Path
) -> None:
    clearhead.open_run(run_folder).edit(calibrate=True)
    page = enter(open_tab, server).page
    page.evaluate("location.hash = '#/edit'")
    page.select_option("#export select >> nth=1", "sklearn")
    with page.expect_download() as download:
        page.click("#export button:has-text('Export')")
    download.value.save_as(tmp_path / "model.zip")
    with zipfile.ZipFile(tmp_path / "model.zip") as held:
        assert held.testzip() is None
        assert any(name.endswith(".safetensors") for name in held.namelist())


def test_of_two_tabs_the_later_one_is_told(
    server: Server, open_tab: Open, run_folder: Path
) -> None:
    first, second = (enter(open_tab, server).page for _ in range(2))
    for page in (first, second):
        page.evaluate("location.hash = '#/class/0'")
        page.wait_for_selector("article button.spurious")
    first.click("article button.spurious >> nth=0")
    first.wait_for_selector("article.spurious")
    second.wait_for_selector("article.spurious")  # the change arrives by itself
    second.click("article button.core >> nth=1")
    second.wait_for_selector("article button.core[aria-pressed=true]")
    # The button is pressed at once; the server writes a moment later.
    end = time.monotonic() + SOON / 1000
    while (marks := kept_marks(run_folder)) != ["core", "spurious"] and time.monotonic() < end:
        second.wait_for_timeout(50)
    assert marks == ["core", "spurious"]
