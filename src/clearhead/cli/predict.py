"""``clearhead predict``: what does an exported model say, and why?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["command"]

REASONS_SHOWN = 5


def command(
    folder: Annotated[Path, typer.Argument(help="An exported model.", metavar="DIR")],
    inputs: Annotated[list[str], typer.Argument(help="Texts, or image files.", metavar="INPUT...")],
    explain: Annotated[
        bool, typer.Option("--explain", help="Say which features decided, and by how much.")
    ] = False,
) -> None:
    """Ask an exported model.

    Example: clearhead predict reviews-onnx "A joy to watch." --explain
    """
    from clearhead.exports import load

    prediction = load(folder).predict(inputs, explain=explain)
    frame = prediction.to_frame()
    for i, given in enumerate(inputs):
        likeliest = prediction.probabilities[i].max()
        typer.echo(f"{frame['predicted'].iloc[i] or 'none'}  {likeliest:.1%}  {given}")
        if explain:
            for row in prediction.reasons(i).head(REASONS_SHOWN).itertuples():
                typer.echo(f"  {row.contribution:+8.3f}  feature {row.feature}")
