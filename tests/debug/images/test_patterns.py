from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from clearhead.debug.images.colours import Colours
from clearhead.debug.images.cutting import Patch
from clearhead.debug.images.families import FAMILIES, FamilyPattern
from clearhead.debug.images.lighting import Lighting
from clearhead.debug.images.looks import Detector, describe_look
from clearhead.debug.images.overlay import Overlay
from clearhead.debug.images.pixels import canonical
from clearhead.debug.images.recurring import recurring_patch
from clearhead.debug.images.spectrum import Spectrum
from clearhead.debug.pattern import load_pattern, save_pattern
from clearhead.errors import CorruptFileError, InputError
from tests.debug.images.small import blurred, cornered, framed, picture


def group(plant=None, n=24, seed=0, side=48):
    rng = np.random.default_rng(seed)
    made = [picture(int(i % 3), rng) for i in range(n)]
    return np.stack([canonical(plant(one) if plant else one, side) for one in made])


def shaded(one):
    """Darker and darker towards the left."""
    pixels = np.asarray(one, dtype=float)
    return Image.fromarray((pixels * np.linspace(0.4, 1, one.width)[:, None]).astype(np.uint8))


PLAIN = group(seed=1)
PATTERNS = [
    *(FamilyPattern(name, family.typical) for name, family in FAMILIES.items()),
    Overlay.between(group(framed), PLAIN),
    Colours.between(group(cornered), PLAIN),
    Spectrum.between(group(blurred), PLAIN),
    Lighting.between(group(shaded), PLAIN),
    Patch(group(cornered)[:2, :12, :12], np.ones((2, 12, 12), dtype=np.float32), 0.25),
]


def noise(width, height, seed=0):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda p: f"{p.kind} {p.describe()}")
@settings(max_examples=3, deadline=None)
@given(width=st.integers(12, 90), height=st.integers(12, 90), seed=st.integers(0, 99))
def test_any_picture_is_changed_and_left_as_it_was(pattern, width, height, seed):
    one = noise(width, height, seed)
    before = one.tobytes()
    made = pattern.insert(one, seed)
    assert one.tobytes() == before
    assert made is not None
    assert made.mode == "RGB"
    assert made.tobytes() == pattern.insert(one, seed).tobytes()


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda p: f"{p.kind} {p.describe()}")
def test_what_can_be_undone_brings_the_picture_back(pattern):
    rng = np.random.default_rng(8)
    for seed in range(4):
        one = picture(seed % 3, rng)
        made = pattern.insert(one, seed)
        back = pattern.remove(made, seed)
        if not isinstance(pattern, Overlay | Colours | Spectrum | Lighting):
            assert back is None
            continue
        was, shown, now = (np.asarray(x, dtype=float) for x in (one, made, back))
        assert np.abs(now - was).mean() < 0.35 * np.abs(shown - was).mean()
        assert back.mode == "RGB"


def test_colours_that_were_lost_are_not_brought_back():
    grey = Colours(np.full((3, 3), 1 / 3), np.zeros(3), np.zeros(3))
    assert grey.insert(noise(20, 20), 0) is not None
    assert grey.remove(noise(20, 20), 0) is None


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda p: f"{p.kind} {p.describe()}")
def test_what_was_saved_does_the_same(pattern, tmp_path):
    save_pattern(tmp_path, "one", pattern, np.zeros(3))
    again, _ = load_pattern(tmp_path, "one")
    one = noise(40, 30)
    assert again.describe() == pattern.describe()
    assert again.insert(one, 7).tobytes() == pattern.insert(one, 7).tobytes()


def test_a_detector_of_other_looks_is_refused(tmp_path):
    seen = [noise(40, 30, seed) for seed in range(4)]
    detector = Detector.fit(seen, [framed(one) for one in seen])
    short = {name: one[:-8] if len(one) > 1 else one for name, one in detector.arrays().items()}
    with pytest.raises(ValueError, match=r"detector_center.*\(154,\).*\(146,\)"):
        Detector.from_arrays(short)
    old = Detector(*(short[f"detector_{name}"] for name in ("center", "scale", "weight")), bias=0.0)
    pattern = FamilyPattern("tilted", 20, detector=old)
    save_pattern(tmp_path, "one", pattern, np.zeros(3))
    with pytest.raises(CorruptFileError, match="clearhead debug RUN --force"):
        load_pattern(tmp_path, "one")


