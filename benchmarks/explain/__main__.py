"""Command line: python -m benchmarks.explain index|lime|visualize [options]; each has --help."""

from __future__ import annotations

import importlib
import sys

ABOUT = {
    "index": "the index of extreme examples: one pass over a store against reading it",
    "lime": "LIME for all features at once, against the lime package",
    "visualize": "feature visualization, batched over features, against one at a time",
}


def main() -> None:
    """Hand the rest of the command line to the benchmark that is named first.

    Each is a module of this folder with ``main(arguments: Sequence[str]) -> None``; only the
    one that is asked for is imported, so that the peers of the others need not be there.
    """
    name, *arguments = sys.argv[1:] or ["--help"]
    if name not in ABOUT:
        lines = "\n".join(f"  {one:10s} {what}" for one, what in ABOUT.items())
        print(f"usage: python -m benchmarks.explain NAME [options]\n\n{lines}")
        sys.exit(0 if name in ("-h", "--help") else 2)
    importlib.import_module(f"benchmarks.explain.{name}").main(arguments)


if __name__ == "__main__":
    main()
