"""The parts of an example: nothing is lost, nothing that belongs together is cut."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from clearhead.errors import InputError, MissingDependencyError
from clearhead.explain import regions_of, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ()),
        (" \n\t ", ()),
        ("word", ("word",)),
        ("It's a well-made film!!!", ("It's", "a", "well-made", "film", "!!!")),
        ("it 's n't", ("it", "'s", "n't")),
        ("See https://t.co/x?y=1. (9/10)", ("See", "https://t.co/x?y=1", ".", "(", "9/10", ")")),
        ("@bob #wow", ("@bob", "#wow")),
        ("我喜欢。", ("我", "喜", "欢", "。")),
        ("映画だ", ("映", "画", "だ")),
        ("ไม่ดี", ("ไ", "ม่", "ดี")),
        ("हिन्दी में", ("हिन्दी", "में")),
        ("مرحبا، جيد", ("مرحبا", "،", "جيد")),
        ("e\u0301te\u0301", ("e\u0301te\u0301",)),
        ("👩‍👩‍👧👍🏽 🇩🇪🇫🇷 ☕️", ("👩‍👩‍👧", "👍🏽", "🇩🇪", "🇫🇷", "☕️")),
        ("좋은 영화", ("좋은", "영화")),
    ],
)
def test_words(text, words):
    parts = words_of(text)
    assert parts.words == words
    assert len(parts) == len(words)
    assert tuple(text[a:b] for a, b in parts.spans) == words


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=40))
def test_every_character_but_white_space_is_in_one_word(text):
    parts = words_of(text)
    covered = np.zeros(len(text), dtype=int)
    for first, last in parts.spans:
        covered[first:last] += 1
    np.testing.assert_array_equal(covered, [0 if c.isspace() else 1 for c in text])
    assert (np.diff(parts.spans.ravel()) >= 0).all()


def two_colours(height=40, width=60):
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    pixels[:, : width // 2, 0] = 255
    pixels[:, width // 2 :, 2] = 255
    return pixels


def test_superpixels_follow_an_edge():
    parts = regions_of(two_colours(), n_regions=12)
    left = set(np.unique(parts.segments[:, :30]))
    assert not left & set(np.unique(parts.segments[:, 30:]))
    assert 6 <= len(parts) <= 20


@pytest.mark.parametrize("method", ["slic", "grid"])
@pytest.mark.parametrize(
    "image",
    [
        two_colours(),
        two_colours(37, 5),
        two_colours(1, 9),
        np.zeros((30, 20), dtype=np.uint8),
        np.random.default_rng(0).random((20, 31, 1)),
        Image.new("L", (33, 8), 5),
        np.full((1, 1, 3), 7, dtype=np.uint8),
    ],
)
def test_regions_are_numbered_without_holes(image, method):
    parts = regions_of(image, n_regions=9, method=method)
    shape = (image.height, image.width) if isinstance(image, Image.Image) else image.shape[:2]
    assert parts.segments.shape == shape
    np.testing.assert_array_equal(np.unique(parts.segments), np.arange(len(parts)))
    assert len(parts) >= 1
    assert parts.picture.dtype == np.uint8


def test_grid_of_a_constant_picture():
    assert len(regions_of(np.zeros((40, 40), dtype=np.uint8), n_regions=16)) == 16
    assert len(regions_of(np.zeros((2, 2), dtype=np.uint8), n_regions=50)) == 4
    assert len(regions_of(np.zeros((40, 40), dtype=np.uint8), n_regions=1)) == 1


def test_bad_pictures_and_options():
    with pytest.raises(InputError, match="shape"):
        regions_of(np.zeros((4, 4, 5)))
    with pytest.raises(InputError, match="n_regions=0"):
        regions_of(two_colours(), n_regions=0)
    with pytest.raises(InputError, match="method='hex'"):
        regions_of(two_colours(), method="hex")


def test_slic_without_its_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage.segmentation", None)
    with pytest.raises(MissingDependencyError, match=r"clearhead\[explain\]"):
        regions_of(two_colours())
