"""A run in a notebook cell."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from clearhead.report import notebook
from clearhead.report.html import render_html
from tests.report.hostile import hostile_report
from tests.report.sample import sample_report
from tests.report.sample_app import sample_app


class Frames(HTMLParser):
    """Every tag of the cell, and what is framed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.framed: dict[str, str | None] = {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "iframe":
            self.framed = dict(attrs)


@pytest.mark.parametrize("make", [sample_report, hostile_report])
def test_cell_frames_the_whole_page_and_nothing_breaks_out(make) -> None:
    data = sample_app(make())
    found = Frames(notebook.notebook_html(data, "elsewhere"))
    assert found.tags == ["iframe"]
    assert found.framed["srcdoc"] == render_html(data)
    assert found.framed["sandbox"] == "allow-scripts"


def test_page_too_large_for_a_notebook_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook, "MOST_PAGE", 1000)
    text = notebook.notebook_html(sample_app(sample_report()), "clearhead serve <run>")
    assert "<iframe" not in text
    assert "clearhead serve &lt;run&gt;" in text
