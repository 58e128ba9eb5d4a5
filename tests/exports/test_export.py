"""Every format from one small run: loaded elsewhere, without clearhead, it decides the same."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import clearhead
from clearhead.errors import (
    CorruptFileError,
    ExportError,
    FingerprintMismatchError,
    InputError,
    SchemaVersionError,
    StepMissingError,
    StorageError,
)
from clearhead.exports import load
from tests.exports.small import bert, dataset, layer_of, run_without, texts, tiny_run

FORMATS = ("torch", "hf", "onnx", "sklearn")
TEXTS = texts()[0][:5]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> clearhead.Run:
    return tiny_run(tmp_path_factory.mktemp("runs") / "tiny")


@pytest.fixture(scope="module")
def exported(run: clearhead.Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    out = tmp_path_factory.mktemp("exports")
    return {name: clearhead.export(run, name, out / name) for name in FORMATS}


@pytest.fixture(scope="module")
def wanted(run: clearhead.Run) -> np.ndarray:
    """Scores that any export must give for TEXTS: the run's own network and layer."""
    features = run.backbone.features(run.backbone.prepare(TEXTS)).numpy()
    return run.layer().logits(features)


def snippet(folder: Path, number: int = 0) -> str:
    """A Python block of the model card, made runnable."""
    block = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)
    code = block[number].replace('"."', repr(str(folder)))
    return code.replace("[...]", repr(TEXTS))


def scores(printed: str) -> np.ndarray:
    return np.array(json.loads(printed.splitlines()[-1]))


def test_onnx_without_clearhead(exported, wanted):
    code = snippet(exported["onnx"]) + "\nimport json; print(json.dumps(logits.tolist()))"
    got = scores(run_without(code))
    np.testing.assert_allclose(got, wanted, atol=1e-4)
    one = code.replace(repr(TEXTS), repr(TEXTS[:1]))  # another batch size and length
    np.testing.assert_allclose(scores(run_without(one)), wanted[:1], atol=1e-4)


def test_hf_loads_with_the_plain_auto_class(exported, wanted):
    folder = str(exported["hf"])
    code = f"""
import json, torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline
model, report = AutoModelForSequenceClassification.from_pretrained(
    {folder!r}, output_loading_info=True)
assert not any(report.values()), report
tokens = AutoTokenizer.from_pretrained({folder!r})
inputs = tokens({TEXTS!r}, padding=True, truncation=True, return_tensors="pt")
with torch.no_grad():
    logits = model(**inputs).logits
assert model.config.problem_type == "single_label_classification"
classify = pipeline("text-classification", model={folder!r})
said = [one["label"] for one in classify({TEXTS!r}, truncation=True)]
assert said == [model.config.id2label[int(k)] for k in logits.argmax(dim=1)], said
print(json.dumps(logits.tolist()))
"""
    np.testing.assert_allclose(scores(run_without(code)), wanted, atol=1e-4)


def test_traced_program_needs_only_torch(exported, wanted, run):
    """The network's own code is in transformers, and is not needed."""
    tokens = run.backbone.prepare(TEXTS).kwargs
    arrays = {name: value.tolist() for name, value in tokens.items()}
    code = f"""
import json, torch
model = torch.export.load({str(exported["torch"] / "model.pt2")!r}).module()
inputs = {{name: torch.tensor(value) for name, value in {arrays!r}.items()}}
print(json.dumps(model(**inputs)["logits"].tolist()))
"""
    got = scores(run_without(code, "clearhead", "transformers"))
    np.testing.assert_allclose(got, wanted, atol=1e-4)


def test_every_file_can_be_read_by_those_who_read_the_card(exported):
    for folder in exported.values():
        modes = {path.stat().st_mode for path in folder.iterdir() if path.is_file()}
        assert len(modes) == 1


def test_sklearn_is_rebuilt_by_the_card_alone(exported, run):
    features = run.store.matrix("test")
    code = snippet(exported["sklearn"])
    code += f"\nX = np.array({features.tolist()!r})"
    code += "\nprint(json.dumps(pipeline.predict_proba(X).tolist()))"
    got = scores(run_without(code, "clearhead", "safetensors", "torch"))
    np.testing.assert_allclose(got, run.layer().probabilities(features), atol=1e-9)
    pipeline = load(exported["sklearn"]).model
    names = np.array(run.layer().class_names)[run.layer().predict(features)]
    assert (pipeline.predict(features) == names).all()


@pytest.mark.parametrize("name", FORMATS)
def test_loaded_model_decides_and_gives_its_reasons(name, exported, run, wanted):
    # The run was made of an object, so that format torch must be given the network.
    backbone = bert() if name == "torch" else None
    model = load(exported[name], backbone=backbone)
    given = run.backbone.features(run.backbone.prepare(TEXTS)).numpy()
    prediction = model.predict(given if name == "sklearn" else TEXTS, explain=True)
    np.testing.assert_allclose(prediction.logits, wanted, atol=1e-4)
    assert prediction.labels == [run.layer().class_names[k] for k in wanted.argmax(axis=1)]
    for i in range(len(TEXTS)):
        total = prediction.contributions(i).sum(axis=1) + prediction.bias
        assert (total == prediction.logits[i]).all()
    assert prediction.used.tolist() == run.layer().used.tolist()


