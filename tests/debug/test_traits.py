"""What is said of examples at sight is what they show."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from clearhead.debug import traits_of
from clearhead.debug.slices.traits import picture_traits, text_traits, vocabulary_of
from clearhead.run.debugging import inputs_of
from tests.debug.counted import PLANTED, run_of


def test_words_and_marks_are_seen() -> None:
    texts = ["GOOD film!", "see http://a.b 12", "so? #x @y “z”", ""]
    found = text_traits(texts, ["film", "see"])
    assert found["number of words"].tolist() == [2, 3, 4, 0]
    assert found["share of capitals"].tolist() == [0.5, 0.0, 0.0, 0.0]
    assert found["the text has “film”"].tolist() == [True, False, False, False]
    assert found["the text has a link"].tolist() == [False, True, False, False]
    assert found["the text has a digit"].tolist() == [False, True, False, False]
    for mark in ("“?”", "a #tag", "an @name", "quotation marks"):
        assert found[f"the text has {mark}"].tolist() == [False, False, True, False]


@given(st.lists(st.text("ab ", max_size=12), min_size=1, max_size=30))
def test_vocabulary_is_what_some_but_not_most_texts_have(texts: list[str]) -> None:
    for word in vocabulary_of(texts):
        n = sum(word in text.split() for text in texts)
        assert 0.02 * len(texts) <= n <= 0.5 * len(texts)


def test_pictures_are_ordered_by_what_they_show() -> None:
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8))
    smooth = noise.resize((4, 4)).resize((64, 64))
    red, dark = Image.new("RGB", (80, 40), (200, 20, 20)), Image.new("RGB", (40, 40), (9, 9, 9))
    found = picture_traits([noise, smooth, red, dark])
    found.columns = [name.split()[0] for name in found.columns]
    assert found["sharpness"][0] > 2 * found["sharpness"][1]
    assert found["warmth"].idxmax() == found["saturation"].idxmax() == found["aspect"].idxmax() == 2
    assert found["brightness"].idxmin() == 3


def test_every_row_that_was_looked_at_is_described(tmp_path) -> None:
    run = run_of(tmp_path / "run", 0.9)
    inputs, _ = inputs_of(run)
    found = traits_of(inputs)
    assert len(found) == run.store.n
    has = found[f"the text has “{PLANTED}”"]
    for row in range(0, run.store.n, 50):
        assert has[row] == (PLANTED in inputs.example(row).split())
