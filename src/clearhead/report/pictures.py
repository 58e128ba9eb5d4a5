"""Pictures as a report holds them: small JPEGs, as ``data:`` URIs."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from PIL import Image

__all__ = ["SMALL", "photo_uri", "picture_uri"]

SMALL = 160
"""Pixels on the long side of a picture."""
MADE_QUALITY = 82
PHOTO_QUALITY = 50
"""Of photos, of which a report holds thousands: about 3 kB each."""


def picture_uri(picture: Any) -> str:
    """Shrink a picture that explains a feature: an image, or an array of its pixels."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(np.squeeze(picture))
    return _uri(_small(image, MADE_QUALITY))


def photo_uri(jpeg: bytes) -> str:
    """Shrink the thumbnail of an example; one that would not get smaller stays as it is."""
    with Image.open(io.BytesIO(jpeg)) as image:
        small = _small(image, PHOTO_QUALITY)
    return _uri(min(jpeg, small, key=len))


def _small(image: Image.Image, quality: int) -> bytes:
    image = image.convert("RGB")
    image.thumbnail((SMALL, SMALL), Image.Resampling.LANCZOS)
    held = io.BytesIO()
    image.save(held, "JPEG", quality=quality, optimize=True)
    return held.getvalue()


def _uri(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")
