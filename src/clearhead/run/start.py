"""Start a run, or go on with one: it must be of the same network and the same data."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from clearhead._version import MADE_BY
from clearhead.backbones import Backbone, open_backbone
from clearhead.data import PACKAGED, Dataset, Problem, open_dataset
from clearhead.errors import DataError, FingerprintMismatchError, InputError
from clearhead.events import Event, EventCallback, emit
from clearhead.run.directory import RunFile
from clearhead.run.run import Run

__all__ = ["new_run"]


def new_run(
    folder: Path | str,
    model: str | Backbone,
    data: Any,
    *,
    force: bool = False,
    keep_examples: bool = True,
    on_event: EventCallback | None = None,
    **data_options: Any,
) -> Run:
    """Start a run, or open it again when it was made from the same model and data.

    Parameters
    ----------
    folder : path
        The run directory.
    model : str or Backbone
        A network, or what :func:`clearhead.open_backbone` takes: ``"minilm"``,
        ``"efficientnet-lite0"``.
    data : str, path, Dataset, or an object of another library
        Data, or what :func:`clearhead.open_dataset` takes: ``"rotten-tomatoes"``, a
        folder, a file, a DataFrame. Of several labels, choose one with ``label``.
    force : bool
        Discard what the folder holds when it was made from something else.
    keep_examples : bool
        Keep the texts and thumbnails that a person must see in the run directory.
    on_event : callable, optional
    **data_options
        Options of :func:`clearhead.open_dataset`: ``text_column``, ``label_column``,
        ``seed``, ``strict``, ``limit``, ….

    Raises
    ------
    DataError
        The data are wrong, or have several labels and none was chosen.
    FingerprintMismatchError
        The folder holds a run of another model or of other data.
    """
    folder = Path(folder)
    options: dict[str, Any] = {
        name: value if isinstance(value, str | int | float) else list(value)  # for run.json
        for name, value in data_options.items()
        if value is not None
    }
    if isinstance(data, Dataset):
        if options:
            raise InputError(
                f"{', '.join(options)}: given together with an opened Dataset. Leave them out: "
                "they say how data are opened by name or path."
            )
        dataset, spec = data, None
    else:
        dataset = open_dataset(data, **options)
        spec = _name_of(data)
    _require_one_decision(dataset)
    backbone = model if isinstance(model, Backbone) else open_backbone(model)
    if backbone.modality != dataset.modality:
        raise InputError(
            f"{backbone.name} takes {backbone.modality}s, {dataset.name} holds "
            f"{dataset.modality}s. Choose a network and data that fit."
        )
    file = RunFile(
        folder=folder,
        made_by=MADE_BY,
        model={
            "spec": None if isinstance(model, Backbone) else str(model),
            "name": backbone.name,
            "modality": backbone.modality,
            "layer": backbone.layer,
            "fingerprints": dict(backbone.fingerprints),
        },
        data={
            "spec": spec,
            "options": {} if spec is None else options,
            "name": dataset.name,
            "fingerprint": dataset.fingerprint(),
            "notes": list(dataset.notes),
            "problems": _count_problems(dataset, on_event),
            "keep_examples": keep_examples,
        },
    )
    differ: list[str] = []
    if file.path.exists():
        before = RunFile.read(folder)
        differ = _differences(before, file)
        if differ and not force:
            raise FingerprintMismatchError(
                f"{folder} holds a run of {before.model['name']} on {before.data['name']}; asked "
                f"for is {backbone.name} on {dataset.name}, and the {' and '.join(differ)} differ. "
                "Choose another --out, or discard that run with --force."
            )
        file.steps = {} if differ else before.steps
    file.write()
    if differ:
        _discard(folder)
    if not keep_examples:
        shutil.rmtree(folder / "examples", ignore_errors=True)
    run = Run(file, on_event)
    run.backbone, run.dataset = backbone, dataset
    return run


def _name_of(data: Any) -> str | None:
    """What opens the data again; None for an object."""
    if not isinstance(data, str | Path):
        return None
    # As in open_dataset, a name wins over a folder of the same name.
    named = str(data).lower().replace("_", "-") in PACKAGED
    return str(data) if named else str(Path(data).expanduser().resolve())


def _require_one_decision(dataset: Dataset) -> None:
    if dataset.multilabel:
        raise DataError(
            f"{dataset.name} has {len(dataset.class_names)} labels: "
            f"{', '.join(dataset.class_names)}. A run looks into one decision at a time: choose "
            f"one with label={dataset.class_names[0]!r} (--label), or with dataset.pick."
        )


def _count_problems(dataset: Dataset, on_event: EventCallback | None) -> list[dict[str, Any]]:
    """Count what opening the data passed over, by kind, with the first few of each."""
    kinds: dict[str, list[Problem]] = {}
    for problem in dataset.problems:
        kinds.setdefault(problem.kind, []).append(problem)
    rows = []
    for kind, found in kinds.items():
        emit(on_event, Event("data", "warning", f"{len(found)} × {kind}; {found[0].message}"))
        rows.append(
            {
                "kind": kind,
                "count": len(found),
                "message": found[0].message,
                "examples": [problem.where for problem in found[:5]],
            }
        )
    return rows


def _differences(before: RunFile, now: RunFile) -> list[str]:
    """Name what the two runs were not both made from."""
    old, new = (file.model["fingerprints"] for file in (before, now))
    differ = [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
    if before.data["fingerprint"] != now.data["fingerprint"]:
        differ.append("data")
    return differ


def _discard(folder: Path) -> None:
    """Delete what a run of something else left; its run.json is rewritten before."""
    for name in ("features", "path", "layer", "explain", "examples"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in ("findings.json", "report.html"):
        (folder / name).unlink(missing_ok=True)
