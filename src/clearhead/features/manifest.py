"""What a store says about itself: where its features come from and how they were planned."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from clearhead._files import load_arrays, save_arrays, storable
from clearhead._types import FloatArray
from clearhead.data import Dataset
from clearhead.errors import FingerprintMismatchError, SchemaVersionError, StepMissingError
from clearhead.features.plan import Plan
from clearhead.features.sealed import read_sealed, write_sealed

__all__ = ["SCHEMA", "Manifest", "compare", "describe", "remove_store"]

SCHEMA = 1
PARTIAL = "partial"
_KIND = "clearhead feature store"
_MANIFEST = "manifest.json"
_HEAD = "head.safetensors"
_ORDER = "order.safetensors"
_SOURCES = {
    "weights": "the weights of the network",
    "preprocessing": "how examples are prepared for the network",
    "split": "the decision layer",
    "precision": "the precision that the network computes in",
    "data": "the data (examples, labels, splits or metadata)",
}


class Described(Protocol):
    """What a store says of where its features come from: a network, or a file of features."""

    @property
    def name(self) -> str: ...
    @property
    def modality(self) -> str: ...
    @property
    def layer(self) -> str | None: ...
    @property
    def n_features(self) -> int: ...
    @property
    def n_outputs(self) -> int | None: ...
    @property
    def head(self) -> tuple[Any, Any] | None: ...
    @property
    def class_names(self) -> tuple[str, ...] | None: ...
    @property
    def fingerprints(self) -> dict[str, str]: ...


@dataclass(frozen=True, eq=False)
class Manifest:
    """Contents of ``manifest.json``; the arrays beside it are checked by its checksums."""

    folder: Path
    value: Mapping[str, Any]

    @property
    def p(self) -> int:
        """Features a row."""
        return int(self.value["p"])

    @property
    def n_outputs(self) -> int:
        """C, the network's own logits a row; 0 where they are not kept."""
        return int(self.value.get("n_outputs") or 0)

    @property
    def fingerprints(self) -> dict[str, str]:
        """Of weights, preprocessing, split and data."""
        return dict(self.value["fingerprints"])

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes of the data."""
        return tuple(self.value["data"]["class_names"])

    def shard_paths(self, plan: Plan) -> list[Path]:
        """One file a shard."""
        return [self.folder / f"shard-{i:05d}.arrow" for i in range(len(plan.shards))]

    def plan(self, *, with_order: bool = True) -> Plan:
        """The plan; without its order where only the shards matter."""
        stored = self.value["plan"]
        order = None
        if with_order and stored["order"] is not None:
            order = load_arrays(self.folder / _ORDER, stored["order"])["order"]
        return Plan(
            n=int(stored["n"]),
            batch_size=int(stored["batch_size"]),
            shard_rows=int(stored["shard_rows"]),
            threads=int(stored["threads"]),
            device=str(stored.get("device", "cpu")),
            order=order,
        )

    def head(self) -> tuple[FloatArray, FloatArray, tuple[str, ...] | None] | None:
        """The network's own head: weight (C, p), bias (C,) and class names, if it has one."""
        stored = self.value["head"]
        if stored is None:
            return None
        arrays = load_arrays(self.folder / _HEAD, stored["checksum"])
        names = stored["class_names"]
        return arrays["weight"], arrays["bias"], None if names is None else tuple(names)

    def write(self, backbone: Described, plan: Plan) -> Manifest:
        """Write head, order and manifest; what the manifest names is there before it is."""
        value = dict(self.value)
        value["plan"] = {**plan.to_json(), "order": None}
        if plan.order is not None:
            value["plan"]["order"] = save_arrays(self.folder / _ORDER, {"order": plan.order})
        value["head"] = None
        if backbone.head is not None:
            weight, bias = (np.asarray(part) for part in backbone.head)
            names = backbone.class_names
            value["head"] = {
                "checksum": save_arrays(self.folder / _HEAD, {"weight": weight, "bias": bias}),
                "class_names": None if names is None else [storable(name) for name in names],
            }
        write_sealed(self.folder / _MANIFEST, value)
        return Manifest(self.folder, value)

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read the manifest of the store in `folder`."""
        path = folder / _MANIFEST
        if not path.is_file():
            raise StepMissingError(
                f"There are no features in {folder}. Extract them first: clearhead extract, or "
                "clearhead.extract(backbone, dataset, out)."
            )
        value = read_sealed(path)
        if value.get("kind") != _KIND or int(value["schema"]) > SCHEMA:
            raise SchemaVersionError(
                f"{path} has the schema {value.get('schema')!r} of {value.get('kind')!r}; this "
                f"clearhead reads {_KIND!r} up to {SCHEMA}. Install a newer clearhead."
            )
        return cls(folder, value)

    @classmethod
    def exists(cls, folder: Path) -> bool:
        """Whether there is a manifest, sound or not."""
        return (folder / _MANIFEST).exists()


def describe(folder: Path, backbone: Described, dataset: Dataset) -> Manifest:
    """The manifest that an extraction would write, but for plan and head."""
    return Manifest(
        folder,
        {
            "kind": _KIND,
            "schema": SCHEMA,
            "p": backbone.n_features,
            "n_outputs": backbone.n_outputs,
            "fingerprints": {**backbone.fingerprints, "data": dataset.fingerprint()},
            "backbone": {
                "name": storable(backbone.name),
                "modality": backbone.modality,
                "layer": backbone.layer,
            },
            "data": {
                "name": storable(dataset.name),
                "class_names": [storable(str(name)) for name in dataset.class_names],
            },
        },
    )


def compare(found: Manifest, wanted: Manifest) -> None:
    """Refuse a store of other data or of another network, naming what differs."""
    differ = [
        said
        for key, said in _SOURCES.items()
        if found.fingerprints.get(key) != wanted.fingerprints.get(key)
    ]
    if differ:
        theirs, ours = found.value, wanted.value
        raise FingerprintMismatchError(
            f"{found.folder} holds features of {theirs['data']['name']!r} by "
            f"{theirs['backbone']['name']!r}; asked for are {ours['data']['name']!r} by "
            f"{ours['backbone']['name']!r}. What differs: {'; '.join(differ)}. Choose another "
            "folder with --out, or replace these features with force=True (--force)."
        )


def remove_store(folder: Path) -> None:
    """Delete a store's own files and nothing else, the manifest first."""
    for name in (_MANIFEST, _HEAD, _ORDER):
        (folder / name).unlink(missing_ok=True)
    for pattern in ("shard-*.json", "shard-*.arrow"):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)
    shutil.rmtree(folder / PARTIAL, ignore_errors=True)
