"""Weights from files in every usual wrapping, and what is refused."""

import argparse
import logging
import os
import pathlib
import sys
import types

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from clearhead.backbones.checkpoint import read_checkpoint
from clearhead.errors import BackboneError


def network(seed=0, classes=3):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, classes)
    )


def under(prefix, state):
    return {f"{prefix}{name}": value for name, value in state.items()}


def robustness(state):
    """The robustness library's file: the network twice, and a normaliser in both."""
    mean, std = torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0.4, 0.5, 0.6])
    normaliser = {"new_mean": mean.view(3, 1, 1), "new_std": std.view(3, 1, 1)}
    return {
        **under("module.normalizer.", normaliser),
        **under("module.model.", state),
        **under("module.attacker.normalize.", normaliser),
        **under("module.attacker.model.", state),
    }


WRAPPINGS = {
    "plain": lambda state: state,
    "DataParallel": lambda state: under("module.", state),
    "compiled": lambda state: under("_orig_mod.", state),
    "both": lambda state: under("module._orig_mod.", state),
    "state_dict": lambda state: {"epoch": 3, "state_dict": state},
    "model": lambda state: {"model": under("module.", state), "optimizer": {"lr": 0.1}},
    "model_state_dict": lambda state: {"model_state_dict": state, "loss": 0.5},
    "averaged": lambda state: {"n_averaged": torch.tensor(7), **under("module.", state)},
    "EMA beside it": lambda state: {
        "state_dict": network(9).state_dict(),
        "state_dict_ema": under("module.", state),
    },
    "Lightning": lambda state: {
        "state_dict": under("model.", state),
        "hyper_parameters": {"lr": 0.1},
        "callbacks": {},
    },
    "Lightning, net": lambda state: {"state_dict": under("net.", state)},
    "robustness": lambda state: {"model": robustness(state), "epoch": 90},
    "robustness, state_dict": lambda state: {"state_dict": robustness(state), "schedule": None},
}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_every_wrapping_gives_the_same_network(tmp_path, wrapping):
    whole = network()
    whole[1].running_mean.fill_(0.5)
    torch.save(WRAPPINGS[wrapping](whole.state_dict()), tmp_path / "weights.pt")
    filled = network(1)
    read_checkpoint(tmp_path / "weights.pt").load_into(filled)
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(filled.state_dict()[name], value, rtol=0, atol=0)


