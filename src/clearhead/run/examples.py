"""The examples that a person must see, kept so that a run opens after its data has moved."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from clearhead._files import checksum, read_json, write_bytes, write_json
from clearhead.data import Dataset
from clearhead.errors import DataError, StorageError

__all__ = ["ExampleKeeper", "KeptExample"]


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
            path = self.folder / entry["image"]
            if path.parent != self.folder:
                raise StorageError(f"{self.folder / 'index.json'} names a file outside its folder.")
            return KeptExample(jpeg=path.read_bytes() if path.exists() else None)
        return KeptExample(text=entry.get("text"))

    def keep(self, keys: Iterable[str], dataset: Callable[[], Dataset]) -> None:
        """Keep the examples `keys`; opens the data only if one of them is not kept yet."""
        missing = [key for key in dict.fromkeys(keys) if key not in self._index]
        if not missing:
            return
        data = dataset()
        rows = {str(key): row for row, key in enumerate(data.ids)}
        for key in missing:
            try:
                shown = data.show(rows[key])
            except (DataError, KeyError, OSError):
                continue  # its place stays empty: a picture is no reason to lose a report
            if shown.kind == "image":
                name = f"{checksum(shown.jpeg)}.jpg"
                write_bytes(self.folder / name, shown.jpeg)
                self._index[key] = {"image": name}
            else:
                self._index[key] = {"text": shown.text}
        write_json(self.folder / "index.json", self._index)
