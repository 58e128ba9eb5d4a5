"""A dict of data by split: ``{"train": …, "test": …}``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from clearhead.data.adapters import read_source
from clearhead.data.dataset import Problem
from clearhead.data.source import Source
from clearhead.data.splits import SPLIT_NAMES, split_order
from clearhead.errors import DataError

__all__ = ["read"]


def read(spec: Mapping[Any, Any]) -> Source:
    """Read the data of each split; what is not named for a split is left out and counted.

    Raises
    ------
    DataError
        None is named for a split, or two for the same.
    """
    named = {key: SPLIT_NAMES.get(str(key).lower()) for key in spec}
    if not any(named.values()):
        raise DataError(
            f"The dict has the keys {', '.join(map(repr, spec))}, and none is a split. Name them "
            "train, validation and test; or give a pair (X, y)."
        )
    tables, notes, seen = [], [], {}
    problems = []
    for key, split in sorted(named.items(), key=lambda item: split_order(item[1])):
        if split is None:
            message = f"The data {key!r} are not named for a split; they were left out."
            problems.append(Problem("data beside the splits", str(key), message))
            continue
        if split in seen:
            raise DataError(
                f"{seen[split]!r} and {key!r} are both the {split} split. Keep one of them."
            )
        seen[split] = key
        source = read_source(spec[key])
        tables += [
            replace(table, split=split, prefix=f"{key}:{table.prefix}") for table in source.tables
        ]
        problems += source.problems
        notes += source.notes
    return Source("data", tables, problems, tuple(dict.fromkeys(notes)))