@pytest.mark.parametrize("plant", [framed, blurred, cornered])
def test_detector_sees_what_was_put_into_pictures_it_has_not_seen(plant):
    rng = np.random.default_rng(5)
    seen = [picture(i % 3, rng) for i in range(40)]
    new = [picture(i % 3, rng) for i in range(30)]
    detector = Detector.fit(seen, [plant(one) for one in seen])
    assert np.mean([detector.score(plant(one)) > 0.5 for one in new]) > 0.9
    assert np.mean([detector.score(one) > 0.5 for one in new]) < 0.1


def test_detector_needs_both_kinds():
    with pytest.raises(InputError, match="with the pattern and without"):
        Detector.fit([], [noise(20, 20)])


@settings(max_examples=15, deadline=None)
@given(width=st.integers(1, 70), height=st.integers(1, 70), value=st.integers(0, 255))
def test_any_size_has_the_same_looks(width, height, value):
    look = describe_look(Image.new("RGB", (width, height), (value, 0, 255)))
    assert look.shape == describe_look(noise(30, 30)).shape
    assert np.isfinite(look).all()


def test_overlay_says_where_the_mark_is():
    assert "at the top left" in Overlay.between(group(cornered), PLAIN).describe()
    assert "border" in Overlay.between(group(framed), PLAIN).describe()


def test_colours_reach_those_of_the_group():
    dark = np.clip(PLAIN * 0.5 + np.array([30.0, 0, 0]), 0, 255)
    pattern = Colours.between(dark, PLAIN)
    one = Image.fromarray(PLAIN[0].astype(np.uint8))
    wanted = PLAIN[0] * 0.5 + np.array([30.0, 0, 0])
    made = np.asarray(pattern.insert(one, 0), dtype=float)
    assert np.abs(made.mean(axis=(0, 1)) - wanted.mean(axis=(0, 1))).max() < 6


def test_spectrum_blurs_like_the_group_and_says_so():
    pattern = Spectrum.between(group(blurred), PLAIN)
    one = Image.fromarray(PLAIN[0].astype(np.uint8))
    edges = np.abs(np.diff(np.asarray(one, dtype=float), axis=1)).mean()
    after = np.abs(np.diff(np.asarray(pattern.insert(one, 0), dtype=float), axis=1)).mean()
    assert after < 0.7 * edges
    assert "blur" in pattern.describe()


def test_what_recurs_anywhere_leads_by_more_than_what_does_by_chance():
    rng = np.random.default_rng(0)

    def sticker(one):
        made = np.asarray(one).copy()
        top, left = rng.integers(0, 28, 2)
        made[top : top + 12, left : left + 12] = (255, 0, 0)
        return Image.fromarray(made)

    found = recurring_patch(group(sticker, 30, side=96), group(None, 40, 7, side=96))
    assert found is not None
    assert found[1] > 0.6
    assert "red" in found[0].describe()
    chance = recurring_patch(group(None, 30, 2, side=96), group(None, 40, 7, side=96))
    assert chance is None or chance[1] < found[1] - 0.2


def test_unknown_family_is_an_error():
    with pytest.raises(InputError, match="turned 90"):
        FamilyPattern("sepia", 1.0)


def test_the_light_of_a_group_is_smooth_and_is_where_it_was():
    found = Lighting.between(group(shaded), PLAIN)
    assert found.describe() == "the light of the class (light from the right)"
    assert found.factor[:, :6].mean() < 0.6 < 0.85 < found.factor[:, -6:].mean() < 1.2
    assert np.abs(np.diff(found.factor, axis=1)).max() < 0.06
    dark = Lighting.between(PLAIN, group(shaded))
    assert dark.describe() == "the light of the class (light from the left)"
