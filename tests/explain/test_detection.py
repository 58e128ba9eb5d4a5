"""Detection, where it is known what an explanation can predict."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from clearhead.errors import InputError
from clearhead.explain import (
    Detection,
    LimeExplanation,
    Parts,
    Trust,
    describe_regions,
    detect,
    detect_regions,
    detect_words,
    firing,
    regions_of,
    trust,
    word_table,
)
from clearhead.explain.detection import _thresholds
from tests.explain.bag_of_words import (
    BOTH,
    CONSTANT,
    FEATURES,
    HIGH,
    NOISE,
    BagOfWords,
    activations,
    explain,
    make_texts,
)


@pytest.fixture(scope="module")
def texts():
    network = BagOfWords()
    train, test = make_texts(400, seed=2), make_texts(400, seed=3)
    return (train, activations(network, train, 4)), (test, activations(network, test, 5))


@pytest.fixture(scope="module")
def judged(texts) -> dict[tuple[int, str], Detection]:
    table = word_table(explain(BagOfWords(), make_texts(150, seed=0), seed=1))
    found = detect_words(table, *texts[0], *texts[1])
    return {(one.feature, one.direction): one for one in found}


def test_words_predict_the_features_that_fire_on_words(judged) -> None:
    assert judged[HIGH, "high"].balanced_accuracy > 0.9
    assert judged[BOTH, "high"].balanced_accuracy > 0.9
    assert judged[BOTH, "low"].balanced_accuracy > 0.9
    assert judged[BOTH, "low"].clear
    assert "unclear" not in str(judged[BOTH, "low"])


def test_noise_is_unclear_and_a_constant_is_not_judged(judged) -> None:
    assert 0.4 < judged[NOISE, "high"].balanced_accuracy < 0.6
    assert not judged[NOISE, "high"].clear
    assert (CONSTANT, "high") not in judged
    by_feature = {one.feature: one for one in trust(FEATURES, list(judged.values()))}
    assert by_feature[BOTH].clear
    assert not by_feature[NOISE].clear
    assert str(by_feature[NOISE]).startswith("feature 11: unclear")
    assert by_feature[CONSTANT].best is None
    assert "too few examples" in str(by_feature[CONSTANT])
    assert "unclear" in by_feature[NOISE]._repr_html_()
    for one in by_feature.values():
        assert Trust.from_dict(json.loads(json.dumps(one.to_dict()))) == one


def test_bounds_hold_for_all_that_were_judged_together(judged) -> None:
    one = judged[BOTH, "high"]
    assert one.lower_bound < one.low < one.balanced_accuracy <= one.high
    alone = trust([BOTH], [one])[0].detections[0]
    among = trust([BOTH], [one] * 50)[0].detections[0]
    assert among.lower_bound < one.lower_bound < alone.lower_bound
    assert alone.low == one.low


def test_words_that_speak_for_a_class_are_refused(texts) -> None:
    from dataclasses import replace

    table = word_table(explain(BagOfWords(), make_texts(20, seed=0), seed=1))
    with pytest.raises(InputError, match="speak for 'good'"):
        detect_words(replace(table, towards="good"), *texts[0], *texts[1])


def test_an_empty_table_predicts_nothing(texts) -> None:
    table = word_table(explain(BagOfWords(), ["once"], seed=0))
    for one in detect_words(table, *texts[0], *texts[1]):
        assert one.balanced_accuracy == 0.5
        assert not one.clear


def test_firing_of_sparse_and_two_sided_features() -> None:
    rng = np.random.default_rng(0)
    relu = np.where(np.arange(1000) % 10 == 0, rng.random(1000) + 0.1, 0.0)
    both = rng.normal(size=1000)
    z = np.stack([relu, both, np.zeros(1000)], axis=1)
    assert firing(z, z, "high").sum(axis=0).tolist() == [100, 200, 0]
    assert firing(z, z, "low").sum(axis=0).tolist() == [0, 200, 0]
    directions = [(one.feature, one.direction) for one in _detect(z, z)]
    assert directions == [(0, "high"), (1, "high"), (1, "low")]
    assert all(one.balanced_accuracy == 1.0 for one in _detect(z, z))


def test_threshold_is_the_best_of_all_cuts() -> None:
    rng = np.random.default_rng(1)
    scores = rng.integers(0, 6, size=(60, 40)).astype(float)  # with ties
    fires = rng.random((60, 40)) < 0.3
    found = _thresholds(scores, fires)

    def balanced(predicted, truth):
        return (predicted[truth].mean() + (~predicted[~truth]).mean()) / 2

    for column in range(40):
        s, f = scores[:, column], fires[:, column]
        best = max(balanced(s > cut, f) for cut in (-math.inf, *np.unique(s)))
        assert balanced(s > found[column], f) == pytest.approx(best)


def test_interval_covers_the_truth_as_often_as_it_says() -> None:
    """1,000 simulated test splits of a predictor with recall .7 and specificity .9."""
    rng = np.random.default_rng(2)
    n, u = 200, 1000
    z = np.where(np.arange(n) < 40, 1.0, 0.0)[:, None] + np.zeros(u)
    right = rng.random((n, u)) < np.where(z > 0, 0.7, 0.9)
    scores = np.where(right, z, 1 - z)
    train = np.where(np.arange(n) < 40, 1.0, 0.0)[:, None] + np.zeros(u)
    found = detect(np.arange(u), train, train, scores, z, explanation="x", directions=["high"])
    covered = np.mean([one.low <= 0.8 <= one.high for one in found])
    assert 0.93 < covered < 0.98
    # All 1,000 bounds together hold in nearly every repetition.
    assert all(one.lower_bound <= 0.8 for one in found)


def test_bad_input_is_named() -> None:
    z = np.random.default_rng(0).normal(size=(50, 2))
    with pytest.raises(InputError, match=r"train_z: expected shape \(50, 2\)"):
        detect(np.arange(2), z, z[:, :1], z, z, explanation="x")
    with pytest.raises(InputError, match="test_scores: not every value is finite"):
        detect(np.arange(2), z, z, z * np.nan, z, explanation="x")
    with pytest.raises(InputError, match="test_scores: there is no example"):
        detect(np.arange(2), z, z, z[:0], z[:0], explanation="x")
    with pytest.raises(InputError, match="directions"):
        detect(np.arange(2), z, z, z, z, explanation="x", directions=["up"])


def _detect(train, test) -> list[Detection]:
    features = np.arange(train.shape[1])
    return detect(features, train, train, test, test, explanation="itself")


def _picture(rng, red: bool) -> np.ndarray:
    """Grey-blue noise with, perhaps, a red square."""
    pixels = rng.integers(60, 200, size=(32, 32, 3))
    pixels[:, :, 0] = pixels[:, :, 0] // 2
    if red:
        top, left = rng.integers(0, 20, size=2)
        pixels[top : top + 12, left : left + 12] = (220, 30, 30)
    return pixels.astype(np.uint8)


def _redness(pixels: np.ndarray) -> float:
    r, g, b = (pixels[:, :, c].astype(float) for c in range(3))
    return float(np.maximum(r - np.maximum(g, b), 0).mean()) / 10


def _grid(image) -> Parts:
    return regions_of(image, 16, "grid")


def test_regions_find_a_feature_that_fires_on_red_and_not_one_of_noise() -> None:
    pytest.importorskip("skimage")
    rng = np.random.default_rng(0)
    features = np.array([4, 9])

    def draw(n: int) -> tuple[list[np.ndarray], np.ndarray]:
        images = [_picture(rng, red=i % 4 == 0) for i in range(n)]
        z = np.stack([[_redness(image) for image in images], rng.normal(size=n)], axis=1)
        return images, z

    explained, z = draw(40)
    explanations = []
    for i, image in enumerate(explained):
        parts = _grid(image)
        weight = np.zeros((len(parts), 2), dtype=np.float32)
        for region in range(len(parts)):
            hidden = image.copy()
            hidden[parts.segments == region] = 128
            weight[region, 0] = _redness(image) - _redness(hidden)
        weight[:, 1] = rng.normal(size=len(parts))
        ones = np.ones(2, dtype=np.float32)
        explanations.append(
            LimeExplanation(str(i), features, parts, weight, weight * 0, ones, ones, z[i])
        )
    train, test = draw(100), draw(200)
    found = detect_regions(explanations, *train, *test, segment=_grid)
    by_key = {(one.feature, one.direction): one for one in found}
    assert by_key[4, "high"].balanced_accuracy > 0.9
    assert by_key[4, "high"].clear
    assert not by_key[9, "high"].clear
    assert not by_key[9, "low"].clear
    assert by_key[9, "low"].explanation == "regions"


def test_what_regions_look_like() -> None:
    pytest.importorskip("skimage")
    pixels = np.zeros((20, 40, 3), dtype=np.uint8)
    pixels[:, 20:] = (255, 0, 0)
    pixels[::2, :20] = 255  # stripes
    segments = np.repeat([[0] * 20 + [1] * 20], 20, axis=0)
    looks = describe_regions(Parts("regions", segments=segments, picture=pixels))
    stripes, red = looks
    assert red[1] == pytest.approx(80, abs=1)  # a* of red
    assert abs(stripes[1]) < 1
    assert stripes[3] > 40 > 1 > red[3]  # spread of L*
    assert stripes[13] == red[13] == 0.5
    one_pixel = Parts("regions", segments=np.zeros((1, 1), int), picture=pixels[:1, :1])
    assert np.isfinite(describe_regions(one_pixel)).all()
    with pytest.raises(InputError, match="expected the regions of a picture"):
        describe_regions(Parts("words"))
