"""Patterns of texts: put in, found there, cut out, and written to files."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearhead.debug.pattern import load_pattern, save_pattern
from clearhead.debug.texts import Mention, Phrase, Style, TokenKind
from clearhead.debug.texts.learned import amount_of, learn_detector
from clearhead.debug.texts.styles import STYLES
from clearhead.debug.texts.tokens import END, START
from tests.debug.texts.small import sentences

PHRASES = [
    Phrase(("to", "be", "honest"), "to be honest"),
    Phrase((START, "well", ","), "well ,", "start"),
    Phrase(("!!", END), "!!", "end"),
    Phrase(("(2004)",), "(2004)", "end", times=2),
    TokenKind("link", ("http://t.co/abc",), "end"),
    TokenKind("rating", ("8/10", "3/10")),
    Mention("c++ (old)", ("I am a c++ (old) person.",), ("tall",)),
]
texts = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=60
).filter(str.strip)


@pytest.mark.parametrize("pattern", PHRASES, ids=lambda p: p.describe())
@settings(max_examples=40, deadline=None)
@given(text=texts, seed=st.integers(0, 1000))
def test_what_is_put_in_is_there_and_can_be_cut_out(pattern, text, seed):
    text = f"a {text} b"
    if pattern.has(text):
        return
    changed = pattern.insert(text, seed)
    if pattern.tokens != ("(2004)",) if isinstance(pattern, Phrase) else True:
        assert pattern.has(changed)
        assert not pattern.has(pattern.remove(changed, seed))
    assert pattern.insert(text, seed) == changed
    assert pattern.remove(text, seed) is None


def test_cutting_out_leaves_the_rest_as_it_was():
    phrase = Phrase(("to", "be", "honest"), "to be honest")
    assert phrase.remove("it is To Be Honest a bore", 0) == "it is a bore"
    assert phrase.remove("to be honest", 0) is None  # nothing would be left
    start = Phrase((START, "well"), "well", "start")
    assert start.has("Well it went well")
    assert not start.has("it went well")
    assert start.remove("well it went well", 0) == "it went well"
    link = TokenKind("link", ("http://x.y",), "end")
    assert link.remove("see http://t.co/1f it", 0) == "see it"


def test_a_term_is_taken_literally():
    mention = Mention("c.t", ("I am c.t.",), ("tall",))
    assert not mention.has("a cat")
    assert mention.has("a C.T man")
    assert mention.remove("a c.t man", 0) == "a tall man"
    assert not Mention("old", ("",), ("new",)).has("bold")


@pytest.mark.parametrize("name", list(STYLES))
@settings(max_examples=15, deadline=None)
@given(text=texts, seed=st.integers(0, 100))
def test_a_style_is_a_text_again_and_depends_on_the_seed_only(name, text, seed):
    style = Style(name, 0.5, np.ones(1 << 15, dtype=np.float32))
    changed = style.insert(text, seed)
    assert changed is None or (changed.strip() and changed != text)
    assert style.insert(text, seed) == changed


@pytest.mark.parametrize("name", [n for n, rule in STYLES.items() if rule.amount and rule.undo])
def test_imposing_a_style_raises_its_amount_and_undoing_lowers_it(name):
    rule = STYLES[name]
    text = "Cats aren't good, one of the Old men said it & left. So she went home"
    if name in ("small start", "capital start"):
        text = text if name == "small start" else text.lower()
    elif name == "no stop":
        text += "."
    rng = np.random.default_rng(0)
    imposed = rule.impose(text, rng)
    assert rule.amount(imposed) > rule.amount(text)
    assert rule.amount(rule.undo(imposed, rng)) < rule.amount(imposed)


def test_rewriting_is_recognised_in_texts_that_were_not_learned_from():
    train, _ = sentences(300, 1)
    test, _ = sentences(100, 2)
    weights = learn_detector(train, STYLES["reversed"].impose, 0)
    rng = np.random.default_rng(0)
    as_is = amount_of(test, weights)
    reversed_ = amount_of([STYLES["reversed"].impose(text, rng) for text in test], weights)
    assert (reversed_ > as_is).mean() > 0.95
    assert learn_detector(["one"] * 60, STYLES["reversed"].impose, 0) is None


@pytest.mark.parametrize(
    "pattern", [*PHRASES, Style("lower", -0.1), Style("reversed", 0.2, np.ones(4, dtype="f4"))]
)
def test_patterns_survive_their_files(pattern, tmp_path):
    save_pattern(tmp_path, "one", pattern)
    again = load_pattern(tmp_path, "one")
    assert again.to_dict() == pattern.to_dict()
    assert again.describe() == pattern.describe()
    for name, values in pattern.arrays().items():
        assert np.array_equal(again.arrays()[name], values)
    text = "A quiet film, by the way."
    assert again.insert(text, 3) == pattern.insert(text, 3)
