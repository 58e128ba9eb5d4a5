"""Words that LIME finds for suspicious features become candidates, and are judged like others."""

from __future__ import annotations

import pytest

from clearhead.debug.driving import LimeEffort, driven_parts, find_suspects
from clearhead.debug.inputs import Inputs
from clearhead.debug.texts.by_lime import EFFORT, driving_words
from clearhead.debug.texts.corpus import Corpus
from clearhead.debug.texts.measured import distance_to, measure
from tests.debug.texts.small import make_inputs


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    folder = tmp_path_factory.mktemp("rare")
    return make_inputs(folder, lambda text: f"qx zv {text}", share=0.4, n=700, loud=("qx", "zv"))


def test_a_phrase_that_drives_a_feature_is_cut_out_and_moves_texts(planted):
    corpus = Corpus(planted, "train")
    found = driving_words(planted, corpus, {0: [], 1: []}, LimeEffort(features=4, examples=4))
    planted_words = [one for one in found[1] if set(one.pattern.words) <= {"qx", "zv"}]
    assert planted_words
    one = planted_words[0]
    assert one.inside == pytest.approx(0.4, abs=0.1)
    assert one.outside == 0
    does = measure(planted, one, distance_to(planted, 1))
    assert does is not None
    assert does.shift > 0
    assert does.drop > 0


def test_what_is_known_is_not_taken_twice(planted):
    corpus = Corpus(planted, "train")
    first = driving_words(planted, corpus, {0: [], 1: []}, EFFORT)
    again = driving_words(planted, corpus, first, EFFORT)
    assert any(first.values())
    for c, known in first.items():
        there = {one.pattern.words for one in known}
        assert not [one for one in again[c] if one.pattern.words in there]


def test_the_words_that_drive_a_feature_are_of_the_class_s_own_texts(planted):
    suspects = find_suspects(planted, EFFORT)
    assert {one.target for one in suspects} == {0, 1}
    for one in driven_parts(planted, suspects, EFFORT):
        assert planted.labels[one.row] == one.suspect.target
        assert planted.split[one.row] in ("train", "validation")
        assert one.weight.shape == (len(one.lime.parts),)
