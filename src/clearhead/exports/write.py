"""Write an export: into a temporary folder, opened again, proven equal, then put in place."""

from __future__ import annotations

import contextlib
import copy
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from clearhead._files import explain_os_errors, write_bytes
from clearhead._types import FloatArray
from clearhead.backbones import Backbone, Batch
from clearhead.errors import InputError, StorageError
from clearhead.events import Event, EventCallback, emit
from clearhead.exports.card import card
from clearhead.exports.format import NEEDS_NETWORK, format_of
from clearhead.exports.inputs import ExportInputs
from clearhead.exports.load import ExportedModel, load
from clearhead.exports.manifest import FILE, Manifest, versions
from clearhead.exports.proof import Proof, compare
from clearhead.layer import DecisionLayer
from clearhead.run import Run, open_run

__all__ = ["export"]


def export(
    run: Run | ExportInputs | Path | str,
    format: str,  # noqa: A002 - what the command line and other libraries call it
    out: Path | str,
    *,
    layer: DecisionLayer | None = None,
    force: bool = False,
    on_event: EventCallback | None = None,
) -> Path:
    """Write a run's model for use without clearhead, proven equal first.

    The files are written into a temporary folder, the model is loaded from them as its
    users will, and its scores are compared with those of the network with the layer, on
    examples of the run's data where those can be opened. Only then the folder gets its
    name.

    Parameters
    ----------
    run : Run, path or ExportInputs
        A run with a selected layer; or a layer and its network without a run.
    format : {"torch", "hf", "onnx", "sklearn"}
        See docs/export.md.
    out : path
        A folder; an earlier export in it is replaced.
    layer : DecisionLayer, optional
        Of the same run, in place of its selected one: an edited one, or another point.
    force : bool
        Write into a folder that holds something else: files of the same names are
        overwritten, others are left.
    on_event : callable, optional

    Returns
    -------
    Path
        The folder: the model, ``README.md`` (its model card) and ``clearhead.json``.

    Raises
    ------
    ExportError
        The format cannot hold this model, or what was written is not equal to it.
    InputError
        The format is unknown, or the layer is not of this run.
    StorageError
        `out` holds something that is no export.
    """
    way = format_of(format)
    out = Path(out)
    _check_target(out, force)
    if isinstance(run, ExportInputs):
        if layer is not None:
            raise InputError("layer: ExportInputs have one already. Leave it out.")
        inputs = run
    else:
        opened = run if isinstance(run, Run) else open_run(run)
        _check_apart(out, opened.folder)
        inputs = ExportInputs.of_run(opened, layer, network=format in NEEDS_NETWORK)
    emit(on_event, Event("export", "start", f"{format}: writing"))
    with _temporary(out) as folder:
        written = way.write(inputs, folder)
        inputs.layer.save(folder)
        manifest = Manifest(
            format=format,
            name=inputs.name,
            classes=inputs.layer.class_names,
            multilabel=inputs.layer.multilabel,
            network=inputs.network,
            preprocessing=written.preprocessing,
            details=written.details,
            versions=versions(*written.packages),
        )
        manifest.write(folder)
        emit(on_event, Event("export", "progress", f"{format}: proving"))
        # By its name where it has one, as its users will.
        given = None if inputs.named else inputs.backbone
        manifest = replace(manifest, proof=_prove(load(folder, backbone=given), inputs))
        text = card(inputs, manifest, way.describe_loading(manifest))
        write_bytes(folder / "README.md", text.encode("utf-8", "replace"))
        manifest.write(folder)
        _put_in_place(folder, out)
    assert manifest.proof is not None
    emit(on_event, Event("export", "end", f"{out}: {manifest.proof.describe()}"))
    return out


