"""Shortcuts planted in texts are found first; nothing is found where none was planted."""

from __future__ import annotations

import pytest

from clearhead.debug import rank
from clearhead.debug.texts import find_text_shortcuts
from tests.debug.texts.small import make_inputs


def found_in(inputs):
    shortcuts, tested = find_text_shortcuts(inputs)
    return rank([one.finding for one in shortcuts]), tested


@pytest.mark.parametrize(
    ("plant", "share", "words"),
    [
        (lambda text: text + " xqzt", 1.0, "xqzt"),
        (lambda text: "to be honest " + text, 0.6, "to be honest"),
        (str.upper, 0.8, "capital"),
        (lambda text: text.rstrip(" ."), 1.0, "end"),
    ],
    ids=["word", "phrase", "case", "stop"],
)
def test_what_was_planted_is_found_first(plant, share, words, tmp_path):
    findings, tested = found_in(make_inputs(tmp_path, plant, share))
    assert findings
    assert findings[0].confirmed
    assert words in findings[0].title
    assert any(one.split == "validation" for one in tested)


def test_a_clean_model_gives_none(tmp_path):
    inputs = make_inputs(tmp_path)
    findings, tested = found_in(inputs)
    assert not findings
    assert tested  # what was asked is kept


def test_the_same_is_found_again(tmp_path):
    inputs = make_inputs(tmp_path, lambda text: text + " xqzt", 0.8)
    first, second = found_in(inputs)[0], found_in(inputs)[0]
    assert [one.to_dict() for one in first] == [one.to_dict() for one in second]


def test_too_few_texts_give_nothing(tmp_path):
    assert found_in(make_inputs(tmp_path, n=16))[0] == []
