"""Start a run, or go on with one: it must be of the same network and the same data."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from clearhead._version import MADE_BY
from clearhead.backbones import NAMES, Backbone, absolute, open_backbone
from clearhead.data import PACKAGED, Dataset, Problem, open_dataset
from clearhead.errors import DataError, FingerprintMismatchError, InputError
from clearhead.events import Event, EventCallback, emit
from clearhead.features import PrecomputedFeatures, is_feature_file, read_features
from clearhead.run.directory import RunFile
from clearhead.run.former import discard, put_aside
from clearhead.run.results import OWN_DATA
from clearhead.run.run import Run

__all__ = ["new_run"]


def new_run(
    folder: Path | str,
    model: Any,
    data: Any = None,
    *,
    model_options: Mapping[str, Any] | None = None,
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
    model : str, Backbone or PrecomputedFeatures
        A network, or what :func:`clearhead.open_backbone` takes: ``"minilm"``, a folder,
        ``"file.py:factory"``. Or features that were computed elsewhere, or a file of them
        (see :func:`clearhead.read_features`).
    data : str, path, Dataset, or an object of another library
        Data, or what :func:`clearhead.open_dataset` takes: ``"rotten-tomatoes"``, a
        folder, a file, a DataFrame. Of several labels, choose one with ``label``. Not needed
        beside features that hold their own labels.
    model_options : mapping, optional
        Options of :func:`clearhead.open_backbone`: ``checkpoint``, ``layer``, ``pooling``,
        ``precision``, …. They are kept with the run, which opens its network again with
        them; ``device`` is not: it belongs to the machine.
    force : bool
        Discard what the folder holds when it was made from something else. Names and marks that
        people gave to features, keys of studies and exports are put aside, in ``former-N``.
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
    if data is None:
        network, named = _opened(model, model_options)
        dataset, options = _own_data(network, options)
        spec = named["spec"]
    else:
        dataset, spec = _opened_data(data, options)
        network, named = _opened(model, model_options)
    _require_one_decision(dataset)
    if isinstance(network, PrecomputedFeatures):
        network = replace(network, modality=dataset.modality)
    if network.modality != dataset.modality:
        raise InputError(
            f"{network.name} takes {network.modality}s, {dataset.name} holds "
            f"{dataset.modality}s. Choose a network and data that fit."
        )
    file = RunFile(
        folder=folder,
        made_by=MADE_BY,
        model={
            **named,
            "name": network.name,
            "modality": network.modality,
            "layer": network.layer,
            "fingerprints": dict(network.fingerprints),
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
                f"for is {network.name} on {dataset.name}, and the {' and '.join(differ)} differ. "
                "Choose another --out, or discard that run with --force."
            )
        file.steps = {} if differ else before.steps
    if differ:
        put_aside(folder, on_event)
    file.write()
    if differ:
        discard(folder)
    if not keep_examples:
        shutil.rmtree(folder / "examples", ignore_errors=True)
    run = Run(file, on_event)
    run.network, run.dataset = network, dataset
    return run


def _opened_data(data: Any, options: dict[str, Any]) -> tuple[Dataset, str | None]:
    """The data, and what opens them again; None for an object."""
    if not isinstance(data, Dataset):
        return open_dataset(data, **options), _name_of(data)
    if options:
        raise InputError(
            f"{', '.join(options)}: given together with an opened Dataset. Leave them out: "
            "they say how data are opened by name or path."
        )
    return data, None


def _own_data(
    network: Backbone | PrecomputedFeatures, options: Mapping[str, Any]
) -> tuple[Dataset, dict[str, Any]]:
    """The rows of a file of features, where no other data are given; the options that count."""
    if not isinstance(network, PrecomputedFeatures):
        raise InputError(
            f"There are no data. Give labelled data beside {network.name}; only a file of features "
            "may hold its own labels."
        )
    unused = [name for name, value in options.items() if value and name not in OWN_DATA]
    if unused:
        raise InputError(
            f"{', '.join(unused)}: for data, and none are given beside {network.name}. Leave "
            "it out."
        )
    kept = {name: value for name, value in options.items() if name in OWN_DATA}
    return network.dataset(**kept), kept


def _opened(
    model: Any, model_options: Mapping[str, Any] | None
) -> tuple[Backbone | PrecomputedFeatures, dict[str, Any]]:
    """The network, and what opens it again."""
    options = {name: value for name, value in (model_options or {}).items() if value is not None}
    options = {name: value for name, value in options.items() if value != "auto"}
    if isinstance(model, (Backbone, PrecomputedFeatures)) or is_feature_file(model):
        if options:
            raise InputError(
                f"model_options ({', '.join(options)}): they say how a network is opened by name "
                f"or path, and {model!r} needs none. Leave them out."
            )
        if isinstance(model, (Backbone, PrecomputedFeatures)):
            return model, {"spec": None, "options": {}}
        return read_features(model), {"spec": absolute(str(model)), "options": {}}
    backbone = open_backbone(model, **options)
    if not isinstance(model, (str, Path)):
        return backbone, {"spec": None, "options": {}}
    kept = {name: _storable(value) for name, value in options.items() if name != "device"}
    if "checkpoint" in kept:
        kept["checkpoint"] = absolute(str(kept["checkpoint"]))
    spec = str(model) if str(model) in NAMES else absolute(str(model))
    return backbone, {"spec": spec, "options": kept}


def _storable(value: Any) -> Any:
    """An option as JSON has it."""
    if isinstance(value, Mapping):
        return {str(name): _storable(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_storable(inner) for inner in value]
    return str(value) if isinstance(value, Path) else value


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
