"""The layer as a whole, on the command line: its table, its words, and when it is done again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import clearhead
from clearhead.cli.app import app
from clearhead.errors import StepMissingError


def analyze(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["analyze", *(str(a) for a in arguments)])


def test_the_table_is_printed_and_kept_until_the_layer_changes(run_folder: Path) -> None:
    options = (run_folder, "--resamples", 3, "--tried", 4)
    first = analyze(*options)
    assert first.exit_code == 0, first.stderr
    run = clearhead.open_run(run_folder)
    X, y = run.store.matrix("validation"), run.store.labels("validation")
    for name in ("dense", "sparse"):
        for k in (5, 10):
            layer = run.layer(name)
            cuts = (layer, layer.keep_top(k), layer.drop_top(k))
            shares = [f"{100 * np.mean(cut.predict(X) == y):.1f}%" for cut in cuts]
            assert [str(k), name, *shares] in [line.split() for line in first.stdout.splitlines()]
    for title in ("Shared features", "Duplicates", "Substitutes", "Stability"):
        assert f"\n{title}\n" in first.stdout
    assert "One weight vector tells" in first.stdout
    assert run.analysis.substitutes.n_tried == 4
    written = (run_folder / "explain" / "layer.json").read_text()

    again = analyze(*options)
    assert "nothing has changed" in again.stderr
    assert again.stdout == first.stdout
    assert json.loads(analyze(*options, "--json").stdout) == json.loads(written)
    assert "nothing has changed" not in analyze(*options, "--force").stderr
    assert (run_folder / "explain" / "layer.json").read_text() == written
    assert "nothing has changed" not in analyze(run_folder, "--resamples", 2, "--tried", 1).stderr

    run.select("features:3")
    with pytest.raises(StepMissingError, match="no longer selected: run `clearhead analyze"):
        _ = run.analysis
    assert analyze(run_folder, "--resamples", 2, "--tried", 1).exit_code == 0
    assert run.analysis.fingerprints["sparse"] == run.layer().fingerprint
    assert len(run.analysis.sharing.features) <= 3


def test_a_run_with_a_balanced_fit_and_bans_is_solved_as_it_was_fitted(run_folder: Path) -> None:
    run = clearhead.open_run(run_folder)
    banned = int(run.layer().used[0])
    run.fit(n_lambdas=8, balanced=True, ban=[banned])
    run.select()
    found = run.analyze(n_resamples=2, n_tried=2)
    assert banned not in found.sharing.features
    assert banned not in {new.feature for new in found.stability.newcomers}
    assert all(item.gap <= 1e-4 for item in found.substitutes.items)


def test_damage_and_missing_steps_are_said(run_folder: Path) -> None:
    (run_folder / "explain" / "layer.json").write_text("{}")
    damaged = analyze(run_folder)
    assert damaged.exit_code == 2
    assert "layer.json is missing or damaged" in damaged.stderr
    assert "--force" in damaged.stderr
    assert analyze(run_folder, "--resamples", 2, "--tried", 0, "--force").exit_code == 0
    too_few = analyze(run_folder, "--resamples", 1)
    assert too_few.exit_code == 2
    assert "n_resamples" in too_few.stderr
    (run_folder / "explain" / "layer.json").unlink()
    with pytest.raises(StepMissingError, match="run `clearhead analyze"):
        _ = clearhead.open_run(run_folder).analysis
