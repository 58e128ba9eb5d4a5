"""Edits of a run: logged, undone, replayed, and void where another layer is selected."""

from __future__ import annotations

import json
import re
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
    SchemaVersionError,
    StepMissingError,
)
from clearhead.events import Event
from clearhead.features import PrecomputedFeatures
from clearhead.layer import Ban, Calibrate, Lam, OneOf, Relabel, Reweight, Zero
from clearhead.run import Run
from clearhead.run.edit_result import EditResult
from clearhead.run.editing import edit_run
from clearhead.run.mending import edits_of_finding

N, P = 1100, 10


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
    run.select("percentile:50")
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
    result = run.edit(counterexamples=(X, ["ant"] * 20), weight=10.0)
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
            Findings.of("slice", where="side is left, class cat", classes=(2,)),
            "examples of cat where side is left count as much as the rest",
        ),
        (
            Findings.of("slice", where="side is right", classes=()),
            "examples where side is right count 2 ×",
        ),
    ],
)
def test_a_finding_is_mended(run: Run, finding: Finding, words: str) -> None:
    result = run.edit(finding=finding)
    assert [edit.describe() for edit in result.edits] == [words]
    assert result.layer.certificate.status == "optimal"


@pytest.mark.parametrize("words", ["feature 0 high", "side is left and feature 0 high"])
def test_a_slice_of_features_is_found_in_training(run: Run, words: str) -> None:
    finding = Findings.of("slice", where=f"{words}, class cat", classes=(2,))
    edit = run.edit(finding=finding).edits[0]
    assert isinstance(edit, Reweight)
    rows = np.isin(run.store.ids, edit.ids)
    assert (run.store.split[rows] == "train").all()
    held, fitted = (run.store.matrix(split)[:, 0] for split in ("validation", "train"))
    high = fitted >= np.quantile(held, 0.8)
    if words.startswith("side"):
        high &= (run.store.metadata["side"] == "left")[run.store.split == "train"].to_numpy()
    assert rows.sum() == pytest.approx(high.sum(), abs=1)
    assert run.undo().fingerprint == run.layer().fingerprint


def test_wrong_labels_of_a_slice_are_left_out(run: Run) -> None:
    run.debug(effort="quick")
    (run.folder / "debug" / "labels.json").unlink()
    edit = run.edit(finding=Findings.of("label_noise", where="feature 0 high")).edits[0]
    assert isinstance(edit, Relabel)
    assert not edit.labels
    rows = np.isin(run.store.ids, edit.ids)
    assert (run.store.matrix()[rows, 0] > 0.5).all()
    assert (run.layer().predict(run.store.matrix()[rows]) != run.store.labels()[rows]).mean() > 0.9


def balanced(run: Run, layer: clearhead.DecisionLayer) -> float:
    """Mean recall on validation, one class at a time."""
    labels = run.store.labels("validation")
    right = layer.predict(run.store.matrix("validation")) == labels
    return float(np.mean([right[labels == label].mean() for label in np.unique(labels)]))


def test_of_several_edits_that_of_the_best_balanced_accuracy_is_made(run: Run) -> None:
    run.select("percentile:10")  # far too large a lam
    ban = (Ban((9,)), Lam("same"))
    harm = (Ban((0, 1, 2)), Lam("same"))
    good = (Ban((9,)), Lam("again"))
    for options in ([ban, harm, good], [harm, good, ban], [harm, good]):
        result = edit_run(run, [OneOf(tuple(options))], dry_run=True)
        assert result.edits == good
        alone = [edit_run(run, list(one), dry_run=True).layer for one in options]
        assert balanced(run, result.layer) > max(
            balanced(run, layer) for layer, one in zip(alone, options, strict=True) if one != good
        )
    # What is no better than the plainer one is not made, nor where a person chose lam.
    assert edit_run(run, [OneOf((ban, ban, harm))], dry_run=True).edits == ban
    kept = edit_run(run, [OneOf(((Ban((9,)),), good)), Lam("same")], dry_run=True)
    assert kept.edits == (Ban((9,)), Lam("same"))
    assert kept.layer.certificate.lam == run.layer().certificate.lam
    with pytest.raises(InputError, match="there is no feature 99"):
        edit_run(run, [OneOf((ban, (Ban((99,)),)))], dry_run=True)


def test_classes_count_alike_where_one_is_lost(run: Run) -> None:
    """What is drawn for a finding can be one of three where half of a class is not told."""
    finding = Findings.of("given_up", classes=(1,))
    (choice,) = edits_of_finding(run, finding)
    assert isinstance(choice, OneOf)
    assert [len(option) for option in choice.options] == [1, 2]
    run.select("percentile:0")  # no feature: one class takes all
    (choice,) = edits_of_finding(run, finding)
    assert isinstance(choice, OneOf)
    assert [len(option) for option in choice.options] == [1, 2, 3]
    before = balanced(run, run.layer())
    assert balanced(run, run.edit(finding=finding, dry_run=True).layer) > before + 0.2


