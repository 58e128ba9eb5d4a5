"""Patterns put into inputs: what is measured is what the network does, and it is read back."""

from __future__ import annotations

import re
from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from clearhead.debug import Inputs, Proposal, change_inputs, confirm, load_pattern, save_pattern
from clearhead.debug.finding import Effect, Finding, FindingKind, rank
from clearhead.debug.merge import merge
from clearhead.debug.shortcut import propose_insertion
from clearhead.errors import CorruptFileError
from clearhead.run.debugging import inputs_of
from tests.debug.counted import CONTENT, FILLER, PLANTED, Word, run_of

WILD = 2


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    run = run_of(tmp_path_factory.mktemp("runs") / "planted", 0.9)
    found, reason = inputs_of(run)
    assert found is not None
    assert reason == ""
    return found


def propose(inputs: Inputs, word: str, control: str) -> Proposal:
    rows = inputs.rows("validation", other_than=WILD)
    controls = [Word(control).insert]
    change, _ = propose_insertion(inputs, Word(word), controls, rows)
    return Proposal(Word(word), controls, WILD, 0.9, 0.0, 1.0, change, "Planted.")


def test_changed_features_are_those_of_the_changed_texts(inputs: Inputs) -> None:
    rows = inputs.rows("validation", label=WILD)
    change = change_inputs(inputs, Word(PLANTED).remove, rows)
    assert 0 < len(change) < len(rows)  # the others have nothing to take out
    for at in (0, len(change) - 1):
        text = inputs.example(change.rows[at])
        assert PLANTED in text.split()
        without = Word(PLANTED).remove(text, 0)
        expected = inputs.backbone.features(inputs.backbone.prepare([without])).numpy()
        np.testing.assert_allclose(change.after[at], expected[0], rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(
            change.scores_after[at], inputs.layer.logits(expected)[0], rtol=1e-5, atol=1e-7
        )
    np.testing.assert_array_equal(change.before, inputs.stored(change.rows))
    np.testing.assert_allclose(
        change.shift(), (change.after - change.before).mean(axis=0), rtol=1e-5, atol=1e-7
    )
    assert change.log_odds_shift(WILD).mean() < 0


def test_a_planted_word_is_confirmed_and_carried_by_its_feature(inputs: Inputs) -> None:
    shortcut = confirm(inputs, propose(inputs, PLANTED, FILLER[0]), kind="shortcut")
    found = rank([shortcut.finding])[0]
    assert found.confirmed
    assert found.effect.low > 0.2
    assert found.classes == (WILD,)
    assert found.pattern == "the word 'zq'"
    assert shortcut.tested.used
    assert shortcut.tested.flips > shortcut.tested.control_flips
    assert "becomes" not in found.title or "wild" in found.title
    test = set(inputs.store.ids[inputs.split == "test"])
    assert set(found.examples) <= test
    planted = inputs.layer.used[
        np.argmax(np.abs(shortcut.shift[inputs.layer.used] / inputs.layer.scale[inputs.layer.used]))
    ]
    assert found.features[0] == planted


def test_a_word_that_flips_nothing_is_confirmed_by_the_probability_that_it_adds(
    inputs: Inputs,
) -> None:
    far = copy(inputs)  # every example is far from the class
    far.layer = replace(inputs.layer, bias=inputs.layer.bias - 6.0 * (np.arange(3) == WILD))
    shortcut = confirm(far, propose(far, CONTENT["wild"][0], FILLER[0]), kind="shortcut")
    (found,) = rank([shortcut.finding])
    assert shortcut.tested.flips == 0
    assert found.confirmed
    assert shortcut.tested.used
    assert "makes wild likelier, by" in found.title
    assert 0 < found.effect.low < found.effect.value < 0.1
    same = confirm(far, propose(far, CONTENT["wild"][0], FILLER[0]), kind="bias")
    assert not rank([same.finding])[0].confirmed  # of people only what flips counts
    nothing = confirm(far, propose(far, FILLER[1], FILLER[0]), kind="shortcut")
    assert not rank([nothing.finding])[0].confirmed


def test_a_word_that_says_nothing_is_not_confirmed(inputs: Inputs) -> None:
    shortcut = confirm(inputs, propose(inputs, FILLER[1], FILLER[0]), kind="shortcut")
    found = rank([shortcut.finding])[0]
    assert not found.confirmed
    assert found.title == found.suspicion
    assert not shortcut.tested.used
    assert shortcut.tested.shift_low <= shortcut.tested.shift <= shortcut.tested.shift_high


def test_examples_that_have_the_pattern_are_left_out(inputs: Inputs) -> None:
    rows = inputs.rows("validation")
    change, control = propose_insertion(inputs, Word(PLANTED), [Word(FILLER[0]).insert], rows)
    assert list(change.rows) == list(control.rows)
    assert not any(PLANTED in inputs.example(row).split() for row in change.rows)
    assert len(change) < len(rows)


def test_samples_are_the_same_each_time_and_of_what_was_asked(inputs: Inputs) -> None:
    rows = inputs.rows("train", other_than=WILD, most=50)
    assert list(rows) == list(inputs.rows("train", other_than=WILD, most=50))
    assert list(rows) != list(inputs.rows("train", other_than=WILD, most=50, salt=1))
    assert len(rows) == 50
    assert set(inputs.split[rows]) == {"train"}
    assert WILD not in inputs.labels[rows]
    assert set(inputs.labels[inputs.rows("test", label=WILD)]) == {WILD}


def test_equal_texts_are_run_once(inputs: Inputs) -> None:
    before = inputs.evaluations
    found = inputs.features(["calm1 zq", "filler1", "calm1 zq"])
    assert inputs.evaluations == before + 2
    np.testing.assert_array_equal(found[0], found[2])
    assert inputs.features([]).shape == (0, inputs.layer.weight.shape[1])


def test_a_pattern_is_read_back_and_damage_is_named(tmp_path: Path) -> None:
    save_pattern(tmp_path, "one", Word("<b>"), np.arange(3.0))
    pattern, shift = load_pattern(tmp_path, "one")
    assert isinstance(pattern, Word)
    assert pattern.word == "<b>"
    np.testing.assert_array_equal(shift, np.arange(3.0))
    (tmp_path / "one.json").write_text((tmp_path / "one.json").read_text().replace("test", "no"))
    with pytest.raises(CorruptFileError, match="clearhead debug RUN --force"):
        load_pattern(tmp_path, "one")
    with pytest.raises(CorruptFileError, match="missing"):
        load_pattern(tmp_path, "two")


def test_what_says_the_same_is_told_once(inputs: Inputs) -> None:
    first = confirm(inputs, propose(inputs, PLANTED, FILLER[0]), kind="shortcut")
    content = confirm(inputs, propose(inputs, CONTENT["wild"][0], FILLER[0]), kind="shortcut")
    twin = replace(first.finding, where="elsewhere", pattern="its twin")
    leaning = replace(
        first.finding,
        kind="leaning",
        where="a feature",
        pattern=None,
        features=first.finding.features[:1],
        title="class wild leans on it",
    )
    ranked = rank([first.finding, twin, leaning, content.finding])
    shifts = {
        first.finding.key: first.shift,
        twin.key: first.shift,
        content.finding.key: content.shift,
    }
    merged = merge(ranked, shifts)
    assert len(merged) == 2
    assert "its twin" in merged[0].evidence or first.finding.pattern in merged[0].evidence
    assert "leans on it" in merged[0].evidence
    unsure = [replace(one, confirmed=False) for one in ranked]
    assert merge(unsure, shifts) == unsure


def test_a_class_that_was_given_up_and_what_it_is_taken_for_are_one_finding() -> None:
    effect = Effect("recall lost", 0.2, 0.1, 0.3, 100)

    def found(kind: FindingKind, classes: tuple[int, ...]) -> Finding:
        return Finding(
            kind,
            f"{kind} {classes}",
            "s",
            where=f"{kind} {classes}",
            evidence="Seen.",
            effect=effect,
            p_value=0.001,
            mend="m",
            classes=classes,
            confirmed=True,
        )

    pair, lost, other = (
        found("confusion", (0, 1)),
        found("given_up", (0,)),
        found("given_up", (1,)),
    )
    for ranked in ([pair, lost, other], [lost, pair, other]):
        first, second = merge(ranked, {})
        assert first.kind == ranked[0].kind
        assert ranked[1].title in first.evidence
        assert second is other


def test_a_pattern_is_taken_out_only_of_what_shows_it(inputs: Inputs) -> None:
    class Anyhow(Word):
        """Takes a word away from any text."""

        def remove(self, example: str, seed: int) -> str:
            return example.partition(" ")[2]

    proposal = propose(inputs, PLANTED, FILLER[0])
    shown = [Word(PLANTED).has(inputs.example(i)) for i in inputs.rows("test", label=WILD)]
    assert not all(shown)
    found = confirm(inputs, replace(proposal, pattern=Anyhow(PLANTED)), kind="shortcut")
    (n,) = re.findall(r"Taking it out of (\d+) wild", found.finding.evidence)
    assert 0 < int(n) <= sum(shown)
