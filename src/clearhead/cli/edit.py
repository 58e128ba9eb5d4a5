"""``clearhead edit``: change the layer, and see what that does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clearhead.cli import options as o
from clearhead.cli.progress import Progress
from clearhead.errors import InputError

if TYPE_CHECKING:
    from clearhead.run import Run
    from clearhead.run.edit_result import EditResult, Measured

__all__ = ["command", "edit_lines"]

SLICES_SHOWN = 12
CLASSES_SHOWN = 20


def command(
    run: o.RunFolder,
    zero: Annotated[
        str | None, typer.Option(metavar="F,…", help="Set features to zero, and nothing else.")
    ] = None,
    scale: Annotated[
        list[str] | None,
        typer.Option(metavar="F=X", help="Multiply a feature's weights by X; can be repeated."),
    ] = None,
    ban: Annotated[
        str | None,
        typer.Option(metavar="F,…", help="Solve again without features, proven optimal."),
    ] = None,
    classes: Annotated[
        list[str] | None,
        typer.Option(
            "--class",
            metavar="CLASS",
            help="Zero, scale, ban or reweight for this class only; can be repeated.",
        ),
    ] = None,
    reweight: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN|COLUMN=VALUE|classes",
            help=(
                "Let the values of a metadata column count alike in every class; or one value as "
                "much as the rest; or all classes alike; and solve again."
            ),
        ),
    ] = None,
    counterexamples: Annotated[
        str | None,
        typer.Option(metavar="DATA", help="Add labelled examples, and solve again."),
    ] = None,
    weight: Annotated[
        float, typer.Option(help="How much a counterexample counts; 1 is as a training example.")
    ] = 1.0,
    text_column: o.TextColumn = None,
    image_column: o.ImageColumn = None,
    label_column: Annotated[
        str | None,
        typer.Option(help="Column of the counterexamples' classes; guessed when left out."),
    ] = None,
    finding: Annotated[
        str | None,
        typer.Option(metavar="N|KEY", help="Do what mends a finding of `clearhead debug`."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(metavar="JSON", help="Edits of a file, or of a log.")
    ] = None,
    refit: Annotated[
        bool,
        typer.Option("--refit", help="Refit weights on the features in use, without the penalty."),
    ] = False,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Choose a temperature on validation.")
    ] = False,
    lam: Annotated[
        str | None,
        typer.Option(
            metavar="same|again",
            help=(
                "Keep λ, or choose it again, where the layer is solved again; by default it is "
                "chosen again where a pattern is unlinked or the layer loses its features."
            ),
        ),
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take the last edit back.")] = False,
    redo: Annotated[bool, typer.Option("--redo", help="Do again what was undone.")] = False,
    log: Annotated[bool, typer.Option("--log", help="List the edits of this run.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what it would do, and write nothing.")
    ] = False,
) -> None:
    """Change the layer: features, weights of examples, or the mend of a finding.

    Accuracy overall, per class and per slice is shown before and after. The selected layer
    stays; edits add up in a layer of their own, can be undone, and are exported with
    `clearhead export --layer edited`. Features are given by number or by name.

    Example: clearhead edit runs/photos --zero 12 --class trousers
    """
    from clearhead.run import open_run

    with Progress() as progress:
        opened = open_run(run, progress)
        wanted: dict[str, Any] = {
            "zero": o.listed(zero) or (),
            "scale": _factors(scale or []),
            "ban": o.listed(ban) or (),
            "classes": classes or (),
            "reweight": reweight,
            "counterexamples": counterexamples,
            "weight": weight,
            "text_column": text_column,
            "image_column": image_column,
            "label_column": label_column,
            "finding": finding,
            "file": file,
            "refit": refit,
            "calibrate": calibrate,
            "lam": lam,
        }
        if log or undo or redo:
            _check_alone(wanted, {"--log": log, "--undo": undo, "--redo": redo})
            if not log:
                opened.undo() if undo else opened.redo()
            lines = log_lines(opened)
        else:
            lines = edit_lines(opened.edit(dry_run=dry_run, **wanted), run)
    typer.echo("\n".join(lines))


def edit_lines(result: EditResult, run: Path) -> list[str]:
    """Write what an edit did: in words, and as a table on the test split."""
    lines = [
        *result.describe(),
        "",
        f"{'on test':32} {'n':>5}  before   after  change  95% interval",
    ]
    rows = [row for row in result.rows if row.split == "test"]
    for kind, most in (("all", 1), ("class", CLASSES_SHOWN), ("slice", SLICES_SHOWN)):
        found = [row for row in rows if row.kind == kind]
        shown = (
            sorted(found, key=lambda row: -abs(row.change))[:most] if len(found) > most else found
        )
        lines += [_row(row) for row in shown]
        if len(found) > most:
            lines.append(f"  … and {len(found) - most} that changed less")
    for one in result.calibration:
        if one.split == "test":
            lines.append(
                f"{one.what:38}  {one.before:6.3f}  {one.after:6.3f}  {one.change:+6.3f}  "
                f"{one.low:+.3f} to {one.high:+.3f}"
            )
    if result.number is None:
        return [*lines, "", "Nothing was written (--dry-run)."]
    return [
        *lines,
        "",
        f"Undo: clearhead edit {run} --undo",
        f"Next: clearhead export {run} --layer edited --format torch --out DIR",
    ]


def log_lines(run: Run) -> list[str]:
    """Write the edits of a run, one a line; those undone are marked."""
    log = run.edit_log
    if not log.steps:
        void = " Those of another layer are kept, and do not count." if log.void else ""
        return [f"No edits.{void}"]
    lines = []
    for i, number in enumerate(log.steps):
        words = "; ".join(edit.describe() for edit in log.edits_of(number))
        mark = " " if i < log.done else "✗ undone"
        lines.append(f"{number:4d}  {words} {mark}".rstrip())
    return [*lines, repr(log.layer() or run.layer())]


def _row(row: Measured) -> str:
    return (
        f"{row.what[:32]:32} {row.before.n:5d}  {100 * row.before.value:5.1f}%  "
        f"{100 * row.after.value:5.1f}%  {100 * row.change:+6.1f}  "
        f"{100 * row.low:+.1f} to {100 * row.high:+.1f}"
    )


def _factors(pairs: list[str]) -> dict[int | str, float]:
    """What ``--scale`` says: each ``FEATURE=FACTOR``."""
    found: dict[int | str, float] = {}
    for pair in pairs:
        feature, equals, factor = pair.rpartition("=")
        try:
            found[feature.strip()] = float(factor)
        except ValueError:
            equals = ""
        if not equals:
            raise InputError(f"--scale {pair}: write FEATURE=FACTOR, such as 12=0.5.")
    return found


def _check_alone(wanted: dict[str, Any], flags: dict[str, bool]) -> None:
    """Refuse ``--undo`` and the like beside an edit, or beside one another."""
    given = [name for name, value in flags.items() if value]
    others = any(value for name, value in wanted.items() if name != "weight")
    if others or len(given) > 1:
        raise InputError(f"{given[0]}: it stands alone. Do one thing at a time.")
