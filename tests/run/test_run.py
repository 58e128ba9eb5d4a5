"""A run from end to end on the real packaged network, and what becomes of it when reopened."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import clearhead
from clearhead.errors import (
    CorruptFileError,
    FingerprintMismatchError,
    InputError,
    SchemaVersionError,
    StepMissingError,
    StorageError,
)
from clearhead.events import Event
from clearhead.run.summary import summarize


def test_every_point_is_proven_and_every_step_leaves_its_files(made_run: Path) -> None:
    run = clearhead.open_run(made_run)
    path = run.path()
    assert len(path) == 20
    assert set(path.status) == {"optimal"}
    assert max(path.gaps) <= 1e-4
    for name in (
        "run.json",
        "features/manifest.json",
        "path/sparse/path.json",
        "path/dense/path.json",
        "layer/sparse/layer.json",
        "layer/dense/layer.json",
        "layer/selection.json",
        "explain/examples.json",
        "examples/index.json",
        "findings.json",
        "report.html",
    ):
        assert (made_run / name).is_file(), name


def test_nothing_is_done_twice(run_folder: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in run_folder.rglob("*") if p.is_file()}
    events: list[Event] = []
    run = clearhead.new_run(
        run_folder, "minilm", "rotten-tomatoes", limit=400, on_event=events.append
    )
    run.all(n_lambdas=20)
    assert [e.step for e in events if e.kind == "skip"] == [
        "extract",
        "fit",
        "select",
        "explain",
        "debug",
        "report",
    ]
    after = {p: p.stat().st_mtime_ns for p in run_folder.rglob("*") if p.is_file()}
    changed = {p.name for p in after if after[p] != before.get(p)}
    assert changed <= {"run.json"}


def test_another_rule_redoes_only_what_follows_from_it(run_folder: Path) -> None:
    events: list[Event] = []
    run = clearhead.open_run(run_folder, events.append)
    layer = run.select("features:3")
    assert layer.features_per_class <= 3
    assert set(run.file.steps) == {"extract", "fit", "select"}
    with pytest.raises(StepMissingError, match="report needs explain and debug"):
        run.report()
    run.explain()
    run.debug()
    assert "at most 3 features a class" in run.report().read_text()
    assert clearhead.open_run(run_folder).layer().features_per_class == layer.features_per_class


def test_summary_agrees_with_direct_computation(made_run: Path) -> None:
    run = clearhead.open_run(made_run)
    summary = summarize(run)
    store, layer = run.store, run.layer()
    assert (summary["n"], summary["p"]) == (store.n, 384)
    assert summary["classes"] == ["negative", "positive"]
    selected = summary["selected"]
    for split, key in (("train", "acc_train"), ("validation", "acc_val"), ("test", "acc_test")):
        right = layer.predict(store.matrix(split)) == store.labels(split)
        assert selected[key] == pytest.approx(right.mean(), abs=1e-6)
    used = np.count_nonzero(layer.weight[1])
    assert selected["features_per_class"] == used
    assert summary["points"][selected["index"]]["lam"] == selected["lam"]
    assert json.loads(json.dumps(summary, allow_nan=False))["findings"] is not None


def test_layer_attached_to_the_network_predicts_as_on_stored_features(made_run: Path) -> None:
    run = clearhead.open_run(made_run)
    layer, backbone, dataset = run.layer(), run.backbone, run.dataset
    model = layer.attach(backbone)
    rows = np.flatnonzero(run.store.split == "test")[:64]
    batch = backbone.prepare([dataset.load(int(i)) for i in run.store.row_id[rows]])
    with torch.inference_mode():
        logits = model(*batch.args, **batch.kwargs).numpy()
    stored = layer.logits(run.store.matrix()[rows])
    np.testing.assert_allclose(logits, stored, atol=1e-4)
    margin = np.abs(np.diff(stored, axis=1)[:, 0])
    sure = margin > 1e-3
    assert sure.sum() > 40
    assert (logits.argmax(axis=1) == stored.argmax(axis=1))[sure].all()


def test_shown_examples_are_those_of_the_data(made_run: Path) -> None:
    run = clearhead.open_run(made_run)
    texts = dict(zip(run.dataset.ids, run.dataset.texts, strict=True))
    index = json.loads((made_run / "examples" / "index.json").read_text())
    assert len(index) > 20
    assert all(entry["text"] == texts[key] for key, entry in index.items())
    test_ids = set(run.store.ids[run.store.split == "test"])
    for explanation in run.explanations:
        assert not test_ids & {key for key, _ in explanation.highest}


def test_another_model_or_data_is_refused_and_force_starts_over(run_folder: Path) -> None:
    with pytest.raises(FingerprintMismatchError, match=r"the data\s+differ.*--out.*--force"):
        clearhead.new_run(run_folder, "minilm", "rotten-tomatoes", limit=300)
    assert (run_folder / "report.html").exists()
    run = clearhead.new_run(run_folder, "minilm", "rotten-tomatoes", limit=300, force=True)
    assert run.file.steps == {}
    assert not (run_folder / "features").exists()
    assert not (run_folder / "report.html").exists()


def test_a_run_can_be_shared_without_its_examples(run_folder: Path) -> None:
    run = clearhead.new_run(run_folder, "minilm", "rotten-tomatoes", limit=400, keep_examples=False)
    run.all(n_lambdas=20)
    assert not (run_folder / "examples").exists()
    data = run.report_data()
    assert all(card.text is None and card.image is None for card in data.examples)
    text = run.dataset.texts[0]
    for path in run_folder.rglob("*"):
        assert not path.is_file() or text.encode() not in path.read_bytes(), path


def test_newer_and_damaged_runs_are_refused(run_folder: Path, tmp_path: Path) -> None:
    path = run_folder / "run.json"
    value = json.loads(path.read_text())
    path.write_text(json.dumps({**value, "schema_version": 2, "made_by": "clearhead 9.9"}))
    with pytest.raises(SchemaVersionError, match=r"version 2, made by clearhead 9\.9.*Upgrade"):
        clearhead.open_run(run_folder)
    with pytest.raises(SchemaVersionError):
        clearhead.new_run(run_folder, "minilm", "rotten-tomatoes", limit=400)
    path.write_text("{")
    with pytest.raises(CorruptFileError, match="not valid JSON"):
        clearhead.open_run(run_folder)
    path.write_text('{"schema_version": 1}')
    with pytest.raises(CorruptFileError, match="damaged"):
        clearhead.open_run(run_folder)
    with pytest.raises(StorageError, match=r"no run\.json.*clearhead run MODEL DATA"):
        clearhead.open_run(tmp_path / "nowhere")


def test_damaged_features_are_found_named_and_repaired(run_folder: Path) -> None:
    shard = next((run_folder / "features").glob("*.arrow"))
    original = shard.read_bytes()
    damaged = bytearray(original)
    damaged[len(damaged) // 2] ^= 0x10
    shard.write_bytes(damaged)
    run = clearhead.new_run(run_folder, "minilm", "rotten-tomatoes", limit=400)
    with pytest.raises(CorruptFileError, match=shard.name):
        run.extract()
    run.extract(repair=True)
    assert shard.read_bytes() == original


def test_data_that_changed_since_are_named(tmp_path: Path) -> None:
    table = tmp_path / "reviews.csv"
    rows = [f"a {word} film number {i},{label}" for i in range(20) for word, label in WORDS]
    table.write_text("text,label\n" + "\n".join(rows))
    run = clearhead.new_run(tmp_path / "run", "minilm", str(table))
    run.all(n_lambdas=5)
    table.write_text("text,label\n" + "\n".join(rows[:-2]) + "\nnew,bad\nnewer,good")
    with pytest.raises(FingerprintMismatchError, match="contents have changed"):
        _ = clearhead.open_run(tmp_path / "run").dataset
    table.unlink()
    reopened = clearhead.open_run(tmp_path / "run")
    assert len(reopened.path()) == 5
    assert reopened.report(tmp_path / "elsewhere.html").exists()


WORDS = (("good", "good"), ("bad", "bad"))


def test_texts_for_an_image_network_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="takes images, rotten-tomatoes holds texts"):
        clearhead.new_run(tmp_path, "efficientnet-lite0", "rotten-tomatoes", limit=50)


def test_reprs_say_what_a_run_holds(made_run: Path) -> None:
    run = clearhead.open_run(made_run)
    assert "minilm on rotten-tomatoes, done: extract, fit, select" in repr(run)
    assert run._repr_html_().startswith("<p>Run(")
