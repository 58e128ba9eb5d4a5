"""Run every solver on a problem: settings from loose to tight, solvers in turn."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks.path import compare, results, solvers
from benchmarks.path.machine import describe
from benchmarks.path.objective import Evaluator
from benchmarks.path.problem import Problem
from benchmarks.path.results import Result, Run
from benchmarks.path.solvers import glmnet

ROOT = Path(__file__).parents[2]
GRACE = 240.0
"""Seconds for what is not timed: imports, copies, compilation."""


@dataclass(frozen=True)
class Settings:
    """How to run.

    Parameters
    ----------
    folder : Path
        Where results are kept.
    limit : float
        Seconds that a run may take; all runs of a solver on a problem have twice as much.
    threads : int
    repeats : int
        Times that the setting that counts is run.
    curves : bool
        Also run the settings that are only for figures.
    redo : tuple of str
        Solvers whose results are not taken up; "all" for every one.
    """

    folder: Path
    limit: float
    threads: int
    repeats: int = 1
    curves: bool = False
    redo: tuple[str, ...] = ()


def run_problem(
    problem: Problem,
    names: Sequence[str],
    settings: Settings,
    say: Callable[[str], None] = print,
) -> list[Result]:
    """Run `names` in turn, one setting each, until each has met the target or spent its time."""
    found = [_begin(problem, name, settings) for name in names]
    for result in found:
        if result.skipped:
            say(f"  {result.solver:18} skipped: {result.skipped}")
        elif result.done:
            say(f"  {result.solver:18} kept: {line(result.best)}")
    todo = [result for result in found if not result.done]
    if not todo:
        return found
    judge = problem.evaluator()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        problem.save(folder / "problem")
        while todo:
            for result in todo:
                _step(result, found, folder, judge, problem, settings, say)
                result.save(settings.folder)
            todo = [result for result in todo if not result.done]
        for _ in range(settings.repeats - 1):
            for result in found:
                _repeat(result, folder, judge, problem, settings, say)
    return found


def _begin(problem: Problem, name: str, settings: Settings) -> Result:
    """Take up an earlier result of the same problem and versions, or start one."""
    solver = solvers.load(name)
    versions = solvers.versions(name)
    if name == "clearhead":
        versions["source"] = results.own_source()
    if name == "glmnet":
        versions["glmnet"] = str(glmnet.version())
    digest = f"{problem.digest} {json.dumps(versions, sort_keys=True)}"
    path = results.path_of(settings.folder, problem.name, name)
    if path.exists() and not {name, "all"} & set(settings.redo):
        old = Result.load(path)
        if old.digest == digest and (old.skipped is None or old.skipped == solver.skip(problem)):
            return old
    about = {
        "n": problem.n, "p": problem.p, "classes": problem.n_classes, "family": problem.family,
        "l1_ratio": problem.l1_ratio, "intercept": problem.intercept,
        "points": len(problem.lambdas),
        "lambda_min_ratio": float(problem.lambdas[-1] / problem.lambdas[0]),
    }  # fmt: skip
    result = Result(problem.name, name, digest, about, machine=describe(settings.threads))
    result.skipped = solver.skip(problem)
    if result.skipped:
        result.done = True
        result.save(settings.folder)
    return result


def _step(
    result: Result,
    found: Sequence[Result],
    folder: Path,
    judge: Evaluator,
    problem: Problem,
    settings: Settings,
    say: Callable[[str], None],
) -> None:
    """Run the next setting of a solver."""
    solver = solvers.load(result.solver)

    def near(run: Run) -> bool:
        best = compare.best_bounds([*found, result])
        return run.finished and compare.suboptimality(run, best) <= results.TARGET

    rung = next_rung(solver, result.runs, near)
    if rung is None:  # taken up when nothing was left but to say so
        result.done = True
        return
    left = 2 * settings.limit - sum(run.elapsed for run in result.runs)
    run = execute(folder, result.solver, solver.LADDER[rung], problem, judge,
                  limit=min(settings.limit, left), threads=settings.threads)  # fmt: skip
    result.runs.append(run)
    say(f"  {result.solver:18} {line(run)}")
    left -= run.elapsed
    following = next_rung(solver, result.runs, near)
    # A tighter setting takes longer: there is no use in one with less time than the last took.
    tightest = max(result.runs, key=lambda r: solver.LADDER.index(r.setting))
    tighter = following is not None and following > solver.LADDER.index(tightest.setting)
    result.done = following is None or left < (tightest.elapsed if tighter else settings.limit / 10)
    if result.done and settings.curves:
        for setting in _extra(solver, result):
            result.curve.append(
                execute(folder, result.solver, setting, problem, judge,
                        limit=settings.limit, threads=settings.threads)
            )  # fmt: skip
            say(f"  {result.solver:18} {line(result.curve[-1])} (for the figure)")


def next_rung(solver: ModuleType, runs: Sequence[Run], near: Callable[[Run], bool]) -> int | None:
    """Return the setting to run next, beginning with START; None where none is left.

    Looser ones follow while they come `near` the optimum or do not finish, tighter ones until one
    solves: every solver is timed at its loosest setting that does, without running all of them.
    """
    ladder = solver.LADDER
    if not runs:
        return int(getattr(solver, "START", 0))
    ran = {ladder.index(run.setting): run for run in runs}
    loosest, tightest = min(ran), max(ran)
    unknown = ran[loosest].error is None and (not ran[loosest].finished or near(ran[loosest]))
    if loosest > 0 and unknown:
        return loosest - 1
    if tightest + 1 < len(ladder) and ran[tightest].finished and not any(r.solved for r in runs):
        return tightest + 1
    return None


def _extra(solver: ModuleType, result: Result) -> tuple[dict[str, float], ...]:
    return getattr(solver, "CURVE", ()) if result.winner else ()


def _repeat(
    result: Result,
    folder: Path,
    judge: Evaluator,
    problem: Problem,
    settings: Settings,
    say: Callable[[str], None],
) -> None:
    """Time the setting that counts once more."""
    run = result.winner
    if run is None or len(run.again) >= settings.repeats - 1:
        return
    again = execute(folder, result.solver, run.setting, problem, judge,
                    limit=settings.limit, threads=settings.threads)  # fmt: skip
    if again.seconds is not None:
        run.again.append(again.seconds)
        result.save(settings.folder)
        say(f"  {result.solver:18} again {again.seconds:.2f} s")


def execute(
    folder: Path,
    name: str,
    setting: dict[str, float],
    problem: Problem,
    judge: Evaluator,
    *,
    limit: float,
    threads: int,
) -> Run:
    """Run one solver at one setting in a process of its own, and judge its points."""
    with tempfile.TemporaryDirectory(dir=folder) as out:
        command = [
            sys.executable, "-m", "benchmarks.path.worker",
            str(folder / "problem"), name, json.dumps(setting), out,
        ]  # fmt: skip
        error = _await(command, Path(out), limit, threads)
        cost: dict[str, Any] = {}
        if (Path(out) / "cost.json").exists():
            cost = json.loads((Path(out) / "cost.json").read_text())
        points = sorted(Path(out).glob("[0-9]*.npz"))
        judged, elapsed = [], 0.0
        for path, lam in zip(points, problem.lambdas, strict=False):
            with np.load(path) as point:
                judged.append(judge.judge(point["W"], point["b"], float(lam)))
                elapsed = float(point["elapsed"])
    if cost and len(points) < len(problem.lambdas):
        error = f"it gave {len(points)} of {len(problem.lambdas)} points"
    seconds = float(cost["seconds"]) if cost and error is None else None
    if error == "time limit":
        elapsed, error = limit, None
    return Run(
        setting=setting,
        seconds=seconds,
        elapsed=elapsed if seconds is None else seconds,
        limit=limit,
        peak=cost.get("peak"),
        objectives=[j.objective for j in judged],
        bounds=[j.bound for j in judged],
        gaps=[j.gap for j in judged],
        n_nonzero=[j.n_nonzero for j in judged],
        error=error,
    )


def _await(command: list[str], out: Path, limit: float, threads: int) -> str | None:
    """Wait for a process, but not longer than its limit from the moment it begins to fit."""
    environment = {**os.environ, **_threads(threads)}
    with (out / "log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            waited = 0.0
            while not (out / "started").exists() and waited < GRACE:
                if process.poll() is not None:
                    break
                waited += _wait(process, 0.05)
            process.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            return "time limit"
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # with R, if it runs one
                process.wait()
    if process.returncode == 0:
        return None
    said = (out / "log").read_text(errors="replace").strip().splitlines()
    return said[-1][:200] if said else f"ended with code {process.returncode}"


def _wait(process: subprocess.Popen[bytes], seconds: float) -> float:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=seconds)
    return seconds


def _threads(threads: int) -> dict[str, str]:
    """Environment that gives every library the same number of threads."""
    keys = (
        "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS", "BLIS_NUM_THREADS",
    )  # fmt: skip
    return dict.fromkeys(keys, str(threads))


def line(run: Run | None) -> str:
    """One line about a run."""
    if run is None:
        return "nothing was run"
    setting = ", ".join(f"{key} {value:g}" for key, value in run.setting.items())
    if run.error:
        return f"{setting}: failed: {run.error}"
    if run.seconds is None:
        return f"{setting}: not finished in {run.limit:.0f} s, {len(run.gaps)} points"
    return f"{setting}: {run.seconds:.2f} s, largest gap {run.largest_gap:.1e}"
