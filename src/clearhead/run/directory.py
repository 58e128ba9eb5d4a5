"""What has been computed for this model, and from what? The run's own file, ``run.json``.

A step records the fingerprint of everything it was made from: its options and the
record of the step before. It is up to date as long as that fingerprint is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clearhead._files import fingerprint, known_fields, read_json, remove_temporaries, write_json
from clearhead._version import MADE_BY
from clearhead.errors import CorruptFileError, SchemaVersionError, StepMissingError, StorageError

__all__ = ["NEEDS", "RUN_SCHEMA", "STEPS", "RunFile", "StepRecord"]

RUN_SCHEMA = 1
NEEDS: dict[str, tuple[str, ...]] = {
    "extract": (),
    "fit": ("extract",),
    "select": ("fit",),
    "explain": ("select",),
    "debug": ("select",),
    "report": ("explain", "debug"),
}
STEPS = tuple(NEEDS)
MODEL_KEYS = ("spec", "name", "modality", "layer", "fingerprints")
DATA_KEYS = ("spec", "options", "name", "fingerprint", "notes", "problems", "keep_examples")


@dataclass(frozen=True)
class StepRecord:
    """One finished step: what it was made from, with which options, in how many seconds."""

    made_from: str
    options: Mapping[str, Any]
    seconds: float


@dataclass
class RunFile:
    """The content of ``run.json``.

    Parameters
    ----------
    folder : Path
    model, data : dict
        How each was named (``spec``, ``options``), its name and its fingerprints.
    steps : dict of StepRecord
        Finished steps.
    """

    folder: Path
    made_by: str
    model: dict[str, Any]
    data: dict[str, Any]
    steps: dict[str, StepRecord] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """Where it is kept."""
        return self.folder / "run.json"

    @classmethod
    def read(cls, folder: Path) -> RunFile:
        """Read ``run.json`` of `folder`."""
        path = folder / "run.json"
        if not path.is_file():
            raise StorageError(
                f"{folder} is not a run directory: it has no run.json. Make one with "
                f"`clearhead run MODEL DATA --out {folder}`."
            )
        mend = (
            f"Delete it and run `clearhead run MODEL DATA --out {folder}` again: features that "
            "are whole are found and used."
        )
        try:
            value = read_json(path)
        except CorruptFileError as error:
            raise CorruptFileError(f"{path} is damaged ({error.__cause__}). {mend}") from error
        version = value.get("schema_version") if isinstance(value, dict) else None
        if not isinstance(version, int):
            raise CorruptFileError(f"{path} is damaged (it has no schema_version). {mend}")
        if version > RUN_SCHEMA:
            raise SchemaVersionError(
                f"{path} has schema version {version}, made by {value.get('made_by', 'unknown')}; "
                f"this clearhead reads up to version {RUN_SCHEMA}. Upgrade clearhead to open it: "
                "pip install --upgrade clearhead."
            )
        try:
            steps = {
                name: StepRecord(**known_fields(StepRecord, record))
                for name, record in value["steps"].items()
                if name in NEEDS
            }
            _require(value["model"], MODEL_KEYS)
            _require(value["data"], DATA_KEYS)
            return cls(folder, value["made_by"], value["model"], value["data"], steps)
        except (KeyError, TypeError, AttributeError) as error:
            raise CorruptFileError(f"{path} is damaged ({error!r}). {mend}") from error

    def write(self) -> None:
        """Write ``run.json`` atomically."""
        remove_temporaries(self.folder)
        steps = {name: vars(self.steps[name]) for name in STEPS if name in self.steps}
        write_json(
            self.path,
            {
                "schema_version": RUN_SCHEMA,
                "made_by": self.made_by,
                "model": self.model,
                "data": self.data,
                "steps": steps,
            },
        )

    def made_from(self, step: str, options: Mapping[str, Any]) -> str:
        """Fingerprint of what `step` would be made from now."""
        upstream = {name: self.steps[name].made_from for name in NEEDS[step]}
        root = {"model": self.model["fingerprints"], "data": self.data["fingerprint"]}
        # What looks at the layer is cheap, and gets better with each version: do it again.
        version = MADE_BY if step in ("explain", "debug", "report") else None
        return fingerprint(
            {
                "step": step,
                "options": options,
                "before": upstream,
                "root": root,
                "version": version,
            }
        )

    def require(self, step: str) -> None:
        """Raise unless everything that `step` needs has been computed."""
        missing = [name for name in NEEDS[step] if name not in self.steps]
        if missing:
            raise StepMissingError(
                f"{step} needs {' and '.join(missing)}, which this run has not done yet. Do it "
                f"first: `clearhead {missing[0]} {self.folder}`."
            )

    def is_current(self, step: str, options: Mapping[str, Any]) -> bool:
        """Whether `step` was finished with the same options, from what is there now."""
        record = self.steps.get(step)
        return record is not None and record.made_from == self.made_from(step, options)

    def begin(self, step: str) -> None:
        """Record, before its first file changes, that `step` and what came from it is void."""
        void = {step, *_after(step)}
        if void & set(self.steps):
            self.steps = {name: kept for name, kept in self.steps.items() if name not in void}
            self.write()

    def finish(self, step: str, options: Mapping[str, Any], seconds: float) -> None:
        """Record that `step` has just been done."""
        record = StepRecord(self.made_from(step, options), dict(options), round(seconds, 3))
        self.steps[step] = record
        self.write()


def _require(value: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    for key in keys:
        if key not in value:
            raise KeyError(key)


def _after(step: str) -> set[str]:
    """Steps that were computed from `step`, directly or not."""
    children = {name for name, needs in NEEDS.items() if step in needs}
    return children.union(*(_after(child) for child in children))
