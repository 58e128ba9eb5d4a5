"""The edits of a run's layer, on disk: ``layer/edits/``.

Each step has a folder of its own number, written whole before ``log.json`` names it. The log
says which layer it starts from; where another one is selected, it is void, and kept.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from clearhead._files import load_arrays, read_json, save_arrays, write_json
from clearhead._version import MADE_BY
from clearhead.errors import (
    CorruptFileError,
    FingerprintMismatchError,
    InputError,
    SchemaVersionError,
)
from clearhead.layer import DecisionLayer, Edit, edit_from_dict
from clearhead.run.edit_result import EditResult

__all__ = ["EditLog", "read_edit_file"]

EDITS_SCHEMA = 1


@dataclass(frozen=True)
class EditLog:
    """Steps that were done, and those that were undone since.

    Parameters
    ----------
    folder : Path
        ``layer/edits`` of the run.
    base : str
        Fingerprint of the layer that was selected.
    steps : tuple of int
        Their numbers, in order.
    done : int
        How many of them count; the rest were undone and can be redone.
    """

    folder: Path
    base: str
    steps: tuple[int, ...] = ()
    done: int = 0

    @classmethod
    def read(cls, folder: Path, base: str) -> Self:
        """Read the log that starts at the layer `base`; an empty one where there is none."""
        for path in (folder / "log.json", folder / _name(base)):
            if path.is_file():
                value = _checked(path)
                if value["layer"] == base:
                    steps = tuple(int(step["number"]) for step in value["steps"])
                    return cls(folder, base, steps, int(value["done"]))
        return cls(folder, base)

    @property
    def void(self) -> bool:
        """Whether there is a log, of another layer than the one selected now."""
        path = self.folder / "log.json"
        return path.is_file() and bool(_checked(path)["layer"] != self.base)

    @property
    def current(self) -> tuple[int, ...]:
        """Numbers of the steps that count."""
        return self.steps[: self.done]

    def edits(self) -> tuple[Edit, ...]:
        """All edits that count, in order."""
        return tuple(edit for number in self.current for edit in self.edits_of(number))

    def edits_of(self, number: int) -> tuple[Edit, ...]:
        """Edits of one step."""
        folder = self._at(number)
        value = _checked(folder / "edit.json")
        found = []
        for i, item in enumerate(value["result"]["edits"]):
            digest = value["arrays"][i]
            arrays = load_arrays(folder / f"arrays-{i}.safetensors", digest) if digest else {}
            found.append(edit_from_dict(item, arrays))
        return tuple(found)

    def layer(self) -> DecisionLayer | None:
        """Layer after the last step that counts; None without one."""
        return DecisionLayer.load(self._at(self.current[-1])) if self.done else None

    def result(self, number: int) -> EditResult:
        """What a step changed."""
        folder = self._at(number)
        value = _checked(folder / "edit.json")["result"]
        return EditResult.from_dict(value, DecisionLayer.load(folder), self.edits_of(number))

    def append(self, result: EditResult) -> tuple[Self, EditResult]:
        """Write a step; what had been undone is dropped."""
        number = 1 + max(
            (int(p.name) for p in self.folder.glob("[0-9]*") if p.name.isdigit()), default=0
        )
        result = replace(result, number=number)
        folder = self._at(number)
        result.layer.save(folder)
        digests = []
        for i, edit in enumerate(result.edits):
            arrays = edit.arrays()
            name = folder / f"arrays-{i}.safetensors"
            digests.append(save_arrays(name, arrays) if arrays else None)
        write_json(
            folder / "edit.json",
            {"schema_version": EDITS_SCHEMA, "arrays": digests, "result": result.to_dict()},
        )
        log = replace(self, steps=(*self.current, number), done=self.done + 1)
        log.write()
        for dropped in self.steps[self.done :]:
            shutil.rmtree(self._at(dropped), ignore_errors=True)
        return log, result

    def undone(self) -> Self:
        """Take the last step back."""
        if not self.done:
            raise InputError(f"{self.folder.parent.parent}: there is no edit to undo.")
        log = replace(self, done=self.done - 1)
        log.write()
        return log

    def redone(self) -> Self:
        """Do again what was undone last."""
        if self.done == len(self.steps):
            raise InputError(f"{self.folder.parent.parent}: no edit was undone, so none to redo.")
        log = replace(self, done=self.done + 1)
        log.write()
        return log

    def write(self) -> None:
        """Write ``log.json``; that of another layer is kept under its own name."""
        path = self.folder / "log.json"
        if path.is_file():
            other = _checked(path)["layer"]
            if other != self.base:
                path.replace(self.folder / _name(other))
        steps = [
            {"number": number, "edits": [edit.to_dict() for edit in self.edits_of(number)]}
            for number in self.steps
        ]
        write_json(
            path,
            {
                "schema_version": EDITS_SCHEMA,
                "made_by": MADE_BY,
                "layer": self.base,
                "done": self.done,
                "steps": steps,
            },
        )
        (self.folder / _name(self.base)).unlink(missing_ok=True)

    def _at(self, number: int) -> Path:
        return self.folder / f"{number:04d}"


def read_edit_file(path: Path, base: str) -> list[Mapping[str, Any]]:
    """Read edits from a file: ``{"layer": fingerprint, "edits": [...]}``, or a run's log.

    Raises
    ------
    InputError
        There is no such file.
    CorruptFileError
        It is damaged.
    SchemaVersionError
        A newer version wrote it.
    FingerprintMismatchError
        It is of another run, or of another layer of this one.
    """
    if not path.is_file():
        raise InputError(f"--file {path}: there is no such file.")
    mend = 'An edit file is {"layer": FINGERPRINT, "edits": [{"action": …}, …]}.'
    try:
        value = read_json(path)
        _check_version(path, value.get("schema_version", EDITS_SCHEMA))
        layer = value["layer"]
        edits = value["edits"] if "edits" in value else _logged(value)
    except CorruptFileError as error:
        raise CorruptFileError(
            f"{path} is no edit file, or damaged: it is not JSON ({error.__cause__}). {mend}"
        ) from error
    except (AttributeError, KeyError, TypeError) as error:
        raise CorruptFileError(f"{path} is no edit file, or damaged ({error!r}). {mend}") from error
    if layer != base:
        raise FingerprintMismatchError(
            f"{path} holds edits of another layer: of another run, or of another point of this "
            f"one. Feature numbers mean nothing across networks. It names the layer {layer!r}; the "
            f"one selected here is {base!r}."
        )
    if not isinstance(edits, list) or not edits:
        raise CorruptFileError(f"{path} holds no edits. {mend}")
    return edits


def _check_version(path: Path, version: int) -> None:
    if version > EDITS_SCHEMA:
        raise SchemaVersionError(
            f"{path} has schema version {version}; this clearhead reads up to {EDITS_SCHEMA}. "
            "Upgrade clearhead to open it."
        )


def _logged(value: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    steps: Sequence[Mapping[str, Any]] = value["steps"][: value["done"]]
    return [edit for step in steps for edit in step["edits"]]


def _checked(path: Path) -> dict[str, Any]:
    """Read a file of the log; what is missing or of another form is damaged."""
    mend = f"Remove {path.parent} to start from the selected layer again."
    try:
        value = read_json(path)
        version = value["schema_version"]
        needed = ("layer", "done", "steps") if path.name.startswith("log") else ("arrays", "result")
        missing = [name for name in needed if name not in value]
    except (CorruptFileError, KeyError, TypeError) as error:
        raise CorruptFileError(f"{path} is missing or damaged ({error!r}). {mend}") from error
    _check_version(path, version)
    if missing:
        raise CorruptFileError(f"{path} is damaged (it has no {missing[0]}). {mend}")
    found: dict[str, Any] = value
    return found


def _name(base: str) -> str:
    return f"log-{base[:12]}.json"
