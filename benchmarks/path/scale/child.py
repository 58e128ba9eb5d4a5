"""Measure something in a process of its own, and keep what it says as a table."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.path.runner import ROOT


def measure(module: str, **arguments: Any) -> dict[str, Any]:
    """Run ``module.child(**arguments)`` in a new process; return what it returns.

    A failure is an answer, too: ``{"error": the last line that it wrote}``.
    """
    code = (
        f"import json, sys; from {module} import child; "
        "print('\\n' + json.dumps(child(**json.loads(sys.argv[1]))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(arguments)], cwd=ROOT, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        said = done.stderr.strip().splitlines()
        return {"error": said[-1][:200] if said else f"ended with code {done.returncode}"}
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def keep(
    results: Path, name: str, title: str, text: str, columns: Sequence[str],
    rows: Sequence[Sequence[str]],
) -> None:  # fmt: skip
    """Print a table and keep it for docs/benchmarks.md."""
    print(title, text, sep="\n")
    for row in (columns, *rows):
        print("  " + " | ".join(row))
    path = results / "scale" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    value = {
        "title": title,
        "text": text,
        "columns": list(columns),
        "rows": [list(r) for r in rows],
    }
    temporary.write_text(json.dumps(value, indent=1) + "\n")
    os.replace(temporary, path)  # noqa: PTH105
