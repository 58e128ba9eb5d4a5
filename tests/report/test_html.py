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
from clearhead.report import AppData
from clearhead.report.html import DATA_ID, MOST_FILE, render_html, write_html
from tests.report.hostile import HOSTILE, hostile_report
from tests.report.sample import large_report, sample_report
from tests.report.sample_app import sample_app

REPORT = files("clearhead.report")
BUNDLE = REPORT / "bundle"
UI = Path(__file__).parents[2] / "ui"


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


def embedded(page: str) -> AppData:
    found = [c for tag, attrs, c in Elements(page).raw if attrs.get("id") == DATA_ID]
    assert len(found) == 1
    return AppData.model_validate(json.loads(found[0]))


@pytest.mark.parametrize(
    "data",
    [sample_app(sample_report(modality="image", K=3)), sample_app(hostile_report())],
    ids=["image", "hostile"],
)
def test_the_data_survive_the_way_through_the_page(data: AppData) -> None:
    assert embedded(render_html(data)) == data


def test_hostile_data_cannot_become_markup() -> None:
    tame, hostile = (
        Elements(render_html(sample_app(d))) for d in (sample_report(K=4, used=5), hostile_report())
    )
    assert [tag for tag, _ in hostile.tags] == [tag for tag, _ in tame.tags]
    assert [len(attrs) for _, attrs in hostile.tags] == [len(attrs) for _, attrs in tame.tags]
    assert [(tag, attrs) for tag, attrs, _ in hostile.raw] == [
        ("style", {}),
        ("script", {"type": "application/json", "id": DATA_ID}),
        ("script", {}),
    ]


def test_no_character_of_the_data_can_end_the_script_element() -> None:
    page = render_html(sample_app(hostile_report()))
    data = page.split(f'id="{DATA_ID}">')[1].split("</script>")[0]
    assert not set("<>&\u2028\u2029\x00") & set(data)
    assert page.encode("utf-8")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_the_summary_without_javascript_is_escaped(text: str) -> None:
    data = sample_app(sample_report())
    page = render_html(data.model_copy(update={"name": text}))
    summary = page.split("<noscript>")[1].split("</noscript>")[0]
    assert re.findall(r"<h1>[^<]*</h1>", summary)
    assert "Findings" in summary
    assert data.findings[0].title in summary


def test_the_page_asks_nothing_of_any_server() -> None:
    page = render_html(sample_app(sample_report(modality="image")))
    for tag, attrs in Elements(page).tags:
        assert tag not in {"link", "iframe", "object", "embed", "base", "form"}
        assert not {"src", "href", "srcset", "action", "data", "ping"} & set(attrs)
    style = "".join(content for tag, _, content in Elements(page).raw if tag == "style")
    assert style
    # What the script may ask for when it is served, the policy of a file refuses.
    assert not re.search(r"url\(|@import|@font-face", style)


def test_no_markup_is_made_of_strings() -> None:
    sources = [path for path in (UI / "src").rglob("*") if path.suffix in {".svelte", ".ts"}]
    assert sources
    made = r"\{@html|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"
    for path in sources:
        assert not re.search(made, path.read_text(encoding="utf-8")), path.name


def test_the_script_cannot_end_its_element_nor_run_text() -> None:
    code = (BUNDLE / "app.js").read_text(encoding="utf-8").lower()
    assert "</script" not in code
    assert "<script" not in code
    assert not re.search(r"document\.write|\beval\(|\bfunction\([\"'`]", code)


def test_the_policy_allows_this_script_and_this_style_and_nothing_else() -> None:
    elements = Elements(render_html(sample_app(sample_report())))
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
    data = sample_app(sample_report(n_examples=3))
    examples = [data.examples[0].model_copy(update={"image": image}), *data.examples[1:]]
    with pytest.raises(DataError, match=r"example 'e0'.*data:image/jpeg"):
        render_html(data.model_copy(update={"examples": examples}))


def test_pictures_of_features_are_checked_too() -> None:
    data = sample_app(sample_report(n_examples=3, modality="image"))
    feature = data.features[0]
    for name in ("pictures", "highlights"):
        bad = [row.model_copy(update={"image": "data:,x"}) for row in getattr(feature, name)]
        features = [feature.model_copy(update={name: bad}), *data.features[1:]]
        with pytest.raises(DataError, match=f"feature {feature.index}.*data:,x"):
            render_html(data.model_copy(update={"features": features}))


def test_numbers_that_json_does_not_have_become_null() -> None:
    data = sample_app(sample_report())
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
    data = sample_app(sample_report())
    assert len(render_html(data).encode()) < len(data.model_dump_json().encode()) + 300_000


def test_a_large_run_stays_within_reason() -> None:
    data = sample_app(large_report())
    assert (len(data.classes), len(data.features)) == (1000, 500)
    page = len(render_html(data).encode())
    assert page - len(data.along.model_dump_json()) < 12_000_000
    assert page < MOST_FILE


def test_every_part_is_in_the_package_and_used() -> None:
    folders = {
        name: {part.name for part in (REPORT / name).iterdir()} for name in ("page", "bundle")
    }
    assert folders == {"page": {"template.html"}, "bundle": {"app.css", "app.js"}}


def test_writing_leaves_one_whole_file(tmp_path: Path) -> None:
    data = sample_app(sample_report())
    write_html(data, tmp_path / "report.html")
    assert (tmp_path / "report.html").read_bytes() == render_html(data).encode()
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
