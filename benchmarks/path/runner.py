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

from benchmarks.path import results, solvers
from benchmarks.path.machine import describe
from benchmarks.path.objective import Evaluator
from benchmarks.path.problem import Problem
from benchmarks.path.results import Result, Run

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
        Seconds that all settings of one solver may take on one problem.
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
                _step(result, folder, judge, problem, settings, say)
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
    folder: Path,
    judge: Evaluator,
    problem: Problem,
    settings: Settings,
    say: Callable[[str], None],
) -> None:
    """Run the next setting of a solver."""
    solver = solvers.load(result.solver)
    spent = sum(run.elapsed for run in result.runs)
    rung = next_rung(solver, result.runs)
    if rung is None:  # taken up when nothing was left but to say so
        result.done = True
        return
    setting = solver.LADDER[rung]
    run = execute(folder, result.solver, setting, problem, judge,
                  limit=settings.limit - spent, threads=settings.threads)  # fmt: skip
    result.runs.append(run)
    say(f"  {result.solver:18} {line(run)}")
    # A tighter setting takes longer: there is no use in one with less time than the last took.
    left = settings.limit - spent - run.elapsed
    following = next_rung(solver, result.runs)
    tighter = following is not None and following > rung
    result.done = following is None or (tighter and (not run.finished or left < run.elapsed))
    if result.done and settings.curves:
        for setting in _extra(solver, result):
            result.curve.append(
                execute(folder, result.solver, setting, problem, judge,
                        limit=settings.limit, threads=settings.threads)
            )  # fmt: skip
            say(f"  {result.solver:18} {line(result.curve[-1])} (for the figure)")


def next_rung(solver: ModuleType, runs: Sequence[Run]) -> int | None:
    """Return the setting to run next: from START up to the first that solves, or down from it.

    So every solver is timed at the loosest setting that solves, without running all of them.
    """
    ladder, start = solver.LADDER, getattr(solver, "START", 0)
    if not runs:
        return int(start)
    solved = {ladder.index(run.setting): run.solved for run in runs}
    good = [rung for rung, well in solved.items() if well]
    following = min(good) - 1 if good else max(solved) + 1
    inside = 0 <= following < len(ladder) and following not in solved
    return following if inside else None


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
