"""docs/benchmarks.md, from the results: nothing between its markers is written by hand."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from benchmarks.path import compare, figures, solvers, table
from benchmarks.path.problems import SPECS
from benchmarks.path.results import Result, load_all
from benchmarks.path.runner import ROOT

BEGIN = "<!-- begin: written by `python -m benchmarks.path report` -->"
END = "<!-- end -->"
DOCUMENT = ROOT / "docs" / "benchmarks.md"


def write(folder: Path, document: Path = DOCUMENT) -> None:
    """Write tables and figures of the results in `folder` between the document's markers."""
    found = load_all(folder)
    images = document.parent / "images" / "benchmarks"
    before, _, rest = document.read_text("utf-8").partition(BEGIN)
    if END not in rest:
        raise SystemExit(f"{document} lacks the lines '{BEGIN}' and '{END}'. Put them back.")
    after = rest.partition(END)[2]
    parts = [BEGIN, *_body(found, images), *_scale(folder / "scale"), END]
    text = before + "\n\n".join(parts) + after
    temporary = document.with_suffix(".tmp")
    temporary.write_text(text, "utf-8")
    os.replace(temporary, document)  # noqa: PTH105


def _body(found: dict[str, dict[str, Result]], images: Path) -> list[str]:
    if not found:
        return ["No results yet: run `make bench`."]
    order = [name for name in SPECS if name in found] + sorted(set(found) - set(SPECS))
    parts = [_machine([r for results in found.values() for r in results.values()])]
    head = [
        "clearhead against", "problems", "× to gap ≤ 1e-4, geometric mean", "smallest",
        "× to 1e-4 of the optimum, geometric mean", "smallest",
    ]  # fmt: skip
    parts += ["### In all", table.markdown(head, compare.targets(found))]
    for name in order:
        results = {n: found[name][n] for n in solvers.NAMES if n in found[name]}
        about = next(iter(results.values())).about
        title = SPECS[name].title if name in SPECS else name
        parts.append(f"### {title}")
        parts.append(
            f"{about['n']:,} × {about['p']:,}, {about['classes']} classes, {about['family']}; "
            f"{about['points']} λ down to {about['lambda_min_ratio']:g} λ_max, "
            f"l1_ratio {about['l1_ratio']:g}"
            + ("." if about["intercept"] else ", without intercept.")
        )
        parts.append(table.problem_table(results))
        left_out = table.skipped(results)
        if left_out:
            parts.append("Not run: " + "; ".join(left_out) + ".")
        if figures.draw(results, title, images / f"{name}.png"):
            parts.append(f"![Suboptimality against time: {title}](images/benchmarks/{name}.png)")
    return parts


def _machine(results: list[Result]) -> str:
    described = [r.machine for r in results if r.machine]
    if not described:
        return ""
    machine = described[-1]
    versions = ", ".join(f"{name} {v}" for name, v in machine["versions"].items())
    text = (
        f"Measured on {machine['cores']} cores ({machine['processor']}), "
        f"{machine['memory_gb']} GB, {machine['system']}, {machine['threads']} threads for "
        f"everyone, Python {machine['python']}, BLAS {', '.join(machine['blas'])}; {versions}"
        + (f", {machine['glmnet']}." if machine["glmnet"] else "; no R.")
    )
    places = {(m["processor"], m["cores"], m["threads"]) for m in described}
    if len(places) > 1:
        text += " **Some results come from another machine: do not compare them.**"
    return text


def _scale(folder: Path) -> list[str]:
    parts = []
    for path in sorted(folder.glob("*.json")):
        value: dict[str, Any] = json.loads(path.read_text())
        parts += [f"### {value['title']}", value["text"]]
        if value["rows"]:
            parts.append(table.markdown(value["columns"], value["rows"]))
    return parts
