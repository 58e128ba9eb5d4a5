"""Every screen of the app, as a list of links."""

from __future__ import annotations

from tests.ui.conftest import Tab

__all__ = ["draw", "links", "overflow"]

LISTS = ("overview", "class", "feature", "example", "errors", "edit", "compare", "bias", "study")
PICTURES = """() => Promise.race([
  Promise.all([...document.images].map(one => one.decode().catch(() => 0))),
  new Promise(done => setTimeout(done, 500)),
])"""
"""Those further down are loaded lazily, and need not come."""
TOO_WIDE = """() => {
  const wide = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= wide) return [];
  const right = one => Math.round(one.getBoundingClientRect().right);
  return [...document.querySelectorAll('body *')]
    .filter(one => right(one) > wide + 1)
    .slice(0, 8)
    .map(one => `${one.tagName} ${one.className} ends at ${right(one)}`);
}"""


def links(tab: Tab) -> dict[str, str]:
    """Screens by name: each list, and the first subject of each that the app links to."""
    found = {name: f"#/{name}" for name in (*LISTS, "about")}
    found["one class"] = "#/class/0"
    for name in ("feature", "example"):
        tab.go(f"#/{name}")
        link = tab.page.locator(f'main a[href^="#/{name}/"]').first
        found[f"one {name}"] = str(link.get_attribute("href"))
    tab.go("#/class/0")
    draft = tab.page.locator('article a[href*="edits=zero"]').first
    found["one edit"] = str(draft.get_attribute("href"))
    return found


def draw(tab: Tab, fragment: str) -> None:
    """Open a screen, and wait for the pictures that are in sight."""
    tab.go(fragment)
    tab.page.evaluate(PICTURES)
    tab.page.evaluate("scrollTo(0, 0)")


def overflow(tab: Tab) -> list[str]:
    """What makes the page wider than the window."""
    found: list[str] = tab.page.evaluate(TOO_WIDE)
    return found
