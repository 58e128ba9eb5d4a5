"""``clearhead debug``: what is wrong with the model?"""

from __future__ import annotations

import typer

from clearhead.cli import options as o
from clearhead.cli.progress import Progress

__all__ = ["command"]


def command(run: o.RunFolder, force: o.Force = False) -> None:
    """Look for what is wrong with the model.

    Findings are proposed on validation, measured on test, and ranked.

    Example: clearhead debug runs/photos
    """
    from clearhead.cli.show import finding_lines
    from clearhead.run import open_run

    with Progress() as progress:
        findings = open_run(run, progress).debug(force=force)
    typer.echo("\n".join([*finding_lines(findings), f"Next: clearhead report {run}"]))
