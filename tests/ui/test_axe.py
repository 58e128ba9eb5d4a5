"""Every screen, wide and narrow, light and dark: axe finds nothing, and nothing stands out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ui.conftest import NARROW, WIDE, Tab
from tests.ui.screens import draw, links, overflow

AXE = Path(__file__).parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"
FAULTS = """() => axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
  violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes[0].html.slice(0, 200)}`))"""


@pytest.mark.skipif(not AXE.exists(), reason="needs axe-core: npm ci in ui/")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=lambda size: str(size["width"]))
def test_every_screen_can_be_used_by_everyone(
    open_tab: Callable[..., Tab], report: str, size: dict[str, int], scheme: str
) -> None:
    tab = open_tab(report, viewport=size, color_scheme=scheme)
    tab.page.evaluate(AXE.read_text())  # not a script of the page, which its policy would refuse
    faults = []
    for name, fragment in links(tab).items():
        draw(tab, fragment)
        faults += [f"{name}: {fault}" for fault in tab.page.evaluate(FAULTS) + overflow(tab)]
    assert not faults, "\n".join(faults)


@pytest.mark.skipif(not AXE.exists(), reason="needs axe-core: npm ci in ui/")
def test_axe_finds_what_is_wrong(open_tab: Callable[..., Tab], report: str) -> None:
    tab = open_tab(report)
    tab.page.evaluate(AXE.read_text())
    tab.page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    assert [fault for fault in tab.page.evaluate(FAULTS) if fault.startswith("button-name")]
