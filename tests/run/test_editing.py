"""Edits of a run: logged, undone, replayed, and void where another layer is selected."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

import clearhead
from clearhead.debug.finding import Effect, Finding
from clearhead.errors import (
    CorruptFileError,
    FingerprintMismatchError,
    InputError,
    StepMissingError,
)
from clearhead.events import Event
from clearhead.features import PrecomputedFeatures
from clearhead.layer import Ban, Calibrate, Zero
from clearhead.run import Run
from clearhead.run.edit_result import EditResult

N, P = 600, 10


def features() -> PrecomputedFeatures:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((N, P)).astype(np.float32)
    y = (2 * X[:, :3] + rng.gumbel(size=(N, 3))).argmax(axis=1)
    return PrecomputedFeatures(
        X,
        y,
        class_names=("ant", "bee", "cat"),
        metadata=pd.DataFrame({"side": np.where(rng.random(N) < 0.4, "left", "right")}),
    )


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("edits") / "run"
    run = clearhead.new_run(folder, features())
    run.extract()
    run.fit(n_lambdas=12)
    run.select("best")
    return folder


@pytest.fixture
def run(template: Path, tmp_path: Path) -> Run:
    return clearhead.open_run(shutil.copytree(template, tmp_path / "run"))


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_an_edit_is_measured_and_written(run: Run) -> None:
    selected = run.layer()
    result = run.edit(ban=[0])
    store = run.store
    for split in ("validation", "test"):
        X, y = store.matrix(split), store.labels(split)
        before, after = selected.predict(X), result.layer.predict(X)
        row = result.at(split=split)
        assert row.before.value == pytest.approx((before == y).mean())
        assert row.after.value == pytest.approx((after == y).mean())
        assert row.change == pytest.approx((after == y).mean() - (before == y).mean())
        assert row.low <= row.change <= row.high
        ids = store.ids[store.split == split]
        assert result.changed[split] == tuple(ids[before != after])
    assert {"recall of ant", "side is left", "side is right"} <= {r.what for r in result.rows}
    left = store.metadata["side"][store.split == "test"].to_numpy() == "left"
    X, y = store.matrix("test"), store.labels("test")
    assert result.at("side is left").before.value == pytest.approx(
        (selected.predict(X[left]) == y[left]).mean()
    )
    assert result.number == 1
    assert "optimal" in result.certificate
    assert clearhead.open_run(run.folder).layer("edited").fingerprint == result.layer.fingerprint
    assert run.layer().fingerprint == selected.fingerprint
    kept = run.edit_log.result(1)
    assert isinstance(kept, EditResult)
    assert kept.to_dict() == result.to_dict()
    json.dumps(result.to_dict(), allow_nan=False)
    assert "feature 0 banned" in str(result)
    assert "<table" in result._repr_html_()


def test_edits_add_up_and_are_undone_and_redone(run: Run) -> None:
    first = run.edit(Zero((1,), ("bee",))).layer
    second = run.edit(ban=[0]).layer
    assert not second.weight[:, 0].any()
    assert second.weight[1, 1] == 0
    assert run.undo().fingerprint == first.fingerprint
    assert run.undo().fingerprint == run.layer().fingerprint
    with pytest.raises(InputError, match="no edit to undo"):
        run.undo()
    with pytest.raises(StepMissingError, match="have all been undone"):
        run.layer("edited")
    assert run.redo().fingerprint == first.fingerprint
    assert run.redo().fingerprint == second.fingerprint
    with pytest.raises(InputError, match="none to redo"):
        run.redo()
    run.undo()
    third = run.edit(scale={2: 0.5})
    assert third.number == 3
    assert [edit.action for edit in run.edits] == ["zero", "scale"]
    assert sorted(p.name for p in run.edits_folder.iterdir()) == ["0001", "0003", "log.json"]


def test_a_dry_run_writes_nothing(run: Run) -> None:
    before = files(run.folder)
    result = run.edit(ban=[0], calibrate=True, dry_run=True)
    assert result.number is None
    assert len(result.edits) == 2
    assert files(run.folder) == before
    with pytest.raises(StepMissingError, match="has none"):
        run.layer("edited")


def test_the_same_edits_give_the_same_layer(run: Run, template: Path, tmp_path: Path) -> None:
    run.edit(Ban((0,), ("bee",)), Calibrate())
    other = clearhead.open_run(shutil.copytree(template, tmp_path / "other"))
    other.edit(file=run.edits_folder / "log.json")
    assert other.layer("edited").fingerprint == run.layer("edited").fingerprint


def test_another_layer_voids_the_log_and_keeps_it(run: Run) -> None:
    edited = run.edit(ban=[0]).layer
    log = (run.edits_folder / "log.json").read_bytes()
    run.select("features:1")
    assert run.edits == ()
    with pytest.raises(StepMissingError, match="another layer than the one selected now"):
        run.layer("edited")
    with pytest.raises(FingerprintMismatchError, match="of another run, or of another point"):
        run.edit(file=run.edits_folder / "log.json")
    events: list[Event] = []
    run.on_event = events.append
    run.edit(zero=[1])
    assert any(e.kind == "warning" and "they are kept" in e.message for e in events)
    assert log in files(run.edits_folder).values()
    run.select("best")
    assert run.layer("edited").fingerprint == edited.fingerprint


def test_a_class_without_features_is_warned_of(run: Run) -> None:
    events: list[Event] = []
    run.on_event = events.append
    used = np.flatnonzero(run.layer().weight[1]).tolist()
    result = run.edit(zero=used, classes=["bee"])
    assert result.warnings == ("bee has no feature left: its score rests on its intercept alone",)
    assert [e.message for e in events if e.kind == "warning"] == list(result.warnings)


def test_counterexamples_by_name(run: Run) -> None:
    X = np.random.default_rng(1).standard_normal((20, P))
    result = run.edit(counterexamples=(X, ["ant"] * 20))
    assert result.layer.certificate.status == "optimal"
    assert result.at("recall of ant").change > 0
    again = clearhead.open_run(run.folder).edits[0]
    np.testing.assert_array_equal(again.arrays()["features"], X.astype(np.float32))
    with pytest.raises(InputError, match=r"'annt' is no class of the run.*Did you mean 'ant'"):
        run.edit(counterexamples=(X, ["annt"] * 20))
    with pytest.raises(InputError, match=r"shape \(m, 10\), got \(20, 9\)"):
        run.edit(counterexamples=(X[:, :9], ["ant"] * 20))


class Findings:
    """Findings of each kind, as far as their mend reads them."""

    effect: ClassVar[Effect] = Effect("recall lost", 0.2, 0.1, 0.3, 100)

    @classmethod
    def of(cls, kind: Any, **parts: Any) -> Finding:
        values: dict[str, Any] = {"where": "somewhere", **parts}
        return Finding(kind, "t", "s", evidence="e", effect=cls.effect, p_value=0.01,
                       mend="Look at it.", **values)  # fmt: skip


@pytest.mark.parametrize(
    ("finding", "words"),
    [
        (Findings.of("blame", features=(2,)), "feature 2 banned, and solved again"),
        (Findings.of("given_up", classes=(1,)), "examples of bee count 2 ×"),
        (
            Findings.of("slice", where="side = left, class cat", classes=(2,)),
            "examples of cat where side is left count as much as the rest",
        ),
    ],
)
def test_a_finding_is_mended(run: Run, finding: Finding, words: str) -> None:
    result = run.edit(finding=finding)
    assert [edit.describe() for edit in result.edits] == [words]
    assert result.layer.certificate.status == "optimal"


def test_bad_input_is_said(run: Run, tmp_path: Path) -> None:
    run.name_feature(3, "wings")
    assert run.edit(zero=["wings"], dry_run=True).edits == (Zero((3,)),)
    for wanted, said in (
        ({}, "say what to change"),
        ({"zero": ["wing"]}, "Did you mean 'wings'"),
        ({"zero": [10]}, "they are 0 to 9"),
        ({"ban": [0], "classes": ["antt"]}, "Did you mean 'ant'"),
        ({"file": tmp_path / "none.json"}, "no such file"),
        ({"finding": Findings.of("leak")}, "no edit of the layer mends it"),
    ):
        with pytest.raises(InputError, match=said):
            run.edit(**wanted)
    damaged = tmp_path / "edits.json"
    for text in ("{", "[]", '{"layer": "x"}'):
        damaged.write_text(text)
        with pytest.raises(CorruptFileError, match="no edit file, or damaged"):
            run.edit(file=damaged)
    damaged.write_text('{"layer": "x", "edits": [{"action": "refit"}]}')
    with pytest.raises(FingerprintMismatchError, match="of another run"):
        run.edit(file=damaged)
    own = {"layer": run.layer().fingerprint, "edits": [{"action": "calibrate"}]}
    damaged.write_text(json.dumps(own))
    assert [edit.action for edit in run.edit(file=damaged, dry_run=True).edits] == ["calibrate"]


def test_a_damaged_log_says_what_to_do(run: Run) -> None:
    run.edit(ban=[0])
    (run.edits_folder / "0001" / "edit.json").write_text("{}")
    with pytest.raises(CorruptFileError, match="damaged"):
        _ = run.edits
    (run.edits_folder / "log.json").write_text("{")
    with pytest.raises(CorruptFileError, match="to start from the selected layer again"):
        _ = run.edits
