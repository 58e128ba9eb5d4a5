"""What an exported folder says about itself: ``clearhead.json``."""

from __future__ import annotations

import contextlib
import importlib.metadata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import xxhash

from clearhead._files import known_fields, read_json, write_json
from clearhead._version import MADE_BY
from clearhead.errors import CorruptFileError, SchemaVersionError, StorageError
from clearhead.exports.proof import Proof

__all__ = ["FILE", "Manifest", "versions"]

FILE = "clearhead.json"
KIND = "clearhead export"
SCHEMA = 1
_UNSEALED = {FILE, "README.md"}  # a model card may be edited


@dataclass(frozen=True)
class Manifest:
    """Contents of ``clearhead.json``.

    Parameters
    ----------
    format, name, made_by : str
    classes : tuple of str
    multilabel : bool
        Whether the outputs are independent labels.
    network : mapping or None
        ``spec`` and ``options`` open it again; ``name``, ``modality``, ``layer``,
        ``n_features`` and ``fingerprints`` say which one it is.
    preprocessing : mapping
        How texts or pictures become its input; ``kind`` says where that is kept.
    details : mapping
        What only this format has to say.
    proof : Proof or None
    versions : mapping
        Of the packages that wrote it.
    files : mapping
        xxh3-128 of every file but this one and the model card.
    """

    format: str
    name: str
    classes: tuple[str, ...]
    multilabel: bool
    network: Mapping[str, Any] | None
    preprocessing: Mapping[str, Any]
    details: Mapping[str, Any]
    proof: Proof | None = None
    made_by: str = MADE_BY
    versions: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write it, with the checksums of the files that are there."""
        files = {
            path.relative_to(folder).as_posix(): _digest(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name not in _UNSEALED
        }
        value = {**asdict(self), "files": files}
        write_json(folder / FILE, {"kind": KIND, "schema_version": SCHEMA, **value})

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read it; another file of the same name is not one.

        Raises
        ------
        StorageError
            The folder is no export.
        """
        path = folder / FILE
        if not path.is_file():
            raise StorageError(
                f"{folder} is not an exported model: it has no {FILE}. Make one with "
                f"`clearhead export RUN --format torch --out {folder}`."
            )
        value = read_json(path)
        if not isinstance(value, dict) or value.get("kind") != KIND:
            raise StorageError(f"{path} was not written by clearhead export.")
        if int(value.get("schema_version", 0)) > SCHEMA:
            raise SchemaVersionError(
                f"{path} has schema version {value['schema_version']}, made by "
                f"{value.get('made_by', 'unknown')}; this clearhead reads up to {SCHEMA}. Upgrade "
                "clearhead to open it."
            )
        try:
            fields = known_fields(cls, value)
            if fields["proof"] is not None:
                fields["proof"] = Proof(**known_fields(Proof, fields["proof"]))
            fields["classes"] = tuple(fields["classes"])
            return cls(**fields)
        except (KeyError, TypeError) as error:
            raise CorruptFileError(
                f"{path} is damaged ({error!r}). Export the run again."
            ) from error

    def check_files(self, folder: Path) -> None:
        """Raise unless every file is as it was written."""
        for name, digest in self.files.items():
            path = folder / name
            if not path.is_file():
                raise CorruptFileError(f"{path} is missing. Export the run again.")
            if _digest(path) != digest:
                raise CorruptFileError(
                    f"{path} is damaged or was changed since it was exported. Export the run "
                    "again; a model that was trained further is opened with its own library."
                )


def _digest(path: Path) -> str:
    """xxh3-128 of a file, read in pieces."""
    digest = xxhash.xxh3_128()
    with path.open("rb") as file:
        while piece := file.read(1 << 24):
            digest.update(piece)
    return digest.hexdigest()


def versions(*packages: str) -> dict[str, str]:
    """Versions of the installed ones among `packages`."""
    found = {}
    for name in packages:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found
