"""``clearhead analyze``: what is the decision layer made of?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from clearhead.cli import options as o
from clearhead.cli.progress import Progress

if TYPE_CHECKING:
    from clearhead.layer import LayerAnalysis

__all__ = ["analysis_lines", "command"]


def command(
    run: o.RunFolder,
    resamples: Annotated[
        int, typer.Option(help="Bootstrap resamples in which the choice of features is repeated.")
    ] = 20,
    tried: Annotated[
        int, typer.Option(help="Features left out one at a time, the heaviest first.")
    ] = 50,
    force: o.Force = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Everything that was found, for programs.")
    ] = False,
) -> None:
    """Look at the decision layer as a whole.

    How much its top features carry (against the dense layer's), which features classes share,
    which have duplicates or could be done without, and which would have been chosen from
    other examples too. Measured on validation; needs no network.

    Example: clearhead analyze runs/photos --resamples 50
    """
    from clearhead.run import open_run

    with Progress() as progress:
        found = open_run(run, progress).analyze(n_resamples=resamples, n_tried=tried, force=force)
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=1, ensure_ascii=True))
    else:
        typer.echo("\n".join(analysis_lines(found)))


def analysis_lines(found: LayerAnalysis) -> list[str]:
    """Write an analysis: the table of top features and the rest, then what is to be said."""
    lines = ["Validation accuracy with all features, the top k of each class, and the rest", ""]
    lines.append(f"{'k':>4}  {'layer':6}  {'all':>6}  {'top k':>6}  {'rest':>6}")
    for row in found.table().to_dict("records"):
        shares = "  ".join(f"{100 * row[name]:5.1f}%" for name in ("all", "top", "rest"))
        lines.append(f"{row['k']:4d}  {row['layer']:6}  {shares}")
    parts = {
        "Shared features": found.sharing.describe(),
        "Similar classes": []
        if found.sharing.mirrored
        else [*found.similarity.describe(), *found.dense_similarity.describe()],
        "Duplicates": found.duplicates.describe(),
        "Substitutes": found.substitutes.describe(),
        "Stability": found.stability.describe(),
    }
    for title, said in parts.items():
        if said:
            lines += ["", title, *(f"  {line}" for line in said)]
    return lines
