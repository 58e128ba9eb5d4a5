"""``clearhead reproduce``: a setting of the paper, from its own files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clearhead.cli import options as o
from clearhead.cli.progress import Progress

__all__ = ["command"]

_SettingName = Annotated[
    str,
    typer.Argument(
        metavar="SETTING", help="sst, jigsaw-toxic, jigsaw-alt-toxic, places-10 or imagenet."
    ),
]
_Data = Annotated[
    Path, typer.Option("--data", metavar="PATH", help="The data, in the reference's files.")
]
_Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME_OR_PATH",
        help="The network: the reference's where left out; minilm, a checkpoint of a ResNet-50.",
    ),
]
_Label = Annotated[
    str | None,
    typer.Option(help="Label of the jigsaw settings: toxic, severe_toxic, obscene, threat, …"),
]
_Balance = Annotated[
    bool | None,
    typer.Option(
        "--balance/--no-balance",
        help="Draw validation and test down to classes of equal size.",
        show_default="as the reference",
    ),
]


def command(
    setting: _SettingName,
    data: _Data,
    out: o.Out,
    model: _Model = None,
    label: _Label = None,
    balance: _Balance = None,
    validation: Annotated[
        float, typer.Option(help="Share of the training examples that validates.")
    ] = 0.1,
    rule: o.RuleText = None,
    l1_ratio: o.L1Ratio = 0.99,
    n_lambdas: o.NLambdas = 100,
    lambda_min_ratio: o.LambdaMinRatio = 1e-3,
    balanced: o.Balanced = False,
    grouped: o.Grouped = False,
    targets: o.FitTargets = "labels",
    tol: o.Tol = 1e-4,
    seed: o.Seed = 0,
    limit: o.Limit = None,
    batch_size: o.BatchSize = None,
    device: o.Device = "auto",
    precision: o.Precision = "auto",
    force: o.ForceRun = False,
) -> None:
    """Fit a setting of the paper, and say what it published.

    The data are read from the files of the reference; docs/reproduce.md lists them.

    Example: clearhead reproduce sst --data sst/ --model minilm --out runs/sst
    """
    from clearhead.reproduce import reproduce

    with Progress() as progress:
        found = reproduce(
            setting,
            data,
            out,
            model=model,
            model_options={"device": device, "precision": precision},
            label=label,
            balance=balance,
            validation=validation,
            seed=seed,
            limit=limit,
            batch_size=o.batch_size_of(batch_size),
            force=force,
            on_event=progress,
            rule=rule,
            l1_ratio=l1_ratio,
            n_lambdas=n_lambdas,
            lambda_min_ratio=lambda_min_ratio,
            balanced=balanced,
            grouped=grouped,
            targets=targets,
            tol=tol,
        )
    typer.echo(f"{found}\n\nThe run: clearhead show {out}")
