"""How a page that needs nothing but itself is put together from parts, data among them.

Data are hostile until proven otherwise (labels and texts come from anywhere): they enter a
page as JSON in which no character can end the script element, or as escaped text. A content
security policy names the hashes of the one style sheet and the one script, and refuses all else.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["JPEG_URI", "as_text", "content_policy", "fill", "script_json"]

JPEG_URI = re.compile(r"data:image/jpeg;base64,[A-Za-z0-9+/]+={0,2}")
"""The only kind of image a page takes."""

_SLOT = re.compile(r"\{\{(\w+)\}\}")
# What could end or confuse a script element, and what UTF-8 cannot hold.
_UNSAFE = re.compile("[<>&\u2028\u2029\ud800-\udfff]")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def fill(template: str, parts: Mapping[str, str]) -> str:
    """Fill every ``{{slot}}`` in one pass, so that a slot's content is never searched for slots."""
    return _SLOT.sub(lambda slot: parts[slot.group(1)], template)


def content_policy(style: str, script: str, *, beside: bool = False) -> str:
    """Content security policy of a page with one style sheet, one script and data images.

    With `beside` it also takes scripts that lie beside it; a browser that gives files no origin
    takes ``file:`` for that.
    """
    more = " 'self' file:" if beside else ""
    return (
        "default-src 'none'; "
        f"style-src '{_hash(style)}'; "
        f"script-src '{_hash(script)}'{more}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def script_json(value: Any) -> str:
    """JSON of `value` that is safe between ``<script>`` and ``</script>``.

    Raises
    ------
    ValueError
        It holds NaN or infinity, which JSON does not have.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return _UNSAFE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def as_text(value: str) -> str:
    """`value` as HTML text."""
    return html.escape(_UNPRINTABLE.sub("\ufffd", value), quote=True)


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
