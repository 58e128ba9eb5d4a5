"""What an adapter hands on: tables of named columns, whatever they were read from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clearhead._types import SplitName
from clearhead.data.dataset import Problem

__all__ = ["Source", "Table"]


@dataclass(frozen=True)
class Table:
    """Columns of the same length, and where each row stands.

    Parameters
    ----------
    origin : str
        How messages call it: its path, ``"the DataFrame"``.
    columns : mapping of str to sequence of n values
    where : sequence of n str
        How messages call each row.
    written : bool
        Values are strings as they stand in a file: numbers and gaps are to be found.
    folder : Path
        What paths of images are relative to.
    prefix : str
        Put before each id, so that the ids of several tables differ.
    split : str or None
        The split that all rows belong to.
    roles : mapping
        Columns that are known: ``"text"``, ``"image"``, ``"label"``, ``"id"``, ``"split"``.
    images : frozenset of str
        Columns that hold images, not paths of them.
    class_names : mapping of str to tuple of str
        For a column of labels, the classes in order, where its source knows them.
    """

    origin: str
    columns: Mapping[str, Sequence[Any]]
    where: Sequence[str]
    written: bool = False
    folder: Path = Path()
    prefix: str = ""
    split: SplitName | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    images: frozenset[str] = frozenset()
    class_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.where)


@dataclass(frozen=True)
class Source:
    """Tables that together are one data set.

    Parameters
    ----------
    name : str
        For people.
    tables : sequence of Table
    problems : sequence of Problem
        What was left out.
    notes : sequence of str
        What was decided, in sentences.
    no_columns : str
        Not empty where columns cannot be named: what the data are instead of a table.
    """

    name: str
    tables: Sequence[Table]
    problems: Sequence[Problem] = ()
    notes: Sequence[str] = ()
    no_columns: str = ""
