"""What the readers of the settings have in common: how they are asked, and how tables are read."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clearhead.data.delimited import Rows, read_delimited
from clearhead.errors import DataError

__all__ = ["Asked", "column", "existing_folder", "read_table"]


@dataclass(frozen=True)
class Asked:
    """What is asked of a reader.

    Parameters
    ----------
    label : str
        Which label of several; settings with one ignore it.
    validation : float
        Share of the training examples that becomes the validation split.
    seed : int
        For that draw.
    """

    label: str
    validation: float
    seed: int


def existing_folder(path: Path, layout: str) -> Path:
    """Give `path`, which must be a folder."""
    if not path.is_dir():
        what = "is a file" if path.exists() else "does not exist"
        raise DataError(f"{path} {what}; expected is a folder with {layout}.")
    return path


def read_table(path: Path, layout: str) -> Rows:
    """Read a table that must be there."""
    if not path.is_file():
        there = sorted(p.name for p in path.parent.iterdir())[:8] if path.parent.is_dir() else []
        raise DataError(
            f"There is no {path.name} in {path.parent}; expected are {layout}. It holds: "
            f"{', '.join(there) or 'nothing'}."
        )
    return read_delimited(path)


def column(table: Rows, name: str, path: Path) -> list[str]:
    """Give the values of a column that must be there."""
    if name not in table.header:
        near: Sequence[str] = difflib.get_close_matches(name, table.header, n=1)
        hint = f" Did you mean to rename {near[0]!r}?" if near else ""
        raise DataError(
            f"{path} has no column {name!r}.{hint} Its columns: {', '.join(table.header)}."
        )
    at = table.header.index(name)
    return [row[at] for row in table.rows]
