"""``clearhead edit`` as a user meets it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import clearhead
from clearhead.cli.app import app

Cli = Callable[..., Any]


@pytest.fixture
def cli() -> Cli:
    return lambda *arguments: CliRunner().invoke(app, [str(a) for a in arguments])


def test_edit_show_export_undo(cli: Cli, run_folder: Path, tmp_path: Path) -> None:
    used = clearhead.open_run(run_folder).layer().used.tolist()
    dry = cli("edit", run_folder, "--ban", used[0], "--dry-run")
    assert dry.exit_code == 0, dry.stderr
    assert "Nothing was written" in dry.stdout
    assert cli("edit", run_folder, "--log").stdout == "No edits.\n"
    done = cli("edit", run_folder, "--ban", f"{used[0]},{used[1]}", "--calibrate")
    assert done.exit_code == 0, done.stderr
    for expected in (
        f"features {used[0]}, {used[1]} banned",
        "recall of positive",
        "calibration error",
        "--layer edited",
    ):
        assert expected in done.stdout
    shown = cli("show", run_folder).stdout
    assert "edited layer:" in shown
    assert "2. temperature chosen on validation" in shown
    summary = json.loads(cli("show", run_folder, "--json").stdout)
    assert [edit["action"] for edit in summary["edits"]["edits"]] == ["ban", "calibrate"]
    out = tmp_path / "out"
    command = ("export", run_folder, "--format", "sklearn", "--out", out)
    written = cli(*command, "--layer", "edited")
    assert written.exit_code == 0, written.stderr
    edited = clearhead.open_run(run_folder).layer("edited")
    assert clearhead.load(out).layer.fingerprint == edited.fingerprint
    assert f"features {used[0]}, {used[1]} banned" in (out / "README.md").read_text()
    assert "--layer edited has its edits" in cli(*command).stdout
    undone = cli("edit", run_folder, "--undo")
    assert "✗ undone" in undone.stdout
    none = cli(*command, "--layer", "edited")
    assert none.exit_code == 2
    assert "have all been undone" in none.stderr
    assert "✗" not in cli("edit", run_folder, "--redo").stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "say what to change"),
        (("--undo",), "no edit to undo"),
        (("--undo", "--redo"), "stands alone"),
        (("--log", "--zero", "1"), "stands alone"),
        (("--scale", "12"), "write FEATURE=FACTOR"),
        (("--zero", "400"), "they are 0 to 383"),
        (("--zero", "1", "--class", "positve"), "Did you mean 'positive'"),
        (("--finding", "99"), "there is no finding"),
        (("--reweight", "length"), "no metadata column"),
        (("--counterexamples", "nowhere.csv"), "nowhere.csv"),
    ],
)
def test_what_cannot_be_done_ends_with_2(
    cli: Cli, made_run: Path, options: tuple[str, ...], said: str
) -> None:
    found = cli("edit", made_run, *options)
    assert found.exit_code == 2
    assert said in found.stderr
    assert not (made_run / "layer" / "edits").exists()


def test_columns_of_counterexamples_are_named(cli: Cli, made_run: Path, tmp_path: Path) -> None:
    path = tmp_path / "more.csv"
    path.write_text("said,by,verdict\nA joy to watch.,ann,positive\nNever again.,bob,negative\n")
    command = ("edit", made_run, "--dry-run", "--counterexamples", path)
    lacking = cli(*command)
    assert lacking.exit_code == 2
    asked = re.findall(r"--[a-z]+-column", lacking.stderr)
    assert {"--text-column", "--label-column"} <= set(asked)
    options = {"--text-column": "said", "--label-column": "verdict", "--image-column": "said"}
    assert set(asked) <= set(options)
    done = cli(*command, "--text-column", "said", "--label-column", "verdict")
    assert done.exit_code == 0, done.stderr
    assert "2 examples added (more)" in done.stdout
    wrong = cli(*command, "--text-column", "sayd", "--label-column", "verdict")
    assert "Did you mean 'said'" in wrong.stderr
    alone = cli("edit", made_run, "--zero", 1, "--text-column", "said")
    assert alone.exit_code == 2
    assert "none were given" in alone.stderr


def test_the_file_that_the_app_downloads_is_taken(
    cli: Cli, run_folder: Path, tmp_path: Path
) -> None:
    """`ui/tests/edits.json` is what the app writes for a sample; here of this run's features."""
    run = clearhead.open_run(run_folder)
    value = json.loads((Path(__file__).parents[2] / "ui" / "tests" / "edits.json").read_text())
    value["layer"] = run.app_data().layer_fingerprint
    for edit in value["edits"]:
        if "features" in edit:
            edit["features"] = run.layer().used[: len(edit["features"])].tolist()
        if "classes" in edit:
            edit["classes"] = [run.layer().class_names[0]]
    path = tmp_path / "edits.json"
    path.write_text(json.dumps(value))
    done = cli("edit", run_folder, "--file", path, "--dry-run")
    assert done.exit_code == 0, done.stderr
    assert "banned" in done.stdout
    assert "Nothing was written" in done.stdout
