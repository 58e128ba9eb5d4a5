"""Markdown tables."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.path.compare import (
    OURS,
    any_gap,
    best_bounds,
    counted,
    ratio,
    seconds_to_suboptimality,
)
from benchmarks.path.results import Result


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Set a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def problem_table(results: dict[str, Result]) -> str:
    """Set one problem's table, the fastest first."""
    ran = {name: result for name, result in results.items() if result.runs}
    best = best_bounds(ran.values()) if ran else None
    rows = []
    for name, result in ran.items():
        found, run = counted(result), result.best
        assert run is not None
        near = seconds_to_suboptimality(result, best) if best is not None else None
        against = ratio(result, results.get(OURS)) if name != OURS else None
        cells = [
            name,
            "–" if found is None else ("≥ " if found[1] else "") + seconds(found[0]),
            "–" if against is None else str(against),
            "–" if near is None else seconds(near),
            f"{run.largest_gap:.1e}" if run.gaps else "–",
            f"{len(run.gaps)}/{result.about['points']}",
            "–" if run.peak is None else f"{run.peak / 2**20:,.0f}",
            _note(result),
        ]
        rows.append((found[1] if found else True, found[0] if found else float("inf"), cells))
    rows.sort(key=lambda row: row[:2])
    head = [
        "solver", "seconds to gap ≤ 1e-4", "× clearhead", "seconds to 1e-4 of the optimum",
        "largest gap", "points", "peak memory, MiB", "setting",
    ]  # fmt: skip
    return markdown(head, [cells for _, _, cells in rows])


def skipped(results: dict[str, Result]) -> list[str]:
    """One line for each solver that was not run."""
    return [f"{name}: {result.skipped}" for name, result in results.items() if result.skipped]


def seconds(value: float) -> str:
    """Three digits."""
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"


def _note(result: Result) -> str:
    run = result.best
    assert run is not None
    setting = ", ".join(f"{key} {value:g}" for key, value in run.setting.items())
    if run.error:
        return f"{setting}; failed: {run.error}".replace("|", "/")
    if run.seconds is None:
        return f"{setting}; ended at {run.limit:.0f} s"
    if not run.solved and not any_gap(result.solver):
        return f"{setting}; the tightest that its time allowed"
    return setting
