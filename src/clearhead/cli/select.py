"""``clearhead select``: one point of the path."""

from __future__ import annotations

import typer

from clearhead.cli import options as o
from clearhead.cli.progress import Progress

__all__ = ["command"]


def command(run: o.RunFolder, rule: o.RuleText = None, force: o.Force = False) -> None:
    """Choose one point of the path.

    It is the layer that is explained, debugged and reported from here on.

    Example: clearhead select runs/photos --rule features:10
    """
    from clearhead.run import open_run

    with Progress() as progress:
        layer = open_run(run, progress).select(rule, force=force)
    typer.echo(f"{layer!r}\nNext: clearhead explain {run}")
