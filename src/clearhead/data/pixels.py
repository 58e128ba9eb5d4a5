"""From an image file to RGB pixels, and to a thumbnail."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from clearhead.data.dataset import Shown, UnreadableExample

__all__ = ["read_rgb", "thumbnail"]

_LONG_SIDE = 224
_QUALITY = 80
_DEEP = {"I", "F", "I;16", "I;16L", "I;16B", "I;16N"}
_ORIENTATION = 0x0112


def read_rgb(path: Path, where: str) -> Image.Image:
    """Read an image file as RGB, upright, on white where it is transparent.

    Parameters
    ----------
    path : Path
    where : str
        What messages call the image.

    Raises
    ------
    UnreadableExample
        The file is missing, not an image, truncated, or too large to be safe.
    """
    try:
        with Image.open(path) as image:
            image.load()
            return _to_rgb(_upright(image))
    except FileNotFoundError as error:
        raise UnreadableExample(where, "the file is missing") from error
    except UnidentifiedImageError as error:
        raise UnreadableExample(where, "it is not an image, or of an unknown kind") from error
    except Image.DecompressionBombError as error:
        raise UnreadableExample(where, f"it is too large ({error})") from error
    except MemoryError as error:
        raise UnreadableExample(where, "there is not enough memory for it") from error
    except Exception as error:
        # Pillow's decoders raise almost anything on damaged files.
        if isinstance(error, OSError) and error.strerror:
            raise UnreadableExample(where, error.strerror.lower()) from error
        reason = f"{type(error).__name__}: {error}".rstrip(". ")
        raise UnreadableExample(where, f"it is damaged ({reason})") from error


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
    values = np.asarray(image, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("it has pixels that are not finite")
    peak = float(values.max())
    if image.mode == "F" and peak <= 1.0:
        top = 1.0
    elif image.mode in ("F", "I") and peak <= 255.0:
        top = 255.0
    else:
        top = max(65535.0, peak) if image.mode in ("F", "I") else 65535.0
    scaled = np.clip(np.rint(values * (255.0 / top)), 0, 255).astype(np.uint8)
    return Image.fromarray(scaled).convert("RGB")


def thumbnail(image: Image.Image) -> Shown:
    """Shrink to at most 224 pixels on the long side and encode as JPEG."""
    small = image.copy()
    small.thumbnail((_LONG_SIDE, _LONG_SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, format="JPEG", quality=_QUALITY, optimize=True)
    return Shown(kind="image", jpeg=buffer.getvalue(), width=small.width, height=small.height)
