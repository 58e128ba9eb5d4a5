"""Format ``torch``: the network with the sparse layer, as weights and as a program."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_model, save_model

from clearhead.backbones import Backbone, open_backbone
from clearhead.backbones.tracing import device_of
from clearhead.errors import ExportError, FingerprintMismatchError, InputError
from clearhead.exports.format import Written, network_of
from clearhead.exports.inputs import ExportInputs
from clearhead.exports.manifest import Manifest
from clearhead.exports.preprocessing import keep_preprocessing, prepare_code
from clearhead.exports.program import input_arrays, quiet, traced_program
from clearhead.exports.proof import compare
from clearhead.exports.runtime import NetworkRuntime, rebuilt, with_layer
from clearhead.layer import DecisionLayer

__all__ = ["describe_loading", "open_model", "write"]

WEIGHTS = "model.safetensors"
PROGRAM = "model.pt2"


def write(inputs: ExportInputs, folder: Path) -> Written:
    """Write ``model.safetensors``, and ``model.pt2`` where the network can be traced."""
    network = with_layer(network_of(inputs, "torch"), inputs.layer)
    save_model(network.module, str(folder / WEIGHTS))
    why_not = _write_program(network, inputs, folder)
    return Written(
        preprocessing=keep_preprocessing(network, folder),
        details={
            "head": network.layer,
            "weights": WEIGHTS,
            "program": None if why_not else PROGRAM,
            "why_no_program": why_not,
        },
        packages=("torch", "safetensors"),
    )


def _write_program(network: Backbone, inputs: ExportInputs, folder: Path) -> str:
    """Write the traced program and try it; say why it cannot be, or nothing."""
    batch = network.example.to(network.device)
    path = folder / PROGRAM
    try:
        program = traced_program(network, batch)
        with quiet():
            torch.export.save(program, path)
            loaded = torch.export.load(path).module()
        others = [network.prepare(inputs.examples[:1])] if inputs.examples else []
        for one in (batch, *others):
            with torch.no_grad():
                got = loaded(**input_arrays(one.to(network.device)))["logits"]
            wanted = network.forward(one).double().numpy()
            compare(got.float().cpu().numpy(), wanted, inputs.layer, on="a batch", what=PROGRAM)
    except Exception as error:  # tracing runs any network's code, and fails in as many ways
        path.unlink(missing_ok=True)
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return ""


def open_model(
    folder: Path, manifest: Manifest, layer: DecisionLayer, backbone: Backbone | None
) -> NetworkRuntime:
    """Open the network by its name, or take `backbone`, and give it the exported weights."""
    recorded = manifest.network
    assert recorded is not None
    if backbone is None:
        if recorded["spec"] is None:
            raise InputError(
                f"{folder}: the network {recorded['name']!r} was given as an object, so it cannot "
                "be opened by name. Give it: clearhead.load(folder, backbone=backbone)"
                + (
                    f"; or load {PROGRAM} with torch.export.load, as its README.md says."
                    if manifest.details["program"]
                    else "."
                )
            )
        backbone = open_backbone(recorded["spec"], **recorded["options"])
    if backbone.fingerprints["preprocessing"] != recorded["fingerprints"]["preprocessing"]:
        raise FingerprintMismatchError(
            f"{backbone.name} prepares examples otherwise than the network that {folder} was "
            "exported from. Open it with the same options, or with the same version of its "
            "package."
        )
    module = layer.attach(backbone)
    try:
        load_model(module, str(folder / WEIGHTS), device=str(device_of(module)))
    except RuntimeError as error:
        raise ExportError(
            f"{folder / WEIGHTS} does not fit {backbone.name}: {error}. Give the network that it "
            "was exported from: clearhead.load(folder, backbone=backbone)."
        ) from error
    return NetworkRuntime(rebuilt(module, backbone, layer))


def describe_loading(manifest: Manifest) -> list[str]:
    """Markdown lines: how to load it without clearhead, and with it."""
    network, details = manifest.network or {}, manifest.details
    lines = []
    if details["program"]:
        lines += [
            "With torch alone (the traced program, for the device that it was traced on):",
            "",
            "```python",
            "import torch",
            "",
            'folder = "."  # this folder',
            "examples = [...]",
            *prepare_code(manifest.preprocessing, "pt"),
            f'model = torch.export.load(f"{{folder}}/{PROGRAM}").module()',
            'logits = model(**inputs)["logits"]',
            "```",
            "",
        ]
    else:
        lines += [
            f"There is no {PROGRAM}: torch.export cannot trace this network "
            f"({details['why_no_program']}). It loads where its own code is installed.",
            "",
        ]
    how = "" if network.get("spec") else ", backbone=backbone"
    return [
        *lines,
        "With clearhead, a plain `nn.Module`:",
        "",
        "```python",
        "import clearhead",
        "",
        f"module = clearhead.load(folder{how}).model",
        "```",
        "",
        f"`{WEIGHTS}` holds its whole state; the decision layer is `{details['head']}`.",
    ]