def test_card_says_what_the_run_found(exported, run):
    for name, folder in exported.items():
        card = (folder / "README.md").read_text()
        proof = load(folder, backbone=run.backbone).manifest.proof
        assert proof is not None
        assert proof.error <= proof.tolerance
        assert ("the feature store" if name == "sklearn" else "test split of sentences") in card
        test = run.path().accuracies["test"][run.selection["index"]]
        assert f"| this layer | test | {test.value:.1%} |" in card
        assert run.layer().certificate.describe() in card
        assert "## Findings" in card
        # names from data stay in their place
        assert "warm \\| &lt;b>" in card
        assert "<b>" not in card.replace("&lt;b>", "")


def test_an_edited_layer_is_exported_and_the_card_says_so(run, tmp_path):
    layer = run.layer()
    removed = int(layer.used[0])
    out = clearhead.export(run, "sklearn", tmp_path / "out", layer=layer.without([removed]))
    card = (out / "README.md").read_text()
    assert f"1 features are no longer used by any class: {removed}." in card
    assert "edited" in card
    assert removed not in load(out).layer.used
    with pytest.raises(InputError, match=r"expected one on 32 features"):
        clearhead.export(run, "sklearn", tmp_path / "no", layer=layer_of(32, ("a", "b", "c")))


def test_unknown_format_names_the_nearest(run, tmp_path):
    with pytest.raises(InputError, match=r"torch, hf, onnx, sklearn.*Did you mean 'onnx'"):
        clearhead.export(run, "onx", tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_no_export_is_left_alone(run, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    with pytest.raises(StorageError, match="holds something that is no export"):
        clearhead.export(run, "sklearn", out)
    assert [path.name for path in out.iterdir()] == ["notes.txt"]
    clearhead.export(run, "sklearn", out, force=True)
    assert (out / "notes.txt").read_text() == "mine"
    # An export takes the place of an older one, of which nothing stays.
    clearhead.export(run, "hf", out)
    assert not (out / "pipeline.safetensors").exists()
    assert (out / "notes.txt").exists()
    assert load(out).manifest.format == "hf"
    assert {path.name for path in tmp_path.iterdir()} == {"out"}
    for inside in (run.folder, run.folder.parent):
        with pytest.raises((InputError, StorageError)):
            clearhead.export(run, "sklearn", inside, force=True)


def test_a_run_that_has_no_layer_yet(tmp_path):
    begun = clearhead.new_run(tmp_path / "run", bert(), dataset())
    with pytest.raises(StepMissingError, match="no select yet"):
        clearhead.export(begun, "torch", tmp_path / "out")


def test_a_network_given_as_an_object(run, exported, tmp_path):
    reopened = clearhead.open_run(run.folder)
    with pytest.raises(ExportError, match="only the format sklearn"):
        clearhead.export(reopened, "onnx", tmp_path / "out")
    assert not list(tmp_path.iterdir())
    clearhead.export(reopened, "sklearn", tmp_path / "out")
    with pytest.raises(InputError, match="load\\(folder, backbone=backbone\\)"):
        load(exported["torch"])
    # data that have gone: the network's own batch is what it is proven on
    reopened.network = bert()
    out = clearhead.export(reopened, "hf", tmp_path / "hf")
    assert "own example batch" in (out / "README.md").read_text()


def test_another_network_than_the_run_was_made_from(run, tmp_path):
    changed = clearhead.open_run(run.folder)
    other = bert()
    other.module.bert.embeddings.word_embeddings.weight.data[7] += 1
    changed.network = other
    with pytest.raises(FingerprintMismatchError, match="its weights differ"):
        clearhead.export(changed, "torch", tmp_path / "out")


def test_damaged_changed_and_newer_exports_are_refused(run, tmp_path):
    out = clearhead.export(run, "hf", tmp_path / "out")
    data = bytearray((out / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (out / "model.safetensors").write_bytes(data)
    with pytest.raises(CorruptFileError, match="damaged or was changed"):
        load(out)
    (out / "model.safetensors").unlink()
    with pytest.raises(CorruptFileError, match="missing"):
        load(out)
    value = json.loads((out / "clearhead.json").read_text())
    (out / "clearhead.json").write_text(json.dumps({**value, "schema_version": 99}))
    with pytest.raises(SchemaVersionError, match="Upgrade"):
        load(out)
    with pytest.raises(StorageError, match="not an exported model"):
        load(tmp_path)


@pytest.mark.parametrize("x", [3, [3], [b"bytes"]])
def test_what_is_no_text_is_refused(exported, x):
    with pytest.raises((InputError, TypeError)):
        load(exported["hf"]).predict(x)


def test_features_of_the_wrong_shape_are_refused(exported):
    model = load(exported["sklearn"])
    for x in (np.zeros(32), np.zeros((2, 31)), ["a text"]):
        with pytest.raises(InputError, match=r"shape \(n, 32\)"):
            model.predict(x)
    assert len(model.predict(np.zeros((0, 32)), explain=True)) == 0
