"""``clearhead show``: what does a run hold?"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clearhead.cli import options as o

if TYPE_CHECKING:
    from clearhead.debug import Finding
    from clearhead.run import Run

__all__ = ["command", "finding_lines", "opening_line", "print_summary"]


def command(
    run: o.RunFolder,
    as_json: Annotated[
        bool, typer.Option("--json", help="Everything, for programs: every point of the path too.")
    ] = False,
) -> None:
    """Show what a run holds.

    The layer, its accuracy and proof, and the findings.

    Example: clearhead show runs/photos --json
    """
    from clearhead.run import open_run
    from clearhead.run.summary import summarize

    opened = open_run(run)
    if as_json:
        typer.echo(json.dumps(summarize(opened), indent=1, ensure_ascii=True))
    else:
        print_summary(opened)


def print_summary(run: Run) -> None:
    """Print what a person wants to know first, and where the report is."""
    from clearhead.report import written_report
    from clearhead.run.summary import summarize

    summary = summarize(run)
    lines = [f"{summary['model']['name']} on {summary['data']['name']}  ({run.folder})"]
    if "n" in summary:
        splits = ", ".join(f"{n} {split}" for split, n in summary["splits"].items())
        lines.append(f"  {summary['n']} examples ({splits}), {len(summary['classes'])} classes")
        lines += [f"  {count} × {kind}" for kind, count in summary["problems"].items()]
    if "points" in summary:
        lines.append(_path_line(summary["points"], summary["targets"]))
    if "selected" in summary:
        lines.append(_layer_line("sparse", summary["selected"], summary["p"]))
        lines.append(_layer_line("dense", summary["dense"], summary["p"]))
        lines += _agreement_lines(summary.get("agreement", {}))
        lines += _edit_lines(summary.get("edits"), summary["p"])
    if "findings" in summary:
        lines += ["", *finding_lines(run.findings)]
    report = written_report(run.folder / "report.html")
    if report is not None:
        lines += ["", opening_line(report)]
    typer.echo("\n".join(lines))


def finding_lines(findings: Sequence[Finding]) -> list[str]:
    """Write the findings, ranked, one paragraph each."""
    if not findings:
        return ["Findings: none of the checks found anything suspicious."]
    confirmed = sum(finding.confirmed for finding in findings)
    lines = [f"Findings: {confirmed} confirmed on the test split, {len(findings)} proposed"]
    for number, finding in enumerate(findings, start=1):
        mark = "✓" if finding.confirmed else "·"
        lines.append(f"{mark} {number}. {finding.title}")
        lines.append(f"     {finding.effect}")
    return lines


def opening_line(report: Path) -> str:
    """Say where a report is and how to open it."""
    opener = {"darwin": "open", "win32": "start"}.get(sys.platform, "xdg-open")
    return f"Report: {report}\nOpen it in a browser: {opener} {shlex.quote(str(report))}"


def _path_line(points: Sequence[dict[str, Any]], targets: str) -> str:
    optimal = sum(point["status"] == "optimal" for point in points)
    worst = max(point["gap"] for point in points)
    fitted = "" if targets == "labels" else ", fitted to the network's own predictions"
    return (
        f"  path: {optimal} of {len(points)} points proven optimal, largest gap {worst:.1e}{fitted}"
    )


def _agreement_lines(agreement: dict[str, Any]) -> list[str]:
    """Say how often each layer predicts what the network predicts, on test where there is one."""
    lines = []
    for name, splits in agreement.items():
        split = "test" if "test" in splits else list(splits)[-1]
        found = splits[split]
        lines.append(
            f"  {name:6s} layer: predicts what the network itself predicts in "
            f"{100 * found['share']:.1f}% of {split}, mean KL {found['kl']:.3g}"
        )
    return lines


def _edit_lines(edited: dict[str, Any] | None, p: int) -> list[str]:
    """Name the edits since the layer was selected, and what they made of it."""
    if edited is None:
        return []
    words = [f"    {i}. {edit['words']}" for i, edit in enumerate(edited["edits"], start=1)]
    return [_layer_line("edited", edited, p), *words]


def _layer_line(name: str, point: dict[str, Any], p: int) -> str:
    return (
        f"  {name:6s} layer: {point['features_per_class']:.1f} of {p} features a class, "
        f"{100 * point['acc_test']:.1f}% test, {100 * point['acc_val']:.1f}% validation"
    )
