"""From an image file to RGB pixels, and to a thumbnail."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile

from clearhead.data.dataset import Shown, UnreadableExample

__all__ = ["IMAGE_SUFFIXES", "array_to_rgb", "is_animated", "read_rgb", "thumbnail", "to_rgb"]

IMAGE_SUFFIXES = frozenset(
    {".bmp", ".gif", ".jfif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
"""How files of images are named, in lower case."""

_LONG_SIDE = 224
_QUALITY = 80
_DEEP = {"I", "F", "I;16", "I;16L", "I;16B", "I;16N"}
_ORIENTATION = 0x0112
_JPEG = b"\xff\xd8\xff"
_ROWS = 256
_HEADER = 4096


def read_rgb(file: Path | bytes, where: str) -> Image.Image:
    """Read an image file as RGB, upright, on white where it is transparent.

    Of an animation, the first frame is read. A JPEG of more than Pillow's limit of 89
    megapixels is decoded smaller where that needs little memory; other images of that
    size are refused.

    Parameters
    ----------
    file : Path or bytes
        The file, or what it holds.
    where : str
        What messages call the image.

    Raises
    ------
    UnreadableExample
        The file is missing, not an image, truncated, or too large to be safe.
    """
    with _explained(where), _opened(file) as image:
        image.load()
        return _to_rgb(_upright(image))


def to_rgb(image: Image.Image, where: str) -> Image.Image:
    """Convert an image that another library opened; as :func:`read_rgb`."""
    with _explained(where):
        _require_safe(image)
        image.load()
        return _to_rgb(_upright(image))


def array_to_rgb(array: np.ndarray[Any, Any], top: float) -> Image.Image:
    """Scale an array (H, W) or (H, W, C), of which `top` is white, to an RGB image.

    C may be 1 (grey), 2 (grey and alpha), 3 (RGB) or 4 (RGB and alpha).

    Raises
    ------
    ValueError
        It is no image: another shape, no pixels, or pixels that are not finite.
    """
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (2, 3, 4)):
        raise ValueError(f"an array of shape {array.shape} is no image (H, W) or (H, W, 3)")
    if not array.size:
        raise ValueError(f"it has no pixels: its shape is {array.shape}")
    if array.dtype != np.uint8:
        array = _to_bytes(array, top)
    return _to_rgb(Image.fromarray(np.ascontiguousarray(array)))


@contextlib.contextmanager
def _explained(where: str) -> Iterator[None]:
    """Turn whatever a decoder raises into the one error that says which image, and why."""
    try:
        yield
    except UnreadableExample:
        raise
    except FileNotFoundError as error:
        raise UnreadableExample(where, "the file is missing") from error
    except UnidentifiedImageError as error:
        raise UnreadableExample(where, "it is not an image, or of an unknown kind") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnreadableExample(where, f"it is too large ({error})") from error
    except MemoryError as error:
        raise UnreadableExample(where, "there is not enough memory for it") from error
    except Exception as error:
        # Pillow's decoders raise almost anything on damaged files.
        if isinstance(error, OSError) and error.strerror:
            raise UnreadableExample(where, error.strerror.lower()) from error
        reason = f"{type(error).__name__}: {error}".rstrip(". ")
        raise UnreadableExample(where, f"it is damaged ({reason})") from error


@contextlib.contextmanager
def _opened(file: Path | bytes) -> Iterator[Image.Image]:
    """Open an image; pixels are not decoded yet."""
    with contextlib.ExitStack() as stack:
        source: IO[bytes] = (
            io.BytesIO(file) if isinstance(file, bytes) else stack.enter_context(file.open("rb"))
        )
        start = source.read(3)
        source.seek(0)
        if start == _JPEG:
            # Not by Image.open: it refuses what can be decoded smaller.
            image: Image.Image = stack.enter_context(JpegImageFile(source))
            _shrink(image)
        else:
            image = stack.enter_context(Image.open(source))
        _require_safe(image)
        yield image


def _shrink(image: Image.Image) -> None:
    """Have a huge JPEG decoded at a half, a quarter or an eighth of its size."""
    if image.width * image.height <= _most() or image.info.get("progressive"):
        return  # the parts of a progressive file are all in memory at full size
    for part in (2, 4, 8):
        if image.width * image.height <= part * part * _most() or part == 8:
            image.draft(image.mode, (image.width // part, image.height // part))
            return


def _require_safe(image: Image.Image) -> None:
    if image.width * image.height > _most():
        raise Image.DecompressionBombError(
            f"{image.width * image.height:,} pixels; the limit is {_most():,}"
        )
    if 0 in image.size:
        raise ValueError(f"it has no pixels: its size is {image.width} × {image.height}")


def _most() -> int:
    """Pillow's own limit, which its users know how to raise."""
    return Image.MAX_IMAGE_PIXELS or sys.maxsize


