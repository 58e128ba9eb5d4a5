"""Arguments that several subcommands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from clearhead.errors import InputError

if TYPE_CHECKING:
    from clearhead.run.explaining import EffortName

__all__ = [
    "BalanceHeldOut",
    "Balanced",
    "Ban",
    "BatchSize",
    "Checkpoint",
    "ClassNames",
    "Data",
    "Device",
    "FitTargets",
    "Force",
    "ForceRun",
    "Full",
    "GroupColumn",
    "Grouped",
    "IdColumn",
    "ImageColumn",
    "L1Ratio",
    "Label",
    "LabelColumn",
    "LabelSeparator",
    "LambdaMinRatio",
    "Layer",
    "LayerOfRun",
    "Limit",
    "Model",
    "NLambdas",
    "NoExamples",
    "Out",
    "Pooling",
    "Precision",
    "Preprocessing",
    "Quick",
    "Repair",
    "RuleText",
    "RunFolder",
    "Seed",
    "SplitColumn",
    "Strict",
    "Test",
    "TextColumn",
    "Tol",
    "Validation",
    "batch_size_of",
    "columns",
    "effort_of",
    "listed",
    "preprocessing_of",
]

Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help=(
            "The network: minilm, efficientnet-lite0; a name on the Hugging Face hub, or a folder; "
            "timm:NAME, torchvision:NAME; package.module:factory or file.py:factory; a file.onnx; "
            "or a file of features (.npz, .npy, .parquet, .arrow)."
        ),
    ),
]
Layer = Annotated[
    str | None, typer.Option(help="Name of the decision layer, where it is not the last.")
]
Pooling = Annotated[
    str | None, typer.Option(help="How an encoder's tokens become one: mean, cls, last, pooler.")
]
Checkpoint = Annotated[
    str | None,
    typer.Option(help="File with the weights, of a network that is built first.", metavar="FILE"),
]
Preprocessing = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEY=VALUE",
        help=(
            "How pictures are prepared: size=224, crop=0.875, mean=0.485,0.456,0.406, "
            "std=0.229,0.224,0.225, interpolation=bilinear. Can be repeated."
        ),
    ),
]
Device = Annotated[str, typer.Option(help="Where to compute: auto, cpu, cuda, cuda:1, mps.")]
Precision = Annotated[
    str, typer.Option(help="What to compute in: auto, float32, bfloat16. Features are float32.")
]
Data = Annotated[
    str | None,
    typer.Argument(
        metavar="DATA",
        help=(
            "Labelled data: rotten-tomatoes, imdb, elpv; a folder with one sub-folder a class "
            "(or train, validation, test above them); a CSV, TSV, JSON lines or parquet file of "
            "texts or paths of images, or a folder of them; a folder of datasets.save_to_disk."
        ),
    ),
]
Out = Annotated[Path, typer.Option("--out", "-o", help="The run directory.", metavar="DIR")]
LayerOfRun = Annotated[
    str,
    typer.Option(
        "--layer",
        metavar="sparse|dense|edited",
        help="Of which layer: the selected one, the dense one, or that of `clearhead edit`.",
    ),
]
RunFolder = Annotated[Path, typer.Argument(help="A run directory.", metavar="RUN")]

TextColumn = Annotated[
    str | None, typer.Option(help="Column that holds the text; guessed when left out.")
]
ImageColumn = Annotated[
    str | None,
    typer.Option(help="Column that holds the paths of images, relative to the file."),
]
LabelColumn = Annotated[
    list[str] | None,
    typer.Option(
        help=(
            "Column that holds the label; guessed when left out. Several columns of 0 and 1, one "
            "a label: repeat it, or put commas between."
        )
    ),
]
LabelSeparator = Annotated[
    str | None,
    typer.Option(help="What stands between the labels of one example, such as '|'."),
]
Label = Annotated[
    str | None, typer.Option(help="Which of several labels to look into: without it, or with it.")
]
SplitColumn = Annotated[
    str | None, typer.Option(help="Column that holds train, validation or test.")
]
GroupColumn = Annotated[
    str | None,
    typer.Option(help="Examples that agree in this column stay on one side of splits made here."),
]
IdColumn = Annotated[str | None, typer.Option(help="Column that holds unique ids.")]
ClassNames = Annotated[
    str | None,
    typer.Option(
        help="The classes in order, with commas between; also the names of labels 0, 1, ….",
        metavar="A,B,…",
    ),
]
Validation = Annotated[
    float, typer.Option(help="Share of train that validates where the data have no such split.")
]
Test = Annotated[
    float, typer.Option(help="Share of train that tests where the data have no such split.")
]
BalanceHeldOut = Annotated[
    bool,
    typer.Option(
        "--balance-held-out", help="Draw the classes of validation and test down to equal size."
    ),
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
BatchSize = Annotated[
    str | None,
    typer.Option(
        help="Examples a batch, or auto: as many as make it faster; chosen when left out.",
        metavar="N|auto",
    ),
]
Repair = Annotated[
    bool, typer.Option("--repair", help="Compute damaged or missing feature shards again.")
]
Force = Annotated[bool, typer.Option("--force", help="Do it again though nothing has changed.")]
ForceRun = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Do it all again, and overwrite a run of another network or other data; names and "
        "marks that people gave to its features are put aside.",
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


Full = Annotated[
    bool,
    typer.Option(
        "--full", help="Every feature in use, with many more examples and changed inputs."
    ),
]
Quick = Annotated[
    bool,
    typer.Option(
        "--quick", help="Look at the stored features only: seconds, and without the network."
    ),
]


def effort_of(*, quick: bool, full: bool) -> EffortName:
    """What ``--quick`` and ``--full`` say."""
    if quick and full:
        raise InputError("--quick and --full exclude each other: leave one out.")
    return "quick" if quick else "full" if full else "default"


def batch_size_of(text: str | None) -> int | Literal["auto"] | None:
    """What ``--batch-size`` says."""
    if text is None:
        return None
    if text == "auto":
        return "auto"
    try:
        return int(text)
    except ValueError:
        raise InputError(f"--batch-size {text}: it must be a number or auto.") from None


def preprocessing_of(pairs: list[str] | None) -> dict[str, Any] | None:
    """What ``--preprocessing`` says: each ``KEY=VALUE``, numbers with commas between."""
    if not pairs:
        return None
    found: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise InputError(f"--preprocessing {pair}: write KEY=VALUE, such as size=224.")
        numbers = [_number(part) for part in value.split(",")]
        found[key.strip()] = numbers if len(numbers) > 1 else numbers[0]
    return found


def _number(text: str) -> Any:
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text


def listed(names: str | None) -> list[str] | None:
    """Names with commas between, as a list."""
    return None if names is None else [name.strip() for name in names.split(",")]


def columns(named: list[str] | None) -> str | list[str] | None:
    """What ``--label-column`` says: one column (perhaps with commas), or several."""
    if named is None or len(named) != 1:
        return named or None
    return named[0]
