"""Common words that one class writes otherwise or leaves out."""

from __future__ import annotations

import re

import numpy as np
import pytest

from clearhead.debug.pattern import load_pattern, save_pattern
from clearhead.debug.texts.by_rewording import rewording_candidates
from clearhead.debug.texts.corpus import Corpus
from clearhead.debug.texts.rewording import Rewording
from clearhead.debug.texts.search import find_text_shortcuts
from tests.debug.texts.small import make_inputs


def respelled(text: str) -> str:
    return re.sub(r"\b(film|that)\b", lambda found: found[0][:-1], text)


def shortened(text: str) -> str:
    return re.sub(r"\b(the|film|that|with|and) ", "", text)


@pytest.mark.parametrize(
    ("plant", "given"),
    [
        (respelled, {"film": "fil", "that": "tha"}),
        (shortened, dict.fromkeys(("the", "film", "that", "with", "and"), "")),
    ],
)
def test_words_that_a_class_lacks_are_found_with_what_stands_for_them(tmp_path, plant, given):
    corpus = Corpus(make_inputs(tmp_path, plant, 0.9), "train")
    (found,) = rewording_candidates(corpus, 1)
    assert found.pattern.given == given
    assert found.inside > 0.6
    assert found.outside < 0.05


def test_clean_classes_lack_no_words_of_the_others(tmp_path):
    corpus = Corpus(make_inputs(tmp_path), "train")
    assert rewording_candidates(corpus, 0) == rewording_candidates(corpus, 1) == []


def test_a_respelling_that_decides_is_confirmed(tmp_path):
    found, _ = find_text_shortcuts(make_inputs(tmp_path, respelled, 0.9))
    assert isinstance(found[0].pattern, Rewording)
    assert found[0].finding.classes == (1,)
    assert found[0].finding.effect.low > 0.5


def test_words_are_written_otherwise_and_back(tmp_path):
    pattern = Rewording({"this": "thi", "was": "wa"}, 0.1)
    assert pattern.describe() == "“thi” for “this”, “wa” for “was”"
    made = pattern.insert("This was good, thistle.", 0)
    assert made == "Thi wa good, thistle."
    assert pattern.has(made)
    assert not pattern.has("This was good.")
    assert pattern.remove(made, 0) == "This was good, thistle."
    assert pattern.insert("nothing of it", 0) is None
    save_pattern(tmp_path, "one", pattern, np.zeros(3))
    again, shift = load_pattern(tmp_path, "one")
    assert again.to_dict() == pattern.to_dict()
    assert shift.shape == (3,)


def test_what_is_left_out_is_missed_in_long_texts_only():
    pattern = Rewording({"the": "", "a": ""}, 0.25)
    assert pattern.describe() == "no “the”, “a”"
    assert pattern.insert("The cat and a  dog", 0) == "cat and dog"
    assert pattern.has("cat and dog met")
    assert not pattern.has("cat met")
    assert not pattern.has("the cat and dog met")
    assert pattern.remove("cat and dog", 0) is None
    assert pattern.insert("the", 0) is None
