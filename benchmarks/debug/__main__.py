"""Command line: python -m benchmarks.debug --help."""

from __future__ import annotations

import argparse
import fnmatch
import signal
import sys
import time
import traceback
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from benchmarks.debug.cases import CASES, TWINS, Case
from benchmarks.debug.results import Result, load, save
from benchmarks.debug.runner import Places, go_on, judge_again
from benchmarks.path.datasets.features import CACHE, NoDataError

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
    for group in (TWINS, CASES):  # a case is compared with its twin
        chosen = [case for case in group if fnmatch.fnmatch(case.key, a.cases)][k - 1 :: n]
        tasks = [(case, places, a) for case in chosen]
        left = (task for task in tasks if not _late(started, a.limit_seconds))
        if a.jobs == 1:
            for task in left:
                print(_one(task), flush=True)
            continue
        with get_context("spawn").Pool(a.jobs) as pool:
            for line in pool.imap_unordered(_one, left):
                print(line, flush=True)


def _late(started: float, limit: float | None) -> bool:
    return limit is not None and time.monotonic() - started > limit


def _one(task: tuple[Case, Places, argparse.Namespace]) -> str:
    case, places, a = task
    begun = time.monotonic()
    torch.set_num_threads(1)  # of this process, which runs cases only
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(a.case_seconds)
    try:
        judged = judge_again(case, places) if a.judge else None
        if a.judge and judged is None:
            return f"{case.key}: was not debugged"
        result = judged or go_on(case, places, a.screen, a.redo)
    except NoDataError as error:
        return f"{case.key}: skipped, {error}"
    except Exception as error:  # one case does not end the others
        result = load(places.results, case.key) or Result(case.key)
        result.error = f"{type(error).__name__}: {error}"
        save(places.results, result)
        traceback.print_exc(file=sys.stdout)
    finally:
        signal.alarm(0)
    return _line(result, time.monotonic() - begun)


def _too_long(*_: Any) -> None:
    raise TimeoutError("the case took longer than --case-seconds")


def _line(result: Result, seconds: float) -> str:
    parts = [f"{result.key}: {result.stage}, {seconds:.0f} s"]
    if result.error:
        parts.append(result.error)
    if result.planted is None or result.twin is None:
        parts.append(f"accuracy {result.accuracy:.3f}, network's {result.own_head or 0:.3f}")
    else:
        parts.append(
            f"recall {result.twin['recall']:.2f} -> {result.planted['recall']:.2f}, flips "
            f"{result.planted['flips']:.2f}{'' if result.counts else ': not learned'}"
        )
    if result.stage == "done":
        confirmed = sum(one["confirmed"] for one in result.findings)
        restored = result.restored
        parts.append(f"rank {result.rank}, {confirmed} confirmed")
        if restored is not None and result.mended is not None:
            parts.append(f"restored {restored:.2f}")
    return "; ".join(parts)


def _report(a: argparse.Namespace) -> None:
    from benchmarks.debug import document

    for warning in document.write(a.results):
        print(f"Warning: {warning}", file=sys.stderr)
    print(f"{document.DOCUMENT} was written from {a.results}")


if __name__ == "__main__":
    main()
