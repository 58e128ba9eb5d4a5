"""Data from anywhere as JSON text that is safe wherever it stands, also inside a script element."""

from __future__ import annotations

import math
from typing import Any

from clearhead._page import script_json

__all__ = ["json_text"]


def json_text(value: Any) -> str:
    """Write plain values as JSON in which no character is markup; NaN and infinity are null."""
    try:
        return script_json(value)
    except ValueError:
        return script_json(_finite(value))


def _finite(value: Any) -> Any:
    """`value` with null for NaN and infinity."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
