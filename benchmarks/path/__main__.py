"""Command line: python -m benchmarks.path --help."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from benchmarks.path import document, problems, runner, solvers
from benchmarks.path.datasets.features import CACHE, NoDataError, Source
from benchmarks.path.scale import gpu, growth, memory, streaming
from clearhead.errors import ClearheadError

RESULTS = Path(__file__).parent / "results"

ABOUT = """\
Fit the same regularization paths with clearhead and its peers, and compare.

A solver's time is that of its loosest setting at which every point of the path has a
duality gap of at most 1e-4, measured by one evaluator for all (objective.py). Each
setting runs in a process of its own, with equal threads. Results are kept as JSON and
taken up again; a peer that was not finished counts as "at least".

  python -m benchmarks.path list                      problems and solvers
  python -m benchmarks.path run --quick               reduced problems, 20 minutes
  python -m benchmarks.path run                       all rows, hours
  python -m benchmarks.path run sst --solvers clearhead,glmnet --limit 60
  python -m benchmarks.path report                    docs/benchmarks.md and its figures
  python -m benchmarks.path extract clinc150 --data DIR
  python -m benchmarks.path memory|streaming|growth|gpu --help
"""

FULL_LIMIT = 1800.0


def main() -> None:
    """Read the command line."""
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.path", description=ABOUT, formatter_class=formatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    data = argparse.ArgumentParser(add_help=False)
    data.add_argument("--cache", type=Path, default=CACHE, help="deep features (%(default)s)")
    data.add_argument(
        "--data", type=Path, help="folder with clinc150/, sst/, clothing/, fashion-mnist/"
    )

    run = _command(commands, "run", _run, "fit and time", parents=[data])
    run.add_argument("problems", nargs="*", help="all by default; see list")
    run.add_argument("--solvers", help="names with commas between; all by default")
    run.add_argument("--quick", action="store_true", help="reduced rows, short limit")
    run.add_argument(
        "--limit", type=float,
        help=f"seconds a run may take (10 or 20 quick, {FULL_LIMIT:.0f} full); all runs of a "
        "solver on a problem have twice as much",
    )  # fmt: skip
    run.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    run.add_argument("--repeats", type=int, default=1, help="timings of the setting that counts")
    run.add_argument("--points", type=int, default=100, help="values of lam")
    run.add_argument("--rows", type=int, help="keep so many rows")
    run.add_argument("--no-curves", action="store_true", help="no settings only for figures")
    run.add_argument("--redo", default="", help="solvers to run again, or all")
    run.add_argument("--results", type=Path, help="folder (benchmarks/path/results/quick or full)")

    report = _command(commands, "report", _report, "write docs/benchmarks.md")
    report.add_argument("--results", type=Path, help="folder; full if there is one, else quick")

    extract = _command(commands, "extract", _extract, "compute deep features", parents=[data])
    extract.add_argument("problem", choices=[n for n, s in problems.SPECS.items() if _has_data(s)])

    _command(commands, "list", _list, "problems and solvers")
    for module in (memory, streaming, growth, gpu):
        name = module.__name__.rpartition(".")[2]
        command = _command(commands, name, module.main, (module.__doc__ or "").splitlines()[0])
        command.add_argument(
            "--results", type=Path, default=RESULTS / "full", help="folder (%(default)s)"
        )
        module.add_arguments(command)
    arguments = parser.parse_args()
    try:
        arguments.call(arguments)
    except (NoDataError, ClearheadError) as error:
        sys.exit(str(error))


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    call: Callable[[argparse.Namespace], None],
    about: str,
    parents: list[argparse.ArgumentParser] | None = None,
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=about, description=about, parents=parents or [])
    command.set_defaults(call=call)
    return command


def _has_data(spec: problems.Spec) -> bool:
    return isinstance(spec.source, Source)


def _run(a: argparse.Namespace) -> None:
    unknown = [name for name in a.problems if name not in problems.SPECS]
    names = a.solvers.split(",") if a.solvers else list(solvers.NAMES)
    unknown += [name for name in names if name not in solvers.NAMES]
    if unknown:
        sys.exit(f"Unknown: {', '.join(unknown)}. See python -m benchmarks.path list.")
    for name, spec in problems.SPECS.items():
        if (a.problems and name not in a.problems) or (a.quick and spec.quick_rows is None):
            continue
        start = perf_counter()
        settings = runner.Settings(
            folder=a.results or RESULTS / ("quick" if a.quick else "full"),
            limit=a.limit or (spec.quick_limit if a.quick else FULL_LIMIT),
            threads=a.threads,
            repeats=a.repeats,
            curves=not a.no_curves,
            redo=tuple(a.redo.split(",")),
        )
        rows = a.rows or (spec.quick_rows if a.quick else None)
        try:
            problem = spec.build(name, a.cache, a.data, rows, a.points)
        except NoDataError as error:
            print(f"{name} skipped: {error}", flush=True)
            continue
        shape = f"{problem.n:,} × {problem.p:,}, {problem.n_classes} classes"
        print(f"{name}: {shape}", flush=True)
        runner.run_problem(problem, names, settings, lambda text: print(text, flush=True))
        print(f"  {perf_counter() - start:.0f} s", flush=True)


def _report(a: argparse.Namespace) -> None:
    full = RESULTS / "full"
    folder = a.results or (full if full.is_dir() else RESULTS / "quick")
    document.write(folder)
    print(f"{document.DOCUMENT} was written from {folder}")


def _extract(a: argparse.Namespace) -> None:
    source = problems.SPECS[a.problem].source
    assert isinstance(source, Source)
    X, y = source.load(a.cache, a.data)
    print(f"{source.cached(a.cache)}: {X.shape[0]:,} × {X.shape[1]:,}, {y.max() + 1} classes")


def _list(a: argparse.Namespace) -> None:
    print("Problems:")
    for name, spec in problems.SPECS.items():
        quick = "full only" if spec.quick_rows is None else f"{spec.quick_rows:,} rows quick"
        print(f"  {name:24} {spec.title} ({quick})")
    print("Solvers:")
    for name in solvers.NAMES:
        print(f"  {name:24} {(solvers.load(name).__doc__ or '').splitlines()[0]}")


if __name__ == "__main__":
    main()
