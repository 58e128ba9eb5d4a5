"""``clearhead flip``: what would have to be otherwise for another prediction?"""

from __future__ import annotations

import json
from typing import Annotated

import typer

from clearhead.cli import options as o
from clearhead.cli.progress import Progress

__all__ = ["command"]


def command(
    run: o.RunFolder,
    example: Annotated[
        str | None,
        typer.Argument(metavar="EXAMPLE", help="Id of an example.", show_default=False),
    ] = None,
    to: Annotated[
        str | None, typer.Option(metavar="CLASS", help="The class to flip to; any if left out.")
    ] = None,
    layer: o.LayerOfRun = "sparse",
    as_json: Annotated[bool, typer.Option("--json", help="Everything, for programs.")] = False,
) -> None:
    """Find the smallest change of one example that flips its prediction.

    Of the text or picture itself, by running the network on changed ones, and of the features,
    in closed form. Without an example (texts only): how often a prediction flips when a word
    from the list of one of its features is exchanged for one from the feature's other end, for
    the sparse layer, the dense one and random features.

    Example: clearhead flip runs/photos cell0042 --to defective
    """
    from clearhead.run import open_run

    with Progress() as progress:
        opened = open_run(run, progress)
        if example is None:
            exchanged = opened.exchange_words(layer=layer)
            found = exchanged.to_dict()
            lines = [
                f"{one.arm:8s} {100 * one.flips:5.1f}% of {one.n} flip by one word "
                f"({100 * one.low:.1f} to {100 * one.high:.1f})"
                for one in exchanged.rates
            ]
            lines += [f"  {b} for {a}: {c} → {d}" for a, b, c, d in exchanged.examples[:5]]
        else:
            flipped = opened.flip(example, to, layer=layer)
            found, lines = flipped.to_dict(), flipped.lines()
    typer.echo(json.dumps(found, indent=1) if as_json else "\n".join(lines))
