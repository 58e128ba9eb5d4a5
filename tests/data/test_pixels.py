import contextlib
import io
import warnings

import numpy as np
import pytest
from PIL import Image

from clearhead.data import UnreadableExample
from clearhead.data.pixels import read_rgb, thumbnail
from clearhead.errors import DataError


def read(path):
    return read_rgb(path, path.name)


def saved(tmp_path, image, name="a.png", **options):
    path = tmp_path / name
    image.save(path, **options)
    return path


def test_rgb_is_untouched(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    image = read(saved(tmp_path, Image.fromarray(pixels)))
    assert image.mode == "RGB"
    assert np.array_equal(np.asarray(image), pixels)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation(tmp_path, orientation):
    upright = np.zeros((4, 6, 3), dtype=np.uint8)
    upright[0, 0] = 255  # the white corner must come back to the top left
    back = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(back[orientation](upright)))
    image = read(saved(tmp_path, stored, exif=exif))
    assert np.array_equal(np.asarray(image), upright)


def test_transparency_is_white(tmp_path):
    pixels = np.zeros((2, 2, 4), dtype=np.uint8)
    pixels[0, 0] = (200, 10, 10, 255)
    image = np.asarray(read(saved(tmp_path, Image.fromarray(pixels))))
    assert image[0, 0].tolist() == [200, 10, 10]
    assert image[1, 1].tolist() == [255, 255, 255]


def test_a_palette_with_transparency(tmp_path):
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.putdata([0, 1])
    seen = np.asarray(read(saved(tmp_path, image, transparency=b"\x00\xff")))
    assert seen[0].tolist() == [[255, 255, 255], [0, 255, 0]]
    plain = np.asarray(read(saved(tmp_path, image, "b.png")))
    assert plain[0].tolist() == [[255, 0, 0], [0, 255, 0]]


def test_an_rgb_image_with_a_transparent_colour(tmp_path):
    pixels = np.array([[[1, 2, 3], [9, 9, 9]]], dtype=np.uint8)
    path = saved(tmp_path, Image.fromarray(pixels), transparency=(1, 2, 3))
    assert np.asarray(read(path))[0].tolist() == [[255, 255, 255], [9, 9, 9]]


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_16_bit_grey_is_scaled_not_clipped(tmp_path, name):
    pixels = np.array([[0, 257, 32896, 65535]], dtype=np.uint16)
    image = np.asarray(read(saved(tmp_path, Image.fromarray(pixels), name)))
    assert image[0, :, 0].tolist() == [0, 1, 128, 255]
    assert image.shape == (1, 4, 3)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.5, 1.0], [0, 128, 255]),
        ([0.0, 100.0, 255.0], [0, 100, 255]),
        ([-5.0, 32767.5, 65535.0], [0, 128, 255]),
    ],
)
def test_floats(tmp_path, values, expected):
    path = saved(tmp_path, Image.fromarray(np.array([values], dtype=np.float32)), "a.tif")
    assert np.asarray(read(path))[0, :, 0].tolist() == expected


@pytest.mark.parametrize("mode", ["1", "L", "LA", "CMYK", "YCbCr", "P"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    name = "a.jpg" if mode in ("CMYK", "YCbCr") else "a.png"
    path = saved(tmp_path, Image.new("RGB", (4, 3), "white").convert(mode), name)
    image = read(path)
    assert (image.mode, image.size) == ("RGB", (4, 3))
    assert np.asarray(image).min() >= 250


def damaged(tmp_path, case):
    path = tmp_path / "bad.jpg"
    if case == "text":
        path.write_text("not an image")
    elif case == "empty":
        path.write_bytes(b"")
    elif case == "truncated":
        pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG")
        path.write_bytes(buffer.getvalue()[: len(buffer.getvalue()) // 2])
    elif case == "nan":
        Image.fromarray(np.full((2, 2), np.nan, dtype=np.float32)).save(path, "TIFF")
    elif case == "folder":
        path.mkdir()
    return path


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("text", "it is not an image"),
        ("empty", "it is not an image"),
        ("truncated", "it is damaged .*truncated"),
        ("nan", "pixels that are not finite"),
        ("missing", "the file is missing"),
        ("folder", "is a directory"),
    ],
)
def test_unreadable(tmp_path, case, reason):
    with pytest.raises(UnreadableExample, match=rf"^bad\.jpg cannot be read: .*{reason}") as caught:
        read(damaged(tmp_path, case))
    assert isinstance(caught.value, DataError)
    assert caught.value.where == "bad.jpg"
    assert "\n" not in str(caught.value)


def test_a_decompression_bomb_is_refused(tmp_path, monkeypatch):
    path = saved(tmp_path, Image.new("RGB", (100, 100)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4_000)
    with pytest.raises(UnreadableExample, match="it is too large"):
        read(path)


@pytest.mark.parametrize(
    ("size", "small"), [((500, 100), (224, 45)), ((100, 500), (45, 224)), ((50, 30), (50, 30))]
)
def test_thumbnails(size, small):
    image = Image.new("RGB", size, "red")
    shown = thumbnail(image)
    assert (shown.kind, shown.text, shown.width, shown.height) == ("image", "", *small)
    decoded = Image.open(io.BytesIO(shown.jpeg))
    assert (decoded.format, decoded.size) == ("JPEG", small)
    assert image.size == size


@pytest.mark.parametrize("seed", range(3))
def test_random_damage_is_always_unreadable_or_an_image(tmp_path, seed):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
    for kind in ("PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP"):
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, kind)
        for _ in range(40):
            data = bytearray(buffer.getvalue())
            for at in rng.integers(0, len(data), 8):
                data[at] = rng.integers(0, 256)
            path = tmp_path / "bad.img"
            path.write_bytes(data)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with contextlib.suppress(UnreadableExample):
                    assert read(path).mode == "RGB"
