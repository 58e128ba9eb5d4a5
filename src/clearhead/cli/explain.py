"""``clearhead explain``: what does each feature respond to?"""

from __future__ import annotations

from typing import Annotated

import typer

from clearhead.cli import options as o
from clearhead.cli.progress import Progress

__all__ = ["command"]


def command(
    run: o.RunFolder,
    k: Annotated[int, typer.Option("-k", help="Examples at each end of a feature.")] = 8,
    force: o.Force = False,
) -> None:
    """Find what each used feature responds to.

    The examples that make it fire most, and least.

    Example: clearhead explain runs/photos -k 16
    """
    from clearhead.run import open_run

    with Progress() as progress:
        found = open_run(run, progress).explain(k=k, force=force)
    typer.echo(f"{len(found)} features explained\nNext: clearhead debug {run}")
