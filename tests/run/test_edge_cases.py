"""What is rare but real: no mistakes, a class of five, two names alike, odd counterexamples."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import clearhead
from clearhead.cli.app import app
from clearhead.debug import find
from clearhead.errors import ClearheadError, InputError, StepMissingError
from clearhead.events import Event
from clearhead.features import PrecomputedFeatures
from clearhead.run import Run
from tests.debug.counted import CLASSES, run_of
from tests.debug.planted import random_view, view_of

N, P = 400, 6


def features_run(
    folder: Path, labels: np.ndarray, names: tuple[str, ...], X: np.ndarray, **fit: Any
) -> Run:
    run = clearhead.new_run(
        folder, PrecomputedFeatures(X.astype(np.float32), labels, class_names=names)
    )
    run.extract()
    run.fit(n_lambdas=8, **fit)
    run.select("best")
    run.explain(effort="quick")
    return run


def call(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(one) for one in arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_model_without_mistakes_has_nothing_to_blame(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=N)
    X = 0.01 * rng.standard_normal((N, P))
    X[np.arange(N), y] += 5
    run = features_run(tmp_path / "run", y, ("ant", "bee", "cat"), X)
    assert run.errors().mistakes == ()
    assert run.debug() == []
    said = call("errors", run.folder)
    assert "There are no mistakes" in said
    assert "Switch one off" not in said
    result = run.edit(ban=[int(run.layer().used[0])])
    assert not any("does not improve" in text for text in result.warnings)  # it cannot
    assert "it makes 0 on test" in _refused("study", "make", run.folder)


def _refused(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(one) for one in arguments])
    assert done.exit_code == 2, done.output
    return done.stderr


@pytest.mark.parametrize("fit", [{}, {"grouped": True}, {"l1_ratio": 0.0}])
def test_a_class_of_five_and_names_alike_go_through_every_verb(
    tmp_path: Path, fit: dict[str, Any]
) -> None:
    rng = np.random.default_rng(1)
    X = rng.standard_normal((N, P))
    y = (X[:, 0] + 0.3 * rng.standard_normal(N) > 0).astype(np.int64)
    y[:5], X[:5, 3] = 2, 4.0
    names = ("dog", "dog is", "dog, class dog")
    run = features_run(tmp_path / "run", y, names, X, **fit)
    run.debug()
    errors = run.errors()
    assert len(errors.mistakes) == int((~run.view("test").right).sum())
    assert run.flip(str(run.store.ids[0])).target in names
    if fit.get("grouped"):
        with pytest.raises(InputError, match="Ban it for all classes"):
            run.edit(ban=[0], classes=["dog is"])
    edited = run.edit(ban=[0], classes=[] if fit.get("grouped") else ["dog is"]).layer
    assert not edited.weight[1, 0]
    assert {one.name for one in clearhead.compare(run, layer="edited").accuracies[1:]} <= {*names}
    assert run.report().is_file()
    exported = tmp_path / "out"
    call("export", run.folder, "--layer", "edited", "--format", "sklearn", "--out", exported)
    assert clearhead.load(exported).layer.fingerprint == edited.fingerprint
    assert "about the selected layer" in call("debug", run.folder)


def test_a_layer_without_features_says_so(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    run = clearhead.new_run(
        tmp_path / "run", PrecomputedFeatures(rng.standard_normal((N, P)), rng.integers(2, size=N))
    )
    run.extract()
    run.fit(n_lambdas=8)
    with pytest.raises(StepMissingError, match="no select yet: run `clearhead select"):
        run.errors()
    run.select("percentile:0")
    assert not run.layer().used.size
    run.explain(effort="quick")
    run.debug()
    assert any("uses no feature" in note for note in run.debug_notes)
    assert run.errors().groups == ()
    assert run.flip(str(run.store.ids[0])).features is None


@pytest.mark.parametrize("step", ["explain", "analyze", "debug"])
def test_a_negative_seed_is_refused(words: Run, step: str) -> None:
    with pytest.raises(InputError, match="seed: expected a whole number from 0, got -1"):
        getattr(words, step)(seed=-1)


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = run_of(tmp_path_factory.mktemp("edges") / "run", 0.9)
    run.explain(effort="quick")
    return run


def test_counterexamples_of_one_class_need_no_splits(words: Run, tmp_path: Path) -> None:
    path = tmp_path / "more.csv"
    path.write_text("text,label,split\ncalm1 zq,calm,test\nfiller1 calm2,calm,test\n")
    result = words.edit(counterexamples=path, weight=20.0, dry_run=True)
    (edit,) = result.edits
    assert edit.arrays()["labels"].tolist() == [CLASSES.index("calm")] * 2
    stored = words.backbone.features(words.backbone.prepare(["calm1 zq", "filler1 calm2"]))
    np.testing.assert_array_equal(edit.arrays()["features"], stored.numpy())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("text,label\nhello,clam\n", "clam are not among the classes.*Did you mean 'calm'"),
        ("", "counterexamples: .*is empty"),
        ("text,label\n", "has a header and no rows"),
        ("text\nhello\n", "no column is named like a label"),
        ("text,label\n,calm\n", "empty"),
        (None, "holds images, and the network takes texts"),
    ],
)
def test_counterexamples_that_cannot_be_added_are_named(
    words: Run, tmp_path: Path, content: str | None, said: str
) -> None:
    path = tmp_path / "more.csv"
    if content is None:
        path = tmp_path / "pictures"
        (path / "calm").mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(path / "calm" / "a.png")
        (path / "wild").mkdir()
        Image.new("RGB", (8, 8), "red").save(path / "wild" / "b.png")
    else:
        path.write_text(content)
    with pytest.raises(ClearheadError, match=said):
        words.edit(counterexamples=path)
    assert not words.edits


def test_ctrl_c_in_debug_keeps_what_was_found(words: Run) -> None:
    before = words.debug(effort="quick")
    file = (words.folder / "findings.json").read_bytes()

    def interrupt(event: Event) -> None:
        if event.step == "debug" and event.kind == "progress" and event.done:
            raise KeyboardInterrupt

    other = clearhead.open_run(words.folder, interrupt)
    with pytest.raises(KeyboardInterrupt):
        other.debug(effort="quick", seed=5)
    again = clearhead.open_run(words.folder)
    assert again.findings == before
    assert (words.folder / "findings.json").read_bytes() == file


def test_terms_are_warned_of_once_and_said_to_be_unused(words: Run, tmp_path: Path) -> None:
    path = tmp_path / "terms.txt"
    path.write_text("zq.*(\n\n[x\nZq.*(\n\\\n")  # literal, whatever a pattern would make of them
    events: list[Event] = []
    clearhead.open_run(words.folder, events.append).debug(effort="quick", terms=path)
    said = [event.message for event in events if event.kind == "warning"]
    assert said == ["the terms were not tried: nothing was put into inputs"]
    run = clearhead.new_run(words.folder, words.backbone, words.dataset, on_event=events.append)
    run.debug(terms=path)
    twice = [event.message for event in events if "is there already" in event.message]
    assert len(twice) == 1
    assert "line 4" in twice[0]


def test_a_layer_for_several_labels_is_refused_not_passed_over() -> None:
    rng = np.random.default_rng(3)
    view = random_view(0)
    several = replace(view.layer, certificate=replace(view.layer.certificate, family="multilabel"))
    labels = view_of(several, view.features, rng.integers(several.n_classes, size=view.n))
    with pytest.raises(InputError, match=r"class0, class1.*--label"):
        find(labels, labels)
