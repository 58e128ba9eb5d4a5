"""``clearhead name``: what a person calls a feature."""

from __future__ import annotations

from typing import Annotated

import typer

from clearhead.cli import options as o
from clearhead.cli.progress import Progress

__all__ = ["command"]


def command(
    run: o.RunFolder,
    feature: Annotated[int | None, typer.Argument(help="Which deep feature.")] = None,
    name: Annotated[str | None, typer.Argument(help="What to call it.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the given name away.")] = False,
) -> None:
    """Name a feature, or list the names.

    A name that a person gave is kept with the run and wins over every suggested one. The
    report shows it when it is made again.

    Example: clearhead name runs/photos 12 "dark corners"
    """
    from clearhead.errors import InputError
    from clearhead.explain import merge_names
    from clearhead.run import open_run

    with Progress() as progress:
        opened = open_run(run, progress)
        if feature is not None:
            if (name is None) != remove:
                raise InputError(
                    f"Say what feature {feature} is called, or take its name away with --remove."
                )
            opened.name_feature(feature, name)
            if "report" in opened.file.steps:
                opened.report()
        done = "explain" in opened.file.steps
        names = opened.explained.names if done else merge_names([], opened.given_names)
    for one in names:
        typer.echo(str(one))