def _prove(model: ExportedModel, inputs: ExportInputs) -> Proof:
    what = f"the {model.manifest.format} model"
    if model.manifest.format not in NEEDS_NETWORK:
        features, where = _some_features(inputs)
        got = model.runtime.run(features)[1]
        return compare(got, inputs.layer.logits(features), inputs.layer, on=where, what=what)
    assert inputs.backbone is not None
    truth = _reference(inputs.backbone)
    precision = max(
        (torch.finfo(w.dtype).eps for w in truth.module.parameters() if w.is_floating_point()),
        default=0.0,
    )
    if inputs.examples:
        where = inputs.examples_from
        pairs = [
            (truth.prepare(chosen), model.runtime.prepare(chosen))
            for chosen in (inputs.examples, inputs.examples[:1])
        ]
    else:
        where = "the network's own example batch; the data could not be opened"
        first = _first(truth.example)
        pairs = [(truth.example, truth.example), (first, first)]
    proofs = [
        compare(
            model.runtime.run(given)[1],
            inputs.layer.logits(truth.features(batch).numpy()),
            inputs.layer,
            on=where,
            what=what,
            eps=precision,
        )
        for batch, given in pairs
    ]
    return replace(proofs[0], error=max(proof.error for proof in proofs))


def _some_features(inputs: ExportInputs) -> tuple[FloatArray, str]:
    if inputs.features is not None:
        return inputs.features, "rows of the feature store"
    if inputs.backbone is not None:
        return inputs.backbone.features(inputs.backbone.example).numpy(), "the example batch"
    layer = inputs.layer
    random = np.random.default_rng(0).standard_normal((16, layer.weight.shape[1]))
    return random * layer.scale + layer.center, "random rows"


def _reference(backbone: Backbone) -> Backbone:
    """The network on the CPU, where what is written is tried: other devices round otherwise."""
    backbone = replace(backbone, precision="float32")
    if backbone.device.type == "cpu":
        return backbone
    return replace(backbone, module=copy.deepcopy(backbone.module).cpu())


def _first(batch: Batch) -> Batch:
    """The first example of a batch, alone."""

    def cut(value: Any) -> Any:
        whole = isinstance(value, torch.Tensor) and value.ndim and len(value) == len(batch)
        return value[:1] if whole else value

    return Batch(
        args=tuple(cut(value) for value in batch.args),
        kwargs={name: cut(value) for name, value in batch.kwargs.items()},
    )


def _check_target(out: Path, force: bool) -> None:
    if out.is_file():
        raise StorageError(f"{out} is a file. Give a folder with --out.")
    if not out.is_dir() or not any(out.iterdir()):
        return
    try:
        Manifest.read(out)
    except StorageError as error:
        if not force:
            raise StorageError(
                f"{out} holds something that is no export. Choose another --out, or write into it "
                "with --force: files of the same names are overwritten, others are left."
            ) from error


def _check_apart(out: Path, folder: Path) -> None:
    target, own = out.resolve(), folder.resolve()
    if target == own or target in own.parents:
        raise InputError(
            f"out: {out} is the run directory itself, or holds it. Choose another folder; one "
            f"inside the run is fine: {folder / 'export'}."
        )


@contextlib.contextmanager
def _temporary(out: Path) -> Iterator[Path]:
    """A folder beside `out` that is gone at the end, whatever happens."""
    folder = out.with_name(f".tmp-{os.getpid()}-{out.name}")
    with explain_os_errors(out):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _put_in_place(folder: Path, out: Path) -> None:
    """Give the written folder its name; into an old one the files go singly."""
    written = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in written:
        # safetensors writes for its owner alone; a model that is shipped is read by others.
        path.chmod((folder / FILE).stat().st_mode)
    if not out.exists() or not any(out.iterdir()):
        folder.replace(out)
        return
    # Without its manifest a folder is no export: it is none until the last file is there.
    with contextlib.suppress(StorageError):
        old = Manifest.read(out)
        (out / FILE).unlink()
        for name in old.files:
            (out / name).unlink(missing_ok=True)
    for path in sorted(written, key=lambda path: path.name == FILE):
        target = out / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
