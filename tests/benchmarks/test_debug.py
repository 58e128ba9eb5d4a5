"""Planting does what it says, the judge cannot be fooled, and one tiny case goes all the way."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks.debug import document, runner
from benchmarks.debug.cases import CASES, DETECTED, LATER, TWINS, Case
from benchmarks.debug.fingerprint import fingerprint
from benchmarks.debug.held_out_pictures import HELD_OUT_PICTURES
from benchmarks.debug.held_out_texts import HELD_OUT_TEXTS
from benchmarks.debug.image_patterns import IMAGE_PATTERNS
from benchmarks.debug.judge import Seen, first_match, matches
from benchmarks.debug.later_pictures import LATER_PICTURES
from benchmarks.debug.later_texts import LATER_TEXTS
from benchmarks.debug.measure import cosine, cost_of
from benchmarks.debug.networks import tokens
from benchmarks.debug.plant import PICTURES, TEXTS, Fault, apply, plant
from benchmarks.debug.results import Result, load, save
from benchmarks.debug.sources import Examples
from benchmarks.debug.text_patterns import TEXT_PATTERNS, WORDS

from clearhead.debug.images.families import FAMILIES
from clearhead.debug.labels.lapse import fit_lapses
from clearhead.debug.labels.noisy_pair import NoisyPair, depth
from clearhead.debug.texts.styles import STYLES
from clearhead.debug.texts.token_kind import KINDS

NAMES = ("cat", "dog")
TEXT = (
    "The people who made this film wanted something entirely different, and it is a mess. "
    "It isn't as good as you would hope."
)


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


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_pattern_changes_a_picture_and_leaves_the_original_alone(name):
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:28, 0:28]
    picture = np.stack([20 + 5 * y, 40 + 4 * x, 200 - 6 * y], axis=-1).astype(np.uint8)
    picture[6:20, 8:15] = (210, 150, 90)
    for one in (picture, np.kron(picture, np.ones((4, 3, 1), dtype=np.uint8))):
        before = one.copy()
        made = PICTURES[name](one, rng)
        assert sorted(made.shape) == sorted(one.shape)  # a quarter turn swaps the sides
        assert made.shape[2] == 3
        assert made.dtype == np.uint8
        assert made.shape != one.shape or np.abs(made.astype(int) - one).mean() > 0.2
        np.testing.assert_array_equal(one, before)


@pytest.mark.parametrize("name", TEXTS)
def test_every_text_pattern_changes_a_text_by_its_seed_only(name):
    made = apply(name, TEXT, 3, 5)
    assert made != TEXT
    assert made == apply(name, TEXT, 3, 5)
    assert isinstance(apply(name, "a", 0, 0), str)  # nothing to hold on to is no error


@pytest.mark.parametrize("name", LATER_PICTURES)
def test_a_later_picture_pattern_depends_on_its_seed_only_and_fits_any_sides(name):
    for picture in (_picture(), np.random.default_rng(1).integers(0, 256, (64, 48, 3), np.uint8)):
        made = apply(name, picture, 3, 5)
        assert made.shape == picture.shape
        np.testing.assert_array_equal(made, apply(name, picture, 3, 5))
        assert any((made != apply(name, picture, 3, i)).any() for i in range(6, 12))


@pytest.mark.parametrize("name", LATER_TEXTS)
def test_a_later_text_pattern_changes_texts_of_both_kinds_and_is_no_fixed_word(name):
    rng = np.random.default_rng(2)
    plain = re.sub("[^a-z ]", "", TEXT.lower()).split()
    review = re.sub("([,.])", r" \1", TEXT.lower())
    for before in (review, " ".join(rng.choice(plain, 60))):
        made = [apply(name, before, 0, i) for i in range(40)]
        assert all(one != before for one in made)
        assert all(0.5 < len(one) / len(before) < 1.7 for one in made)
        put_in = Counter(word for one in made for word in {*one.split()} - {*before.split()})
        assert max(put_in.values(), default=0) <= 30


def _fault_at(case):
    return case.source, case.network, case.fault


def test_what_is_held_out_has_no_finder_of_its_name():
    first, later = {*HELD_OUT_PICTURES, *HELD_OUT_TEXTS}, {*LATER_PICTURES, *LATER_TEXTS}
    assert not later & (first | set(IMAGE_PATTERNS) | set(TEXT_PATTERNS))
    held_out = first | later
    assert not held_out & DETECTED
    finders = {*FAMILIES, *STYLES, *KINDS}
    finders |= {family.words for family in FAMILIES.values()}
    finders |= {rule.name for rule in STYLES.values()} | {name for name, _ in KINDS.values()}
    assert not held_out & finders


def test_the_cases_are_what_the_issue_asks_for():
    assert len({case.key for case in (*CASES, *TWINS)}) == len(CASES) + len(TWINS)
    assert len(CASES) >= 100  # of which about two in three are learned
    assert 2 * sum(not case.detected for case in CASES) >= len(CASES)
    assert all(count == 1 for count in Counter(map(_fault_at, CASES)).values())
    assert {f.rate for f in (case.fault for case in CASES) if f.kind == "pattern"} == {
        1.0,
        0.8,
        0.6,
    }
    assert {case.twin for case in CASES} <= set(TWINS)
    assert set(WORDS) <= set(TEXTS)
    assert set(PICTURES) | set(TEXTS) >= DETECTED
    for case in CASES:
        known = {"pattern": set(PICTURES) | set(TEXTS)}.get(case.fault.kind)
        assert known is None or case.fault.pattern in known


def test_later_cases_are_others_and_have_twins():
    assert {case.seed for case in LATER} == {1}
    assert not {case.key for case in LATER} & {case.key for case in (*CASES, *TWINS)}
    assert not set(map(_fault_at, LATER)) & set(map(_fault_at, CASES))
    assert len({case.key for case in LATER}) == len(LATER)
    assert {case.twin for case in LATER} <= set(TWINS)
    patterns = Counter(case.fault.pattern for case in LATER)
    assert all(count == 1 for count in patterns.values())
    assert set(patterns) >= {*LATER_PICTURES, *LATER_TEXTS}
    assert not set(patterns) & {case.fault.pattern for case in CASES}
    for case in LATER:
        assert case.fault.pattern in (PICTURES if case.source == "fashion" else TEXTS)
    assert [Result(case.key).case for case in LATER] == list(LATER)


TOKEN = Fault("pattern", "dog", "token", 0.8)
TYPOS = Fault("pattern", "dog", "typos", 0.8)
GOOD = Seen("shortcut", ("dog",), True, "", "the word “zarquon”", cosine=0.9, shown=0.8)


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
        {"pattern": "the word “film”", "shown": 0.0},
        {"pattern": "the word “film”", "shown": None},
        {"pattern": "the word “film”", "in_twin": True},
    ],
)
def test_a_finding_on_another_class_or_pattern_does_not_count(change):
    assert not matches(replace(GOOD, **change), TOKEN)


def test_naming_the_words_of_another_pattern_does_not_help():
    assert not matches(replace(GOOD, cosine=0.1), TYPOS)


def test_of_two_classes_what_the_one_lost_names_the_fault():
    lost = replace(GOOD, classes=("cat",), cosine=-0.8, shown=-0.4, opposite=True)
    assert matches(lost, TYPOS)
    for change in (
        {"opposite": False},  # of three classes the others have it for reasons of their own
        {"cosine": -0.3},
        {"cosine": 0.8},
        {"shown": 0.4},
        {"shown": None},
        {"in_twin": True},
        {"confirmed": False},
    ):
        assert not matches(replace(lost, **change), TYPOS)


def test_wrong_labels_are_found_by_what_speaks_of_labels_or_of_their_slice():
    noise, part = (Fault(k, "dog", "cat", 0.5) for k in ("label noise", "mislabelled slice"))
    labels = Seen("label_noise", ("cat", "dog"), True, "class cat, examples that look like dog")
    rest = Seen("slice", ("cat",), True, "origin = B, class cat")
    assert matches(labels, noise)
    assert matches(labels, part)
    assert matches(rest, part)
    assert matches(replace(rest, kind="label_noise"), part)
    assert matches(replace(rest, classes=()), part)
    assert not matches(rest, noise)
    assert not matches(replace(rest, kind="label_noise"), noise)
    assert not matches(replace(rest, where="length = long"), part)
    assert not matches(replace(rest, classes=("bird",)), part)
    assert not matches(GOOD, noise)


@pytest.mark.parametrize("classes", [("dog", "cat"), ("cat",), ("dog",), ("bird", "dog"), ()])
def test_label_noise_has_to_say_which_class_got_which_label(classes):
    for kind in ("label noise", "mislabelled slice"):
        seen = Seen("label_noise", classes, True, "class cat, examples that look like dog")
        assert not matches(seen, Fault(kind, "dog", "cat", 0.5))


def test_the_direction_is_the_one_that_the_product_tells():
    """Of 100 examples of class 0, 40 carry the label 1: that is the pair which is found."""
    rng = np.random.default_rng(0)
    true = np.repeat([0, 1], 300)
    scores = rng.normal(0, 1, (600, 2)) + 4 * np.eye(2)[true]
    given = np.where((true == 0) & (rng.random(600) < 0.4), 1, true)
    rows, d = depth(scores, given, (0, 1))
    lapses = fit_lapses(d, given[rows] == 1)
    pair = NoisyPair.of((0, 1), lapses, scores, given, n_suspects=1)
    assert (pair.true, pair.given) == (0, 1)
    assert pair.rate == pytest.approx(0.4, abs=0.08)
    rows, d = depth(scores, given, (1, 0))
    assert fit_lapses(d, given[rows] == 0).floor < 0.05


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
        stage="done",
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
    assert "Cases that came later" not in text
    later = [_result(LATER[0], 1, mended=0.6), _result(LATER[1], None, planted=0.75)]
    both = "\n".join(document.body([*results, *later]))
    assert "33% (1 of 3)" in both  # counted apart
    assert "4 faults were planted; 3 cost enough" in both
    assert "2 faults were planted, 1 cost enough" in both.partition("Cases that came later")[2]
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
    twin = load(places.results, case.twin.key)
    assert result.twin_made == twin.made != result.made
    assert case.twin.key in {
        one.name.rpartition("-")[0] for one in (tmp_path / "work/runs").iterdir()
    }
    monkeypatch.setattr(runner, "_Bench", None)  # nothing is made again
    assert runner.go_on(case, places, screen_only=False) == result
    assert runner.go_on(case.twin, places, screen_only=False) == twin
    save(places.results, replace(result, twin_made=""))  # as older results are
    assert runner.go_on(case, places, screen_only=False) == result == load(places.results, case.key)


def test_weights_and_results_of_other_data_or_settings_are_not_used(tmp_path, monkeypatch):
    one = _texts()
    again = fingerprint("text-cnn", 0, one, {"tol": 1e-3})
    assert again == fingerprint("text-cnn", 0, _texts(), {"tol": 1e-3})
    items = [one.items[0] + " ", *one.items[1:]]
    moved = [one.items[0] + "a", one.items[1][1:], *one.items[2:]]
    labels = one.labels.copy()
    labels[0] = 1 - labels[0]
    others = [
        fingerprint("cnn", 0, one, {"tol": 1e-3}),
        fingerprint("text-cnn", 1, one, {"tol": 1e-3}),
        fingerprint("text-cnn", 0, one, {"tol": 1e-2}),
        fingerprint("text-cnn", 0, replace(one, items=items), {"tol": 1e-3}),
        fingerprint("text-cnn", 0, replace(one, items=moved), {"tol": 1e-3}),
        fingerprint("text-cnn", 0, replace(one, labels=labels), {"tol": 1e-3}),
        fingerprint("text-cnn", 0, replace(one, split=one.split[::-1]), {"tol": 1e-3}),
    ]
    assert len({again, *others}) == 8

    monkeypatch.setattr(runner, "_open", lambda source, data: one)
    case = Case("tiny", "text-cnn", Fault("pattern", "dog", "token", 1.0))
    places = runner.Places(tmp_path / "results", tmp_path / "work", None)
    save(places.results, Result(case.key, made="of something else", stage="done", rank=1))
    stopped = {}

    def stop(prepared, result):
        stopped.update(asdict(result))
        raise InterruptedError

    monkeypatch.setattr(runner, "_Bench", stop)
    with pytest.raises(InterruptedError):
        runner.go_on(replace(case, fault=None), places, screen_only=True)
    assert stopped["made"] in str(runner._Prepared(case.twin, places).weights)
    with pytest.raises(InterruptedError):
        runner.go_on(case, places, screen_only=True)
    assert load(places.results, case.key).rank is None


def test_the_report_names_results_that_do_not_belong_together(tmp_path):
    one, two = [case for case in CASES if case.twin == CASES[0].twin][:2]
    other = next(case for case in CASES if case.twin != one.twin)
    results = [
        replace(_result(one.twin, None), made="now", planted=None),
        replace(_result(one, 1), made="a", twin_made="now"),
        replace(_result(two, 1), made="b", twin_made="then"),
        replace(_result(other, 1), made="c", twin_made="its twin is not here"),
    ]
    assert document.strays(results) == [results[2]]
    (said,) = document.warnings(results)
    assert "1 results are of other data, networks or settings" in said
    assert said in document.body(results)
    page = tmp_path / "page.md"
    page.write_text(f"{document.BEGIN}\n{document.END}\n")
    for result in results:
        save(tmp_path / "results", result)
    assert len(document.write(tmp_path / "results", page)) == 1
    assert f"`{two.key}`" in page.read_text()
    save(tmp_path / "results", replace(results[2], twin_made="now"))
    assert document.write(tmp_path / "results", page) == []
    save(tmp_path / "results", replace(results[2], twin_made=""))
    assert "1 results do not say" in document.write(tmp_path / "results", page)[0]


def test_cases_run_in_several_processes(tmp_path):
    command = [sys.executable, "-m", "benchmarks.debug", "run", "--jobs", "2"]
    ran = subprocess.run(
        [*command, "--cases", "clothing-*", "--results", str(tmp_path)],
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        timeout=240,
    )
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert len(lines) == sum(one.source == "clothing" for one in (*CASES, *LATER, *TWINS))
    assert all("skipped, needs --data" in line for line in lines)
