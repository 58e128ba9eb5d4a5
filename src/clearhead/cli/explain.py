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
    quick: o.Quick = False,
    full: o.Full = False,
    seed: Annotated[int, typer.Option(help="Seed of perturbations and pictures.")] = 0,
    force: o.Force = False,
) -> None:
    """Find what each used feature responds to, and how far to trust the answer.

    The examples that make it fire most and least; what in them drives it (LIME); its words,
    or pictures made to activate it; a name; and whether these tell when it fires. Interrupt
    it at any time; the same command goes on from there.

    Example: clearhead explain runs/photos --full
    """
    from clearhead.run import open_run

    with Progress() as progress:
        effort = o.effort_of(quick=quick, full=full)
        found = open_run(run, progress).explain(k=k, effort=effort, seed=seed, force=force)
    typer.echo(f"{len(found.examples)} features explained")
    for note in found.notes:
        typer.echo(f"  {note}")
    names = {one.feature: one.name for one in found.names}
    for judged in found.trust:
        mark = "clear  " if judged.clear else "unclear"
        typer.echo(f"  {mark} feature {judged.feature}: {names.get(judged.feature, 'no name')}")
    typer.echo(f"Next: clearhead debug {run}")
