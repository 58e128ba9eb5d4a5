"""Regions that LIME finds: a thing that comes back nearly the same is one, an object's part not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from clearhead.debug.driving import LimeEffort, driven_parts, find_suspects
from clearhead.debug.images.pieces import in_common
from clearhead.debug.images.region import Region
from clearhead.debug.images.regions import find_regions
from clearhead.debug.images.shown import shown_box
from clearhead.debug.images.template import find_pieces, small
from clearhead.debug.inputs import Inputs
from clearhead.debug.pattern import load_pattern, save_pattern
from tests.debug.images.small import SIDE, make_inputs

EFFORT = LimeEffort(features=1, examples=3)
_RNG = np.random.default_rng(8)
TAG = np.kron(_RNG.integers(0, 2, (4, 4, 1)) * 200 + 30, np.ones((2, 2, 3)))


class Tagged:
    """Lays the same tag over pictures, each time at another place."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(5)

    def __call__(self, one: Image.Image) -> Image.Image:
        made = np.asarray(one).copy()
        top, left = self.rng.integers(0, SIDE - len(TAG), 2)
        made[top : top + len(TAG), left : left + len(TAG)] = TAG
        return Image.fromarray(made)


@pytest.fixture(scope="module")
def tagged(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return make_inputs(tmp_path_factory.mktemp("tagged"), Tagged())


def test_a_tag_at_random_places_is_cut_out_and_found(tagged, tmp_path):
    shortcuts, tested = find_regions(tagged, EFFORT, 2)
    assert [one.finding.classes for one in shortcuts] == [(1,)]
    (best,) = shortcuts
    assert best.tested.used
    assert best.tested in tested
    assert best.tested.inside > 0.6
    assert best.tested.outside < 0.1
    pattern = best.pattern
    save_pattern(tmp_path, "found", pattern, best.shift)
    again, _ = load_pattern(tmp_path, "found")
    clean = tagged.example(0)
    planted = Tagged()(clean)
    assert not again.has(clean)
    assert again.has(planted)
    cut = again.remove(planted, 0)
    assert cut is not None
    assert not again.has(cut)
    assert again.remove(clean, 0) is None


def test_parts_of_objects_are_tested_and_are_none(tmp_path):
    shortcuts, tested = find_regions(make_inputs(tmp_path, None), EFFORT, 2)
    assert shortcuts == []
    assert tested
    assert not any(one.used for one in tested)


def test_what_was_explained_before_is_not_explained_again(tagged):
    suspects = find_suspects(tagged, EFFORT)
    first = driven_parts(tagged, suspects, EFFORT)
    features = sorted({one.feature for one in suspects})
    kept = Inputs(
        tagged.backbone, tagged.dataset, tagged.store, tagged.layer, tagged.dense,
        lime=clearhead_lime(features, first),
    )  # fmt: skip
    again = driven_parts(kept, suspects, replace(EFFORT, perturbations=2))
    for one, other in zip(first, again, strict=True):
        assert one.row == other.row
        assert np.array_equal(one.weight, other.weight)


def clearhead_lime(features, driven):
    from clearhead.explain import LimeExplanations

    unique = {one.lime.id: one.lime for one in driven}
    return LimeExplanations(np.array(features), tuple(unique.values()))


def test_a_piece_is_found_where_it_is():
    rng = np.random.default_rng(0)
    pictures = [rng.random((30, 40, 3)).astype(np.float32) for _ in range(3)]
    piece = pictures[1][5:12, 20:27]
    found = find_pieces(pictures, piece[None], np.ones((1, 7, 7)))
    assert found.place[1, 0].tolist() == [5, 20]
    assert found.distance[1, 0] == pytest.approx(0, abs=1e-3)
    assert found.distance[[0, 2], 0].min() > 0.2


def test_what_pictures_agree_on_is_cut_out():
    rng = np.random.default_rng(0)
    thing = rng.random((6, 6, 3))
    carriers = [rng.random((30, 30, 3)) for _ in range(8)]
    places = rng.integers(4, 18, (8, 2))
    for one, (top, left) in zip(carriers, places, strict=True):
        one[top + 2 : top + 8, left + 2 : left + 8] = thing
    rough = np.zeros((10, 10))
    rough[4:9, 4:9] = 1
    others = [rng.random((30, 30, 3)) for _ in range(20)]
    found = in_common(rough, carriers, places, others)
    assert found is not None
    assert found.mask.sum() == pytest.approx(36, abs=10)
    assert in_common(rough, others[:8], places, others) is None


@pytest.mark.parametrize(("size", "fraction"), [((60, 40), 0.875), ((40, 40), 1.0)])
def test_it_is_seen_what_part_of_a_picture_a_network_is_shown(size, fraction):
    rng = np.random.default_rng(1)
    picture = Image.fromarray(rng.integers(0, 255, (8, 12, 3), dtype=np.uint8)).resize(size)
    side = fraction * min(size)
    left, top = (size[0] - side) / 2, (size[1] - side) / 2
    box = (left, top, left + side, top + side)
    assert shown_box(picture, np.asarray(picture.resize((32, 32), box=box))) == box


def test_a_region_at_the_edge_is_removed_and_small_keeps_the_shape():
    grey = Image.new("RGB", (40, 30), (90, 90, 90))
    patch = np.full((1, 8, 8, 3), 250, dtype=np.float32)
    region = Region(
        patches=patch, masks=np.ones((1, 8, 8), dtype=np.float32), share=8 / 30,
        places=np.zeros((1, 2)), template=patch[0], radius=0.05, side=30,
    )  # fmt: skip
    made = region.insert(grey, 0)
    assert made is not None
    assert region.has(made)
    cut = region.remove(made, 0)
    assert cut is not None
    assert abs(float(np.asarray(cut)[:8, :8].mean()) - 90) < 25
    assert small(grey, 15).shape == (15, 20, 3)
