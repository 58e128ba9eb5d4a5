"""A run shown in a notebook cell: the page of the report in a frame.

The frame is part of the notebook's file, so that a saved or converted notebook shows it too.
"""

from __future__ import annotations

import html

from clearhead.report.along import AppData
from clearhead.report.html import render_html

__all__ = ["MOST_PAGE", "notebook_html"]

MOST_PAGE = 10 * 2**20
"""Bytes of a page that a notebook keeps in its file."""

HEIGHT = 720


def notebook_html(data: AppData, elsewhere: str, *, widget: str = "") -> str:
    """Frame the page of a run; one that is too large for a notebook is named instead.

    Parameters
    ----------
    data : AppData
    elsewhere : str
        How it can be seen otherwise, in words.
    widget : str
        Token of the widget that takes its place where a kernel answers.
    """
    page = render_html(data)
    size = len(page.encode())
    if size > MOST_PAGE:
        return (
            f"<p>The page of this run has {size / 2**20:.0f} MB, and a notebook keeps at most "
            f"{MOST_PAGE // 2**20}. {html.escape(elsewhere)}</p>"
        )
    # Scripts of the page run in an origin of their own: they reach nothing of the notebook.
    return (
        f'<iframe title="{html.escape(data.name)}" sandbox="allow-scripts" loading="lazy" '
        f'data-clearhead="{html.escape(widget)}" '
        f'style="width:100%;height:{HEIGHT}px;border:0" srcdoc="{html.escape(page)}"></iframe>'
    )
