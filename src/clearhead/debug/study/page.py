"""The questionnaire as one HTML file that asks nothing of any server."""

from __future__ import annotations

import io
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import numpy as np
from PIL import Image

from clearhead._page import JPEG_URI, content_policy, fill, script_json
from clearhead.errors import DataError

__all__ = ["DATA_ID", "jpeg_of", "render_page"]

DATA_ID = "study-data"
"""The id of the script element that holds the questions as JSON."""

SIDE = 224


def render_page(content: Mapping[str, Any]) -> str:
    """Draw the questions; `content` is all that the page knows.

    Raises
    ------
    DataError
        An image is something else than a JPEG.
    """
    for place, image in enumerate(content["images"]):
        if not JPEG_URI.fullmatch(image):
            raise DataError(
                f"Image {place} of the study starts with {image[:30]!r}; expected "
                "'data:image/jpeg;base64,' and base64 digits. Make the examples of the run again "
                "with `clearhead explain --force`."
            )
    style, script = _part("study.css"), _part("study.js")
    return fill(
        _part("template.html"),
        {
            "policy": content_policy(style, script),
            "style": style,
            "data_id": DATA_ID,
            "data": script_json(content),
            "script": script,
        },
    )


def jpeg_of(picture: Any) -> bytes:
    """Shrink a picture to a thumbnail, as a JPEG."""
    image = Image.fromarray(np.squeeze(picture)).convert("RGB")
    image.thumbnail((SIDE, SIDE))
    held = io.BytesIO()
    image.save(held, "JPEG", quality=85)
    return held.getvalue()


def _part(name: str) -> str:
    """One file of the page; line ends as the HTML parser will hash them."""
    text = (files("clearhead.debug.study") / "page" / name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")
