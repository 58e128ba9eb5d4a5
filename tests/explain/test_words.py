"""The words of a feature, where it is known which they are."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from clearhead.errors import InputError
from clearhead.explain import (
    FeatureWords,
    Word,
    WordTable,
    plot_cloud,
    word_cloud,
    word_table,
)
from clearhead.explain.words import PRIOR_DF
from clearhead.layer import Certificate, DecisionLayer
from tests.explain.bag_of_words import (
    BOTH,
    CONSTANT,
    FEATURES,
    HIGH,
    BagOfWords,
    explain,
    make_texts,
)


@pytest.fixture(scope="module")
def explanations():
    return explain(BagOfWords(), make_texts(150, seed=0), seed=1)


@pytest.fixture(scope="module")
def table(explanations) -> WordTable:
    return word_table(explanations)


def test_the_words_are_those_that_the_network_looks_at(table: WordTable) -> None:
    (first, *others) = table.positive(HIGH)
    assert first.word == "terrible"
    assert first.mean == pytest.approx(3.0, abs=0.05)
    assert first.low < 3.0 < first.high
    assert all(abs(other.mean) < 0.1 for other in others)  # by chance, and far below
    assert table.positive(BOTH)[0].word == "moving"
    assert table.negative(BOTH)[0].word == "dull"
    assert table.negative(BOTH)[0].mean == pytest.approx(-2.0, abs=0.05)
    assert table.positive(CONSTANT) == table.negative(CONSTANT) == []


def test_the_table_is_that_of_a_loop_over_texts_and_words(explanations, table) -> None:
    by_word: dict[str, list[np.ndarray]] = {}
    for one in explanations:
        for word in set(one.parts.words):
            rows = [i for i, other in enumerate(one.parts.words) if other == word]
            by_word.setdefault(word, []).append(one.weight[rows].astype(float).mean(axis=0))
    pooled = sum(((np.array(w) - np.mean(w, axis=0)) ** 2).sum(axis=0) for w in by_word.values())
    pooled = pooled / sum(len(w) - 1 for w in by_word.values())
    assert table.words == tuple(sorted(by_word))
    for row, word in enumerate(table.words):
        weights = np.array(by_word[word])
        spread = ((weights - weights.mean(axis=0)) ** 2).sum(axis=0)
        variance = (PRIOR_DF * pooled + spread) / (PRIOR_DF + len(weights) - 1)
        assert table.count[row] == len(weights)
        np.testing.assert_allclose(table.mean[row], weights.mean(axis=0), atol=1e-9)
        np.testing.assert_allclose(
            table.std_error[row], np.sqrt(variance / len(weights)), rtol=1e-6, atol=1e-9
        )


def test_a_word_seen_twice_does_not_top_the_list() -> None:
    network = BagOfWords()
    texts = [*make_texts(100, seed=0), "rare film", "rare plot"]
    explanations = explain(network, texts, seed=1)
    for one in explanations[-2:]:
        one.weight[0, 0] = 3.1  # two large weights, as like as two peas
    table = word_table(explanations, min_count=2)
    assert [word.word for word in table.positive(HIGH, 2)] == ["terrible", "rare"]
    # The reference's rule goes by the mean alone.
    assert table.positive(HIGH, 1, rule="percentile")[0].word == "rare"


def test_percentile_rule_takes_the_words_beyond_the_99th_and_1st(table: WordTable) -> None:
    means = table.mean[:, 1]
    above = {w for w, m in zip(table.words, means, strict=True) if m > np.percentile(means, 99)}
    below = {w for w, m in zip(table.words, means, strict=True) if m < np.percentile(means, 1)}
    assert {word.word for word in table.positive(BOTH, rule="percentile")} == above == {"moving"}
    assert {word.word for word in table.negative(BOTH, rule="percentile")} == below == {"dull"}
    assert table.positive(CONSTANT, rule="percentile") == []
    with pytest.raises(InputError, match="rule: expected"):
        table.positive(BOTH, rule="median")


def test_orientation_turns_the_words_towards_the_class(table: WordTable) -> None:
    weight = np.zeros((2, 20))
    weight[1, HIGH], weight[1, BOTH] = -0.5, 1.0  # "terrible" speaks against class "good"
    weight[0] = -weight[1]
    layer = DecisionLayer(
        weight=weight,
        bias=np.zeros(2),
        center=np.zeros(20),
        scale=np.ones(20),
        dead=np.zeros(20, dtype=bool),
        class_names=("bad", "good"),
        certificate=Certificate("binomial", 0.1, 0.99, 1e-5, 1e-4, "optimal"),
    )
    good, bad = table.oriented(layer, 1), table.oriented(layer, 0)
    assert good.features.tolist() == [HIGH, BOTH]
    assert good.towards == "good"
    assert good.negative(HIGH)[0].word == "terrible"
    assert bad.positive(HIGH)[0].word == "terrible"
    assert good.positive(BOTH)[0].word == "moving"
    assert good.negative(HIGH)[0].low < -3.0 < good.negative(HIGH)[0].high
    assert table.positive(HIGH)[0].word == "terrible"  # as it was
    with pytest.raises(InputError, match="already speak"):
        good.oriented(layer, 0)
    with pytest.raises(InputError, match="no class 5"):
        table.oriented(layer, 5)


def test_min_count_stop_words_and_case() -> None:
    texts = ["The film", "the film", "THE plot", "not great"]
    explanations = explain(BagOfWords(), texts, seed=0)
    assert word_table(explanations, min_count=2).words == ("film", "the")
    assert word_table(explanations, min_count=2, lower=False).words == ("film",)
    kept = word_table(explanations, min_count=1, stop_words="english").words
    assert kept == ("film", "great", "not", "plot")  # a negation is no stop word
    assert "plot" not in word_table(explanations, min_count=1, stop_words=["PLOT"]).words
    with pytest.raises(InputError, match="stop_words"):
        word_table(explanations, stop_words="klingon")
    with pytest.raises(InputError, match="min_count"):
        word_table(explanations, min_count=0)


def test_a_script_without_spaces() -> None:
    characters = list("好坏人天地水火山")
    network = BagOfWords(characters, {HIGH: {"坏": 3.0}})
    explanations = explain(network, make_texts(60, 0, characters, gap=""), seed=1)
    table = word_table(explanations)
    assert table.positive(HIGH)[0].word == "坏"
    assert set(table.words) == set(characters)


def test_empty_tables() -> None:
    for explanations in ([], explain(BagOfWords(), ["", "once"], seed=0)):
        table = word_table(explanations)
        assert table.words == ()
        assert WordTable.from_dict(table.to_dict()).words == ()
        for feature in table.features:
            for rule in ("interval", "percentile"):
                assert table.positive(int(feature), rule=rule) == []
            with pytest.raises(InputError, match="no word to draw"):
                word_cloud(table.words_of(int(feature)))
        assert table.to_frame().empty
        assert table.strongest().shape == (0, len(table.features))


def test_pictures_and_other_features_are_refused(explanations) -> None:
    from dataclasses import replace

    from clearhead.explain import Parts

    picture = replace(explanations[0], parts=Parts("regions"))
    with pytest.raises(InputError, match="'text 0' is of an image"):
        word_table([picture])
    other = replace(explanations[1], features=FEATURES + 1)
    with pytest.raises(InputError, match="other features"):
        word_table([explanations[0], other])
    with pytest.raises(InputError, match="feature 99: these words are of the features 3, 7"):
        word_table(explanations).positive(99)


def test_what_is_kept_comes_back(table: WordTable) -> None:
    back = WordTable.from_dict(json.loads(json.dumps(table.to_dict())))
    assert back.words_of(HIGH) == table.words_of(HIGH)
    assert back.n_texts == 150
    words = table.words_of(BOTH, 3)
    assert FeatureWords.from_dict(json.loads(json.dumps(words.to_dict()))) == words
    assert "moving" in words._repr_html_()
    assert "moving" in table._repr_html_()
    assert set(table.to_frame(2)["feature"]) <= set(FEATURES)


def test_strongest_keeps_what_the_lists_name(table: WordTable) -> None:
    for k in (1, None):
        weights = table.strongest(k).toarray()
        for column, feature in enumerate(table.features):
            most = len(table.words) if k is None else k
            named = [*table.positive(feature, most), *table.negative(feature, most)]
            kept = {table.words[v] for v in np.flatnonzero(weights[:, column])}
            assert kept == {word.word for word in named}


def test_bars_have_intervals(table: WordTable) -> None:
    from matplotlib import pyplot

    ax = table.plot(BOTH, 3)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels[-1] == "moving"
    assert labels[0] == "dull"
    assert "feature 7" in ax.get_title()
    pyplot.close("all")


def test_cloud_is_seeded_sized_by_weight_and_signed(table: WordTable) -> None:
    pytest.importorskip("wordcloud")
    words = table.words_of(BOTH)
    cloud = word_cloud(words)
    assert cloud.png == word_cloud(words).png
    assert cloud.png != word_cloud(words, seed=1).png
    with Image.open(io.BytesIO(cloud.png)) as picture:
        assert picture.size == (640, 320)
        colours = {c for _, c in picture.convert("RGB").getcolors(1 << 20)}
    assert {(31, 119, 180), (214, 39, 40)} <= colours
    assert {"moving", "dull"} <= set(cloud.shown)
    assert set(cloud.shown) | set(cloud.left_out) == {
        word.word for word in (*words.positive, *words.negative)
    }


@pytest.mark.parametrize(
    "word", ["<b>&amp;</b>", "$x$ \\frac", "w" * 500, "مرحبا", "🙂", "\x00\x1b", "\ud800", "好"]
)
def test_hostile_words_are_drawn_or_said_to_be_left_out(word: str) -> None:
    pytest.importorskip("wordcloud")
    from matplotlib import pyplot

    words = FeatureWords(
        feature=0,
        positive=(Word(word, 2.0, 1.5, 2.5, 9), Word("plain", 1.0, 0.5, 1.5, 9)),
        negative=(Word("a", -1.0, -1.5, -0.5, 9),),
        n_texts=10,
        towards="<i>$</i>",
    )
    cloud = word_cloud(words)
    assert len(cloud.shown) + len(cloud.left_out) == 3
    assert {"plain", "a"} <= set(cloud.shown)
    assert bool(cloud.note) == bool(cloud.left_out)
    for page in (words._repr_html_(), cloud._repr_html_()):
        assert "<b>" not in page
        assert "<i>" not in page
    ax = plot_cloud(words)
    ax.figure.canvas.draw()
    if word.isprintable():  # matplotlib warns of glyphs that it lacks
        words.plot()
    pyplot.close("all")


def test_a_font_that_lacks_a_script_leaves_its_words_out_and_says_so() -> None:
    wordcloud = pytest.importorskip("wordcloud")
    from pathlib import Path

    font = Path(wordcloud.__file__).parent / "DroidSansMono.ttf"
    words = FeatureWords(
        0, (Word("好", 2.0, 1.0, 3.0, 5), Word("good", 1.0, 0.5, 1.5, 5)), (), n_texts=9
    )
    cloud = word_cloud(words, font=font)
    assert cloud.left_out == ("好",)
    assert cloud.shown == ("good",)
    assert "好" in cloud.note
    with pytest.raises(InputError, match="an installed font can write"):
        word_cloud(FeatureWords(0, words.positive[:1], (), 9), font=font)
    with pytest.raises(InputError, match="there is no file"):
        word_cloud(words, font="nowhere.ttf")


def test_blocks_of_explanations_add_up_to_the_same(explanations, table, monkeypatch) -> None:
    monkeypatch.setattr("clearhead.explain.words.BLOCK", 7)
    blocks = word_table(explanations)
    np.testing.assert_allclose(blocks.mean, table.mean, atol=1e-12)
    np.testing.assert_allclose(blocks.std_error, table.std_error, rtol=1e-9, atol=1e-12)
