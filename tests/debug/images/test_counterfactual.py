from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from clearhead.debug.images import flip_picture
from clearhead.debug.images.families import FamilyPattern
from clearhead.errors import InputError
from tests.debug.images.small import framed, make_inputs, picture


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory):
    return make_inputs(tmp_path_factory.mktemp("framed"), framed)


def test_the_planted_frame_flips_a_picture(inputs):
    one = framed(picture(1, np.random.default_rng(11)))
    dark = FamilyPattern("dark frame", 0.1)
    plain = picture(0, np.random.default_rng(12))
    assert inputs.layer.predict(inputs.features([plain]))[0] != 1
    found = flip_picture(inputs, plain, patterns=[dark])
    flips = [flip for flip in found.flips if "dark frame" in flip.change]
    assert flips
    assert flips[0].becomes == "class 1"
    assert flip_picture(inputs, one).predicted == "class 1"


def test_flips_are_flips_smallest_first(inputs):
    found = flip_picture(inputs, picture(2, np.random.default_rng(4)))
    sizes = [flip.size for flip in found.flips]
    assert sizes == sorted(sizes)
    assert all(flip.becomes != found.predicted for flip in found.flips)
    assert len({flip.change.split(" of ")[0] for flip in found.flips}) == len(found.flips)
    assert found.smallest == found.flips[0]


def test_it_is_shown_and_stored(inputs):
    found = flip_picture(inputs, picture(2, np.random.default_rng(4)))
    assert json.loads(json.dumps(found.to_dict()))["predicted"] == found.predicted
    assert found.predicted in found._repr_html_()
    assert str(found.tried) in str(found) or found.smallest.change in str(found)


def test_a_text_is_refused(inputs):
    with pytest.raises(InputError, match="PIL image"):
        flip_picture(inputs, "a text")


def test_a_grey_picture_is_a_picture(inputs):
    grey = Image.new("L", (28, 28), 90)
    assert flip_picture(inputs, grey).predicted in inputs.class_names
