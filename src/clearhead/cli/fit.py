"""``clearhead fit``: the regularization path."""

from __future__ import annotations

from typing import Annotated

import typer

from clearhead.cli import options as o
from clearhead.cli.progress import Progress

__all__ = ["command"]


def command(
    run: o.RunFolder,
    l1_ratio: o.L1Ratio = 0.99,
    n_lambdas: o.NLambdas = 100,
    lambda_min_ratio: o.LambdaMinRatio = 1e-3,
    tol: o.Tol = 1e-4,
    ban: o.Ban = None,
    balanced: o.Balanced = False,
    grouped: o.Grouped = False,
    targets: o.FitTargets = "labels",
    strict: Annotated[
        bool, typer.Option("--strict", help="A point that is not proven optimal is an error.")
    ] = False,
    force: o.Force = False,
) -> None:
    """Fit the sparse path, each point proven optimal.

    One decision layer for each strength of the penalty, from no features to many.

    Example: clearhead fit runs/photos --n-lambdas 50
    """
    from clearhead.run import open_run

    with Progress() as progress:
        opened = open_run(run, progress)
        path = opened.fit(
            l1_ratio=l1_ratio,
            n_lambdas=n_lambdas,
            lambda_min_ratio=lambda_min_ratio,
            tol=tol,
            ban=ban or (),
            balanced=balanced,
            grouped=grouped,
            targets=targets,
            strict=strict,
            force=force,
        )
    typer.echo(f"{path!r}\nNext: clearhead select {run}")
