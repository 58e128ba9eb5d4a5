"""``clearhead errors``: which features are to blame for the mistakes?"""

from __future__ import annotations

import json
from typing import Annotated

import typer

from clearhead.cli import options as o

__all__ = ["command"]


def command(
    run: o.RunFolder,
    split: Annotated[str, typer.Option(help="Whose mistakes: train, validation or test.")] = "test",
    layer: o.LayerOfRun = "sparse",
    most: Annotated[int, typer.Option("-k", min=1, help="Groups to show.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Everything, for programs.")] = False,
) -> None:
    """Group the mistakes by the feature to blame and by pair of classes.

    For each group: how many mistakes would be mended, and how many right answers broken, if the
    feature were off.

    Example: clearhead errors runs/photos
    """
    from clearhead.run import open_run

    found = open_run(run).errors(split, layer=layer)
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=1))
        return
    off = [f"Switch one off: clearhead edit {run} --ban FEATURE"] if found.groups else []
    typer.echo("\n".join([*found.describe(most), *off]))
