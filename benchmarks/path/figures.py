"""Suboptimality against time, one figure a problem."""

from __future__ import annotations

from pathlib import Path

from benchmarks.path import solvers
from benchmarks.path.compare import OURS, best_bounds, suboptimality
from benchmarks.path.results import TARGET, Result

_FLOOR = 1e-9


def draw(results: dict[str, Result], title: str, path: Path) -> bool:
    """Draw a line a solver, a marker a setting; tell whether there was anything to draw."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    ran = {name: result for name, result in results.items() if result.runs}
    lines = {}
    best = best_bounds(ran.values()) if ran else None
    for name, result in ran.items():
        whole = [run for run in (*result.runs, *result.curve) if run.finished]
        points = sorted((run.median_seconds, suboptimality(run, best)) for run in whole)
        if points:
            lines[name] = points
    if not lines:
        return False
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for name, points in lines.items():
        x, y = zip(*points, strict=True)
        ours = name == OURS
        axes.plot(
            x, [max(v, _FLOOR) for v in y], marker="o", ms=4, label=name,
            color="black" if ours else f"C{solvers.NAMES.index(name) % 10}",
            lw=2 if ours else 1, zorder=3 if ours else 2,
        )  # fmt: skip
    axes.axhline(TARGET, color="grey", lw=0.8, ls="--")
    axes.set(xscale="log", yscale="log", title=title)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, at: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("seconds for the whole path")
    axes.set_ylabel("largest relative suboptimality")
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    return True
