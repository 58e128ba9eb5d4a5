"""What a network and its run were made from, in one number: what is kept belongs to that only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xxhash

from benchmarks.debug.sources import Examples

__all__ = ["fingerprint"]

CODE = ("networks.py",)
"""What makes a network from data. The data are taken as they are after planting, so that the code
that makes those has its part whatever file it is in."""


def fingerprint(network: str, seed: int, examples: Examples, settings: Mapping[str, object]) -> str:
    """Digest planted data, network, the code that trains it, and settings: 16 hex digits."""
    digest = xxhash.xxh3_64(json.dumps([network, seed, dict(settings)], sort_keys=True).encode())
    for name in CODE:
        digest.update((Path(__file__).parent / name).read_bytes())
    for item in examples.items:
        _add(digest, item)
    for values in (examples.labels, examples.split, examples.origin, examples.class_names):
        _add(digest, "|".join(map(str, values)))
    return digest.hexdigest()


def _add(digest: Any, item: Any) -> None:
    """Add a text or a picture, and how large it is: two must not be taken for one."""
    if isinstance(item, str):
        data = item.encode()
        digest.update(f"{len(data)}|".encode())
        digest.update(data)
    else:
        digest.update(f"{item.shape}|".encode())
        digest.update(np.ascontiguousarray(item))
