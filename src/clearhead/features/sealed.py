"""JSON that knows when it was damaged: it carries the checksum of its own contents."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clearhead._files import fingerprint, read_json, write_json
from clearhead.errors import CorruptFileError

__all__ = ["read_sealed", "write_sealed"]

_SEAL = "seal"


def write_sealed(path: Path, value: Mapping[str, Any]) -> None:
    """Write `value` as JSON with its seal, atomically."""
    write_json(path, {**value, _SEAL: fingerprint(dict(value))})


def read_sealed(path: Path) -> dict[str, Any]:
    """Read JSON and check its seal."""
    value = read_json(path)
    if not isinstance(value, dict) or value.pop(_SEAL, None) != fingerprint(value):
        raise CorruptFileError(
            f"{path} is damaged: its contents do not match the checksum in it. Run the same "
            "extraction again with repair=True (--repair)."
        )
    return value
