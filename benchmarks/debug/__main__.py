"""Command line: python -m benchmarks.debug --help."""

from __future__ import annotations

import argparse
import fnmatch
import sys
import time
from multiprocessing import get_context
from pathlib import Path

from benchmarks.debug.cases import CASES, LATER, TWINS
from benchmarks.debug.runner import Places
from benchmarks.debug.task import Task
from benchmarks.path.datasets.features import CACHE

RESULTS = Path(__file__).parent / "results"

ABOUT = """\
Plant faults into real data, train or look through networks on them, and see what is found.

  python -m benchmarks.debug run                       every case without --data
  python -m benchmarks.debug run --data DIR            also on data that come with no package
  python -m benchmarks.debug run --screen              only: which faults cost the model enough?
  python -m benchmarks.debug run --cases 'fashion-*' --jobs 2
  python -m benchmarks.debug run --judge               judge and mend once more what was found
  python -m benchmarks.debug report                    the table in docs/benchmarks.md

A result is kept after each step of a case, and a run goes on from there.
"""


def main() -> None:
    """Read the command line."""
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.debug", description=ABOUT, formatter_class=formatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="plant, train, find, mend, judge")
    run.set_defaults(call=_run)
    run.add_argument("--data", type=Path, help="folder with clothing/, sst/")
    run.add_argument("--cases", default="*", help="keys, with * and ?")
    run.add_argument("--jobs", type=int, default=1, help="cases at a time, of one thread each")
    run.add_argument("--screen", action="store_true", help="go no further than what a fault costs")
    run.add_argument("--redo", action="store_true", help="look for findings again")
    run.add_argument("--judge", action="store_true", help="only judge and mend again")
    run.add_argument("--part", default="1/1", help="k/n: every n-th case, beginning with k")
    run.add_argument("--limit-seconds", type=float, help="begin no case after so long")
    run.add_argument("--case-seconds", type=int, default=900, help="end a case after so long")
    run.add_argument("--results", type=Path, default=RESULTS)
    run.add_argument("--work", type=Path, default=CACHE / "debug", help="runs and weights")
    report = commands.add_parser("report", help="write docs/benchmarks.md")
    report.set_defaults(call=_report)
    report.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    arguments.call(arguments)


def _run(a: argparse.Namespace) -> None:
    started = time.monotonic()
    places = Places(a.results, a.work, a.data)
    k, n = (int(part) for part in a.part.split("/"))
    for group in (TWINS, CASES, LATER):  # a case is compared with its twin
        chosen = [case for case in group if fnmatch.fnmatch(case.key, a.cases)][k - 1 :: n]
        step = Task(places, a.screen, a.redo, a.judge, a.case_seconds)
        left = (case for case in chosen if not _late(started, a.limit_seconds))
        if a.jobs == 1:
            for case in left:
                print(step(case), flush=True)
            continue
        with get_context("spawn").Pool(a.jobs) as pool:
            for line in pool.imap_unordered(step, left):
                print(line, flush=True)


def _late(started: float, limit: float | None) -> bool:
    return limit is not None and time.monotonic() - started > limit


def _report(a: argparse.Namespace) -> None:
    from benchmarks.debug import document

    for warning in document.write(a.results):
        print(f"Warning: {warning}", file=sys.stderr)
    print(f"{document.DOCUMENT} was written from {a.results}")


if __name__ == "__main__":
    main()
