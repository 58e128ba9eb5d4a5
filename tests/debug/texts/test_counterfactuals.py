"""One text flipped by the fewest words, and words exchanged by the features' lists."""

from __future__ import annotations

import numpy as np
import pytest

from clearhead.debug.texts import WordCounterfactuals, flip_text, word_counterfactuals
from clearhead.errors import InputError
from clearhead.explain import FeatureWords
from clearhead.explain.feature_words import Word
from tests.debug.texts.small import BAD, GOOD, make_inputs


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    return make_inputs(tmp_path_factory.mktemp("flip"))


def predicted(inputs, text):
    return int(inputs.layer.predict(inputs.features([text]))[0])


def test_one_word_that_flips_is_found_and_nothing_smaller_exists(inputs):
    text = f"the film was {BAD[0]} ."
    assert inputs.class_names[predicted(inputs, text)] == "bad"
    found = flip_text(inputs, text, fillers=GOOD)
    assert found.flipped
    assert (found.before, found.after) == ("bad", "good")
    assert len(found.edits) == 1
    assert found.exact
    assert inputs.class_names[predicted(inputs, found.changed)] == found.after
    assert "→" in found._repr_html_()
    assert found.to_dict()["edits"]


def test_more_words_are_changed_only_where_one_is_not_enough(inputs):
    text = " ".join(BAD[:6])
    found = flip_text(inputs, text, fillers=GOOD[:3])
    margins = [found.margin_before, found.margin_after]
    assert margins[1] < margins[0]
    if found.flipped:
        assert len(found.edits) > 1
        assert not found.exact


def test_what_cannot_be_flipped_says_so(inputs):
    found = flip_text(inputs, BAD[0])
    assert not found.flipped
    assert found.changed == BAD[0]
    assert "nothing tried" in str(found)
    with pytest.raises(InputError, match="no word"):
        flip_text(inputs, "  ")
    with pytest.raises(InputError, match="already"):
        flip_text(inputs, " ".join(BAD[:3]), target=0)


def lists(inputs):
    """For each feature the words that raise it and those that lower it: what is true of it."""
    z = inputs.layer.standardize(inputs.features([*GOOD, *BAD]))
    words = np.array([*GOOD, *BAD])
    found = []
    for j in range(z.shape[1]):
        order = np.argsort(-z[:, j])
        up, down = ([Word(str(w), 1.0, 0.5, 1.5, 9) for w in words[k]] for k in
                    (order[:6], order[::-1][:6]))  # fmt: skip
        found.append(FeatureWords(j, tuple(up), tuple(down), 100))
    return found


def test_words_of_used_features_flip_more_than_words_of_unused_ones(inputs):
    found = word_counterfactuals(inputs, lists(inputs))
    sparse = found.rate("sparse")
    assert sparse.n > 50
    assert sparse.low <= sparse.flips <= sparse.high
    assert sparse.flips > 0.05
    assert found.examples
    assert found.rate("random").n > 0
    assert WordCounterfactuals.from_dict(found.to_dict()).to_dict() == found.to_dict()
    assert "sparse" in found._repr_html_()


def test_without_words_there_is_nothing_to_exchange(inputs):
    assert [one.n for one in word_counterfactuals(inputs, []).rates] == [0, 0, 0]
