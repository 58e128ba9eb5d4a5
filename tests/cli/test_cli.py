"""The command line as a user meets it: every step, every error."""

from __future__ import annotations

import json
import subprocess
import sys
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
    """Call the command line in this process; a process of its own costs seconds of imports."""
    return lambda *arguments: CliRunner().invoke(app, [str(a) for a in arguments])


def table(path: Path, rows: list[tuple[str, str]], header: str = "text,label") -> Path:
    path.write_text("\n".join([header, *(f'"{text}",{label}' for text, label in rows)]))
    return path


def reviews(n: int = 60) -> list[tuple[str, str]]:
    words = [("a wonderful warm film", "good"), ("a dull and lifeless film", "bad")]
    return [(f"{words[i % 2][0]}, take {i}", words[i % 2][1]) for i in range(n)]


def test_the_steps_one_by_one(cli: Cli, tmp_path: Path) -> None:
    data = table(tmp_path / "reviews.csv", reviews())
    run = tmp_path / "run"
    first = cli("extract", "minilm", data, "--out", run)
    assert first.exit_code == 0, first.stderr
    assert f"clearhead fit {run}" in first.stdout
    for step, expected in (
        (("fit", run, "--n-lambdas", 8), "8 points, 8 optimal"),
        (("select", run, "--rule", "features:4"), "DecisionLayer(2 classes"),
        (("explain", run, "-k", 3), "features explained"),
        (("debug", run), "Findings: "),
        (("report", run), "Open it in a browser"),
    ):
        done = cli(*step)
        assert done.exit_code == 0, done.stderr
        assert expected in done.stdout, done.stdout
    shown = json.loads(cli("show", run, "--json").stdout)
    assert (shown["n"], shown["p"], shown["classes"]) == (60, 384, ["bad", "good"])
    assert len(shown["points"]) == 8
    point = shown["points"][-1]
    for key in ("lam", "features_per_class", "n_nonzero", "gap", "status", "acc_train"):
        assert key in point
    assert {"acc_val", "acc_test"} <= set(point)
    assert all(p["status"] == "optimal" and p["gap"] <= 1e-4 for p in shown["points"])
    assert shown["selected"]["features_per_class"] <= 4
    assert isinstance(shown["findings"], list)
    person = cli("show", run)
    assert "8 of 8 points proven optimal" in person.stdout
    again = cli("fit", run, "--n-lambdas", 8)
    assert "nothing has changed" in again.stderr


def test_show_of_a_run_that_is_only_begun(cli: Cli, tmp_path: Path) -> None:
    data = table(tmp_path / "reviews.csv", reviews())
    cli("extract", "minilm", data, "--out", tmp_path / "run")
    shown = json.loads(cli("show", tmp_path / "run", "--json").stdout)
    assert shown["n"] == 60
    assert "points" not in shown
    missing = cli("report", tmp_path / "run")
    assert missing.exit_code == 2
    assert "report needs explain and debug" in missing.stderr


BAD_TABLES: dict[str, tuple[list[tuple[str, str]], str]] = {
    "one class": ([(text, "good") for text, _ in reviews()], "good"),
    "label missing": ([*reviews(), ("no label here", "")], "62"),
    "no text at all": ([("", label) for _, label in reviews()], "text"),
}


@pytest.mark.parametrize("case", sorted(BAD_TABLES))
def test_bad_tables_end_with_exit_code_2(cli: Cli, tmp_path: Path, case: str) -> None:
    rows, word = BAD_TABLES[case]
    result = cli("run", "minilm", table(tmp_path / "bad.csv", rows), "--out", tmp_path / "run")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: ")
    assert word in result.stderr
    assert "Traceback" not in result.stderr


def test_duplicate_ids_are_named(cli: Cli, tmp_path: Path) -> None:
    rows = [(f'{i % 59}","{text}', label) for i, (text, label) in enumerate(reviews())]
    data = table(tmp_path / "bad.csv", rows, header="id,text,label")
    result = cli("run", "minilm", data, "--out", tmp_path / "run")
    assert result.exit_code == 2
    assert "'0'" in result.stderr
    assert "id" in result.stderr


