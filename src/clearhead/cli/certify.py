"""``clearhead certify``: how good is a path that glm_saga left?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from clearhead.cli import options as o
from clearhead.cli.progress import Progress
from clearhead.errors import InputError, StorageError

__all__ = ["command"]


def command(
    folder: Annotated[
        Path, typer.Argument(help="glm_saga's checkpoint folder: params0.pth, …", metavar="FOLDER")
    ],
    features: Annotated[
        Path,
        typer.Option(
            "--features",
            "-f",
            metavar="STORE",
            help=(
                "The rows that glm_saga trained on: a feature store or run directory (its training "
                "split), or an .npz file with arrays X (n, p) and y (n,)."
            ),
        ),
    ],
    family: Annotated[str, typer.Option(help="multinomial or gaussian.")] = "multinomial",
    grouped: Annotated[bool, typer.Option("--grouped", help="It ran with group=True.")] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="It was given the features as they are, not normalised.")
    ] = False,
    n_ex: Annotated[
        int | None, typer.Option(help="What it was told as n_ex, if not the number of rows.")
    ] = None,
    tol: o.Tol = 1e-4,
) -> None:
    """Prove how far each point of glm_saga's path is from the optimum.

    Solves the same problems, and says what each point's objective and features are beside
    the optimal ones.

    Example: clearhead certify checkpoints --features runs/photos
    """
    from clearhead.glm import read_saga

    X, y = _open(features)
    with Progress() as progress:
        found = read_saga(
            folder,
            X,
            y,
            family=family,
            grouped=grouped,
            normalize=not raw,
            n_ex=n_ex,
            tol=tol,
            on_event=progress,
        )
    typer.echo("\n".join([*found.lines(), repr(found)]))


def _open(features: Path) -> tuple[Any, Any]:
    """Rows and labels of a store, of a run's store, or of an .npz file."""
    if features.is_dir():
        from clearhead.features import FeatureStore

        inside = features / "features"
        return FeatureStore.open(inside if inside.is_dir() else features), None
    import numpy as np

    try:
        with np.load(features, allow_pickle=False) as arrays:
            return arrays["X"], arrays["y"]
    except FileNotFoundError as error:
        raise InputError(f"--features {features} does not exist.") from error
    except (KeyError, ValueError, OSError) as error:
        raise StorageError(
            f"{features} is no feature store and no .npz file with arrays X and y ({error}). Write "
            "one with numpy.savez(file, X=features, y=labels)."
        ) from error
