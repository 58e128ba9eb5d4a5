"""``clearhead debug``: what is wrong with the model?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clearhead.cli import options as o
from clearhead.cli.progress import Progress

__all__ = ["command"]


def command(
    run: o.RunFolder,
    quick: o.Quick = False,
    full: o.Full = False,
    terms: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Words for people that the class of a text should not depend on, one a line; "
            "a list of identity terms where left out.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the samples that are drawn.")] = 0,
    force: o.Force = False,
) -> None:
    """Look for what is wrong with the model.

    Findings are proposed on training and validation examples, measured on test, and ranked.
    Patterns that set a class apart are put into examples of other classes, beside a control, to
    see whether the prediction follows them; --quick leaves that out and needs no network.

    Example: clearhead debug runs/photos
    """
    from clearhead.cli.show import finding_lines
    from clearhead.run import open_run

    with Progress() as progress:
        opened = open_run(run, progress)
        effort = o.effort_of(quick=quick, full=full)
        findings = opened.debug(effort=effort, terms=terms, seed=seed, force=force)
    lines = finding_lines(findings)
    tested = opened.tested
    if tested:
        unused = sum(not one.used for one in tested)
        lines.append(f"{len(tested)} patterns were put into inputs; {unused} of them are not used.")
    lines += [f"Note: {note}" for note in opened.debug_notes]
    if opened.edits:
        lines.append(
            "These are findings about the selected layer. What its edits changed: clearhead "
            f"compare {run} --layer edited"
        )
    mend = [f"Mend the first: clearhead edit {run} --finding 1"] if findings else []
    typer.echo("\n".join([*lines, *mend, f"Next: clearhead report {run}"]))
