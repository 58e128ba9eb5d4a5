"""The examples that a person must see, kept so that a run opens after its data has moved."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from clearhead._files import checksum, read_json, write_bytes, write_json
from clearhead.data import Dataset
from clearhead.errors import ClearheadError, DataError
from clearhead.events import Event, EventCallback, emit

__all__ = ["ExampleKeeper", "KeptExample"]

_THUMBNAIL = re.compile(r"[0-9a-f]{32}\.jpg")


@dataclass(frozen=True)
class KeptExample:
    """A text, or a JPEG thumbnail; neither where the run was made without examples."""

    text: str | None = None
    jpeg: bytes | None = None


class ExampleKeeper:
    """The folder ``examples/``: an index from id to text, or to the file of a thumbnail."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = folder / "index.json"
        self._index: dict[str, dict[str, str]] = read_json(path) if path.exists() else {}

    def __contains__(self, key: str) -> bool:
        return key in self._index

    def get(self, key: str) -> KeptExample:
        """Return what was kept of example `key`; nothing if it was not."""
        entry = self._index.get(key, {})
        if "image" in entry:
            return KeptExample(jpeg=self._thumbnail(str(entry["image"])))
        return KeptExample(text=entry.get("text"))

    def _thumbnail(self, name: str) -> bytes | None:
        """Read a thumbnail; its name is its checksum, so nothing else can be put in its place."""
        path = self.folder / name
        if not _THUMBNAIL.fullmatch(name) or not path.is_file():
            return None
        data = path.read_bytes()
        return data if checksum(data) == path.stem else None

    def keep(
        self,
        keys: Iterable[str],
        dataset: Callable[[], Dataset],
        on_event: EventCallback | None = None,
    ) -> None:
        """Keep the examples `keys`; opens the data only if one of them is not kept yet.

        When the data cannot be opened any more, their places stay empty, with a warning.
        """
        missing = [key for key in dict.fromkeys(keys) if key not in self._index]
        if not missing:
            return
        try:
            data = dataset()
        except (ClearheadError, OSError) as error:
            message = f"{len(missing)} examples cannot be shown: {error}"
            emit(on_event, Event("explain", "warning", message))
            return
        rows = {str(key): row for row, key in enumerate(data.ids)}
        for key in missing:
            try:
                shown = data.show(rows[key])
            except (DataError, KeyError, OSError):
                self._index[key] = {}  # its place stays empty
                continue
            if shown.kind == "image":
                name = f"{checksum(shown.jpeg)}.jpg"
                write_bytes(self.folder / name, shown.jpeg)
                self._index[key] = {"image": name}
            else:
                self._index[key] = {"text": shown.text}
        write_json(self.folder / "index.json", self._index)