def test_safetensors_and_the_old_format_of_torch(tmp_path):
    state = network().state_dict()
    save_file(state, tmp_path / "weights.safetensors")
    save_file(state, tmp_path / "weights.bin")  # known by its contents
    torch.save(state, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    for name in ("weights.safetensors", "weights.bin", "old.pt"):
        filled = network(1)
        read_checkpoint(tmp_path / name).load_into(filled)
        torch.testing.assert_close(filled.state_dict(), state, rtol=0, atol=0)


def test_the_normaliser_is_found(tmp_path):
    torch.save({"model": robustness(network().state_dict())}, tmp_path / "robust.pt")
    found = read_checkpoint(tmp_path / "robust.pt").normaliser
    assert found == {"mean": pytest.approx([0.1, 0.2, 0.3]), "std": pytest.approx([0.4, 0.5, 0.6])}
    torch.save(network().state_dict(), tmp_path / "plain.pt")
    assert read_checkpoint(tmp_path / "plain.pt").normaliser == {}


def test_a_key_can_be_chosen(tmp_path):
    torch.save({"state_dict": network().state_dict(), "ema": network(1).state_dict()},
               tmp_path / "both.pt")  # fmt: skip
    assert read_checkpoint(tmp_path / "both.pt").key == "ema"
    chosen = read_checkpoint(f"{tmp_path / 'both.pt'}#state_dict")
    assert torch.equal(chosen.state["3.weight"], network().state_dict()["3.weight"])
    with pytest.raises(BackboneError, match=r"no weights under 'sate_dict'; .* state_dict, ema"):
        read_checkpoint(f"{tmp_path / 'both.pt'}#sate_dict")


@pytest.mark.parametrize("zipped", [True, False])
def test_what_scripts_keep_beside_the_weights_is_passed_over(tmp_path, zipped, monkeypatch):
    # a class of Lightning's name, so that the file is as Lightning writes it
    module = types.ModuleType("pytorch_lightning.utilities.parsing")
    made = type("AttributeDict", (dict,), {"__module__": module.__name__})
    module.AttributeDict = made
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(sys.modules, "pytorch_lightning", types.ModuleType("pytorch_lightning"))
    torch.save(
        {
            "state_dict": network().state_dict(),
            "args": argparse.Namespace(lr=0.1),
            "path": pathlib.Path("runs"),
            "accuracy": np.float64(0.9),
            "history": np.arange(3),
            "hyper_parameters": made(lr=0.1),
        },
        tmp_path / "last.ckpt",
        _use_new_zipfile_serialization=zipped,
    )
    monkeypatch.delitem(sys.modules, module.__name__)
    filled = network(1)
    read_checkpoint(tmp_path / "last.ckpt").load_into(filled)
    torch.testing.assert_close(filled.state_dict(), network().state_dict(), rtol=0, atol=0)


class Payload:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_payload_that_would_run_is_refused_and_named(tmp_path, zipped):
    marker = tmp_path / "it-ran"
    torch.save(
        {"state_dict": network().state_dict(), "extra": Payload(marker)},
        tmp_path / "evil.pt",
        _use_new_zipfile_serialization=zipped,
    )
    with pytest.raises(BackboneError, match=r"would run code.*reference to posix\.mkdir"):
        read_checkpoint(tmp_path / "evil.pt")
    assert not marker.exists()


def test_a_pickled_network_is_refused_with_the_mend(tmp_path):
    torch.save(network(), tmp_path / "whole.pt")
    with pytest.raises(BackboneError, match=r"container\.Sequential.*model\.state_dict\(\)"):
        read_checkpoint(tmp_path / "whole.pt")


def test_missing_unexpected_and_other_shapes_are_listed_with_the_nearest_names(tmp_path):
    state = network().state_dict()
    state["3.wieght"] = state.pop("3.weight")
    state["1.running_mean"] = torch.zeros(5)
    torch.save(state, tmp_path / "odd.pt")
    filled = network(1)
    before = {name: value.clone() for name, value in filled.state_dict().items()}
    with pytest.raises(BackboneError) as caught:
        read_checkpoint(tmp_path / "odd.pt").load_into(filled)
    message = str(caught.value)
    assert "1 of 9 names are missing: 3.weight (nearest: 3.wieght)" in message
    assert "1 of 9 names are unexpected: 3.wieght (nearest: 3.weight)" in message
    assert "1 have another shape: 1.running_mean (5,), in the network (4,)" in message
    torch.testing.assert_close(filled.state_dict(), before, rtol=0, atol=0)


def test_another_number_of_classes_is_said_by_its_shapes(tmp_path):
    torch.save(network(classes=7).state_dict(), tmp_path / "seven.pt")
    with pytest.raises(BackboneError, match=r"3\.weight \(7, 16\), in the network \(3, 16\)"):
        read_checkpoint(tmp_path / "seven.pt").load_into(network())


def test_what_stands_beside_the_network_is_left_out_and_said(tmp_path, caplog):
    state = {**under("model.", network().state_dict()), "criterion.weight": torch.ones(3)}
    torch.save({"state_dict": state}, tmp_path / "lightning.ckpt")
    with caplog.at_level(logging.WARNING, "clearhead.backbones"):
        read_checkpoint(tmp_path / "lightning.ckpt").load_into(network(1))
    assert "left out criterion.weight" in caplog.text


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        (b"", "cannot be read as a checkpoint"),
        (b"this is a text, not weights, but long enough to be looked at", "cannot be read"),
        (b"PK\x03\x04 torn zip", "cannot be read"),
    ],
)
def test_files_that_are_none(tmp_path, contents, said):
    (tmp_path / "bad.pt").write_bytes(contents)
    with pytest.raises(BackboneError, match=said):
        read_checkpoint(tmp_path / "bad.pt")


def test_a_torn_safetensors_file(tmp_path):
    save_file(network().state_dict(), tmp_path / "weights.safetensors")
    whole = (tmp_path / "weights.safetensors").read_bytes()
    (tmp_path / "torn.safetensors").write_bytes(whole[:-40])
    with pytest.raises(BackboneError, match="not a sound safetensors file"):
        read_checkpoint(tmp_path / "torn.safetensors")


def test_no_file_and_no_weights(tmp_path):
    torch.save({"epoch": 3, "lr": 0.1}, tmp_path / "weights.pt")
    with pytest.raises(BackboneError, match=r"weihgts\.pt' is not a file.*weights\.pt"):
        read_checkpoint(tmp_path / "weihgts.pt")
    with pytest.raises(BackboneError, match="holds no weights: its keys are epoch, lr"):
        read_checkpoint(tmp_path / "weights.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(BackboneError, match="holds a list"):
        read_checkpoint(tmp_path / "list.pt")
