"""``clearhead export``: a model that others can use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clearhead.cli import options as o
from clearhead.cli.progress import Progress

__all__ = ["command"]


def command(
    run: o.RunFolder,
    format: Annotated[  # noqa: A002 - the option's name
        str,
        typer.Option(
            "--format",
            "-f",
            help=(
                "torch (weights and a traced program), hf (transformers' save_pretrained), onnx, "
                "or sklearn (the layer alone, on deep features)."
            ),
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="A folder.", metavar="DIR")],
    layer: Annotated[
        str,
        typer.Option(
            metavar="selected|edited",
            help="The layer as it was selected, or with the edits of `clearhead edit`.",
        ),
    ] = "selected",
    force: Annotated[
        bool, typer.Option("--force", help="Write into a folder that holds something else, too.")
    ] = False,
) -> None:
    """Write the network with its sparse layer, for use without clearhead.

    It is loaded from its files and proven equal on a batch of the run's data before it is
    put in place. The folder says in its README.md what the model is and how to load it.

    Example: clearhead export runs/reviews --format onnx --out reviews-onnx
    """
    from clearhead.exports import export
    from clearhead.run import open_run
    from clearhead.run.choices import check_choice

    chosen = check_choice("--layer", layer, ("selected", "edited"))
    with Progress() as progress:
        opened = open_run(run, progress)
        edited = opened.layer("edited") if chosen == "edited" else None
        folder = export(opened, format, out, layer=edited, force=force, on_event=progress)
    if edited is None and opened.edits:
        typer.echo("This is the layer as it was selected; --layer edited has its edits.")
    typer.echo(f"Written: {folder}\nHow to load it: {folder / 'README.md'}")
