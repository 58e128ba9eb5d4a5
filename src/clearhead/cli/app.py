"""Put the subcommands together, and turn errors into exit codes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Annotated, Any

import typer

from clearhead.cli import (
    EXIT_INTERRUPTED,
    INTERRUPTED,
    analyze,
    certify,
    compare,
    debug,
    demo,
    edit,
    errors,
    explain,
    export,
    extract,
    fit,
    flip,
    name,
    predict,
    report,
    reproduce,
    run,
    select,
    serve,
    show,
    study,
)
from clearhead.errors import ClearheadError

__all__ = ["app"]

EXIT_ERROR = 2

app = typer.Typer(
    name="clearhead",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help=(
        "Make a deep network debuggable.\n\n"
        "clearhead replaces the last layer of a trained network by a sparse one that uses a "
        "handful of deep features a class, proves that layer optimal, shows what each feature "
        "responds to, and looks for what is wrong with the model.\n\n"
        "Start with `clearhead demo text`: everything on a real network and real data, in a "
        "few minutes. Then `clearhead run MODEL DATA --out DIR` for your own data. Each step can "
        "be run alone too: extract, fit, select, explain, debug, report; a step whose inputs have "
        "not changed is skipped, and an interrupted one goes on where it was."
    ),
)


def _guarded(command: Callable[..., None]) -> Callable[..., None]:
    """End `command` with a message and an exit code where clearhead raises on purpose."""

    @functools.wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except ClearheadError as error:
            said = [str(error), *getattr(error, "__notes__", [])]
            typer.echo(f"Error: {' '.join(said)}", err=True)
            raise typer.Exit(EXIT_ERROR) from error
        except KeyboardInterrupt as error:
            typer.echo(INTERRUPTED, err=True)
            raise typer.Exit(EXIT_INTERRUPTED) from error

    return guarded


for module in (
    *(run, demo, reproduce, extract, fit, select, explain, analyze, debug, errors, flip, edit),
    *(report, serve, export, predict, show, name, compare, certify),
):
    app.command(module.__name__.rpartition(".")[2])(_guarded(module.command))

questionnaire = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Questionnaires for people: do they understand the model by its features?",
)
questionnaire.command("make")(_guarded(study.make))
questionnaire.command("read")(_guarded(study.read))
app.add_typer(questionnaire, name="study")


def _print_version(wanted: bool) -> None:
    if wanted:
        from clearhead._version import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    pass
