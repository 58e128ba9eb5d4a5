from __future__ import annotations

import pytest

from clearhead.debug.images import ImageEffort, find_image_shortcuts
from clearhead.debug.images.families import FamilyPattern
from clearhead.debug.images.links import Links
from clearhead.debug.images.space import FeatureSpace
from clearhead.debug.images.trial import Trials
from clearhead.debug.inputs import Inputs
from clearhead.debug.pattern import load_pattern, save_pattern
from clearhead.errors import InputError
from tests.debug.images.small import cornered, framed, make_inputs

EFFORT = ImageEffort(
    receivers=24, again=24, own=24, learned=24, looked=20, per_class=1, confirmed=2
)
LEAST = ImageEffort(
    classes=1, receivers=6, again=6, own=8, learned=6, looked=6, per_class=1, confirmed=1
)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return make_inputs(tmp_path_factory.mktemp("clean"), None)


@pytest.fixture(scope="module")
def with_frame(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return make_inputs(tmp_path_factory.mktemp("framed"), framed, share=0.8)


def test_clean_model_gives_nothing(clean):
    shortcuts, tested = find_image_shortcuts(clean, effort=EFFORT)
    assert [one for one in shortcuts if one.tested.used] == []
    assert not any(one.used for one in tested)


def test_planted_pattern_comes_first(tmp_path):
    shortcuts, _ = find_image_shortcuts(make_inputs(tmp_path, cornered), effort=EFFORT)
    best = max(shortcuts, key=lambda one: one.finding.effect.low)
    assert best.finding.classes == (1,)
    assert best.tested.used
    assert best.finding.effect.low > 0.1


def test_what_is_found_says_what_it_is_and_can_be_saved(with_frame, tmp_path):
    shortcuts, tested = find_image_shortcuts(with_frame, effort=EFFORT)
    best = max(shortcuts, key=lambda one: one.finding.effect.low)
    assert best.finding.classes == (1,)
    assert best.tested in tested
    assert best.tested.inside > best.tested.outside + 0.3
    assert best.shift.shape == (with_frame.store.p,)
    save_pattern(tmp_path, "found", best.pattern, best.shift)
    again, _ = load_pattern(tmp_path, "found")
    example = with_frame.example(0)
    assert again.describe() == best.pattern.describe()
    assert again.insert(example, 3).tobytes() == best.pattern.insert(example, 3).tobytes()
    assert again.presence(example) == pytest.approx(best.pattern.presence(example))


def test_the_same_inputs_give_the_same_findings_and_classes_left_out_are_said(with_frame):
    told = []
    with_frame.on_event = told.append
    first, tested = find_image_shortcuts(with_frame, effort=LEAST)
    with_frame.on_event = None
    again, same = find_image_shortcuts(with_frame, effort=LEAST)
    assert [one.finding for one in first] == [one.finding for one in again]
    assert tested == same
    assert any("1 of 3 classes" in event.message for event in told if event.kind == "warning")


def test_presence_is_that_of_the_planted_pattern_whatever_the_class_is_like(with_frame):
    links = Links(with_frame, 30, 30)
    found = links.of(FamilyPattern("dark frame", 0.1))
    assert found.lead(1) > 0.5
    assert found.share[1] == pytest.approx(0.8, abs=0.2)
    assert found.outside(1) < 0.2
    assert links.of(FamilyPattern("twirled", 1.0)).lead(1) < 0.3


def test_what_was_put_in_takes_other_classes_to_the_class_and_nothing_else_does(with_frame, clean):
    links = Links(with_frame, 30, 30)
    frame = links.of(FamilyPattern("dark frame", 0.1))
    assert frame.nearer[1] > 0.3
    assert max(frame.nearer[0], frame.nearer[2]) < 0
    assert links.of(FamilyPattern("blurred", 0.024)).nearer[1] < 0
    assert Links(clean, 30, 30).of(FamilyPattern("dark frame", 0.1)).nearer.max() < 0


def test_strength_is_fitted_to_what_the_class_shows(with_frame):
    rows = with_frame.rows("validation", most=6)
    trials = Trials(with_frame, FeatureSpace(with_frame), Links(with_frame, 30, 30), rows)
    thin = trials.run(FamilyPattern("dark frame", 0.03), "family", None)
    fitted = trials.fitted(thin, 1)
    assert fitted.pattern.strength == 0.1
    assert trials.fitted(fitted, 1) is None


def test_texts_are_refused(with_frame, monkeypatch):
    monkeypatch.setattr(type(with_frame), "modality", "text")
    with pytest.raises(InputError, match="find_text_shortcuts"):
        find_image_shortcuts(with_frame)