def test_class_absent_from_training_is_named(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    table(folder / "train.csv", reviews())
    table(folder / "test.csv", [*reviews(20), ("so so", "middling")])
    result = cli("run", "minilm", folder, "--out", tmp_path / "run")
    assert result.exit_code == 2
    assert "middling" in result.stderr


def test_counted_problems_are_reported_and_strict_makes_them_errors(
    cli: Cli, tmp_path: Path
) -> None:
    data = table(tmp_path / "some.csv", [*reviews(), ("word " * 2000, "good"), ("", "bad")])
    result = cli("extract", "minilm", data, "--out", tmp_path / "run")
    assert result.exit_code == 0, result.stderr
    problems = json.loads(cli("show", tmp_path / "run", "--json").stdout)["problems"]
    assert sum(problems.values()) == 2, problems
    strict = cli("extract", "minilm", data, "--out", tmp_path / "strict", "--strict")
    assert strict.exit_code == 2
    assert "--strict" in strict.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "nowhere"], "not a run directory"),
        (["run", "minilm", "no-such-data", "--out", "x"], "rotten-tomatoes"),
        (["run", "minilmm", "rotten-tomatoes", "--out", "x"], "minilm"),
        (["run", "minilm", "rotten-tomatoes"], "--out"),
        (["select", "RUN", "--rule", "thinnest"], "sparsest:5%"),
        (["select", "RUN", "--rule", "sparsest:7"], "max_drop"),
        (["fit", "RUN", "--l1-ratio", "2"], "l1_ratio"),
        (["fit", "RUN", "--tol", "0"], "tol"),
        (["explain", "RUN", "-k", "0"], "k: expected"),
    ],
)
def test_wrong_arguments_end_with_exit_code_2(
    cli: Cli, made_run: Path, arguments: list[str], words: str
) -> None:
    before = (made_run / "run.json").read_bytes()
    result = cli(*(made_run if a == "RUN" else a for a in arguments))
    assert (made_run / "run.json").read_bytes() == before
    assert result.exit_code == 2
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_help_teaches(cli: Cli) -> None:
    top = cli("--help")
    assert top.exit_code == 0
    for name in (
        "run", "demo", "extract", "fit", "select", "explain", "debug", "report", "show",
    ):  # fmt: skip
        assert f"\n  {name} " in top.stdout
        page = cli(name, "--help").stdout
        assert f" {name} [OPTIONS]" in page
        assert name in ("demo",) or f"Example: clearhead {name} " in page
    assert cli("--version").stdout.strip()


def test_importing_clearhead_is_light() -> None:
    code = (
        "import sys, clearhead; "
        "heavy = {'torch', 'transformers', 'pandas', 'matplotlib', 'sklearn'} & set(sys.modules); "
        "assert not heavy, heavy; "
        "assert all(hasattr(clearhead, name) for name in clearhead.__all__)"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=120)


def test_an_error_ends_a_real_process_with_exit_code_2(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "clearhead", "show", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr


def test_certify_says_how_good_glm_sagas_points_are(cli: Cli, tmp_path: Path) -> None:
    kept = Path(__file__).parents[1] / "glm" / "saga"
    done = cli("certify", kept / "multinomial", "--features", kept / "data.npz")
    assert done.exit_code == 0, done.stderr
    assert "point 3 is " in done.stdout
    assert "above the optimum and keeps" in done.stdout
    for features, word in (
        (tmp_path / "nothing.npz", "does not exist"),
        (kept / "make.py.txt", "savez"),
    ):
        failed = cli("certify", kept / "multinomial", "--features", features)
        assert failed.exit_code == 2
        assert word in failed.stderr
    (tmp_path / "empty").mkdir()
    failed = cli("certify", tmp_path / "empty", "--features", kept / "data.npz")
    assert failed.exit_code == 2
    assert "params0.pth" in failed.stderr


def test_data_options(cli: Cli, tmp_path: Path) -> None:
    rows = [f"k{i},take {i} of a film,{i % 2},{int(i % 5 == 0)},p{i // 2}" for i in range(60)]
    data = tmp_path / "reviews.csv"
    data.write_text("\n".join(["key,said,dull,rude,who", *rows]))
    columns = ("--text-column", "said", "--label-column", "dull", "--label-column", "rude")
    asked = cli("extract", "minilm", data, "--out", tmp_path / "run", *columns)
    assert asked.exit_code == 2
    assert "2 labels: dull, rude" in " ".join(asked.stderr.split())
    more = ("--label", "rude", "--group-column", "who", "--id-column", "key", "--validation", "0.2")
    both = (*columns, *more, "--balance-held-out", "--class-names", "dull, rude")
    done = cli("extract", "minilm", data, "--out", tmp_path / "run", *both)
    assert done.exit_code == 0, done.stderr
    kept = json.loads((tmp_path / "run" / "run.json").read_text())["data"]
    assert kept["options"]["label_column"] == ["dull", "rude"]
    assert "whole groups" in kept["notes"][0]
    assert "drawn down to classes of equal size" in kept["notes"][1]
    assert json.loads(cli("show", tmp_path / "run", "--json").stdout)["classes"] == [
        "not rude",
        "rude",
    ]


def test_a_feature_is_named_by_a_person(cli: Cli, run_folder: Path) -> None:
    feature = str(clearhead.open_run(run_folder).layer().used[0])
    named = cli("name", run_folder, feature, "plot & <twists>")
    assert named.exit_code == 0, named.stderr
    assert named.stdout == f"{feature}: plot & <twists> (by person, not judged)\n"
    assert "plot \\u0026 \\u003ctwists\\u003e" in (run_folder / "report.html").read_text()
    assert cli("name", run_folder).stdout == named.stdout
    assert cli("name", run_folder, feature, "--remove").stdout == ""
    nothing = cli("name", run_folder, feature)
    assert nothing.exit_code == 2
    assert "--remove" in nothing.stderr
    assert "features 0 to 383" in cli("name", run_folder, 384, "x").stderr


def test_quick_and_full_exclude_each_other(cli: Cli, run_folder: Path) -> None:
    both = cli("explain", run_folder, "--quick", "--full")
    assert both.exit_code == 2
    assert "exclude each other" in both.stderr
