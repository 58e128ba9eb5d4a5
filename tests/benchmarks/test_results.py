"""Ladders, results that are taken up again, ratios against peers that did not finish."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from benchmarks.path import compare, document, results, runner, solvers, table
from benchmarks.path.problem import Problem, make_problem
from benchmarks.path.results import Result, Run

from tests.glm.data import deep_features


def _run(seconds, gap, tol=1e-4, limit=60.0, points=2, objective=1.0):
    return Run(
        setting={"tol": tol},
        seconds=seconds,
        elapsed=limit if seconds is None else seconds,
        limit=limit,
        peak=2.0**20,
        objectives=[objective] * points,
        bounds=[objective - gap] * points,
        gaps=[gap] * points,
        n_nonzero=[1] * points,
    )


def _result(solver, *runs):
    about = {
        "n": 10, "p": 3, "classes": 2, "family": "binomial", "l1_ratio": 0.99,
        "intercept": True, "points": 2, "lambda_min_ratio": 0.001,
    }  # fmt: skip
    machine = {
        "processor": "x", "cores": 2, "memory_gb": 1, "system": "s", "threads": 2,
        "python": "3", "blas": ["b"], "versions": {}, "glmnet": None,
    }  # fmt: skip
    return Result("sst", solver, "d", about, runs=list(runs), done=True, machine=machine)


OURS = _result("clearhead", _run(2.0, 1e-5))


def test_an_unfinished_peer_is_at_least_so_slow():
    unfinished = _result("glmnet", _run(20.0, 1e-2), _run(None, 1e-5, limit=60.0, points=1))
    assert str(compare.ratio(unfinished, OURS)) == "≥ 30"
    assert "≥ 60 | ≥ 30 |" in table.problem_table({"clearhead": OURS, "glmnet": unfinished})


def test_a_finished_peer_that_missed_the_gap_is_at_least_so_slow():
    assert str(compare.ratio(_result("glmnet", _run(20.0, 1e-2)), OURS)) == "≥ 10"


def test_the_time_that_counts_is_that_of_the_loosest_setting_that_solves():
    peer = _result("glmnet", _run(9.0, 1e-6), _run(5.0, 9e-5), _run(3.0, 2e-4))
    assert compare.counted(peer) == (5.0, False)
    assert str(compare.ratio(peer, OURS)) == "2.5"


def test_a_default_run_counts_whatever_its_gap():
    assert str(compare.ratio(_result("glm_saga_default", _run(8.0, 0.3)), OURS)) == "4"
    assert str(compare.ratio(_result("glm_saga", _run(8.0, 0.3)), OURS)) == "≥ 4"


def test_a_failure_says_nothing_about_time():
    failed = _run(None, 1e-5)
    failed.error = "out of memory"
    assert compare.ratio(_result("glmnet", failed), OURS) is None


def test_a_mean_with_a_bound_in_it_is_a_bound():
    mean = compare.geometric_mean([compare.Ratio(2, False), compare.Ratio(8, True)])
    assert str(mean) == "≥ 4"


def test_near_the_optimum_is_judged_by_the_best_bound_of_all():
    peer = _result("glmnet", _run(3.0, 1e-2), _run(5.0, 1e-5))
    best = compare.best_bounds([OURS, peer])
    assert compare.seconds_to_suboptimality(peer, best) == 3.0


def test_next_rung_climbs_until_solved_and_descends_while_solved():
    solver = SimpleNamespace(LADDER=tuple({"tol": 10.0**-e} for e in range(5)), START=2)
    good, bad = _run(1.0, 1e-5, 1e-2), _run(1.0, 1.0, 1e-2)

    def following(*runs: Run, near: bool | None = None) -> int | None:
        return runner.next_rung(solver, runs, lambda run: run.solved if near is None else near)

    assert following() == 2
    assert following(bad) == 3
    assert following(bad, _run(1.0, 1e-5, 1e-3)) is None
    assert following(good) == 1
    assert following(good, _run(1.0, 1.0, 1e-1)) is None
    assert following(bad, near=True) == 1  # near the optimum, though its gap does not prove it
    assert following(_run(None, 1.0, 1e-2)) == 1  # a looser setting might have met the gap
    assert following(_run(None, 1.0, 1e-2), _run(1.0, 1.0, 1e-1)) is None


@pytest.fixture
def problem() -> Problem:
    X, y = deep_features(300, 8, 2, 0)
    return make_problem("tiny", X, y, l1_ratio=0.0, points=5)


def test_real_runs_are_kept_and_taken_up(problem, tmp_path):
    settings = runner.Settings(folder=tmp_path, limit=60, threads=1)
    names, said = ["clearhead", "sklearn_lbfgs", "celer"], []
    found = runner.run_problem(problem, names, settings, said.append)
    assert found[0].winner is not None
    assert found[1].winner is not None
    assert found[2].skipped == "only two classes, l1 and no intercept"
    ours, theirs = (np.array(found[i].winner.objectives) for i in (0, 1))
    assert np.abs(ours / theirs - 1).max() < 1e-4
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}
    said.clear()
    runner.run_problem(problem, names, settings, said.append)
    assert [line.split()[1] for line in said] == ["kept:", "kept:", "skipped:"]
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}


def test_results_of_another_problem_are_not_taken_up(problem, tmp_path):
    settings = runner.Settings(folder=tmp_path, limit=60, threads=1)
    runner.run_problem(problem, ["sklearn_lbfgs"], settings, lambda text: None)
    other = make_problem("tiny", problem.X[:200], problem.y[:200], l1_ratio=0.0, points=5)
    said: list[str] = []
    runner.run_problem(other, ["sklearn_lbfgs"], settings, said.append)
    assert not any("kept" in line for line in said)


def test_a_time_limit_ends_a_run_and_keeps_its_points(tmp_path):
    X, y = deep_features(4000, 60, 3, 0)
    problem = make_problem("slow", X, y)
    settings = runner.Settings(folder=tmp_path, limit=1.0, threads=1)
    (found,) = runner.run_problem(problem, ["sklearn_saga"], settings, lambda text: None)
    run = found.runs[0]
    assert found.done
    assert run.seconds is None
    assert run.error is None
    assert 0 < len(run.gaps) < len(problem.lambdas)
    assert compare.counted(found) == (1.0, True)


def test_document_is_written_between_its_markers(tmp_path):
    OURS.save(tmp_path / "results")
    _result("glmnet", _run(None, 1e-5, points=1)).save(tmp_path / "results")
    page = tmp_path / "docs" / "benchmarks.md"
    page.parent.mkdir()
    page.write_text(f"before\n{document.BEGIN}\nold\n{document.END}\nafter\n")
    document.write(tmp_path / "results", page)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "≥ 30" in text
    assert (page.parent / "images" / "benchmarks" / "sst.png").stat().st_size > 1000
    document.write(tmp_path / "results", page)
    assert page.read_text() == text


def test_infinite_gaps_survive_json(tmp_path):
    _result("glmnet", _run(1.0, float("inf"))).save(tmp_path)
    path = results.path_of(tmp_path, "sst", "glmnet")
    json.loads(path.read_text())
    assert not Result.load(path).runs[0].solved


@pytest.mark.parametrize("name", solvers.NAMES)
def test_every_solver_says_what_it_is(name):
    module = solvers.load(name)
    assert module.__doc__
    assert len(module.LADDER) > getattr(module, "START", 0)
