"""The page in a real browser."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from clearhead.report.html import write_html
from clearhead.report.schema import ReportData
from tests.report.hostile import hostile_report
from tests.report.sample import sample_report

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


def draw(data: ReportData, folder: Path, fragment: str = "") -> Dom:
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
    assert 'data-drawn="yes"' in text
    return Dom(text)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[ReportData, Dom]:
    data = sample_report()
    return data, draw(data, tmp_path_factory.mktemp("page"))


def test_the_first_sight_says_what_was_found(drawn: tuple[ReportData, Dom]) -> None:
    data, dom = drawn
    hero = dom.texts["overview"]
    assert "9 of 384" in hero
    assert "77.9%" in hero
    assert "3 confirmed" in hero
    assert "✓ all points" in hero
    for i, finding in enumerate(data.findings, 1):
        card = dom.texts[f"finding-{i}"]
        assert finding.title in card
        assert ("Not confirmed" in card) is not finding.confirmed
    assert "31.7%" in dom.texts["finding-1"]
    assert "7.1 points" in dom.texts["finding-3"]


def test_every_section_is_drawn(drawn: tuple[ReportData, Dom]) -> None:
    data, dom = drawn
    assert "The two classes mirror each other" in dom.texts["classes"]
    for row in data.classes:
        assert row.name in dom.texts[f"class-{row.index}"]
    for feature in data.features:
        assert f"Feature {feature.index}" in dom.texts[f"feature-{feature.index}"]
    assert "negative taken for positive" in dom.texts["errors"]
    assert "42 times fewer features" in dom.texts["layer"]
    assert "schema 1" in dom.texts["about"]


def test_ids_are_unique(drawn: tuple[ReportData, Dom]) -> None:
    ids = [a["id"] for _, a in drawn[1].tags if a.get("id")]
    assert len(ids) == len(set(ids))


def test_links_inside_the_page_lead_somewhere(drawn: tuple[ReportData, Dom]) -> None:
    goals = {(a.get("href") or "")[1:] for t, a in drawn[1].tags if t == "a"}
    assert goals <= {a.get("id") for _, a in drawn[1].tags}


def test_hostile_data_are_only_text(tmp_path: Path) -> None:
    data = hostile_report()
    dom = draw(data, tmp_path, "#class-1")
    tags = [tag for tag, _ in dom.tags]
    assert tags.count("script") == 2
    assert tags.count("h1") == 2  # one drawn, one in <noscript>
    assert not [a for _, a in dom.tags if any(name.startswith("on") for name in a)]
    assert not [
        a
        for t, a in dom.tags
        if t == "img" and not (a["src"] or "").startswith("data:image/jpeg;base64,")
    ]
    assert data.findings[0].title in dom.texts["finding-1"]
    assert "window.pwned=1" in dom.texts["class-1"]


def test_a_fragment_opens_what_it_names(tmp_path: Path) -> None:
    data = sample_report(K=4, used=24)
    weakest = min(data.features, key=lambda f: max(abs(w) for _, w in f.classes))
    dom = draw(data, tmp_path, f"#feature-{weakest.index}")
    assert "Highest" in dom.texts[f"feature-{weakest.index}"]


def test_a_negative_weight_turns_its_examples_round(tmp_path: Path) -> None:
    data = sample_report(used=3)
    named = [e.model_copy(update={"text": f"text of {e.key}."}) for e in data.examples]
    data = data.model_copy(update={"examples": named})
    dom = draw(data, tmp_path, "#class-0")
    cards = dict(
        re.findall(
            r"(?:▲adds|▼takes)Feature (\d+)(.*?)(?=▲adds|▼takes|$)", dom.texts["class-0-detail"]
        )
    )
    for used in data.classes[0].features:
        feature = next(f for f in data.features if f.index == used.feature)
        toward = feature.highest if used.weight > 0 else feature.lowest
        away = feature.lowest if used.weight > 0 else feature.highest
        for_, against = cards[str(used.feature)].split("Speaks against it")
        assert re.findall(r"text of (e\d+)\.", for_) == [key for key, _ in toward[:4]]
        assert re.findall(r"text of (e\d+)\.", against) == [key for key, _ in away[:2]]


def test_a_feature_shows_what_explains_it_and_whether_to_trust_it(tmp_path: Path) -> None:
    data = sample_report(used=3)
    for feature in data.features:
        dom = draw(data, tmp_path, f"#feature-{feature.index}")
        card = dom.texts[f"feature-{feature.index}"]
        assert feature.name is not None
        assert feature.name in card
        assert ("◆ clear by its words" in card) is feature.trust[0].clear
        assert ("named by a person" in card) is (feature.name_source == "person")
        assert all(row.word in card for row in feature.words[:8])
    marks = [attrs.get("class") for tag, attrs in dom.tags if tag == "mark"]
    assert {"up", "down"} <= set(marks)


def test_a_picture_that_failed_says_so(tmp_path: Path) -> None:
    data = sample_report(used=3, modality="image")
    dom = draw(data, tmp_path, f"#feature-{data.features[0].index}")
    alts = [attrs.get("alt") or "" for tag, attrs in dom.tags if tag == "img"]
    assert any(alt.startswith("Made to activate it: +7.4") for alt in alts)
    assert any(alt.startswith("Failed to activate it: −1.1") for alt in alts)


def test_a_run_without_findings_says_what_was_looked_for(tmp_path: Path) -> None:
    data = sample_report(with_findings=False, K=3)
    bare = data.model_copy(update={"confusions": [], "slices": [], "ablation": []})
    dom = draw(bare, tmp_path)
    assert "Nothing suspicious was found by these checks" in dom.texts["findings"]
    assert "a class that leans on one feature" in dom.texts["findings"]
    assert "No test example was misclassified" in dom.texts["errors"]


def test_a_run_with_nothing_in_it_is_still_a_page(tmp_path: Path) -> None:
    data = sample_report(n_examples=4)
    path = data.path.model_copy(update={"points": data.path.points[:1], "selected": 0})
    nothing = {"features": [], "findings": [], "examples": [], "layers": [], "slices": []}
    classes = [
        c.model_copy(update={"features": [], "recall": None, "precision": None})
        for c in data.classes
    ]
    dom = draw(
        data.model_copy(update={**nothing, "classes": classes, "path": path}), tmp_path, "#class-0"
    )
    assert "No feature is used" in dom.texts["class-0-detail"]
    assert "The chosen layer uses no feature" in dom.texts["features"]
    assert not re.search(r"NaN|undefined|Infinity|null", dom.texts["page"])


def test_no_number_is_drawn_as_nan(drawn: tuple[ReportData, Dom]) -> None:
    assert not re.search(r"NaN|undefined|Infinity", drawn[1].texts["page"])
