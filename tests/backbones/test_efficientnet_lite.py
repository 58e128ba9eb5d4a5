"""The packaged vision network and how pictures are prepared for it."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional

from clearhead.backbones import open_backbone
from clearhead.backbones.images import ImagePreprocessing


@pytest.fixture(scope="module")
def lite0():
    return open_backbone("efficientnet-lite0")


def picture(width, height, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((width, height))


def test_lite0_is_split_at_its_classifier(lite0):
    assert (lite0.layer, lite0.n_features, lite0.class_names) == ("_fc", 1280, None)
    batch = lite0.prepare([picture(300, 200), picture(224, 224, 1)])
    features, (weight, bias) = lite0.features(batch), lite0.head
    assert weight.shape == (1000, 1280)
    torch.testing.assert_close(
        functional.linear(features, weight, bias), lite0.forward(batch), rtol=1e-5, atol=1e-5
    )


def test_the_memory_layout_does_not_change_the_features(lite0):
    batch = lite0.prepare([picture(300, 300)])
    contiguous = batch.args[0].contiguous()
    torch.testing.assert_close(
        lite0.features(batch), lite0.features(contiguous), rtol=1e-4, atol=1e-5
    )


def test_a_plain_colour_becomes_the_values_of_the_formula():
    prepare = ImagePreprocessing(8, 0.875, (127.5, 127.5, 127.5), (127.5, 127.5, 127.5))
    batch = prepare([Image.new("RGB", (30, 20), (0, 127, 255)), Image.new("L", (9, 40), 255)])
    (x,) = batch.args
    assert x.shape == (2, 3, 8, 8)
    assert x.dtype == torch.float32
    assert x.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(x[0, :, 3, 3], torch.tensor([-1.0, -0.5 / 127.5, 1.0]))
    assert (x[1] == 1).all()


def test_the_centre_square_is_cut():
    pixels = np.zeros((32, 96, 3), dtype=np.uint8)
    # the middle 28 of 32 rows and of 96 columns, and nothing else, are white
    pixels[2:30, 34:62] = 255
    prepare = ImagePreprocessing(28, 0.875, (0, 0, 0), (255, 255, 255))
    (x,) = prepare([Image.fromarray(pixels)]).args
    assert (x == 1).all()


def test_every_setting_is_in_the_fingerprint():
    one = ImagePreprocessing(8, 0.875, (0, 0, 0), (1, 1, 1))
    assert one.describe() != ImagePreprocessing(8, 0.9, (0, 0, 0), (1, 1, 1)).describe()
