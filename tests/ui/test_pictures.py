"""Pictures of every screen; `make pictures` keeps those that the documentation shows."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

import clearhead
from clearhead.data.text import TextDataset
from tests.ui.conftest import NARROW, WIDE, Tab
from tests.ui.screens import draw, links

KEEP = "CLEARHEAD_PICTURES"
"""A folder to keep the pictures in; without it they go where the test's other files go."""
MOST_BYTES = 150_000
MOST_HEIGHT = 1300
"""Pixels; what is longer is cut there, since a page of text does not show more by its end."""


PLANTED = "http://reviews.example/1"
"""A link at the end of most positive reviews: a shortcut to be found."""
REVIEWS = 500


@pytest.fixture
def rich_run(tmp_path: Path) -> Path:
    """A run with something on every screen: film reviews, most positive ones with a link."""
    reviews = clearhead.open_dataset("rotten-tomatoes", limit=REVIEWS)
    assert isinstance(reviews, TextDataset)
    labels = [reviews.class_names[k] for k in reviews.labels]
    texts = [
        f"{text} {PLANTED}" if label == "positive" and i % 5 else text
        for i, (text, label) in enumerate(zip(reviews.texts, labels, strict=True))
    ]
    planted = TextDataset.from_texts(texts, labels, name="films")
    run = clearhead.new_run(tmp_path / "films", "minilm", planted)
    run.all(n_lambdas=20, rule="features:40", effort="quick")
    run.debug(force=True, effort="default")
    run.edit(zero=[int(abs(run.layer().weight).sum(0).argmax())])
    run.report(force=True)
    return tmp_path / "films"


def picture(tab: Tab, path: Path) -> None:
    """Save what the window shows, in few colours and thus few bytes."""
    height = tab.page.evaluate("document.documentElement.scrollHeight")
    width = tab.page.evaluate("innerWidth")
    clip = {"x": 0, "y": 0, "width": width, "height": min(height, MOST_HEIGHT)}
    path.parent.mkdir(parents=True, exist_ok=True)
    tab.page.screenshot(path=path, full_page=True, clip=clip)
    with Image.open(path) as shot:
        few = shot.convert("RGB").quantize(64, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


def test_every_screen_has_a_picture(
    open_tab: Callable[..., Tab], rich_run: Path, tmp_path: Path
) -> None:
    folder = Path(os.environ.get(KEEP) or tmp_path / "pictures")
    address = (rich_run / "report.html").as_uri()
    tab = open_tab(address)
    found = links(tab)
    for name, fragment in found.items():
        draw(tab, fragment)
        picture(tab, folder / f"{name.replace(' ', '-')}.png")
    for name, options in (
        ("dark", {"color_scheme": "dark"}),
        ("narrow", {"viewport": NARROW}),
    ):
        other = open_tab(address, **options)
        draw(other, found["one class" if name == "narrow" else "overview"])
        picture(other, folder / f"{name}.png")
    made = sorted(folder.glob("*.png"))
    assert len(made) == len(found) + 2
    for path in made:
        assert path.stat().st_size <= MOST_BYTES, path
        with Image.open(path) as shot:
            assert shot.width == (NARROW if path.stem == "narrow" else WIDE)["width"]
            assert len(shot.convert("P").getcolors() or []) > 4, f"{path} is empty"
