"""Where the pixels of one image come from: a file, bytes, an array, or another library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import xxhash
from PIL import Image

from clearhead.data.dataset import UnreadableExample
from clearhead.data.pixels import array_to_rgb, read_rgb, to_rgb
from clearhead.errors import DataError

__all__ = ["Fetched", "ImageBytes", "ImageFile", "ImageSource", "Picture", "Pixels", "as_source"]


class ImageSource(Protocol):
    """One image that is read when it is asked for."""

    def read(self, where: str) -> Image.Image:
        """Return it as RGB, upright; `where` is what messages call it.

        Raises
        ------
        UnreadableExample
            It cannot be read.
        """

    def content(self) -> bytes:
        """Return what stands for its content in a fingerprint."""


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An image file."""

    path: Path

    def read(self, where: str) -> Image.Image:
        """Read the file."""
        return read_rgb(self.path, where)

    def content(self) -> bytes:
        """Return the digest of the file's bytes."""
        try:
            return xxhash.xxh3_128_digest(self.path.read_bytes())
        except OSError:
            # Reported as unreadable when it is read.
            return b"unreadable"


@dataclass(frozen=True, slots=True)
class ImageBytes:
    """The bytes of an image file."""

    data: bytes

    def read(self, where: str) -> Image.Image:
        """Decode the bytes."""
        return read_rgb(self.data, where)

    def content(self) -> bytes:
        """Return the digest of the bytes."""
        return xxhash.xxh3_128_digest(self.data)


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """An array (H, W) or (H, W, C) of which `top` is white."""

    array: np.ndarray[Any, Any]
    top: float

    def read(self, where: str) -> Image.Image:
        """Scale to 8 bits."""
        try:
            return array_to_rgb(self.array, self.top)
        except ValueError as error:
            raise UnreadableExample(where, str(error)) from error

    def content(self) -> bytes:
        """Return the digest of the pixels."""
        array = np.ascontiguousarray(self.array)
        kind = f"{array.dtype.str} {array.shape} {self.top:g} ".encode()
        return xxhash.xxh3_128_digest(kind + array.tobytes())


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """An image of the library Pillow."""

    image: Image.Image

    def read(self, where: str) -> Image.Image:
        """Convert to RGB."""
        return to_rgb(self.image, where)

    def content(self) -> bytes:
        """Return the digest of the pixels."""
        kind = f"{self.image.mode} {self.image.size} ".encode()
        return xxhash.xxh3_128_digest(kind + self.image.tobytes())


@dataclass(frozen=True, slots=True, eq=False)
class Fetched:
    """The `i`-th image of another library's data set, fetched when it is asked for."""

    fetch: Callable[[int], Any]
    i: int

    def read(self, where: str) -> Image.Image:
        """Fetch and read."""
        try:
            source = as_source(self.fetch(self.i), Path())
        except DataError as error:
            raise UnreadableExample(where, str(error).rstrip(".")) from error
        except Exception as error:
            # Another library's data set may raise anything.
            reason = f"{type(error).__name__}: {error}".rstrip(". ")
            raise UnreadableExample(where, reason) from error
        return source.read(where)

    def content(self) -> bytes:
        """Return the digest of what is fetched."""
        try:
            return as_source(self.fetch(self.i), Path()).content()
        except Exception:
            # Reported as unreadable when it is read.
            return b"unreadable"


_KINDS = (ImageFile, ImageBytes, Pixels, Picture, Fetched)


def as_source(value: Any, folder: Path) -> ImageSource:
    """Take what holds an image: a path, bytes, an array, a Pillow image, or a dict of these.

    Parameters
    ----------
    value : path, bytes, dict of ``bytes`` and ``path``, array, tensor or Image
        A tensor has its channels first.
    folder : Path
        What relative paths are relative to.

    Raises
    ------
    DataError
        It is none of these, or an array that is no image.
    """
    if isinstance(value, _KINDS):
        return value
    if isinstance(value, str | Path) and str(value).strip():
        return ImageFile(folder / str(value))
    if isinstance(value, bytes | bytearray | memoryview):
        return ImageBytes(bytes(value))
    if isinstance(value, dict) and (value.get("bytes") or value.get("path")):
        return as_source(value.get("bytes") or value["path"], folder)
    if isinstance(value, Image.Image):
        return Picture(value)
    if hasattr(value, "detach") and hasattr(value, "numpy"):
        value = _channels_last(value.detach().cpu().numpy())
    if isinstance(value, np.ndarray):
        return Pixels(value, top_of(value))
    raise DataError(
        f"An image must be a path, bytes, an array or a Pillow image, got {type(value).__name__}."
    )


def _channels_last(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return array.transpose(1, 2, 0) if array.ndim == 3 and array.shape[0] in (1, 3, 4) else array


def top_of(array: np.ndarray[Any, Any]) -> float:
    """The value that is white: 255 for bytes and floats up to 255, 1 for floats up to 1.

    Raises
    ------
    DataError
        The values are no pixels: negative, or beyond 16 bits.
    """
    if array.dtype == np.uint8 or not array.size:
        return 255.0
    if array.dtype == np.bool_:
        return 1.0
    if array.dtype.kind not in "iuf":
        raise DataError(f"pixels must be numbers, got dtype {array.dtype}")
    least, most = float(np.nanmin(array)), float(np.nanmax(array))
    if least < 0:
        raise DataError(
            f"pixels from {least:.3g} to {most:.3g} look normalised; give images as they were "
            "before, from 0 to 1 or 0 to 255: the network's own preparation comes later"
        )
    if array.dtype.kind == "f" and most <= 1:
        return 1.0
    if array.dtype == np.uint16 or 255 < most <= 65_535:
        return 65_535.0
    if most > 65_535:
        raise DataError(f"pixels reach {most:.3g}; give images from 0 to 1 or from 0 to 255")
    return 255.0
