"""The app in a real browser, on data made by hand."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from clearhead.report import AppData
from clearhead.report.html import write_html
from tests.report.sample import sample_report
from tests.report.sample_app import sample_app

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium, which is not installed")


class Dom(HTMLParser):
    """The drawn page: the text inside each element with an id, and all start tags."""

    _VOID = frozenset({"meta", "img", "input", "br", "link", "hr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._stack: list[tuple[str, str | None]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if tag not in self._VOID:
            self._stack.append((tag, found.get("id")))

    def handle_endtag(self, tag: str) -> None:
        while self._stack and self._stack.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        for _, name in self._stack:
            if name:
                self.texts[name] = self.texts.get(name, "") + data


def draw(data: AppData, folder: Path, fragment: str) -> Dom:
    """The DOM after the script ran; fails on anything the console says."""
    assert CHROMIUM is not None
    write_html(data, folder / "report.html")
    done = subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--no-first-run",
            f"--user-data-dir={folder / 'profile'}",
            "--window-size=1280,2400",
            "--enable-logging=stderr",
            "--v=0",
            "--virtual-time-budget=3000",
            "--dump-dom",
            f"{(folder / 'report.html').as_uri()}{fragment}",
        ],
        capture_output=True,
        timeout=120,
        check=True,
    )
    said = [line for line in done.stderr.decode(errors="replace").splitlines() if "CONSOLE" in line]
    assert not said, said
    text = done.stdout.decode("utf-8", "replace")
    dom = Dom(text)
    said_there = dom.texts["page"]
    assert "cannot be drawn" not in said_there
    assert not re.search(r"NaN|undefined|Infinity|null", said_there)
    return dom


def test_the_first_sight_says_what_was_found(tmp_path: Path) -> None:
    data = sample_app(sample_report())
    dom = draw(data, tmp_path, "#/overview")
    said = dom.texts["page"]
    assert "9 of 384 features a class decide" in said
    for finding in data.findings:
        assert finding.title in said
    held = sum(finding.confirmed for finding in data.findings)
    assert said.count("◆ confirmed on test") == held
    assert said.count("◇ not confirmed") == len(data.findings) - held
    assert "31.7%" in said
    assert "7.1 points" in said
    ids = [attrs["id"] for _, attrs in dom.tags if attrs.get("id")]
    assert len(ids) == len(set(ids))


def test_a_negative_weight_speaks_against_the_class(tmp_path: Path) -> None:
    data = sample_app(sample_report(used=3))
    dom = draw(data, tmp_path, "#/class/0")
    for used in data.classes[0].features:
        assert ("▲ for" if used.weight > 0 else "▼ against") in dom.texts["page"]
    assert "of the evidence for the class" in dom.texts["page"]


def test_a_feature_shows_what_explains_it_and_whether_to_trust_it(tmp_path: Path) -> None:
    data = sample_app(sample_report(used=3))
    feature = data.features[0]
    dom = draw(data, tmp_path, f"#/feature/{feature.index}")
    said = dom.texts["page"]
    assert feature.name is not None
    assert feature.name in said
    assert ("◆ clear by its words" in said) is feature.trust[0].clear
    assert ("Named by a person" in said) is (feature.name_source == "person")
    assert all(row.word in said for row in feature.words[:8])
    assert "Between the ends" in said
    assert [tag for tag, _ in dom.tags if tag == "mark"]


def test_a_picture_that_failed_says_so(tmp_path: Path) -> None:
    data = sample_app(sample_report(used=3, modality="image"))
    dom = draw(data, tmp_path, f"#/feature/{data.features[0].index}")
    assert re.search(r"made, \+7\.4 σ", dom.texts["page"])
    assert re.search(r"✗ failed, −1\.1 σ", dom.texts["page"])


def test_the_run_can_be_found_again(tmp_path: Path) -> None:
    data = sample_app(sample_report())
    said = draw(data, tmp_path, "#/about").texts["page"]
    problem = data.data.problems[0]
    for words in (
        data.model.fingerprint,
        data.data.fingerprint,
        data.agreement_note,
        *data.limits,
        *data.checks,
        *data.data.notes,
        *(row.words for row in data.analysis),
        *problem.examples,
        problem.message,
    ):
        assert words in said


def test_a_run_without_findings_says_what_was_looked_for(tmp_path: Path) -> None:
    data = sample_app(sample_report(with_findings=False, K=3))
    said = draw(data, tmp_path, "#/overview").texts["page"]
    assert "Nothing suspicious was found by these checks" in said
    assert "a class that leans on one feature" in said


@pytest.mark.parametrize("screen", ["overview", "class/0", "feature", "errors", "about"])
def test_a_run_with_nothing_in_it_is_still_a_page(tmp_path: Path, screen: str) -> None:
    data = sample_report(n_examples=4)
    path = data.path.model_copy(update={"points": data.path.points[:1], "selected": 0})
    nothing = {"features": [], "findings": [], "examples": [], "layers": [], "slices": []}
    classes = [
        c.model_copy(update={"features": [], "recall": None, "precision": None})
        for c in data.classes
    ]
    bare = data.model_copy(update={**nothing, "classes": classes, "path": path})
    dom = draw(sample_app(bare), tmp_path, f"#/{screen}")
    assert [tag for tag, _ in dom.tags].count("h1") == 2  # one drawn, one in <noscript>
