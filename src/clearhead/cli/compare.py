"""``clearhead compare``: what is different between two models?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from clearhead.cli import options as o

__all__ = ["command"]


def command(
    run: o.RunFolder,
    other: Annotated[
        Path | None,
        typer.Argument(metavar="RUN_B", help="Another run of the same data.", show_default=False),
    ] = None,
    layer: Annotated[
        str,
        typer.Option(
            help="Which layer of RUN_B, or of RUN without it: sparse (the selected one), dense, "
            "edited."
        ),
    ] = "sparse",
    min_correlation: Annotated[
        float, typer.Option(help="What two features must reach to be counterparts.")
    ] = 0.5,
    signed: Annotated[
        bool, typer.Option("--signed", help="A feature that runs contrary is no counterpart.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Everything, for programs.")] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Write everything there, as JSON."),
    ] = None,
) -> None:
    """Compare two models on the examples that they have in common.

    Features are matched by how they vary together; then what one uses and the other does not,
    accuracy by class and slice, predictions that changed, findings that went or came.

    Example: clearhead compare runs/photos runs/photos-resnet
    """
    from clearhead._files import write_json
    from clearhead.run import open_run
    from clearhead.run.comparing import compare_runs

    found = compare_runs(
        open_run(run),
        None if other is None else open_run(other),
        layer=layer,
        min_correlation=min_correlation,
        signed=signed,
    )
    if out is not None:
        write_json(out, found.to_dict())
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=1, ensure_ascii=True))
    else:
        typer.echo(str(found))
        if out is not None:
            typer.echo(f"Written: {out}")
