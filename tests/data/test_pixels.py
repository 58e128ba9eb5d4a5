import contextlib
import io
import subprocess
import sys
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from clearhead.data import UnreadableExample, open_dataset
from clearhead.data.pixels import array_to_rgb, is_animated, read_rgb, thumbnail, to_rgb
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


def frames(kind, colours=("red", "blue", "lime")):
    """An animation, as bytes."""
    first, *rest = (Image.new("RGB", (8, 6), colour) for colour in colours)
    buffer = io.BytesIO()
    first.save(buffer, kind, save_all=True, append_images=rest, duration=50, **(
        {"lossless": True} if kind == "WEBP" else {}))  # fmt: skip
    return buffer.getvalue()


@pytest.mark.parametrize(("kind", "name"), [("GIF", "a.gif"), ("PNG", "a.png"), ("WEBP", "a.webp")])
def test_the_first_frame_of_an_animation(tmp_path, kind, name):
    path = tmp_path / name
    path.write_bytes(frames(kind))
    assert is_animated(path)
    assert np.asarray(read(path))[0, 0].tolist() == [255, 0, 0]
    Image.new("RGB", (8, 6), "red").save(path)
    assert not is_animated(path)
    path.write_bytes(b"no image")
    assert not is_animated(path)


def test_an_animation_is_said_once_it_is_opened(tmp_path):
    for k in range(2):
        for i in range(10):
            saved(tmp_path, Image.new("RGB", (8, 6), (k, i, 0)), f"{k}-{i}.png")
    (tmp_path / "0-3.png").write_bytes(frames("PNG"))
    table = "image,label\n" + "".join(f"{k}-{i}.png,{k}\n" for k in range(2) for i in range(10))
    (tmp_path / "a.csv").write_text(table)
    dataset = open_dataset(tmp_path / "a.csv")
    assert [(p.kind, p.message) for p in dataset.problems] == [
        ("animated image", "0-3.png is animated; its first frame is used.")
    ]
    assert len(dataset) == 20


def test_a_huge_jpeg_is_decoded_smaller(tmp_path):
    path = saved(tmp_path, Image.new("L", (14_200, 14_100), 99), "huge.jpg")
    image = read(path)  # 200 megapixels
    assert image.size == (7_100, 7_050)
    assert abs(int(np.asarray(image)[5, 5, 0]) - 99) <= 2
    # In a process of its own: more than the 200 MB of the small image, less than the 600 of all.
    code = (
        "import resource, sys; from pathlib import Path; from clearhead.data.pixels import read_rgb;"
        "usage = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; before = usage();"
        "read_rgb(Path(sys.argv[1]), 'a'); print((usage() - before) // 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 400


def test_a_huge_progressive_jpeg_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4_000)
    noise = np.random.default_rng(0).integers(0, 256, (80, 90, 3), dtype=np.uint8)
    plain = saved(tmp_path, Image.fromarray(noise), "plain.jpg")
    assert read(plain).size == (45, 40)
    path = saved(tmp_path, Image.fromarray(noise), "a.jpg", progressive=True)
    with pytest.raises(UnreadableExample, match=r"it is too large \(7,200 pixels; the limit is 4,0"):
        read(path)
    tall = saved(tmp_path, Image.new("RGB", (600, 600)), "b.jpg")  # an eighth is still too large
    with pytest.raises(UnreadableExample, match="it is too large"):
        read(tall)


def chunk(kind, data=b""):
    body = kind + data
    return len(data).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")


@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_200_megapixels_are_refused_before_they_take_memory(tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    if kind == "png":
        size = (20_000).to_bytes(4, "big") + (10_000).to_bytes(4, "big")
        header = chunk(b"IHDR", size + b"\x08\x02\x00\x00\x00")
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT") + chunk(b"IEND"))
    else:
        Image.new("1", (20_000, 10_000)).save(path, compression="group4")
    with pytest.raises(UnreadableExample, match=r"it is too large .*200000000 pixels"):
        read(path)


def test_an_image_of_pillow_is_read_as_its_file_would_be(tmp_path):
    image = Image.fromarray(np.array([[0, 257, 65535]], dtype=np.uint16))
    assert np.asarray(to_rgb(image, "a"))[0, :, 0].tolist() == [0, 1, 255]
    with pytest.raises(UnreadableExample, match="it has no pixels: its size is 0 × 4"):
        to_rgb(Image.new("RGB", (0, 4)), "a")


@pytest.mark.parametrize(
    ("array", "top", "expected"),
    [
        (np.array([[0.0, 0.5, 1.0]]), 1.0, [0, 128, 255]),
        (np.array([[[0], [128], [255]]], np.uint8), 255.0, [0, 128, 255]),
        (np.array([[[10, 0], [20, 255], [30, 255]]], np.uint8), 255.0, [255, 20, 30]),
        (np.array([[False, True]]), 1.0, [0, 255]),
    ],
)
def test_arrays(array, top, expected):
    image = array_to_rgb(array, top)
    assert image.mode == "RGB"
    assert np.asarray(image)[0, :, 0].tolist() == expected


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 3, 5)), r"an array of shape \(2, 3, 5\) is no image"),
        (np.zeros(4), "is no image"),
        (np.zeros((0, 3)), "it has no pixels"),
        (np.array([[np.nan]]), "not finite"),
    ],
)
def test_arrays_that_are_no_images(array, message):
    with pytest.raises(ValueError, match=message):
        array_to_rgb(array, 1.0)
