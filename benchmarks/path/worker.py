"""One solver, one setting, in a process of its own.

    python -m benchmarks.path.worker PROBLEM_FOLDER SOLVER SETTING_JSON OUT_FOLDER

Every point is written to a file as soon as the solver hands it out, so that what was finished
counts even where the process is ended at its time limit. Writing is not part of the time.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.path import memory, solvers
from benchmarks.path.problem import Problem


def main() -> None:
    """Fit, and write the points and what they cost."""
    folder, name, setting, out = sys.argv[1:]
    out_folder = Path(out)
    problem, solver = Problem.load(Path(folder)), solvers.load(name)
    prepared = solver.prepare(problem)
    memory.reset_peak()
    before, elapsed, points = memory.now(), 0.0, 0
    work = solver.fit(problem, prepared, json.loads(setting))
    (out_folder / "started").touch()
    measured: dict[str, Any] = {}
    while True:
        start = perf_counter()
        try:
            W, b = next(work)
        except StopIteration as end:
            measured = end.value or {}
            elapsed += perf_counter() - start
            break
        elapsed += perf_counter() - start
        temporary = out_folder / "point.tmp.npz"
        np.savez(temporary, W=W, b=b, elapsed=elapsed)
        os.replace(temporary, out_folder / f"{points:05d}.npz")  # noqa: PTH105
        points += 1
    cost = {"seconds": elapsed, "peak": memory.peak() - before, **measured}
    (out_folder / "cost.json").write_text(json.dumps(cost))


if __name__ == "__main__":
    main()
