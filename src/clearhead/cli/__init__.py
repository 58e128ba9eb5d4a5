"""The command line: one thin file a subcommand."""

from clearhead.cli.main import main

__all__ = ["main"]
