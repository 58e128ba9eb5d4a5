"""What people said about the features of a run: names, and core / spurious / unsure marks.

Kept in ``notes.json`` of the run. Whoever changes it holds a lock, reads it anew, and can say
which version was looked at: two open tabs, or a tab and a shell, never undo one another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self, get_args

from clearhead._files import checksum, read_json, storable, write_json
from clearhead.errors import ConflictError, CorruptFileError, InputError
from clearhead.features.lock import locked

__all__ = ["NOTES", "NOTES_LOCK", "FeatureNote", "Mark", "Notes", "change_notes", "read_notes"]

NOTES = "notes.json"
NOTES_LOCK = "notes.lock"
NO_NOTES = "none"
"""Version of the notes of a run that has none."""

Mark = Literal["core", "spurious", "unsure"]
LONGEST_NAME = 500


@dataclass(frozen=True)
class FeatureNote:
    """What was said about one feature.

    Parameters
    ----------
    name : str or None
    marks : mapping of class name to {"core", "spurious", "unsure"}
        What the feature is to a class. A feature can be core to one and spurious to another.
    """

    name: str | None = None
    marks: Mapping[str, Mark] = field(default_factory=dict)


@dataclass(frozen=True)
class Notes:
    """All notes of a run, and their version.

    Parameters
    ----------
    features : mapping of feature to FeatureNote
    version : str
        Changes whenever the notes do.
    raw : mapping
        The file's content: what a newer clearhead wrote there is kept.
    """

    features: Mapping[int, FeatureNote] = field(default_factory=dict)
    version: str = NO_NOTES
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, raw: Mapping[str, Any], version: str = NO_NOTES) -> Self:
        """Take the content of the file; marks of a newer clearhead are kept, and not read."""
        features = {
            int(key): FeatureNote(
                name=None if one.get("name") is None else str(one["name"]),
                marks={
                    str(name): mark
                    for name, mark in one.get("marks", {}).items()
                    if mark in get_args(Mark)
                },
            )
            for key, one in raw["features"].items()
        }
        return cls(features, version, raw)

    def named(self, feature: int, name: str | None) -> Self:
        """Give a feature another name; None takes it away."""
        if name is None:
            return self._with(feature, name=None)
        if not name.strip():
            raise InputError(f"The name given to feature {feature} is empty.")
        if len(name) > LONGEST_NAME:
            raise InputError(
                f"The name given to feature {feature} has {len(name):,} characters; at most "
                f"{LONGEST_NAME} are kept."
            )
        return self._with(feature, name=storable(name.strip()))

    def marked(self, feature: int, class_name: str, mark: str | None) -> Self:
        """Say what a feature is to a class; None takes the mark away."""
        if mark is not None and mark not in get_args(Mark):
            raise InputError(f"mark: expected {', '.join(get_args(Mark))}, got {mark!r}.")
        held = dict(self.raw.get("features", {}).get(str(feature), {}).get("marks", {}))
        held.pop(class_name, None)
        if mark is not None:
            held[class_name] = mark
        return self._with(feature, marks=dict(sorted(held.items())) or None)

    def _with(self, feature: int, **changed: Any) -> Self:
        features = dict(self.raw.get("features", {}))
        note = dict(features.pop(str(feature), {})) | changed
        note = {key: value for key, value in note.items() if value is not None}
        if note:
            features[str(feature)] = note
        ordered = {key: features[key] for key in sorted(features, key=int)}
        return type(self).of({**self.raw, "features": ordered}, self.version)


def read_notes(folder: Path) -> Notes:
    """Read the notes of the run in `folder`; none where there is no file.

    Raises
    ------
    CorruptFileError
        The file is damaged.
    """
    path = folder / NOTES
    if not path.is_file():
        return Notes()
    try:
        version, raw = checksum(path.read_bytes()), read_json(path)
        return Notes.of(raw, version)
    except (KeyError, TypeError, ValueError, AttributeError, CorruptFileError) as error:
        raise CorruptFileError(
            f"{path} is damaged ({error}). It holds the names and marks that people gave to "
            "features: mend or remove it."
        ) from error


def change_notes(
    folder: Path, change: Callable[[Notes], Notes], version: str | None = None
) -> Notes:
    """Change the notes of the run in `folder`, one process and one tab at a time.

    Parameters
    ----------
    change : callable
        From the notes as they are now to the new ones.
    version : str, optional
        Of the notes that the change was decided on.

    Raises
    ------
    ConflictError
        They have been changed since.
    """
    with locked(folder, name=NOTES_LOCK, wait=True):
        held = read_notes(folder)
        if version is not None and version != held.version:
            raise ConflictError(
                f"{folder / NOTES} has been changed since it was read: names or marks were given "
                "in another tab or by another program. Load them again, then make the change."
            )
        write_json(folder / NOTES, change(held).raw)
        return read_notes(folder)
