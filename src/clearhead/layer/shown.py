"""How the parts of a layer's analysis are shown in a notebook: in words, above a table."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import pandas as pd

__all__ = ["words_and_table"]

MAX_ROWS = 20


def words_and_table(words: Sequence[str], frame: pd.DataFrame) -> str:
    """HTML of sentences above the first rows of a table."""
    said = "".join(f"<p>{escape(line)}</p>" for line in words)
    table = frame.head(MAX_ROWS).to_html(index=False, float_format="{:.3g}".format)
    return said + str(table)
