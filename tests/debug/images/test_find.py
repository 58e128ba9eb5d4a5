from __future__ import annotations

import pytest

from clearhead.debug.images import ImageEffort, find_image_shortcuts
from clearhead.debug.inputs import Inputs
from clearhead.debug.pattern import load_pattern, save_pattern
from clearhead.errors import InputError
from tests.debug.images.small import blurred, cornered, framed, make_inputs

EFFORT = ImageEffort(receivers=36, own=30, looked=24, per_class=1, confirmed=2)


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


@pytest.mark.parametrize("plant", [blurred, cornered])
def test_planted_pattern_comes_first(tmp_path, plant):
    shortcuts, _ = find_image_shortcuts(make_inputs(tmp_path, plant), effort=EFFORT)
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
    save_pattern(tmp_path, "found", best.pattern)
    again = load_pattern(tmp_path, "found")
    example = with_frame.example(0)
    assert again.describe() == best.pattern.describe()
    assert again.insert(example, 3).tobytes() == best.pattern.insert(example, 3).tobytes()
    assert again.presence(example) == pytest.approx(best.pattern.presence(example))


def test_the_same_inputs_give_the_same_findings(with_frame):
    effort = ImageEffort(classes=1, receivers=10, own=20, looked=10, confirmed=1)
    first, _ = find_image_shortcuts(with_frame, effort=effort)
    again, _ = find_image_shortcuts(with_frame, effort=effort)
    assert [one.finding for one in first] == [one.finding for one in again]


def test_fewer_classes_than_there_are_is_said(with_frame):
    told = []
    with_frame.on_event = told.append
    find_image_shortcuts(
        with_frame, effort=ImageEffort(classes=1, receivers=6, own=10, looked=6, confirmed=1)
    )
    with_frame.on_event = None
    assert any("1 of 3 classes" in event.message for event in told if event.kind == "warning")


def test_texts_are_refused(with_frame, monkeypatch):
    monkeypatch.setattr(type(with_frame), "modality", "text")
    with pytest.raises(InputError, match="find_text_shortcuts"):
        find_image_shortcuts(with_frame)
