"""``clearhead report``: one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clearhead.cli import options as o
from clearhead.cli.progress import Progress

__all__ = ["command"]


def command(
    run: o.RunFolder,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", show_default="report.html in the run"),
    ] = None,
    compare: Annotated[
        Path | None,
        typer.Option(metavar="RUN_B", help="Another run of the same data, to show beside it."),
    ] = None,
    force: o.Force = False,
) -> None:
    """Write the report, one HTML file.

    It opens anywhere, without a server. Above 20 MB it becomes a folder of the same name.

    Example: clearhead report runs/photos --out photos.html
    """
    from clearhead.cli.show import opening_line
    from clearhead.run import open_run

    with Progress() as progress:
        other = None if compare is None else open_run(compare)
        path = open_run(run, progress).report(out, compare=other, force=force)
    typer.echo(opening_line(path))
