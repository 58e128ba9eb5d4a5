from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import pytest

from clearhead.errors import DataError
from clearhead.report import html as module
from clearhead.report.html import DATA_ID, render_html, write_html
from clearhead.report.schema import ReportData
from tests.report.hostile import HOSTILE, hostile_report
from tests.report.sample import large_report, sample_report

PARTS = files("clearhead.report") / "page"


class Elements(HTMLParser):
    """Start tags with their attributes, and the content of scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.raw: list[tuple[str, dict[str, str | None], str]] = []
        self._open: str | None = None
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open = tag if tag in ("script", "style") else None
        if self._open:
            self.raw.append((tag, dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        self._open = None

    def handle_data(self, data: str) -> None:
        if self._open:
            tag, attrs, content = self.raw[-1]
            self.raw[-1] = (tag, attrs, content + data)


def embedded(page: str) -> ReportData:
    found = [c for tag, attrs, c in Elements(page).raw if attrs.get("id") == DATA_ID]
    assert len(found) == 1
    return ReportData.model_validate(json.loads(found[0]))


@pytest.mark.parametrize(
    "data",
    [sample_report(), sample_report(modality="image", K=3), hostile_report()],
    ids=["text", "image", "hostile"],
)
def test_the_data_survive_the_way_through_the_page(data: ReportData) -> None:
    assert embedded(render_html(data)) == data


def test_hostile_data_cannot_become_markup() -> None:
    tame, hostile = (
        Elements(render_html(d)) for d in (sample_report(K=4, used=5), hostile_report())
    )
    assert [tag for tag, _ in hostile.tags] == [tag for tag, _ in tame.tags]
    assert [len(attrs) for _, attrs in hostile.tags] == [len(attrs) for _, attrs in tame.tags]
    assert [(tag, attrs) for tag, attrs, _ in hostile.raw] == [
        ("style", {}),
        ("script", {"type": "application/json", "id": DATA_ID}),
        ("script", {}),
    ]


def test_no_character_of_the_data_can_end_the_script_element() -> None:
    page = render_html(hostile_report())
    data = page.split(f'id="{DATA_ID}">')[1].split("</script>")[0]
    assert not set("<>&\u2028\u2029\x00") & set(data)
    assert page.encode("utf-8")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_the_summary_without_javascript_is_escaped(text: str) -> None:
    data = sample_report()
    page = render_html(data.model_copy(update={"name": text}))
    summary = page.split("<noscript>")[1].split("</noscript>")[0]
    assert re.findall(r"<h1>[^<]*</h1>", summary)
    assert "Findings" in summary
    assert data.findings[0].title in summary


def test_the_page_asks_nothing_of_any_server() -> None:
    page = render_html(sample_report(modality="image"))
    for tag, attrs in Elements(page).tags:
        assert tag not in {"link", "iframe", "object", "embed", "base", "form"}
        assert not {"src", "href", "srcset", "action", "data", "ping"} & set(attrs)
    code = "".join(content for _, attrs, content in Elements(page).raw if "id" not in attrs)
    assert not re.search(r"url\(|@import|\bimport\b\s*[\(\"']|@font-face", code)
    called = r"\b(fetch|XMLHttpRequest|WebSocket|EventSource|sendBeacon|importScripts|Worker)\s*\("
    assert not re.search(called, code)
    assert set(re.findall(r"https?://[^\s\"'`]+", code)) == {"http://www.w3.org/2000/svg"}


def test_the_script_makes_no_markup_of_strings() -> None:
    for part in PARTS.iterdir():
        if part.name.endswith(".js"):
            code = part.read_text(encoding="utf-8")
            assert not re.search(
                r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|Function\(", code
            ), part.name
            assert "</script" not in code
            assert "<!--" not in code


def test_the_policy_allows_this_script_and_this_style_and_nothing_else() -> None:
    elements = Elements(render_html(sample_report()))
    policy = next(
        a["content"] for t, a in elements.tags if a.get("http-equiv") == "Content-Security-Policy"
    )
    hashes = {
        tag: "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        for tag, attrs, content in elements.raw
        if "id" not in attrs
    }
    assert policy == (
        f"default-src 'none'; style-src '{hashes['style']}'; script-src '{hashes['script']}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


@pytest.mark.parametrize(
    "image",
    [
        "data:image/svg+xml;base64,PHN2Zz4=",
        "data:text/html;base64,PHN2Zz4=",
        "javascript:alert(1)",
        "https://example.org/a.jpg",
        "data:image/jpeg;base64,",
        'data:image/jpeg;base64,AAAA" onerror="alert(1)',
        "data:image/jpeg;base64,AAAA\n",
        "",
    ],
)
def test_an_image_that_is_no_jpeg_is_refused(image: str) -> None:
    data = sample_report(n_examples=3)
    examples = [data.examples[0].model_copy(update={"image": image}), *data.examples[1:]]
    with pytest.raises(DataError, match=r"example 'e0'.*data:image/jpeg"):
        render_html(data.model_copy(update={"examples": examples}))


def test_pictures_of_features_are_checked_too() -> None:
    data = sample_report(n_examples=3, modality="image")
    feature = data.features[0]
    for name in ("pictures", "highlights"):
        bad = [row.model_copy(update={"image": "data:,x"}) for row in getattr(feature, name)]
        features = [feature.model_copy(update={name: bad}), *data.features[1:]]
        with pytest.raises(DataError, match=f"feature {feature.index}.*data:,x"):
            render_html(data.model_copy(update={"features": features}))


def test_numbers_that_json_does_not_have_become_null() -> None:
    data = sample_report()
    points = [
        data.path.points[0].model_copy(update={"gap": math.inf, "kkt": math.nan}),
        *data.path.points[1:],
    ]
    page = render_html(
        data.model_copy(update={"path": data.path.model_copy(update={"points": points})})
    )
    text = page.split(f'id="{DATA_ID}">')[1].split("</script>")[0]
    point = json.loads(text, parse_constant=pytest.fail)["path"]["points"][0]
    assert (point["gap"], point["kkt"]) == (None, None)


def test_the_page_itself_is_small() -> None:
    data = sample_report()
    assert len(render_html(data).encode()) < len(data.model_dump_json().encode()) + 120_000


def test_a_large_run_stays_within_reason() -> None:
    data = large_report()
    assert (len(data.classes), len(data.features)) == (1000, 500)
    assert len(render_html(data).encode()) < 12_000_000


def test_every_part_is_in_the_package_and_used() -> None:
    names = {part.name for part in PARTS.iterdir() if part.is_file()}
    assert names == {"template.html", *module._STYLES, *module._SCRIPTS}


def test_writing_leaves_one_whole_file(tmp_path: Path) -> None:
    data = sample_report()
    write_html(data, tmp_path / "report.html")
    assert (tmp_path / "report.html").read_bytes() == render_html(data).encode()
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
