"""A file of JSON objects, one a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from clearhead.data.delimited import decode
from clearhead.data.source import Table
from clearhead.errors import DataError

__all__ = ["read_table"]


def read_table(path: Path) -> Table:
    """Read JSON lines; a key that a line lacks is missing there, blank lines are passed over.

    Raises
    ------
    DataError
        Names the line that is no JSON object.
    """
    rows: list[dict[str, Any]] = []
    where: list[str] = []
    # Not splitlines(): it also breaks at characters that belong to a text.
    for number, line in enumerate(decode(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise DataError(
                f"{path} line {number} is not JSON ({error}). The file needs one object a line, "
                'such as {"text": "…", "label": "…"}.'
            ) from error
        if not isinstance(row, dict):
            raise DataError(
                f"{path} line {number} holds a {type(row).__name__}; the file needs one JSON "
                'object a line, such as {"text": "…", "label": "…"}.'
            )
        rows.append(row)
        where.append(f"{path.name} line {number}")
    if not rows:
        raise DataError(f"{path} is empty. It needs at least one JSON object.")
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: [row.get(name) for row in rows] for name in names}
    return Table(str(path), columns, where, folder=path.parent)
