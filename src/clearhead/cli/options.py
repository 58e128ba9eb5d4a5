"""Arguments that several subcommands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "Balanced",
    "Ban",
    "BatchSize",
    "Data",
    "FitTargets",
    "Force",
    "ForceRun",
    "Grouped",
    "L1Ratio",
    "LabelColumn",
    "LambdaMinRatio",
    "Limit",
    "Model",
    "NLambdas",
    "NoExamples",
    "Out",
    "Repair",
    "RuleText",
    "RunFolder",
    "Seed",
    "Strict",
    "TextColumn",
    "Tol",
]

Model = Annotated[
    str, typer.Argument(help="The network: minilm, efficientnet-lite0.", metavar="MODEL")
]
Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help=(
            "Labelled data: rotten-tomatoes, imdb, elpv; a folder with one sub-folder a class "
            "(or train, validation, test above them); a CSV or TSV file, or a folder of them."
        ),
    ),
]
Out = Annotated[Path, typer.Option("--out", "-o", help="The run directory.", metavar="DIR")]
RunFolder = Annotated[Path, typer.Argument(help="A run directory.", metavar="RUN")]

TextColumn = Annotated[
    str | None, typer.Option(help="Column that holds the text; guessed when left out.")
]
LabelColumn = Annotated[
    str | None, typer.Option(help="Column that holds the label; guessed when left out.")
]
Seed = Annotated[int, typer.Option(help="Seed of the splits that have to be made.")]
Limit = Annotated[
    int | None, typer.Option(help="Use only so many examples, drawn by class, for a quick look.")
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict", help="Unreadable images, empty or truncated texts are errors, not counted."
    ),
]
NoExamples = Annotated[
    bool,
    typer.Option(
        "--no-examples", help="Keep no texts or thumbnails in the run; ids and metadata stay."
    ),
]
BatchSize = Annotated[int | None, typer.Option(help="Examples a batch; chosen when left out.")]
Repair = Annotated[
    bool, typer.Option("--repair", help="Compute damaged or missing feature shards again.")
]
Force = Annotated[bool, typer.Option("--force", help="Do it again though nothing has changed.")]
ForceRun = Annotated[
    bool,
    typer.Option(
        "--force", help="Do it all again, and overwrite a run of another network or other data."
    ),
]

L1Ratio = Annotated[
    float, typer.Option(help="Mixing of the elastic net: 1 is the lasso, 0 is ridge.")
]
NLambdas = Annotated[int, typer.Option(help="Points of the regularization path.")]
LambdaMinRatio = Annotated[
    float, typer.Option(help="Last lambda of the path as a share of the first.")
]
Tol = Annotated[float, typer.Option(help="Relative duality gap that every point must reach.")]
Ban = Annotated[
    list[int] | None,
    typer.Option(metavar="FEATURE", help="A feature that no layer may use; can be repeated."),
]
Balanced = Annotated[
    bool, typer.Option("--balanced", help="Weigh examples so that every class counts alike.")
]
Grouped = Annotated[
    bool, typer.Option("--grouped", help="A feature is in for all classes or for none.")
]
FitTargets = Annotated[
    str,
    typer.Option(
        "--targets",
        metavar="labels|predictions",
        help=(
            "What to fit: the labels of the data, or what the network itself predicts, as a "
            "surrogate of it."
        ),
    ),
]
RuleText = Annotated[
    str | None,
    typer.Option(
        "--rule",
        help=(
            "How the layer is chosen on the path, by validation accuracy: sparsest:0.05 (within 5 "
            "points of the best), sparsest:5% (relative), best, features:20 (at most 20 a class), "
            "percentile:95, one-se (within one standard error of the best)."
        ),
        show_default="sparsest:0.05",
    ),
]
