"""``clearhead serve``: the app in a browser."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clearhead.cli import options as o

if TYPE_CHECKING:
    from clearhead.app import Server

__all__ = ["command"]


def command(
    run: o.RunFolder,
    host: Annotated[
        str, typer.Option(help="Address to listen on; others than this machine's need --token.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)
    ] = 0,
    token: Annotated[
        str | None,
        typer.Option(
            help="The key to the app, which stands in its first address.",
            envvar="CLEARHEAD_TOKEN",
            show_envvar=True,
            show_default="a random one",
        ),
    ] = None,
    compare: Annotated[
        Path | None,
        typer.Option(metavar="RUN_B", help="Another run of the same data, to show beside it."),
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
) -> None:
    """Open a run in the browser.

    Look at it, name and mark features, edit the layer and undo it, try texts and pictures of
    your own. It is served to this machine alone; Ctrl-C ends it.

    Example: clearhead serve runs/photos
    """
    from clearhead.app import serve

    def ready(server: Server) -> None:
        typer.echo(f"Serving {run} at {server.address}\nCtrl-C ends it.")

    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: typer.echo(f"Warning: {message}", err=True)
        serve(
            run,
            host=host,
            port=port,
            token=token,
            compare=compare,
            open_browser=browser,
            on_ready=ready,
        )
    typer.echo("Stopped.")
