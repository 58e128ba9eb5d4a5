"""``clearhead study make`` and ``clearhead study read``: questionnaires for people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, cast

import typer

from clearhead.cli import options as o

__all__ = ["make", "read"]

ALL_KINDS = "simulatability,problematic"
ALL_ARMS = "sparse,dense"


def make(
    run: o.RunFolder,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="The page to hand to people.")
    ] = Path("study.html"),
    questions: Annotated[int, typer.Option(help="How many, over all kinds and layers.")] = 24,
    kinds: Annotated[
        str, typer.Option(help="Kinds of questions, with commas between.")
    ] = ALL_KINDS,
    arms: Annotated[
        str,
        typer.Option(
            help="Layers to ask about, mixed and hidden, with commas between; sparse alone shows "
            "words and feature visualizations where there are any."
        ),
    ] = ALL_ARMS,
    seed: Annotated[int, typer.Option(help="Of all that is drawn.")] = 0,
) -> None:
    """Write a questionnaire for people: one page that needs no network.

    Can they tell from its features what the model does? Do they see the feature that is to
    blame for a mistake? The key stays in the run.

    Example: clearhead study make runs/photos --out study.html
    """
    from clearhead.debug.study import Arm, Kind
    from clearhead.run import open_run
    from clearhead.run.studying import make_study

    study = make_study(
        open_run(run),
        out,
        n_questions=questions,
        kinds=cast("list[Kind]", _list(kinds)),
        arms=cast("list[Arm]", _list(arms)),
        seed=seed,
    )
    typer.echo(str(study))
    typer.echo(f"Page: {out}\nKey (not for the people asked): {run}/study/{study.id}.json")
    typer.echo(f"Next: clearhead study read {run} answers-*.json")


def read(
    run: o.RunFolder,
    answers: Annotated[
        list[Path],
        typer.Argument(metavar="ANSWERS…", help="What the page downloaded, one a person."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Everything, for programs.")] = False,
) -> None:
    """Analyse what people answered.

    Share of right answers with intervals, sparse against dense, and against chance.

    Example: clearhead study read runs/photos answers-*.json
    """
    from clearhead.run import open_run
    from clearhead.run.studying import read_study

    found = read_study(open_run(run), answers)
    typer.echo(json.dumps(found.to_dict(), indent=1) if as_json else str(found))


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
