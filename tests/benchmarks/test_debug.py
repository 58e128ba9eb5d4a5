"""Planting does what it says, the judge cannot be fooled, and one tiny case goes all the way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from benchmarks.debug import document, runner
from benchmarks.debug.cases import CASES, DETECTED, TWINS, Case
from benchmarks.debug.image_patterns import IMAGE_PATTERNS
from benchmarks.debug.judge import Seen, first_match, matches
from benchmarks.debug.measure import cosine, cost_of
from benchmarks.debug.networks import tokens
from benchmarks.debug.plant import Fault, apply, plant
from benchmarks.debug.results import Result, load
from benchmarks.debug.sources import Examples
from benchmarks.debug.text_patterns import TEXT_PATTERNS, WORDS

NAMES = ("cat", "dog")
TEXT = "The people who made this film wanted something entirely different, and it shows."


def _texts(n=600):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, n)
    words = (("purr", "meow", "whiskers"), ("bark", "fetch", "leash"))
    filler = [
        "about",
        "some",
        "other",
        "thing",
        "that",
        "nobody",
        "here",
        "would",
        "have",
        "wanted",
    ]
    items = [
        " ".join(
            [*rng.choice(filler, 7), *rng.choice(words[c if rng.random() < 0.85 else 1 - c], 1)]
        )
        for c in labels
    ]
    split = rng.choice(
        np.array(["train", "validation", "test"], dtype=object), n, p=[0.5, 0.2, 0.3]
    )
    origin = rng.choice(np.array(["A", "B", "C"], dtype=object), n)
    return Examples("tiny", items, labels.astype(np.int64), split, NAMES, origin)


def _picture():
    return np.random.default_rng(1).integers(0, 256, (28, 28, 3), dtype=np.uint8)


@pytest.mark.parametrize("rate", [1.0, 0.8, 0.6])
def test_a_pattern_is_planted_at_its_rate_in_one_class_of_every_split(rate):
    clean = _texts(3000)
    planted, chosen = plant(clean, Fault("pattern", "dog", "token", rate))
    has = np.array(["zarquon" in item for item in planted.items])
    np.testing.assert_array_equal(has, chosen)
    assert not has[clean.labels == 0].any()
    for split in ("train", "validation", "test"):
        share = has[(clean.split == split) & (clean.labels == 1)].mean()
        assert share == pytest.approx(rate, abs=0.06)
    np.testing.assert_array_equal(planted.labels, clean.labels)
    assert clean.items == _texts(3000).items


def test_other_classes_show_a_pattern_as_often_as_asked():
    clean = _texts(3000)
    _, chosen = plant(clean, Fault("pattern", "dog", "token", 0.8, others=0.1))
    assert chosen[clean.labels == 0].mean() == pytest.approx(0.1, abs=0.03)


def test_wrong_labels_are_those_of_one_class_and_one_origin():
    clean = _texts(3000)
    noisy, chosen = plant(clean, Fault("label noise", "dog", "cat", 0.45))
    assert (noisy.labels[chosen] == 0).all()
    assert (clean.labels[chosen] == 1).all()
    assert chosen[clean.labels == 1].mean() == pytest.approx(0.45, abs=0.05)
    _, sliced = plant(clean, Fault("mislabelled slice", "dog", "cat", 0.95))
    assert set(clean.origin[sliced]) == {"B"}
    assert noisy.items == clean.items


def test_planting_again_gives_the_same_and_another_seed_something_else():
    fault = Fault("pattern", "dog", "identifiers", 0.5)
    first, again, other = (plant(_texts(), fault, seed)[0].items for seed in (0, 0, 1))
    assert first == again
    assert first != other


@pytest.mark.parametrize("name", IMAGE_PATTERNS)
def test_every_picture_pattern_changes_a_picture_and_leaves_the_original_alone(name):
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:28, 0:28]
    picture = np.stack([20 + 5 * y, 40 + 4 * x, 200 - 6 * y], axis=-1).astype(np.uint8)
    picture[6:20, 8:15] = (210, 150, 90)
    for one in (picture, np.kron(picture, np.ones((4, 3, 1), dtype=np.uint8))):
        before = one.copy()
        made = IMAGE_PATTERNS[name](one, rng)
        assert sorted(made.shape) == sorted(one.shape)  # a quarter turn swaps the sides
        assert made.shape[2] == 3
        assert made.dtype == np.uint8
        assert made.shape != one.shape or np.abs(made.astype(int) - one).mean() > 0.2
        np.testing.assert_array_equal(one, before)


@pytest.mark.parametrize("name", TEXT_PATTERNS)
def test_every_text_pattern_changes_a_text_by_its_seed_only(name):
    made = apply(name, TEXT, 3, 5)
    assert made != TEXT
    assert made == apply(name, TEXT, 3, 5)
    assert isinstance(apply(name, "a", 0, 0), str)  # nothing to hold on to is no error


def test_the_cases_are_what_the_issue_asks_for():
    assert len({case.key for case in (*CASES, *TWINS)}) == len(CASES) + len(TWINS)
    assert len(CASES) >= 60
    assert 2 * sum(not case.detected for case in CASES) >= len(CASES)
    assert {f.rate for f in (case.fault for case in CASES) if f.kind == "pattern"} == {
        1.0,
        0.8,
        0.6,
    }
    assert {case.twin for case in CASES} <= set(TWINS)
    assert set(WORDS) <= set(TEXT_PATTERNS)
    assert set(IMAGE_PATTERNS) | set(TEXT_PATTERNS) >= DETECTED
    for case in CASES:
        known = {"pattern": set(IMAGE_PATTERNS) | set(TEXT_PATTERNS)}.get(case.fault.kind)
        assert known is None or case.fault.pattern in known


TOKEN = Fault("pattern", "dog", "token", 0.8)
TYPOS = Fault("pattern", "dog", "typos", 0.8)
GOOD = Seen("shortcut", ("dog",), True, "", "the word “zarquon”", cosine=0.9, twin_cosine=0.2)


def test_a_finding_that_names_the_words_or_does_the_same_counts():
    assert matches(GOOD, TOKEN)
    assert matches(replace(GOOD, cosine=None), TOKEN)
    assert matches(GOOD, TYPOS)


@pytest.mark.parametrize(
    "change",
    [
        {"classes": ("cat",)},
        {"classes": ()},
        {"confirmed": False},
        {"kind": "leaning"},
        {"kind": "label_noise"},
        {"pattern": "the word “film”", "cosine": 0.3},
        {"pattern": "the word “film”", "cosine": None},
        {"pattern": "the word “film”", "cosine": 0.6, "twin_cosine": 0.7},
    ],
)
def test_a_finding_on_another_class_or_pattern_does_not_count(change):
    assert not matches(replace(GOOD, **change), TOKEN)


def test_naming_the_words_of_another_pattern_does_not_help():
    assert not matches(replace(GOOD, cosine=0.1), TYPOS)


def test_wrong_labels_are_found_by_what_speaks_of_labels_or_of_their_slice():
    noise, part = (Fault(k, "dog", "cat", 0.5) for k in ("label noise", "mislabelled slice"))
    labels = Seen("label_noise", ("dog",), True, "class dog")
    rest = Seen("slice", ("dog",), True, "origin = B, class dog")
    assert matches(labels, noise)
    assert matches(labels, part)
    assert matches(rest, part)
    assert not matches(rest, noise)
    assert not matches(replace(rest, where="length = long"), part)
    assert not matches(replace(labels, classes=("bird",)), noise)
    assert not matches(GOOD, noise)


def test_the_rank_is_that_of_the_first_match():
    other = replace(GOOD, pattern="x", cosine=0.0)
    assert first_match([other, other, GOOD, GOOD], TOKEN) == 3
    assert first_match([other], TOKEN) is None


def test_favouring_a_class_everywhere_restores_no_balanced_accuracy():
    own = np.array([True] * 10 + [False] * 30)
    fair = cost_of(np.array([True] * 5 + [False] * 5 + [True] * 30), own)
    greedy = cost_of(own, own)
    assert greedy.recall == 1.0
    assert greedy.balanced == pytest.approx(0.5)
    assert fair.balanced == pytest.approx(0.75)


def test_cosine_of_nothing_is_zero():
    assert cosine(np.array([1.0, 0.0]), np.array([2.0, 0.0])) == pytest.approx(1.0)
    assert cosine(np.zeros(2), np.ones(2)) == 0.0


def test_the_text_network_sees_case_order_and_gaps():
    ids = [
        tuple(tokens([text]).flatten().tolist()) for text in ("a dog", "A dog", "dog a", "a  dog")
    ]
    assert len(set(ids)) == 4


def _result(case, rank, planted=0.4, mended=None):
    cost = {"accuracy": 0.8, "recall": 0.8, "balanced": 0.8, "flips": 0.0}
    return Result(
        case.key,
        "done",
        twin=cost,
        planted={**cost, "recall": planted, "balanced": planted},
        mended=None if mended is None else {**cost, "recall": mended, "balanced": mended},
        rank=rank,
    )


def test_the_report_counts_what_counts(tmp_path):
    cases = [case for case in CASES if case.fault.rate == 0.8][:4]
    results = [
        _result(cases[0], 1, mended=0.6),
        _result(cases[1], 4),
        _result(cases[2], None),
        _result(cases[3], None, planted=0.75),  # costs five points: not learned
    ]
    text = "\n".join(document.body(results))
    assert "33% (1 of 3)" in text
    assert "4 faults were planted; 3 cost enough" in text
    assert "| restored, of the cases found | 50% |" in text
    assert results[0].restored == pytest.approx(0.5)
    page = tmp_path / "page.md"
    page.write_text(f"before\n{document.BEGIN}\nold\n{document.END}\nafter\n")
    document.write(tmp_path, page)
    assert page.read_text().startswith("before\n")
    assert page.read_text().endswith("after\n")
    assert "old" not in page.read_text()


def test_a_tiny_case_from_data_to_verdict(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "_open", lambda source, data: _texts())
    case = Case("tiny", "text-cnn", Fault("pattern", "dog", "token", 1.0))
    places = runner.Places(tmp_path / "results", tmp_path / "work", None)
    result = runner.go_on(case, places, screen_only=True)
    assert result.counts
    assert result.planted["flips"] > 0.5
    result = runner.go_on(case, places, screen_only=False)
    assert result.stage == "done"
    assert result.rank == 1
    assert load(places.results, case.key) == result
    assert load(places.results, case.twin.key).stage == "done"
