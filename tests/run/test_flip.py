"""One example's nearest other prediction, and the features to blame for mistakes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import clearhead
from clearhead.cli.app import app
from clearhead.errors import InputError, StepMissingError
from tests.debug.counted import CLASSES, run_of


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> clearhead.Run:
    found = run_of(tmp_path_factory.mktemp("runs") / "words", 0.9)
    found.explain(effort="quick")
    return found


def test_a_flipped_text_really_flips_and_so_do_the_features(run: clearhead.Run) -> None:
    layer, store = run.layer(), run.store
    row = int(np.flatnonzero(store.split == "test")[0])
    key = str(store.ids[row])
    found = run.flip(key)
    assert found.features is not None
    z = layer.standardize(store.matrix()[[row]], layer.used)[0]
    for feature, after in zip(found.features.features, found.features.after, strict=True):
        z[list(layer.used).index(feature)] = after
    scores = layer.weight[:, layer.used] @ z + layer.bias
    assert CLASSES[int(scores.argmax())] == found.target != found.predicted
    assert found.inputs is not None
    if found.inputs.flipped:
        features = run.backbone.features(run.backbone.prepare([found.inputs.changed])).numpy()
        assert CLASSES[int(layer.predict(features)[0])] == found.inputs.after != found.predicted
    assert json.dumps(found.to_dict())
    assert key in str(found)
    assert "<p>" in found._repr_html_()


def test_a_class_can_be_asked_for(run: clearhead.Run) -> None:
    key = str(run.store.ids[run.store.split == "test"][0])
    now = run.flip(key).predicted
    for name in CLASSES:
        if name == now:
            with pytest.raises(InputError, match="already"):
                run.flip(key, name)
        else:
            assert run.flip(key, name).target == name


def test_what_is_not_there_is_named(run: clearhead.Run) -> None:
    with pytest.raises(InputError, match="no example 'nobody'"):
        run.flip("nobody")
    with pytest.raises(InputError, match=r"no class 'wyld'.*Did you mean 'wild'"):
        run.flip(str(run.store.ids[0]), "wyld")
    with pytest.raises(InputError, match="has no words"):
        run.exchange_words()
    with pytest.raises(InputError, match="split must be one of"):
        run.errors("all")


def test_mistakes_are_grouped_on_the_command_line(run: clearhead.Run) -> None:
    shown = CliRunner().invoke(app, ["errors", str(run.folder), "--json"])
    assert shown.exit_code == 0, shown.output
    view = run.view("test")
    assert len(json.loads(shown.output)["mistakes"]) == int((~view.right).sum())
    words = CliRunner().invoke(app, ["errors", str(run.folder)])
    assert f"of {view.n} examples are wrong" in words.output


def test_the_edited_layer_can_be_asked_for(run: clearhead.Run) -> None:
    flipped = run.flip(run.errors().mistakes[0].id)
    assert flipped.features is not None
    feature = flipped.features.features[0]
    with pytest.raises(StepMissingError, match="has none"):
        run.errors(layer="edited")
    run.edit(zero=[feature])
    try:
        edited, store = run.layer("edited"), run.store
        here = store.split == "test"
        wrong = store.ids[here][edited.predict(store.matrix("test")) != store.labels("test")]
        assert {one.id for one in run.errors(layer="edited").mistakes} == set(wrong.astype(str))
        assert {one.id for one in run.errors().mistakes} != set(wrong.astype(str))
        found = run.flip(flipped.id, layer="edited")
        assert found.features is not None
        assert feature not in found.features.features
        call = CliRunner().invoke(app, ["errors", str(run.folder), "--layer", "edited", "--json"])
        assert {one["id"] for one in json.loads(call.stdout)["mistakes"]} == set(wrong.astype(str))
        call = CliRunner().invoke(
            app, ["flip", str(run.folder), flipped.id, "--layer", "edited", "--json"]
        )
        assert feature not in json.loads(call.stdout)["features"]["features"]
    finally:
        run.undo()
    with pytest.raises(InputError, match="layer must be one of"):
        run.errors(layer="best")
    with pytest.raises(InputError, match="'sparse' or 'edited'"):
        run.exchange_words(layer="dense")
