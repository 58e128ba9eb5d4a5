"""How a run opens its network again: the options beside its name."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

import clearhead
from clearhead.cli.app import app
from clearhead.errors import FingerprintMismatchError, InputError

NETWORK = """
    import torch
    from torch import nn


    def make():
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(3, 6, 5, stride=4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
            nn.Linear(6, 2), nn.Softmax(-1),
        )
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A factory, a checkpoint of other weights, and a folder of two kinds of pictures."""
    (tmp_path / "nets.py").write_text(textwrap.dedent(NETWORK))
    module = clearhead.open_backbone(f"{tmp_path / 'nets.py'}:make", layer="4").module
    torch.save({"state_dict": {k: v + 0.01 for k, v in module.state_dict().items()}},
               tmp_path / "weights.pt")  # fmt: skip
    random = np.random.default_rng(0)
    for name, shift in (("bright", 90), ("dark", 0)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(16):
            pixels = random.integers(0, 160, (24, 24, 3)) + shift
            Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "photos" / name / f"{i}.png")
    return tmp_path


OPTIONS = {
    "layer": "4",
    "checkpoint": "weights.pt",
    "preprocessing": {"size": 24, "mean": (0.5,) * 3},
}


def test_a_run_opens_its_network_again_wherever_it_is(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    run = clearhead.new_run("run", "nets.py:make", "photos", model_options=OPTIONS)
    store = run.extract()
    assert store.outputs().shape == (32, 2)
    monkeypatch.chdir("/")
    again = clearhead.open_run(place / "run")
    assert again.backbone.fingerprints == run.backbone.fingerprints
    kept = again.file.model
    assert kept["spec"] == f"{place.resolve() / 'nets.py'}:make"
    assert kept["options"]["checkpoint"] == str(place.resolve() / "weights.pt")


def test_only_the_checkpoint_is_a_path(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place / "photos")
    (place / "photos" / "4").touch()  # a file with the name of the layer
    options = {"layer": "4", "class_names": ["bright", "dark"]}
    run = clearhead.new_run(place / "run", "../nets.py:make", ".", model_options=options)
    assert run.file.model["options"] == options
    assert clearhead.open_run(place / "run").backbone.class_names == ("bright", "dark")


def test_other_weights_or_another_precision_are_another_run(place: Path) -> None:
    spec = f"{place / 'nets.py'}:make"
    clearhead.new_run(place / "run", spec, place / "photos", model_options={"layer": "4"})
    with pytest.raises(FingerprintMismatchError, match="the weights differ"):
        clearhead.new_run(
            place / "run", spec, place / "photos",
            model_options={"layer": "4", "checkpoint": place / "weights.pt"},
        )  # fmt: skip
    with pytest.raises(FingerprintMismatchError, match="the precision differ"):
        clearhead.new_run(
            place / "run", spec, place / "photos",
            model_options={"layer": "4", "precision": "bfloat16", "device": "cpu"},
        )  # fmt: skip


def test_options_beside_an_opened_network_are_refused(place: Path) -> None:
    backbone = clearhead.open_backbone(f"{place / 'nets.py'}:make", layer="4")
    with pytest.raises(InputError, match=r"model_options \(layer\)"):
        clearhead.new_run(place / "r", backbone, place / "photos", model_options={"layer": "4"})
    with pytest.raises(InputError, match="There are no data"):
        clearhead.new_run(place / "r", backbone)


def test_on_the_command_line(place: Path) -> None:
    shell = CliRunner()
    arguments = [
        "extract", f"{place / 'nets.py'}:make", str(place / "photos"), "--out", str(place / "run"),
        "--layer", "4", "--checkpoint", str(place / "weights.pt"), "--device", "cpu",
        "--precision", "bfloat16", "--batch-size", "auto", "--preprocessing", "size=24",
        "--preprocessing", "mean=0.5,0.5,0.5",
    ]  # fmt: skip
    done = shell.invoke(app, arguments)
    assert done.exit_code == 0, done.output
    kept = json.loads((place / "run" / "run.json").read_text())["model"]
    assert kept["options"] == {
        "layer": "4", "checkpoint": str(place.resolve() / "weights.pt"), "precision": "bfloat16",
        "preprocessing": {"size": 24, "mean": [0.5, 0.5, 0.5]},
    }  # fmt: skip
    assert clearhead.open_run(place / "run").backbone.precision == "bfloat16"
    for wrong, said in [
        ("--batch-size=many", "number or auto"),
        ("--preprocessing=24", "KEY=VALUE"),
    ]:
        failed = shell.invoke(app, [*arguments, wrong])
        assert failed.exit_code == 2
        assert said in failed.stderr


def test_features_alone_on_the_command_line(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    y = np.arange(40) % 2
    np.savez(tmp_path / "f.npz", X=random.normal(size=(40, 3)) + y[:, None], y=y)
    shell = CliRunner()
    done = shell.invoke(app, ["extract", str(tmp_path / "f.npz"), "--out", str(tmp_path / "run")])
    assert done.exit_code == 0, done.output
    assert "40 × 3" in done.output
    failed = shell.invoke(app, ["extract", "minilm", "--out", str(tmp_path / "other")])
    assert failed.exit_code == 2
    assert "There are no data" in failed.stderr
