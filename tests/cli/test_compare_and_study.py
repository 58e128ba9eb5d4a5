"""Comparisons and questionnaires of a real run, on the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from typer.testing import CliRunner, Result

import clearhead
from clearhead.cli.app import app


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_two_points_of_one_path_are_compared(made_run: Path, run_folder: Path) -> None:
    clearhead.open_run(run_folder).select("features:2")
    out = run_folder / "comparison.json"
    found = call("compare", made_run, run_folder, "--out", out)
    assert found.exit_code == 0, found.stderr
    value = json.loads(out.read_text())
    assert value["same_network"]
    assert all(one["identical"] for one in value["matches"])
    assert len(value["matches"]) <= 4
    assert "only in a" in found.stdout
    printed = json.loads(call("compare", made_run, run_folder, "--json").stdout)
    assert printed == value
    dense = call("compare", made_run, "--layer", "dense")
    assert "only in a (small): 0" in dense.stdout
    assert call("compare", made_run).exit_code == 2
    assert "clearhead edit" in call("compare", made_run, "--layer", "edited").stderr
    assert "layer must be one of" in call("compare", made_run, "--layer", "best").stderr


def test_a_study_is_made_answered_and_read(run_folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "study.html"
    assert "has no study" in call("study", "read", run_folder, page).stderr
    made = call("study", "make", run_folder, "--out", page, "--questions", 8)
    assert made.exit_code == 0, made.stderr
    (key,) = (run_folder / "study").glob("*.json")
    value = json.loads(key.read_text())
    shutil.rmtree(run_folder / "examples")  # answers are read without them
    answers = {name: {"choice": one["right"]} for name, one in value["questions"].items()}
    file = tmp_path / "ann.json"
    given = {"clearhead_study": 1, "study": value["study"], "person": "Ann", "answers": answers}
    file.write_text(json.dumps(given))
    read = call("study", "read", run_folder, file)
    assert read.exit_code == 0, read.stderr
    assert f"{len(answers)} answers of 1 person" in read.stdout
    assert json.loads(call("study", "read", run_folder, file, "--json").stdout)["n_people"] == 1
    file.write_text("{}")
    assert "no file of answers" in call("study", "read", run_folder, file).stderr
