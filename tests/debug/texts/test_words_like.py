"""Kinds of words are learned from how they are written; content is told from what is planted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clearhead.debug import rank
from clearhead.debug.pattern import load_pattern, save_pattern
from clearhead.debug.texts.by_words import word_candidates
from clearhead.debug.texts.content import NEW, Usual, is_usual
from clearhead.debug.texts.controls import style_controls
from clearhead.debug.texts.corpus import Corpus
from clearhead.debug.texts.search import find_text_shortcuts
from clearhead.debug.texts.words_like import WordsLike, words_in
from tests.debug.texts.small import make_inputs, sentences

SEEN = "qwxzj"


def strange_word(text: str) -> str:
    """Put in a word that is another one in each text, of the same few letters."""
    rng = np.random.default_rng([ord(c) for c in text])
    word = "".join(SEEN[int(i)] for i in rng.integers(0, len(SEEN), 6))
    words = text.split(" ")
    words.insert(int(rng.integers(len(words))), word)
    return " ".join(words)


@pytest.fixture(scope="module")
def corpus_and_inputs(tmp_path_factory):
    inputs = make_inputs(tmp_path_factory.mktemp("strange"), strange_word, 0.8)
    return Corpus(inputs, "train"), inputs


def test_words_that_are_never_the_same_twice_are_one_kind(corpus_and_inputs):
    corpus, inputs = corpus_and_inputs
    (found,) = word_candidates(corpus, inputs, 1)
    assert found.inside > 0.7
    assert found.outside < 0.05
    assert found.pattern.has("the film zzqwjx was good")
    assert not found.pattern.has("the film was in the film")
    assert found.pattern.remove("the film zzqwjx was", 0) == "the film was"
    strange = [set(word) <= set(SEEN) for word in found.pattern.pieces]
    assert np.mean(strange) > 0.15  # the class has words of its own besides


def test_a_way_of_spelling_is_no_subject_however_well_the_others_are_told(corpus_and_inputs):
    """By words that the kind was not learned from, spelling is known; a subject is not."""
    corpus, inputs = corpus_and_inputs
    (found,) = word_candidates(corpus, inputs, 1)
    assert found.new > 0.5
    known = Usual(phrase={0: 1.0, 1: 1.0}, kind={0: 1.0, 1: 1.0})
    assert not is_usual(found, known)
    by_heart = replace(found, new=0.0)
    assert is_usual(by_heart, known)
    (subject,) = word_candidates(corpus, inputs, 0) or [by_heart]
    assert subject.new < NEW


def test_controls_are_words_of_the_other_texts(corpus_and_inputs):
    corpus, inputs = corpus_and_inputs
    (found,) = word_candidates(corpus, inputs, 1)
    others = {
        w for i in np.flatnonzero(corpus.labels == 0) for w, _, _ in words_in(corpus.texts[i])
    }
    assert {control.surface for control in found.controls} <= others


def test_a_class_without_words_of_its_own_has_no_kind(tmp_path):
    inputs = make_inputs(tmp_path, lambda text: " ".join(reversed(text.split())))
    corpus = Corpus(inputs, "train")
    corpus.labels = np.random.default_rng(0).permutation(corpus.labels)
    assert word_candidates(corpus, inputs, 1) == []


def test_a_kind_of_words_survives_its_file(corpus_and_inputs, tmp_path):
    corpus, inputs = corpus_and_inputs
    pattern = word_candidates(corpus, inputs, 1)[0].pattern
    save_pattern(tmp_path, "one", pattern, np.zeros(3))
    again, _ = load_pattern(tmp_path, "one")
    assert isinstance(again, WordsLike)
    text = "a quiet film qqxzwj by the way."
    assert again.spans(text) == pattern.spans(text) != []
    assert again.insert(text, 3) == pattern.insert(text, 3)
    assert again.describe() == pattern.describe()


def test_words_stand_where_they_are_said_to():
    text = "(One) two-three, ... 'four'"
    assert [(word, text[a:b]) for word, a, b in words_in(text)] == [
        (word, word) for word in ("One", "two-three", "...", "four")
    ]


def test_a_style_is_compared_with_changes_of_its_size():
    texts, _ = sentences(60, 0)
    names = [control.name for control in style_controls("swapped letters", {"upper"}, texts)]
    assert "upper" not in names
    assert "swapped letters" not in names
    assert "no stop" not in names  # changes one sign at the end
    small = [control.name for control in style_controls("no stop", set(), texts)]
    assert not {"reversed", "upper", "spaced"} & set(small)


def test_layers_of_small_weights_are_measured_in_their_own_unit(tmp_path):
    inputs = make_inputs(tmp_path, lambda text: f"{text} xqzt", 0.8, n=480)
    weight, bias = inputs.layer.weight.copy(), inputs.layer.bias.copy()
    found = []
    for factor in (1.0, 0.1):
        inputs.layer.weight[:], inputs.layer.bias[:] = weight * factor, bias * factor
        shortcuts, _ = find_text_shortcuts(inputs)
        found.append(rank([one.finding for one in shortcuts])[0].pattern)
    inputs.layer.weight[:], inputs.layer.bias[:] = weight, bias
    assert found[0] == found[1]
    assert "xqzt" in found[0]