def test_lam_is_chosen_again_where_asked_and_undone(run: Run) -> None:
    """The rule takes the best of validation, which a far too large lam is not."""
    run.select("percentile:50")
    selected = run.layer()
    kept = run.edit(ban=[9], lam="same")
    assert kept.layer.certificate.lam == selected.certificate.lam
    assert run.undo().fingerprint == selected.fingerprint
    run.edits_folder.joinpath("log.json").unlink()
    again = run.edit(ban=[9], lam="again")
    assert again.layer.certificate.status == "optimal"
    assert again.layer.certificate.lam != selected.certificate.lam
    assert not again.layer.weight[:, 9].any()
    assert any("λ was chosen again" in note for note in again.notes)
    assert run.edit_log.result(again.number or 0).to_dict() == again.to_dict()
    assert run.undo().fingerprint == selected.fingerprint
    with pytest.raises(InputError, match="lam: expected 'same' or 'again', got 'twice'"):
        run.edit(ban=[9], lam="twice")


def test_a_layer_that_collapses_is_solved_at_another_lam(run: Run) -> None:
    """Without the features that tell the class, next to nothing is left at the same lam."""
    used = run.layer().used.tolist()[:3]
    result = run.edit(ban=used)
    if result.features_after < result.features_before / 2:
        assert result.notes
    assert any("does not improve" in text for text in result.warnings)


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


def test_a_solve_can_be_ended_from_within(run: Run) -> None:
    class StopError(BaseException):
        pass

    seen = list[Event]()

    def stop(event: Event) -> None:
        seen.append(event)
        if event.step == "solve":
            raise StopError

    before = files(run.folder)
    run.on_event = stop
    with pytest.raises(StopError):
        run.edit(ban=[0])
    assert seen[-1].message.startswith("gap")
    assert files(run.folder) == before


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({"action": "zero"}, "it has no features"),
        ({"action": "zero", "features": 3}, "features must be a list of whole numbers, got 3"),
        ({"action": "zero", "features": "3"}, "features must be a list of whole numbers"),
        ({"action": "zero", "features": [3.5]}, "features must be a list of whole numbers"),
        ({"action": "scale", "features": [1], "factor": "x"}, "factor must be a number, got 'x'"),
        ({"action": "ban", "features": [1], "classes": "bee"}, "classes must be a list of names"),
        ({"action": "ban", "features": [1], "classes": [1]}, "classes must be a list of names"),
        ({"action": "reweight", "factor": "x"}, "factor must be a number or null"),
        ({"action": "counterexamples"}, "it has no source, features, labels"),
        ({"action": "counterexamples", "features": [[1]]}, "features must be left to the run"),
        ({"action": "lam", "how": 1}, "how must be text"),
        ("zero", "An edit is an object with an action"),
    ],
)
def test_an_edit_file_of_other_types_is_named(
    run: Run, tmp_path: Path, item: Any, said: str
) -> None:
    path = tmp_path / "edits.json"
    path.write_text(json.dumps({"layer": run.layer().fingerprint, "edits": [item]}))
    with pytest.raises(InputError, match=re.escape(said)):
        run.edit(file=path)


@pytest.mark.parametrize(
    ("content", "error", "said"),
    [
        (b"{", CorruptFileError, r"it is not JSON \(Expecting"),
        (b"\xff\xfe\x00", CorruptFileError, "it is not JSON"),
        (b"[]", CorruptFileError, "no edit file, or damaged"),
        (b"[" * 100_000, CorruptFileError, "it is not JSON"),
        (b'{"layer": "x", "schema_version": 99}', SchemaVersionError, "Upgrade clearhead"),
        (b'{"layer": "x", "edits": [1]}', FingerprintMismatchError, "of another run"),
    ],
)
def test_a_damaged_newer_or_foreign_edit_file_is_refused(
    run: Run, tmp_path: Path, content: bytes, error: type[Exception], said: str
) -> None:
    path = tmp_path / "edits.json"
    path.write_bytes(content)
    with pytest.raises(error, match=said) as found:
        run.edit(file=path)
    assert "run the step that writes it again" not in str(found.value)
    assert not run.edits_folder.exists()


def test_what_an_edit_says_is_about_that_edit(run: Run) -> None:
    banned = run.edit(ban=[0], lam="again")
    assert "λ was chosen again" in str(banned)
    assert any("does not improve" in text for text in banned.warnings)
    again = run.edit(zero=[1], classes=["bee"])
    assert again.notes == ()
    assert not any("does not improve" in text for text in again.warnings)


def test_an_edit_of_what_is_not_used_says_so(run: Run) -> None:
    feature = next(j for j in range(P) if j not in run.layer().used)
    (warning,) = run.edit(zero=[feature], dry_run=True).warnings
    assert "does not use what was changed" in warning
    (real,) = run.edit(zero=run.layer().used.tolist(), classes=["ant"], dry_run=True).warnings
    assert "intercept alone" in real
