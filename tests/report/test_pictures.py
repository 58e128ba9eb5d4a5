"""Pictures as a report holds them."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from clearhead.report.pictures import SMALL, photo_uri, picture_uri


def opened(uri: str) -> tuple[Image.Image, int]:
    head, _, code = uri.partition(",")
    assert head == "data:image/jpeg;base64"
    held = base64.b64decode(code)
    return Image.open(io.BytesIO(held)), len(held)


def smooth(height: int, width: int) -> Image.Image:
    y, x = np.mgrid[0:height, 0:width] / 40
    rgb = np.stack([np.sin(x), np.cos(y), np.sin(x + y)], axis=-1)
    return Image.fromarray((127 + 120 * rgb).astype(np.uint8))


def test_a_photo_gets_small_and_looks_the_same() -> None:
    photo, held = smooth(224, 168), io.BytesIO()
    photo.save(held, "JPEG", quality=80)
    small, size = opened(photo_uri(held.getvalue()))
    assert small.size == (120, SMALL)
    assert size < len(held.getvalue()) / 2
    before = np.asarray(photo.resize(small.size, Image.Resampling.LANCZOS), dtype=float)
    assert np.abs(np.asarray(small, dtype=float) - before).mean() < 4


def test_a_photo_that_would_grow_stays_as_it_is() -> None:
    held = io.BytesIO()
    smooth(20, 20).save(held, "JPEG", quality=5, optimize=True)
    code = photo_uri(held.getvalue()).partition(",")[2]
    assert base64.b64decode(code) == held.getvalue()


def test_a_made_picture_of_one_channel_is_a_picture() -> None:
    image, _ = opened(picture_uri(np.full((1, 400, 200), 90, dtype=np.uint8)))
    assert (image.size, image.mode) == ((80, SMALL), "RGB")