def _upright(image: Image.Image) -> Image.Image:
    """Turn as the camera's EXIF note says; a damaged note does not spoil the image."""
    try:
        if image.getexif().get(_ORIENTATION, 1) == 1:
            return image
        return ImageOps.exif_transpose(image)
    except Exception:
        return image


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB" and "transparency" not in image.info:
        return image.copy()
    if image.mode in _DEEP:
        return _from_deep(image)
    if image.has_transparency_data:
        # Dropping the alpha channel would bring hidden colours to light.
        seen = image.convert("RGBA")
        white = Image.new("RGBA", seen.size, "white")
        return Image.alpha_composite(white, seen).convert("RGB")
    return image.convert("RGB")


def _from_deep(image: Image.Image) -> Image.Image:
    """16 bits or floats to 8: Pillow itself would clip at 255, that is, to white."""
    values = np.asarray(image)
    peak = float(values.max())
    if not np.isfinite(peak):
        raise ValueError("it has pixels that are not finite")
    if image.mode == "F" and peak <= 1.0:
        top = 1.0
    elif image.mode in ("F", "I") and peak <= 255.0:
        top = 255.0
    else:
        top = max(65535.0, peak) if image.mode in ("F", "I") else 65535.0
    return Image.fromarray(_to_bytes(values, top)).convert("RGB")


def _to_bytes(values: np.ndarray[Any, Any], top: float) -> np.ndarray[Any, Any]:
    """Scale to 8 bits, a few rows at a time: large images must not take eight times as much."""
    scaled = np.empty(values.shape, dtype=np.uint8)
    for start in range(0, len(values), _ROWS):
        part = values[start : start + _ROWS].astype(np.float64)
        if not np.isfinite(part).all():
            raise ValueError("it has pixels that are not finite")
        scaled[start : start + _ROWS] = np.clip(np.rint(part * (255.0 / top)), 0, 255)
    return scaled


def is_animated(path: Path) -> bool:
    """Whether a GIF, PNG or WebP file has several frames; False for what cannot be read."""
    kind = path.suffix.lower()
    try:
        with path.open("rb") as file:
            start = file.read(_HEADER)
        if kind == ".webp":
            return start[12:16] == b"VP8X" and bool(start[20] & 2)
        if kind in (".png", ".apng"):
            return b"acTL" in start.partition(b"IDAT")[0]
        if kind == ".gif":
            with Image.open(path) as image:
                return bool(getattr(image, "is_animated", False))
    except Exception:  # reported as unreadable when it is read
        return False
    return False


def thumbnail(image: Image.Image) -> Shown:
    """Shrink to at most 224 pixels on the long side and encode as JPEG."""
    small = image.copy()
    small.thumbnail((_LONG_SIDE, _LONG_SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, format="JPEG", quality=_QUALITY, optimize=True)
    return Shown(kind="image", jpeg=buffer.getvalue(), width=small.width, height=small.height)
