"""The report as a file: no server answers it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import clearhead
from tests.ui.conftest import Tab

Open = Callable[..., Tab]
MOVED = "was => document.getElementById('sentence').innerText !== was"


def test_the_way_from_the_slider_to_an_example(open_tab: Open, report: str) -> None:
    tab = open_tab(report)
    page = tab.page
    before = page.inner_text("#sentence")
    page.focus("#sparsity")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "was => document.getElementById('sentence').innerText !== was", arg=before
    )
    page.click("section.classes tbody a >> nth=0")
    page.wait_for_selector('main[data-screen="class"] article')
    page.click("article h3 a >> nth=0")
    page.wait_for_selector('main[data-screen="feature"] h2#who')
    page.click('main a[href^="#/example/"] >> visible=true >> nth=0')
    page.wait_for_selector('main[data-screen="example"] h2#why-title')
    page.wait_for_url("**point=*")  # a link shows what I see
    page.reload()
    page.wait_for_selector("h2#why-title")


def test_a_feature_that_is_switched_off_moves_the_waterfall(open_tab: Open, report: str) -> None:
    tab = open_tab(report + "#/example")
    page = tab.page
    page.click('main a[href^="#/example/"] >> visible=true >> nth=0')
    page.wait_for_selector("#why-title")
    panel = page.locator("section[aria-labelledby=why-title]")
    before = panel.inner_text()
    panel.locator("input[type=checkbox] >> nth=0").uncheck()
    page.wait_for_function(
        "was => document.querySelector('section[aria-labelledby=why-title]').innerText !== was",
        arg=before,
    )
    page.wait_for_url("**off=*")


def test_keys_alone_are_enough(open_tab: Open, report: str) -> None:
    tab = open_tab(report)
    page = tab.page
    page.keyboard.press("d")
    page.wait_for_selector("h1:has-text('dense layer reads all')")
    page.keyboard.press("d")
    before = page.inner_text("#sentence")
    page.keyboard.press(".")
    page.wait_for_function(
        "was => document.getElementById('sentence').innerText !== was", arg=before
    )
    page.keyboard.press("/")
    page.keyboard.type("positive")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector('main[data-screen="class"] h1:has-text("positive")')


def test_edits_of_a_file_are_what_the_command_takes(
    open_tab: Open, report: str, run_folder: Path, tmp_path: Path
) -> None:
    tab = open_tab(report + "#/class/0")
    page = tab.page
    heading = page.locator("article h3 a >> nth=0").get_attribute("href")
    assert heading is not None
    feature = int(re.findall(r"\d+", heading)[0])
    page.click("article a:has-text('switch off') >> nth=0")
    page.wait_for_selector('main[data-screen="edit"] h2#does-title')
    with page.expect_download() as download:
        page.click("button:has-text('Download edits.json')")
    download.value.save_as(tmp_path / "edits.json")
    edits = json.loads((tmp_path / "edits.json").read_text())
    assert feature in edits["edits"][0]["features"]
    result = clearhead.open_run(run_folder).edit(file=tmp_path / "edits.json")
    assert not clearhead.open_run(run_folder).layer("edited").weight[0, feature]
    assert result.number == 1


def test_an_address_that_leads_nowhere_says_so(open_tab: Open, report: str) -> None:
    tab = open_tab(report)
    for fragment, said in (
        ("#/class/99", "no class 99"),
        ("#/feature/99999", "99999"),
        ("#/example/none", "not in the report"),
    ):
        tab.go(fragment)
        assert said in tab.page.inner_text("main")
