"""Data that try to break the app: nothing of them runs, everything is drawn, nothing stands out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import clearhead
from clearhead.report import AppData
from clearhead.report.html import write_html
from clearhead.report.schema import ExampleCard
from tests.report.hostile import HOSTILE, hostile_report
from tests.ui.conftest import NARROW, WIDE, Tab
from tests.ui.screens import draw, links, overflow

BROKEN = "data:image/jpeg;base64,AAAA"
FILES = ["\"'><script>window.pwned=1</script>.jpg", "a/../../b?c#d%2e&e.jpg", "w" * 1000, *HOSTILE]
RAN = """() => [
  window.pwned,
  document.title.includes('pwned') && !document.title.includes('<'),
  document.querySelectorAll('script:not([src])').length > before.scripts,
  [...document.querySelectorAll('*')]
    .some(one => [...one.attributes].some(({ name }) => name.startsWith('on'))),
]"""


def hostile_app(run: Path, modality: str) -> AppData:
    """The data of a run, with every text replaced by one that tries to break the page."""
    data, bad = clearhead.open_run(run).app_data(), hostile_report()
    keys = {key: f"{key}{FILES[i % 3]}" for i, key in enumerate(data.along.keys[:6])}
    named = lambda rows: [(keys.get(key, key), z) for key, z in rows]  # noqa: E731

    def example(i: int, card: ExampleCard) -> ExampleCard:
        shown = (
            {"text": HOSTILE[i % len(HOSTILE)]}
            if modality == "text"
            else {"text": None, "image": [BROKEN, None][i % 2]}
        )
        new = {"key": keys.get(card.key, card.key), "id": FILES[i % len(FILES)]}
        return card.model_copy(update={**shown, **new})

    features = [
        card.model_copy(
            update={
                "name": HOSTILE[i % len(HOSTILE)],
                "name_source": "person",
                "words": bad.features[0].words,
                "highlights": [],
                "bands": [],
                "highest": named(card.highest),
                "lowest": named(card.lowest),
            }
        )
        for i, card in enumerate(data.features)
    ]
    examples = [example(i, card) for i, card in enumerate(data.examples)]
    about = {
        "features": [card.index for card in features[:3]],
        "classes": [0, 1],
        "examples": [card.key for card in examples[:8]],
    }
    names = [HOSTILE[0], HOSTILE[7]]
    card = {"name": HOSTILE[0], "class_names": names, "notes": HOSTILE, "metadata": HOSTILE}
    return data.model_copy(
        update={
            "name": HOSTILE[0],
            "made_by": HOSTILE[1],
            "data": data.data.model_copy(update=card),
            "model": data.model.model_copy(update={"name": HOSTILE[7], "modality": modality}),
            "classes": [c.model_copy(update={"name": names[c.index]}) for c in data.classes],
            "features": features,
            "examples": examples,
            "findings": [f.model_copy(update=about) for f in bad.findings],
            "slices": bad.slices,
            "limits": HOSTILE,
            "explained": HOSTILE,
            "analysis": bad.analysis,
            "agreement_note": HOSTILE[0],
            "along": data.along.model_copy(
                update={"keys": [keys.get(key, key) for key in data.along.keys]}
            ),
        }
    )


@pytest.mark.parametrize("modality", ["text", "image"])
def test_hostile_data_are_only_text(
    open_tab: Callable[..., Tab], made_run: Path, tmp_path: Path, modality: str
) -> None:
    page = write_html(hostile_app(made_run, modality), tmp_path / "report.html").as_uri()
    faults = []
    for size in (WIDE, NARROW):
        tab = open_tab(page, viewport=size)
        tab.page.evaluate("before = { scripts: document.scripts.length }")
        for name, fragment in links(tab).items():
            draw(tab, fragment)
            said = tab.page.inner_text("main")
            where = f"{name} at {size['width']}"
            if "cannot be drawn" in said:
                faults.append(f"{where}: {said[:300]}")
            if any(tab.page.evaluate(RAN)):
                faults.append(f"{where}: a script of the data ran: {tab.page.evaluate(RAN)}")
            faults += [f"{where}: {fault}" for fault in overflow(tab)]
    assert not faults, "\n".join(faults)


def test_a_link_to_a_hostile_name_leads_there(
    open_tab: Callable[..., Tab], made_run: Path, tmp_path: Path
) -> None:
    data = hostile_app(made_run, "text")
    page = write_html(data, tmp_path / "report.html").as_uri()
    tab = open_tab(page)
    for key in data.along.keys[:3]:
        to = tab.page.evaluate("key => '#/example/' + encodeURIComponent(key)", key)
        draw(tab, to)
        assert "not in the report" not in tab.page.inner_text("main")
        assert tab.page.locator("#why-title").count()
