"""A run from end to end on the real packaged network, and what becomes of it when reopened."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

import clearhead
from clearhead._files import checksum, write_json
from clearhead.errors import (
    CorruptFileError,
    FingerprintMismatchError,
    InputError,
    SchemaVersionError,
    StepMissingError,
    StorageError,
    StorageFullError,
)
from clearhead.events import Event
from clearhead.glm import Path as Path_
from clearhead.run.directory import STEPS
from clearhead.run.examples import ExampleKeeper
from clearhead.run.notes import read_notes
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
        "explain/index/index.json",
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
    run.all(n_lambdas=20, effort="quick")
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
    run.explain(effort="quick")
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
    shown = json.loads(json.dumps(summary, allow_nan=False))["findings"]
    assert [item["title"] for item in shown] == [finding.title for finding in run.findings]


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
    with pytest.raises(FingerprintMismatchError, match=r"the data differ.*--out.*--force"):
        clearhead.new_run(run_folder, "minilm", "rotten-tomatoes", limit=300)
    assert (run_folder / "report.html").exists()
    old = clearhead.open_run(run_folder)
    old.name_feature(3, "puns")
    old.mark_feature(3, old.layer().class_names[0], "spurious")
    write_json(run_folder / "study" / "key.json", {})
    assert (run_folder / "debug").is_dir()
    events: list[Event] = []
    run = clearhead.new_run(
        run_folder, "minilm", "rotten-tomatoes", limit=300, force=True, on_event=events.append
    )
    assert run.file.steps == {}
    left = {path.name for path in run_folder.iterdir()}
    assert left == {"run.json", "former-1"}
    assert run.notes.features == {}
    assert read_notes(run_folder / "former-1").features[3].name == "puns"
    assert (run_folder / "former-1" / "study" / "key.json").is_file()
    assert any("former-1" in event.message for event in events if event.kind == "warning")
    write_json(run_folder / "notes.json", {"features": {"1": {"name": "wit"}}})
    clearhead.new_run(run_folder, "minilm", "rotten-tomatoes", limit=200, force=True)
    assert read_notes(run_folder / "former-2").features[1].name == "wit"


def test_notes_stay_where_the_same_is_done_again(run_folder: Path) -> None:
    clearhead.open_run(run_folder).name_feature(3, "puns")
    again = clearhead.new_run(run_folder, "minilm", "rotten-tomatoes", limit=400, force=True)
    assert again.notes.features[3].name == "puns"
    assert not (run_folder / "former-1").exists()


def test_a_run_can_be_shared_without_its_examples(run_folder: Path) -> None:
    run = clearhead.new_run(run_folder, "minilm", "rotten-tomatoes", limit=400, keep_examples=False)
    run.all(n_lambdas=20, effort="quick")
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
    with pytest.raises(CorruptFileError, match="Delete it and run `clearhead run MODEL DATA"):
        clearhead.open_run(run_folder)
    for content in ('{"schema_version": 1}', "[]", json.dumps({**value, "model": {}})):
        path.write_text(content)
        with pytest.raises(CorruptFileError, match=r"damaged.*Delete it and run"):
            clearhead.open_run(run_folder)
    with pytest.raises(StorageError, match=r"no run\.json.*clearhead run MODEL DATA"):
        clearhead.open_run(tmp_path / "nowhere")


def test_options_that_change_no_result_redo_nothing(run_folder: Path) -> None:
    events: list[Event] = []
    run = clearhead.new_run(
        run_folder, "minilm", "rotten-tomatoes", limit=400, on_event=events.append
    )
    run.all(n_lambdas=20, effort="quick", batch_size=7, strict=True, repair=True)
    assert {"fit", "select", "explain", "debug", "report"} <= {
        e.step for e in events if e.kind == "skip"
    }
    assert set(run.file.steps) == set(STEPS)


def test_an_interrupted_fit_leaves_what_was_there_and_goes_on(run_folder: Path) -> None:
    class Stop(Exception):
        pass

    def stop(event: Event) -> None:
        if event.step == "fit" and event.kind == "progress" and "sparse" in event.message:
            raise Stop

    run = clearhead.open_run(run_folder, stop)
    with pytest.raises(Stop):
        run.fit(n_lambdas=12)
    again = clearhead.open_run(run_folder)
    assert set(again.file.steps) == set(STEPS)
    assert len(again.path()) == 20
    again.fit(n_lambdas=12)
    assert set(again.file.steps) == {"extract", "fit"}
    assert len(clearhead.open_run(run_folder).path()) == 12
    with pytest.raises(StepMissingError):
        again.layer()


def test_a_path_that_cannot_be_saved_is_not_lost(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = Path_.save

    def full(self: Path_, folder: Path) -> None:
        if Path(folder).name == "sparse":
            raise StorageFullError("no space")
        save(self, folder)

    monkeypatch.setattr(Path_, "save", full)
    run = clearhead.open_run(run_folder)
    with pytest.raises(StorageFullError):
        run.fit(n_lambdas=12)
    assert len(list((run_folder / "path" / "sparse.unfinished").iterdir())) > 12
    monkeypatch.undo()
    run.fit(n_lambdas=12)
    assert list((run_folder / "path").glob("*.unfinished")) == []


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("layer/selection.json", lambda run: run.selection),
        ("explain/examples.json", lambda run: run.explanations),
        ("explain/index/index.json", lambda run: run.index),
        ("findings.json", lambda run: run.findings),
        ("path/sparse/path.json", lambda run: run.path()),
        ("path/sparse/coef.safetensors", lambda run: run.path()),
        ("layer/sparse/layer.safetensors", lambda run: run.layer()),
    ],
)
def test_every_missing_or_senseless_file_is_named(
    run_folder: Path, name: str, read: Callable[[clearhead.Run], object]
) -> None:
    run = clearhead.open_run(run_folder)
    path = run_folder / name
    for content in (b'[{"x": 1}]', b"{}", b"{"):
        path.write_bytes(content)
        with pytest.raises(StorageError, match=path.name):
            read(run)
    path.unlink()
    with pytest.raises((StorageError, StepMissingError)):
        read(run)


def test_keys_that_a_later_version_adds_are_passed_over(run_folder: Path) -> None:
    def add_to_all(value: object) -> object:
        if isinstance(value, dict):
            return {**{k: add_to_all(v) for k, v in value.items()}, "later": 1}
        return [add_to_all(v) for v in value] if isinstance(value, list) else value

    run_json = json.loads((run_folder / "run.json").read_text())
    run_json["steps"] = {n: {**record, "later": 1} for n, record in run_json["steps"].items()}
    run_json["steps"]["later"] = {"made_from": "x"}
    (run_folder / "run.json").write_text(json.dumps({**run_json, "later": 1}))
    for name in ("layer/sparse/layer.json", "findings.json", "explain/examples.json"):
        path = run_folder / name
        path.write_text(json.dumps(add_to_all(json.loads(path.read_text()))))
    run = clearhead.open_run(run_folder)
    assert run.layer().used.size
    assert isinstance(run.findings, list)
    assert run.explanations


def test_banned_features_stay_out_and_balanced_classes_count_alike(run_folder: Path) -> None:
    run = clearhead.open_run(run_folder)
    strongest = int(run.layer().top(0, 1)[0])
    path = run.fit(n_lambdas=20, ban=[strongest])
    assert all(path.coef(i)[0, strongest] == 0 for i in range(len(path)))
    assert run.path("dense").coef(24)[0, strongest] == 0
    with pytest.raises(InputError, match="no feature 384; features are 0 to 383"):
        run.fit(ban=[384])
    labels = run.store.labels("train")
    again = run.fit(n_lambdas=20, balanced=True)
    direct = clearhead.fit_path(
        run.store.matrix("train"),
        labels,
        sample_weight=np.where(labels == 0, 1 / (labels == 0).sum(), 1 / (labels == 1).sum()),
        n_lambdas=20,
    )
    np.testing.assert_allclose(again.lambdas, direct.lambdas)
    np.testing.assert_allclose(again.losses["train"], direct.losses["train"], rtol=1e-3)


def test_a_name_wins_over_a_folder_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rotten-tomatoes").mkdir()
    monkeypatch.chdir(tmp_path)
    clearhead.new_run("run", "minilm", "rotten-tomatoes", limit=60)
    assert clearhead.open_run("run").dataset.name == "rotten-tomatoes"


def test_examples_of_data_that_moved_leave_empty_places(tmp_path: Path) -> None:
    table = tmp_path / "reviews.csv"
    rows = [f"a {word} film number {i},{label}" for i in range(20) for word, label in WORDS]
    table.write_text("text,label\n" + "\n".join(rows))
    run = clearhead.new_run(tmp_path / "run", "minilm", str(table))
    run.extract()
    run.fit(n_lambdas=5)
    run.select("best")
    table.unlink()
    events: list[Event] = []
    moved = clearhead.open_run(tmp_path / "run", events.append)
    moved.explain(effort="quick")
    moved.debug()
    assert any(e.kind == "warning" and "cannot be shown" in e.message for e in events)
    assert moved.report().exists()


def test_a_thumbnail_must_be_what_its_name_says(run_folder: Path) -> None:
    index = run_folder / "examples" / "index.json"
    keys = list(json.loads(index.read_text()))[:4]
    good = b"\xff\xd8 a picture"
    name = f"{checksum(good)}.jpg"
    (run_folder / "examples" / name).write_bytes(good)
    other = f"{checksum(b'other')}.jpg"
    (run_folder / "examples" / other).write_bytes(good)
    names = ("..", "../run.json", other, name)
    index.write_text(json.dumps({k: {"image": n} for k, n in zip(keys, names, strict=True)}))
    keeper = ExampleKeeper(run_folder / "examples")
    assert [keeper.get(key).jpeg for key in keys] == [None, None, None, good]


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
    assert set(run.file.steps) == set(STEPS)  # the same bytes: nothing after it is void


def test_data_that_changed_since_are_named(tmp_path: Path) -> None:
    table = tmp_path / "reviews.csv"
    rows = [f"a {word} film number {i},{label}" for i in range(20) for word, label in WORDS]
    table.write_text("text,label\n" + "\n".join(rows))
    run = clearhead.new_run(tmp_path / "run", "minilm", str(table))
    run.all(n_lambdas=5, effort="quick")
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
