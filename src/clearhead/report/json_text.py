"""Data from anywhere as JSON text that is safe wherever it stands, also inside a script element."""

from __future__ import annotations

import json
import math
import re
from typing import Any

__all__ = ["json_text"]

# What could end or confuse a script element, and what UTF-8 cannot hold.
_UNSAFE = re.compile("[<>&\u2028\u2029\ud800-\udfff]")


def json_text(value: Any) -> str:
    """Write plain values as JSON in which no character ends a script element or is markup.

    NaN and infinity, which JSON does not have, become null; lone surrogates stay as escapes.
    """
    try:
        text = _dump(value)
    except ValueError:
        text = _dump(_finite(value))
    return _UNSAFE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _finite(value: Any) -> Any:
    """`value` with null for NaN and infinity."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
