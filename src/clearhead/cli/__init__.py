"""The command line: one thin file a subcommand."""

from __future__ import annotations

import os
import sys

__all__ = ["EXIT_INTERRUPTED", "INTERRUPTED", "main"]

EXIT_INTERRUPTED = 130
INTERRUPTED = "\nInterrupted. What was finished is kept: run the same command again to go on."


def main() -> None:
    """Run the command line."""
    # Threads that spin while they wait halve the speed of a machine that others use too.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        # Imported here, so that Ctrl-C while it loads ends as cleanly as later.
        from clearhead.cli.app import app

        app()
    except KeyboardInterrupt:
        sys.stderr.write(f"{INTERRUPTED}\n")
        sys.exit(EXIT_INTERRUPTED)
